//! The tool's room `check` without its command and its network. The tool is a program and no library, so the room is compiled
//! from its own files, listed once more here.

#[path = "../../cli/src/check/audience.rs"]
mod audience;
#[path = "../../cli/src/check/issuer.rs"]
mod issuer;
#[path = "../../cli/src/check/jose.rs"]
mod jose;
#[path = "../../cli/src/check/json.rs"]
mod json;
#[path = "../../cli/src/check/judge.rs"]
mod judge;
#[path = "../../cli/src/check/jwk.rs"]
mod jwk;
#[path = "../../cli/src/check/keys.rs"]
mod keys;
#[path = "../../cli/src/check/report.rs"]
mod report;
#[path = "../../cli/src/check/roles.rs"]
mod roles;
#[path = "../../cli/src/check/rule.rs"]
mod rule;
#[path = "../../cli/src/check/signature.rs"]
mod signature;
#[path = "../../cli/src/check/source_identity.rs"]
mod source_identity;
#[path = "../../cli/src/check/subject.rs"]
mod subject;
#[path = "../../cli/src/check/tags.rs"]
mod tags;
#[path = "../../cli/src/check/times.rs"]
mod times;
#[path = "../../cli/src/check/token_form.rs"]
mod token_form;
#[path = "../../cli/src/check/verdict.rs"]
mod verdict;
#[path = "../../cli/src/check/warnings.rs"]
mod warnings;
#[path = "../../cli/src/check/x5c.rs"]
mod x5c;

use agentkeys_edge_broker::time::UnixTime;

pub(crate) use judge::{Expectations, Token};
pub(crate) use keys::KeySet;
pub(crate) use verdict::Verdict;

/// What the tool would say of a token and a key set, as its command does.
pub(crate) fn verdict_on(token: &str, keys: &[u8], expected: &Expectations, at: UnixTime) -> Verdict {
    match Token::parse(token) {
        Ok(token) => judge::judge(&token, &KeySet::parse(keys), expected, at),
        Err(finding) => Verdict::unreadable(finding, at),
    }
}

/// The report as JSON and as text.
pub(crate) fn reports(verdict: &Verdict) -> (String, String) {
    (serde_json::to_string(&report::Report::of(verdict)).expect("a report always serialises"), report::text(verdict))
}
