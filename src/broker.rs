//! The way of a request: route, then the steps of that route, then the answer and its event.
//!
//! Serves `/.well-known/openid-configuration`, `/.well-known/jwks.json`, `POST /v1/mint-oidc-jwt`,
//! `GET` and `DELETE /v1/session`. Health and readiness answer without a broker: see [`crate::readiness`].

use serde::{Serialize, Serializer};

use crate::aws::{Audience, Roles, SourceIdentity, TagKey, TagValue};
use crate::claims::TokenClaims;
use crate::config::Config;
use crate::discovery;
use crate::encoding::lower_hex;
use crate::error::{Failure, Fault, Refusal, TokenReason};
use crate::event::Event;
use crate::http::{BodyError, Credential, Document, Incoming, Method, Response, Route, bearer};
use crate::keys::KeyRing;
use crate::mint::{self, MintRequest, UnsignedToken, decide};
use crate::session::{SessionHash, SessionRecord, SessionToken, index_key, record_key};
use crate::time::UnixTime;
use crate::{SessionStore, Signer};

/// Everything that is the same for every request of a deployment, made once.
#[derive(Debug)]
pub struct Broker {
    config: Config,
    ring: KeyRing,
    discovery: Document,
    key_set: Document,
}

/// What a request needs from outside.
pub struct Outside<'a, S, K> {
    /// The session store.
    pub store: &'a S,
    /// The signer.
    pub signer: &'a K,
    /// The time.
    pub now: UnixTime,
    /// 128 random bits, asked for once per token.
    pub random: fn() -> Option<[u8; 16]>,
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
    pub async fn answer<S: SessionStore, K: Signer>(&self, route: Route, request: &impl Incoming, outside: &Outside<'_, S, K>) -> Answer {
        match route {
            Route::Discovery => self.document(&self.discovery, request),
            Route::Jwks => self.document(&self.key_set, request),
            Route::Mint => logged("mint", async |event| self.mint(request, outside, event).await).await,
            Route::Session if request.method() == Method::Delete => {
                logged("revoke", async |event| revoke(request, outside, event).await).await
            }
            Route::Session => logged("session", async |event| self.describe(request, outside, event).await).await,
            Route::Health | Route::Ready => Answer { response: Refusal::NotFound.into_response(), event: None },
        }
    }

    /// A public document; without a single key there is none, rather than a half-right one.
    fn document(&self, document: &Document, request: &impl Incoming) -> Answer {
        let response = if self.ring.keys().is_empty() { Fault::NoSigningKey.into_response() } else { document.answer(request) };
        Answer { response, event: None }
    }

    /// `POST /v1/mint-oidc-jwt`, by the steps of [`crate::mint`].
    async fn mint<S: SessionStore, K: Signer>(
        &self,
        request: &impl Incoming,
        outside: &Outside<'_, S, K>,
        event: &mut Event,
    ) -> Result<Response, Failure> {
        // 1. parse
        let hash = session_hash(request, event)?;
        let body = request.body(mint::BODY_BYTES_MAX).await.map_err(|error| match error {
            BodyError::TooLarge => Refusal::PayloadTooLarge(mint::BODY_BYTES_MAX),
            BodyError::Broken => Refusal::bad_request("The body broke off. Send the request again."),
        })?;
        let asked =
            if body.is_empty() { MintRequest::default() } else { MintRequest::parse(&body, request.header("content-type").as_deref())? };
        // 2. look up
        let session = live_session(&hash, outside, event).await?;
        // 3. decide
        let decision = decide(&self.config, &session, &asked, outside.now)?;
        let key = self.ring.signer(decision.alg, outside.now).ok_or(Fault::NoSigningKey)?;
        let jti = lower_hex(&(outside.random)().ok_or(Fault::Internal)?);
        let claims = TokenClaims::new(&self.config, &session, &decision.audience, &jti)?;
        let token = UnsignedToken::new(key.public.kid(), key.public.alg(), claims, &decision)?;
        // 4. sign
        let signature = outside.signer.sign(key.public.kid(), token.signing_input()).await.map_err(|_| Fault::Signing)?;
        let token = token.sign_with(&signature)?;
        // 5. answer
        event.audience = Some(decision.audience.into());
        event.kid = Some(key.public.kid().to_owned());
        event.jti = Some(jti);
        let minted = Minted { jwt: token.expose(), wallet: session.wallet.as_str(), expiration: decision.expires_at };
        Ok(Response::json(200, &minted).no_store())
    }

    /// `GET /v1/session`: what this session may do.
    async fn describe<S: SessionStore, K: Signer>(
        &self,
        request: &impl Incoming,
        outside: &Outside<'_, S, K>,
        event: &mut Event,
    ) -> Result<Response, Failure> {
        let hash = session_hash(request, event)?;
        let session = live_session(&hash, outside, event).await?;
        let default = core::slice::from_ref(&self.config.audiences.first().audience);
        Ok(Response::json(200, &Description::new(&session, default)).no_store())
    }
}

