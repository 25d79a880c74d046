//! Whether the broker calls itself ready (`/readyz`), and whether it signs with what it publishes.

use std::collections::BTreeSet;

use agentkeys_edge_broker::http::Route;
use serde_json::Value;

use super::outcome::{Check, Fault};
use super::probe::{Probe, Reply};

/// The checks, and the answer: never cached.
pub(super) fn checks(probe: &Probe, published: Option<&BTreeSet<&str>>) -> (Vec<Check>, Reply) {
    let reply = probe.get(&probe.url(Route::Ready.path()));
    let report = reply.as_ref().ok().and_then(super::probe::Seen::json);
    let ready = match &reply {
        Ok(seen) => Check::of("ready", ready(seen.status, report.as_ref())),
        Err(unseen) => unseen.check("ready"),
    };
    let keys = match (published, report.as_ref().and_then(signing)) {
        (Some(published), Some(signing)) => Check::of("ready-keys", keys(published, &signing)),
        _ => Check::skip("ready-keys", "There is no report of the keys to hold against the key set."),
    };
    (vec![ready, keys], reply)
}

fn ready(status: u16, report: Option<&Value>) -> Result<&'static str, Fault> {
    let is_ready = report.and_then(|report| report.get("ready")).and_then(Value::as_bool);
    match (status, is_ready) {
        (200, Some(true)) => Ok("The broker calls itself ready: configuration, keys, sessions."),
        (_, Some(_)) => {
            let failed = report.map(failed).unwrap_or_default();
            Err(Fault::fail(format!("The broker is not ready: {failed}."), "Look at /readyz: it says what is wrong with each of these."))
        }
        _ => Err(Fault::warn(
            format!("/readyz is answered with status {status} and no report."),
            "Route the whole issuer, path and all, to the worker.",
        )),
    }
}

/// The failed checks by their names, where these have the form of one: they are a server's words.
fn failed(report: &Value) -> String {
    let is_name = |name: &&str| (1..=64).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    let text = |check: &Value, member: &str| check.get(member).and_then(Value::as_str).filter(is_name).map(str::to_owned);
    let checks = report.get("checks").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let failed = checks.iter().filter(|check| check.get("ok").and_then(Value::as_bool) != Some(true));
    let names: Vec<String> = failed.filter_map(|check| text(check, "name").or_else(|| text(check, "check"))).take(8).collect();
    if names.is_empty() { "it does not say why".to_owned() } else { names.join(", ") }
}

/// The kids of the keys that proved themselves.
fn signing(report: &Value) -> Option<BTreeSet<&str>> {
    let checks = report.get("checks")?.as_array()?.iter();
    let keys = checks.filter(|check| check.get("check").and_then(Value::as_str) == Some("key"));
    let kids: BTreeSet<&str> = keys.filter_map(|check| check.get("kid")?.as_str()).collect();
    (!kids.is_empty()).then_some(kids)
}

fn keys(published: &BTreeSet<&str>, signing: &BTreeSet<&str>) -> Result<&'static str, Fault> {
    if published == signing {
        return Ok("The keys that the broker holds are those that it publishes.");
    }
    Err(Fault::fail(
        "The keys that the broker holds are not those in the key set: tokens of a key that is not published are refused.",
        "If a deployment is under way, run doctor again in a minute; else purge what caches the key set.",
    ))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_failed_is_named_by_names_only() {
        let report = |checks: Value| failed(&json!({ "checks": checks }));
        assert_eq!(
            report(json!([{ "check": "key", "name": "SIGNING_KEY_A", "ok": false }, { "check": "sessions", "ok": true }])),
            "SIGNING_KEY_A"
        );
        assert_eq!(report(json!([{ "check": "sessions", "ok": false, "message": "words" }])), "sessions");
        for strange in
            [json!([]), json!(null), json!([{ "check": "<script>", "ok": false }]), json!([{ "check": "a".repeat(65), "ok": false }])]
        {
            assert_eq!(report(strange), "it does not say why");
        }
    }
}
