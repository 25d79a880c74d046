//! The calls that the doctor makes, each bounded by what STS waits, all of them by half a minute.

use std::fmt;
use std::time::{Duration, Instant};

use agentkeys_edge_broker::session::SessionToken;
use agentkeys_edge_broker::time::UnixTime;
use ureq::http::{HeaderMap, Method, Request};

use super::outcome::Check;
use crate::clock;
use crate::http::{Client, HttpError, TIMEOUT, is_loopback_http};

/// All calls together end within this time, and what would come later is not asked.
const ALL_CALLS: Duration = Duration::from_secs(30);

/// The issuer, its client and the time that is left.
pub(super) struct Probe {
    client: Client,
    /// The issuer's URL without a slash at its end.
    base: String,
    ends: Instant,
}

/// What a server answered, and when.
pub(super) struct Seen {
    pub(super) status: u16,
    pub(super) body: Vec<u8>,
    headers: HeaderMap,
    /// From the call to the last byte of its answer.
    pub(super) took: Duration,
    /// This machine's clock when the answer was there.
    pub(super) at: Option<UnixTime>,
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Unseen {
    Failed(HttpError),
    /// The time for all calls was over before this one.
    OutOfTime,
}

pub(super) type Reply = Result<Seen, Unseen>;

impl fmt::Display for Unseen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failed(HttpError::Timeout) => f.write_str("did not answer in time"),
            Self::Failed(error) => error.fmt(f),
            Self::OutOfTime => write!(f, "was not asked: the {} seconds for all calls were over", ALL_CALLS.as_secs()),
        }
    }
}

impl Unseen {
    /// The check of an answer that did not come. That it was not asked for is no reason to call the issuer well.
    pub(super) fn check(&self, id: &'static str) -> Check {
        let remedy = match self {
            Self::OutOfTime => "See to the checks that took the time, then run doctor again.",
            Self::Failed(_) => "Run doctor again, and look at the worker's logs.",
        };
        Check::warn(id, format!("The request {self}."), remedy)
    }
}

impl Probe {
    pub(super) fn new(client: Client, issuer: &str) -> Self {
        let now = instant();
        Self { client, base: issuer.trim_end_matches('/').to_owned(), ends: now.checked_add(ALL_CALLS).unwrap_or(now) }
    }

    /// The URL of a path below the issuer.
    pub(super) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    /// A public request: no credential.
    pub(super) fn ask(&self, method: &Method, url: &str, headers: &[(&str, &str)]) -> Reply {
        self.send(method, url, headers, Vec::new())
    }

    pub(super) fn get(&self, url: &str) -> Reply {
        self.ask(&Method::GET, url, &[])
    }

    /// A request with a session token. It goes to the issuer and nowhere else.
    pub(super) fn with_session(&self, method: &Method, path: &str, session: &SessionToken, body: Option<&serde_json::Value>) -> Reply {
        let credential = format!("Bearer {}", session.expose());
        let mut headers = vec![("authorization", credential.as_str())];
        let body = body.map(ToString::to_string);
        if body.is_some() {
            headers.push(("content-type", "application/json"));
        }
        self.send(method, &self.url(path), &headers, body.map(String::into_bytes).unwrap_or_default())
    }

    fn send(&self, method: &Method, url: &str, headers: &[(&str, &str)], body: Vec<u8>) -> Reply {
        let begins = instant();
        let left = self.ends.saturating_duration_since(begins);
        if left.is_zero() {
            return Err(Unseen::OutOfTime);
        }
        if !url.starts_with("https://") && !is_loopback_http(url) {
            return Err(Unseen::Failed(HttpError::NotHttps));
        }
        let mut request = Request::builder().method(method).uri(url);
        if *method == Method::POST && body.is_empty() {
            // Some servers want to be told so (411).
            request = request.header("content-length", "0");
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(body).map_err(|_| Unseen::Failed(HttpError::Url))?;
        let (parts, body) = self.client.send(request, left.min(TIMEOUT)).map_err(Unseen::Failed)?.into_parts();
        let took = instant().saturating_duration_since(begins);
        Ok(Seen { status: parts.status.as_u16(), body, headers: parts.headers, took, at: clock::now().ok() })
    }
}

impl Seen {
    /// A header's value; of repeated ones all, joined as RFC 9110 §5.3 has it. `None` where it is not text.
    pub(super) fn header(&self, name: &str) -> Option<String> {
        let values: Vec<&str> = self.headers.get_all(name).iter().map(|value| value.to_str().ok()).collect::<Option<_>>()?;
        (!values.is_empty()).then(|| values.join(", "))
    }

    /// Whether the media type is this one, whatever its parameters.
    pub(super) fn is(&self, media_type: &str) -> bool {
        agentkeys_edge_broker::http::has_media_type(self.header("content-type").as_deref(), media_type)
    }

    /// The directives of `Cache-Control`, in lower case.
    pub(super) fn cache_control(&self) -> Vec<String> {
        let value = self.header("cache-control").unwrap_or_default().to_ascii_lowercase();
        value.split(',').map(|directive| directive.trim().to_owned()).filter(|directive| !directive.is_empty()).collect()
    }

    pub(super) fn is_never_stored(&self) -> bool {
        self.cache_control().iter().any(|directive| directive == "no-store")
    }

    /// The body as JSON.
    pub(super) fn json(&self) -> Option<serde_json::Value> {
        serde_json::from_slice(&self.body).ok()
    }

    /// Whether it is an error of the broker's form, of this kind.
    pub(super) fn is_error(&self, kind: &str) -> bool {
        self.json().is_some_and(|body| {
            body.get("error").and_then(serde_json::Value::as_str) == Some(kind)
                && body.get("message").is_some_and(serde_json::Value::is_string)
        })
    }
}

fn instant() -> Instant {
    #[allow(clippy::disallowed_methods, reason = "the one place that measures how long an issuer takes")]
    Instant::now()
}
