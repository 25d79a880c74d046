//! The way of a request: route, then the steps of that route, then the answer and its event.
//!
//! | room | routes |
//! |---|---|
//! | `mod` | `/.well-known/openid-configuration`, `/.well-known/jwks.json` |
//! | `mint` | `POST /v1/mint-oidc-jwt`, `POST /v1/token` |
//! | `signin` | `POST /v1/auth/wallet/start`, `POST /v1/auth/wallet/verify` |
//! | `session` | `GET` and `DELETE /v1/session` |
//!
//! Health and readiness answer without a broker: see [`crate::readiness`].

mod credential;
mod mint;
mod outside;
mod session;
mod signin;

use crate::Ports;
use crate::config::Config;
use crate::discovery;
use crate::error::{Failure, Fault, Refusal};
use crate::event::Event;
use crate::http::{BodyError, Document, Incoming, Method, Response, Route};
use crate::keys::KeyRing;
use crate::limit::{Client, Limit};
use crate::oauth::TokenError;

pub use outside::Outside;

/// Everything that is the same for every request of a deployment, made once.
#[derive(Debug)]
pub struct Broker {
    config: Config,
    ring: KeyRing,
    discovery: Document,
    key_set: Document,
}

/// The answer to a request, and what is to be logged of it.
#[derive(Debug)]
pub struct Answer {
    /// The response.
    pub response: Response,
    /// The event, for the routes that have one.
    pub event: Option<Event>,
}

impl Broker {
    /// The broker of a configuration and the keys that proved themselves.
    #[must_use]
    pub fn new(config: Config, ring: KeyRing) -> Self {
        let discovery = discovery::provider_metadata(&config, &ring);
        let key_set = discovery::key_set(&ring);
        Self { config, ring, discovery, key_set }
    }

    /// The configuration.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The keys.
    #[must_use]
    pub fn ring(&self) -> &KeyRing {
        &self.ring
    }

    /// Answers a request whose route is known.
    pub async fn answer<P: Ports>(&self, route: Route, request: &impl Incoming, outside: &Outside<'_, P>) -> Answer {
        match route {
            Route::Discovery => self.document(&self.discovery, request),
            Route::Jwks => self.document(&self.key_set, request),
            Route::Mint => logged("mint", request, outside, async |event| self.mint(request, outside, event).await).await,
            Route::Token => logged("exchange", request, outside, async |event| self.exchange(request, outside, event).await).await,
            Route::SigninStart => {
                logged("signin_start", request, outside, async |event| self.start_signin(request, outside, event).await).await
            }
            Route::SigninVerify => {
                logged("signin", request, outside, async |event| self.verify_signin(request, outside, event).await).await
            }
            Route::Session if request.method() == Method::Delete => {
                logged("revoke", request, outside, async |event| session::revoke(request, outside, event).await).await
            }
            Route::Session => logged("session", request, outside, async |event| self.describe(request, outside, event).await).await,
            Route::Health | Route::Ready => Answer { response: Refusal::NotFound.into_response(), event: None },
        }
    }

    /// A public document; without a single key there is none, rather than a half-right one.
    fn document(&self, document: &Document, request: &impl Incoming) -> Answer {
        let response = if self.ring.keys().is_empty() { Fault::NoSigningKey.into_response() } else { document.answer(request) };
        Answer { response, event: None }
    }
}

/// The answer to a request that no step of a route has seen: it is refused, or nothing can be served. The token endpoint
/// has OAuth's form for that, too.
#[must_use]
pub fn unserved(base_path: &str, path: &str, failure: Failure) -> Response {
    if Route::find(base_path, path) == Some(Route::Token) { TokenError::from(failure).into_response() } else { failure.into_response() }
}

/// Runs a route's steps and notes how they ended. A credential that is not a live session counts against its client.
async fn logged<P: Ports, E: Ending>(
    name: &'static str,
    request: &impl Incoming,
    outside: &Outside<'_, P>,
    steps: impl AsyncFnOnce(&mut Event) -> Result<Response, E>,
) -> Answer {
    let mut event = Event::new(name);
    let response = match steps(&mut event).await {
        Ok(response) => response,
        Err(mut ending) => {
            if ending.is_of_no_session() {
                let client = client(request).to_string();
                if let Err(refusal) = outside.within(Limit::Refused, &client, &mut event).await {
                    ending = refusal.into();
                }
            }
            ending.note(&mut event);
            ending.into_response()
        }
    };
    Answer { response, event: Some(event) }
}

/// How a route's steps end where they do not succeed.
trait Ending: From<Refusal> {
    /// Whether the credential was not a live session.
    fn is_of_no_session(&self) -> bool;
    /// Notes it in the event.
    fn note(&self, event: &mut Event);
    /// The answer.
    fn into_response(self) -> Response;
}

impl Ending for Failure {
    fn is_of_no_session(&self) -> bool {
        matches!(self, Self::Refused(Refusal::InvalidToken(_)))
    }

    fn note(&self, event: &mut Event) {
        event.failed(self);
    }

    fn into_response(self) -> Response {
        self.into_response()
    }
}

impl Ending for TokenError {
    fn is_of_no_session(&self) -> bool {
        matches!(self, Self::Common(failure) if failure.is_of_no_session())
    }

    fn note(&self, event: &mut Event) {
        event.exchange_failed(self);
    }

    fn into_response(self) -> Response {
        self.into_response()
    }
}

/// Where a request comes from.
fn client(request: &impl Incoming) -> Client {
    Client::of(request.header("cf-connecting-ip").as_deref())
}

/// The body of a request, up to a limit.
async fn body(request: &impl Incoming, limit: usize) -> Result<Vec<u8>, Refusal> {
    request.body(limit).await.map_err(|error| match error {
        BodyError::TooLarge => Refusal::PayloadTooLarge(limit),
        BodyError::Broken => Refusal::bad_request("The body broke off, or took longer than ten seconds. Send the request again."),
    })
}
