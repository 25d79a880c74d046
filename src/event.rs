//! The one log line of a request: what happened to whom, and why. Never a token, a key or a record's content.

use serde::Serialize;

use crate::error::Failure;
use crate::session::{BrokenRecord, SessionHash, record_key};
use crate::wallet::Wallet;

/// What happened, filled in as the request goes its way. Serialises as one JSON object; fields that are not known are absent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Event {
    /// `mint`, `session` or `revoke`.
    pub event: &'static str,
    /// `ok`, `refused` (the caller's fault) or `failed` (ours).
    pub outcome: &'static str,
    /// Why, where the outcome is not `ok`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<&'static str>,
    /// The first characters of the session's hash.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session: Option<String>,
    /// The session's wallet.
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
    /// The store's key of a record that is broken.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub record: Option<String>,
    /// The rule that a broken record breaks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
}

impl Event {
    /// An event of which nothing but its name is known.
    #[must_use]
    pub fn new(event: &'static str) -> Self {
        Self {
            event,
            outcome: "ok",
            reason: None,
            session: None,
            wallet: None,
            audience: None,
            kid: None,
            jti: None,
            record: None,
            rule: None,
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

    /// The outcome of a request that failed.
    pub fn failed(&mut self, failure: &Failure) {
        (self.outcome, self.reason) = match failure {
            Failure::Refused(refusal) => ("refused", Some(refusal.reason())),
            Failure::Faulted(fault) => ("failed", Some(fault.as_str())),
        };
    }

    /// The line.
    #[must_use]
    pub fn to_line(&self) -> String {
        // A struct of texts always serialises.
        serde_json::to_string(self).unwrap_or_default()
    }
}
