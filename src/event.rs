//! The one log line of a request: what happened to whom, and why. Never a token, a key or a record's content.
//!
//! The same event is a data point of Workers Analytics Engine where that is bound; `docs/operations.md` has the fields and
//! the queries.

use serde::Serialize;

use crate::error::Failure;
use crate::oauth::TokenError;
use crate::session::{BrokenRecord, SessionHash, record_key};
use crate::wallet::Wallet;

/// What happened, filled in as the request goes its way. Serialises as one JSON object; fields that are not known are absent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Event {
    /// `mint`, `exchange`, `signin_start`, `signin`, `session` or `revoke`.
    pub event: &'static str,
    /// `ok`, `refused` (the caller's fault) or `failed` (ours).
    pub outcome: &'static str,
    /// Why, where the outcome is not `ok`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<&'static str>,
    /// What the request went on without, because it did not answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub degraded: Option<Degraded>,
    /// The first characters of the session's hash.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session: Option<String>,
    /// The session's wallet, or the one that signs in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wallet: Option<Wallet>,
    /// The audience of the token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub audience: Option<String>,
    /// The key that signed it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kid: Option<String>,
    /// The token's id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jti: Option<String>,
    /// How many older sessions made room for a new one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended: Option<usize>,
    /// The store's key of a record that is broken.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub record: Option<String>,
    /// The rule that a broken record breaks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// The milliseconds from the request to its answer, as the runtime's clock shows them: it moves only while it waits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ms: Option<u64>,
    /// The data centre that answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub colo: Option<String>,
    /// Cloudflare's id of the request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ray: Option<String>,
}

/// What a request can do without.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Degraded {
    /// A rate limit: nothing was counted.
    Limiter,
    /// The oldest sessions of a wallet: they have not made room.
    Surplus,
}

impl Event {
    /// An event of which nothing but its name is known.
    #[must_use]
    pub fn new(event: &'static str) -> Self {
        Self {
            event,
            outcome: "ok",
            reason: None,
            degraded: None,
            session: None,
            wallet: None,
            audience: None,
            kid: None,
            jti: None,
            ended: None,
            record: None,
            rule: None,
            ms: None,
            colo: None,
            ray: None,
        }
    }

    /// The session that was named.
    pub fn of_session(&mut self, hash: &SessionHash) {
        self.session = Some(hash.short().to_owned());
    }

    /// The record that cannot be trusted: where it is and which rule it breaks.
    pub fn of_broken_record(&mut self, hash: &SessionHash, broken: BrokenRecord) {
        self.record = Some(record_key(hash));
        self.rule = Some(broken.to_string());
    }

    /// Where and how fast it was answered. What does not look like Cloudflare's own is left out: locally any client can
    /// send the header.
    pub fn seen(&mut self, ms: u64, colo: &str, ray: &str) {
        let plain = |text: &str, longest: usize, fits: fn(u8) -> bool| {
            ((1..=longest).contains(&text.len()) && text.bytes().all(fits)).then(|| text.to_owned())
        };
        self.ms = Some(ms);
        self.colo = plain(colo, 8, |byte| byte.is_ascii_alphanumeric());
        self.ray = plain(ray, 32, |byte| byte.is_ascii_hexdigit());
    }

    /// The outcome of a request that failed.
    pub fn failed(&mut self, failure: &Failure) {
        (self.outcome, self.reason) = match failure {
            Failure::Refused(refusal) => ("refused", Some(refusal.reason())),
            Failure::Faulted(fault) => ("failed", Some(fault.as_str())),
        };
    }

    /// The outcome of a token exchange that failed.
    pub fn exchange_failed(&mut self, error: &TokenError) {
        let (outcome, reason) = error.outcome();
        (self.outcome, self.reason) = (outcome, Some(reason));
    }

    /// The line.
    #[must_use]
    pub fn to_line(&self) -> String {
        // A struct of texts and numbers always serialises.
        serde_json::to_string(self).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_looks_like_cloudflare_s_own_is_kept_of_a_request() {
        let seen = |colo: &str, ray: &str| {
            let mut event = Event::new("mint");
            event.seen(7, colo, ray);
            event.to_line()
        };
        assert_eq!(seen("FRA", "8f2ab4c6d8e0f123"), r#"{"event":"mint","outcome":"ok","ms":7,"colo":"FRA","ray":"8f2ab4c6d8e0f123"}"#);
        for (colo, ray) in [("", ""), ("a b", "aks_AAAA"), ("x\"", "8f2a-FRA"), ("123456789", "012345678901234567890123456789012")] {
            assert_eq!(seen(colo, ray), r#"{"event":"mint","outcome":"ok","ms":7}"#, "{colo} {ray}");
        }
    }
}
