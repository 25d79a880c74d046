//! Health and readiness: `/healthz` says that the worker runs, `/readyz` whether it can do its work, and what stops it.

use serde::Serialize;

use crate::broker::{Broker, Outside};
use crate::config::Problem;
use crate::http::Response;
use crate::keys::{Alg, BrokenKey};
use crate::limit::Limit;
use crate::signin::RequestId;
use crate::time::UnixTime;
use crate::{ChallengeStore, Ports, RateLimiter, SessionStore, Signer};

/// How long a readiness report may be repeated, in seconds: a probe must not cost a signature per key every time.
pub const REPORT_AGE_SECONDS: u64 = 10;

/// A worker as it was set up: under which path it answers, and the broker or what keeps it from being one.
#[derive(Debug)]
pub struct Service {
    /// The issuer's path, or nothing where the issuer itself is wrong.
    pub base_path: String,
    /// The broker, or every variable that is wrong.
    pub broker: Result<Broker, Vec<Problem>>,
    /// The secrets that hold no usable key.
    pub broken_keys: Vec<(String, BrokenKey)>,
}

/// One check of the report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Check {
    #[serde(rename = "check")]
    subject: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    ok: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    kid: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
}

impl Check {
    fn new(subject: &'static str, ok: bool) -> Self {
        Self { subject, name: None, ok, kid: None, message: None }
    }

    fn named(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    fn saying(mut self, message: impl Into<String>) -> Self {
        self.message = Some(message.into());
        self
    }
}

#[derive(Serialize)]
struct Report {
    ready: bool,
    checks: Vec<Check>,
}

/// The answer of `/healthz`.
#[must_use]
pub fn health() -> Response {
    Response::text(200, "ok").no_store()
}

impl Service {
    /// Whether every variable and every secret is as it has to be, and there is a key to sign with.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.broken_keys.is_empty() && self.broker.as_ref().is_ok_and(|broker| !broker.ring().keys().is_empty())
    }

    /// The answer of `/readyz`: 200 or 503, and every check.
    pub async fn readiness<P: Ports>(&self, outside: &Outside<'_, P>) -> Response {
        let mut checks = self.configuration();
        checks.extend(self.broken_keys.iter().map(|(secret, broken)| Check::new("key", false).named(secret).saying(broken.to_string())));
        if let Ok(broker) = &self.broker {
            checks.extend(keys(broker, outside.signer).await);
            checks.extend(audiences(broker, outside.now));
        }
        checks.push(answers("sessions", outside.store.get("readyz").await.is_ok(), "the KV namespace SESSIONS"));
        let challenge = outside.challenges.take(&RequestId::UNUSED).await;
        checks.push(answers("challenges", challenge.is_ok(), "the Durable Object namespace CHALLENGES"));
        checks.extend(Limit::ALL.into_iter().filter(|limit| !outside.limiter.is_bound(*limit)).map(|limit| {
            Check::new("rate_limit", false)
                .named(limit.binding())
                .saying("it is not bound: nothing is limited by it (wrangler.toml, ratelimits)")
        }));
        let ready = checks.iter().all(|check| check.ok);
        Response::json(if ready { 200 } else { 503 }, &Report { ready, checks }).no_store()
    }

    fn configuration(&self) -> Vec<Check> {
        match &self.broker {
            Ok(_) => vec![Check::new("configuration", true)],
            Err(problems) => {
                problems.iter().map(|problem| Check::new("configuration", false).named(problem.variable).saying(problem.message)).collect()
            }
        }
    }
}

/// A store that answers, or the binding that does not.
fn answers(subject: &'static str, ok: bool, binding: &str) -> Check {
    let check = Check::new(subject, ok);
    if ok { check } else { check.saying(format!("{binding} does not answer: is it bound?")) }
}

/// Each key of the ring signs once, and the signature is held against the key as it is published.
async fn keys<K: Signer>(broker: &Broker, signer: &K) -> Vec<Check> {
    let mut checks = Vec::new();
    for key in broker.ring().keys() {
        let proven = signer.prove(key.public.kid()).await;
        let check = Check { kid: Some(key.public.kid().to_owned()), ..Check::new("key", proven).named(&key.secret) };
        checks.push(if proven { check } else { check.saying("a test signature did not verify against the published key") });
    }
    if checks.is_empty() {
        checks.push(Check::new("key", false).saying("no secret named SIGNING_KEY_… holds a usable key: make one with edge-broker keygen"));
    }
    checks
}

/// Each audience has a key that signs for it now. Without any key that is said once, by [`keys`].
fn audiences(broker: &Broker, now: UnixTime) -> impl Iterator<Item = Check> {
    let audiences = broker.config().audiences.iter().filter(|_| !broker.ring().keys().is_empty());
    audiences.map(move |entry| {
        let due = broker.ring().signer(entry.alg, now).is_some();
        let check = Check::new("audience", due).named(entry.audience.as_str());
        let alg = entry.alg.unwrap_or(Alg::Es256).as_str();
        if due {
            check
        } else {
            check.saying(format!("no {alg} key is due for it: make one with edge-broker keygen --alg {alg}, or wait for one's nbf"))
        }
    })
}
