//! What the routes refuse: paths that are not there, methods a route does not have, and callers without a live session.

use agentkeys_edge_broker::http::Route;
use agentkeys_edge_broker::session::SessionToken;
use ureq::http::Method;

use super::outcome::{Check, Fault};
use super::probe::{Probe, Reply, Seen};

/// A path that no version of the broker will have.
const NOWHERE: &str = "/v1/nothing-is-here";

type Verdict = Result<&'static str, Fault>;

/// The checks, and the answer to a mint without a credential: never cached, and so a good witness of the issuer's clock.
pub(super) fn checks(probe: &Probe) -> (Vec<Check>, Reply) {
    let mint = probe.url(Route::Mint.path());
    let unknown = probe.get(&probe.url(NOWHERE));
    let wrong = probe.ask(&Method::POST, &probe.url(Route::Discovery.path()), &[]);
    let anonymous = probe.ask(&Method::POST, &mint, &[]);
    let mut random = [0; 32];
    let stranger = getrandom::fill(&mut random).ok().map(|()| SessionToken::from_random(&random));
    let stranger = stranger.map(|token| probe.with_session(&Method::POST, Route::Mint.path(), &token, None));
    let checks = vec![
        refusal("unknown-route", &unknown, not_found),
        refusal("wrong-method", &wrong, method_not_allowed),
        refusal("mint-challenge", &anonymous, challenge),
        stranger.map_or_else(
            || Check::skip("mint-stranger", "This machine has no random numbers to make a token of."),
            |stranger| refusal("mint-stranger", &stranger, self::stranger),
        ),
        match &anonymous {
            Ok(_) => refusal("refusal-cache", &anonymous, never_stored),
            Err(_) => Check::skip("refusal-cache", "There is no refusal to look at."),
        },
    ];
    (checks, anonymous)
}

/// A check of an answer that is to be a refusal.
fn refusal(id: &'static str, reply: &Reply, judge: impl FnOnce(&Seen) -> Verdict) -> Check {
    match reply {
        Ok(seen) if seen.status == 429 => Check::skip(id, "The rate limit answered: run doctor again in a minute."),
        Ok(seen) => Check::of(id, judge(seen)),
        Err(unseen) => unseen.check(id),
    }
}

fn not_found(seen: &Seen) -> Verdict {
    if seen.status == 404 && seen.is_error("not_found") {
        return Ok("An unknown path is 404, in the broker's error form.");
    }
    Err(Fault::warn(
        format!("An unknown path is answered with status {}, or not in the broker's words: something else answers there.", seen.status),
        "Route the whole issuer, path and all, to the worker.",
    ))
}

fn method_not_allowed(seen: &Seen) -> Verdict {
    let allows = |allow: String| allow.split(',').any(|method| method.trim() == "GET");
    if seen.status == 405 && seen.header("allow").is_some_and(allows) {
        return Ok("A method that a route does not have is 405, with Allow.");
    }
    Err(Fault::warn(
        format!("POST of discovery is answered with status {}, not with 405 and an Allow that has GET.", seen.status),
        "Look at what stands in front of the worker: it answers in its place.",
    ))
}

/// RFC 6750 §3: no credential, a bare challenge.
fn challenge(seen: &Seen) -> Verdict {
    no_token(seen, "without a credential")?;
    let is_bearer = seen
        .header("www-authenticate")
        .is_some_and(|value| value.split([' ', ',']).next().is_some_and(|scheme| scheme.eq_ignore_ascii_case("bearer")));
    if seen.status == 401 && is_bearer {
        return Ok("A mint without a credential is 401, with the challenge Bearer.");
    }
    Err(refused_otherwise(seen, "A mint without a credential"))
}

/// RFC 6750 §3.1: a credential that is not a live session.
fn stranger(seen: &Seen) -> Verdict {
    no_token(seen, "for a session token that nobody was given")?;
    if seen.status == 401 && seen.header("www-authenticate").is_some_and(|value| value.contains("invalid_token")) {
        return Ok("A mint with a token that nobody was given is 401 invalid_token.");
    }
    Err(refused_otherwise(seen, "A mint with an unknown session token"))
}

fn no_token(seen: &Seen, when: &str) -> Result<(), Fault> {
    if !(200..300).contains(&seen.status) {
        return Ok(());
    }
    Err(Fault::fail(
        format!("THE MINT ANSWERS WITH SUCCESS {when}: whoever asks may get a token."),
        "Take the issuer out of service, and deploy the broker as it was built.",
    ))
}

fn refused_otherwise(seen: &Seen, what: &str) -> Fault {
    match seen.status {
        404 | 405 => Fault::fail(
            format!("{what} is answered with status {}: there is no mint.", seen.status),
            "Route the whole issuer, path and all, to the worker.",
        ),
        500.. => Fault::fail(format!("{what} is answered with status {}.", seen.status), "Look at /readyz and at the worker's logs."),
        status => Fault::warn(
            format!("{what} is answered with status {status}, or without the challenge of RFC 6750."),
            "Look at what stands in front of the worker: clients go by 401 and WWW-Authenticate.",
        ),
    }
}

fn never_stored(seen: &Seen) -> Verdict {
    if seen.is_never_stored() {
        return Ok("A refused mint is never stored.");
    }
    Err(Fault::warn(
        "A refused mint may be stored by caches: a client may go on seeing it after it has a session.",
        "Send Cache-Control: no-store on every answer of the mint.",
    ))
}