/// `DELETE /v1/session`: the record first, since it is what mints, then its index entry.
async fn revoke<S: SessionStore, K: Signer>(
    request: &impl Incoming,
    outside: &Outside<'_, S, K>,
    event: &mut Event,
) -> Result<Response, Failure> {
    let hash = session_hash(request, event)?;
    let session = live_session(&hash, outside, event).await?;
    for key in [record_key(&hash), index_key(&session.wallet, &hash)] {
        outside.store.delete(&key).await.map_err(|_| Fault::Store)?;
    }
    Ok(Response::empty(204).no_store())
}

/// The hash of the one well-formed session token of a request.
fn session_hash(request: &impl Incoming, event: &mut Event) -> Result<SessionHash, Refusal> {
    let header = request.header("authorization");
    let token = match bearer(header.as_deref()) {
        Credential::None => return Err(Refusal::NoCredential),
        Credential::Several => return Err(Refusal::bad_request("Send one credential: a single Authorization header.")),
        Credential::Bearer(token) => token.parse::<SessionToken>().map_err(|_| Refusal::InvalidToken(TokenReason::Malformed))?,
    };
    let hash = token.hash();
    event.of_session(&hash);
    Ok(hash)
}

/// The record of a live session: one read of the store.
async fn live_session<S: SessionStore, K: Signer>(
    hash: &SessionHash,
    outside: &Outside<'_, S, K>,
    event: &mut Event,
) -> Result<SessionRecord, Failure> {
    let stored = outside.store.get(&record_key(hash)).await.map_err(|_| Fault::Store)?;
    let text = stored.ok_or(Refusal::InvalidToken(TokenReason::Unknown))?;
    let session = SessionRecord::parse(&text).map_err(|broken| {
        event.of_broken_record(hash, broken);
        Refusal::InvalidToken(TokenReason::BrokenRecord)
    })?;
    event.wallet = Some(session.wallet.clone());
    if session.expires_at <= outside.now { Err(Refusal::InvalidToken(TokenReason::Expired).into()) } else { Ok(session) }
}

/// Runs a route's steps and logs how they ended.
async fn logged(name: &'static str, steps: impl AsyncFnOnce(&mut Event) -> Result<Response, Failure>) -> Answer {
    let mut event = Event::new(name);
    let response = steps(&mut event).await.unwrap_or_else(|failure| {
        event.failed(&failure);
        failure.into_response()
    });
    Answer { response, event: Some(event) }
}

/// The answer to a mint.
#[derive(Serialize)]
struct Minted<'a> {
    jwt: &'a str,
    wallet: &'a str,
    expiration: UnixTime,
}

/// The answer to `GET /v1/session`, by the record's names.
#[derive(Serialize)]
struct Description<'a> {
    wallet: &'a str,
    created_at: UnixTime,
    expires_at: UnixTime,
    #[serde(skip_serializing_if = "Option::is_none")]
    label: Option<&'a str>,
    audiences: &'a [Audience],
    #[serde(serialize_with = "as_object")]
    tags: &'a [(TagKey, TagValue)],
    transitive_tags: &'a [TagKey],
    #[serde(skip_serializing_if = "Option::is_none")]
    roles: Option<&'a Roles>,
    #[serde(skip_serializing_if = "Option::is_none")]
    source_identity: Option<&'a SourceIdentity>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_token_ttl: Option<u64>,
}

impl<'a> Description<'a> {
    fn new(session: &'a SessionRecord, default_audience: &'a [Audience]) -> Self {
        Self {
            wallet: session.wallet.as_str(),
            created_at: session.created_at,
            expires_at: session.expires_at,
            label: session.label.as_deref(),
            audiences: session.audiences.as_deref().unwrap_or(default_audience),
            tags: session.tags().tags(),
            transitive_tags: session.tags().transitive(),
            roles: session.roles.as_ref(),
            source_identity: session.source_identity.as_ref(),
            max_token_ttl: session.max_token_ttl,
        }
    }
}

/// `{"Key": "value"}`, as the record has them.
fn as_object<S: Serializer>(tags: &[(TagKey, TagValue)], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(tags.iter().map(|(key, value)| (key, value)))
}
