//! The mint with a session: what it gives, and that a caller can narrow what its session allows and never widen it.

use agentkeys_edge_broker::http::Route;
use agentkeys_edge_broker::session::SessionToken;
use serde_json::{Value, json};
use ureq::http::Method;

use super::outcome::{Check, Fault};
use super::probe::{Probe, Reply, Seen};
use super::token::Minted;

/// The shortest life that can be asked for, in seconds.
const SHORTEST: u64 = 60;
/// A second more than any broker, or session, can be set to.
const TOO_LONG: u64 = 3_601;
/// An audience that nobody registers: the name is reserved (RFC 6761 §6.4).
const NO_AUDIENCE: &str = "https://doctor.invalid";

/// The names of the checks of a mint, besides those of its token.
pub(super) const IDS: [&str; 6] = ["mint", "mint-cache", "ttl-narrower", "ttl-wider", "audience-refused", "session"];

/// One mint: its checks, the answer, and the token if there is one.
pub(super) fn mint(probe: &Probe, session: &SessionToken, audience: Option<&str>, checks: &mut Vec<Check>) -> Option<(Seen, Minted)> {
    let body = audience.map(|audience| json!({ "audience": audience }));
    let minted = match ask(probe, session, body.as_ref()) {
        Ok(seen) => given(seen),
        Err(unseen) => Err(Fault::fail(format!("The mint {unseen}."), "Look at the worker's logs, and run doctor again.")),
    };
    match minted {
        Ok((seen, minted)) => {
            checks.push(Check::pass("mint", "The session gets a token."));
            checks.push(Check::of("mint-cache", cache(&seen)));
            Some((seen, minted))
        }
        Err(fault) => {
            checks.push(Check::of("mint", Err::<&str, _>(fault)));
            checks.extend(IDS.into_iter().skip(1).map(|id| Check::skip(id, "The session gets no token.")));
            None
        }
    }
}

fn ask(probe: &Probe, session: &SessionToken, body: Option<&Value>) -> Reply {
    probe.with_session(&Method::POST, Route::Mint.path(), session, body)
}

fn given(seen: Seen) -> Result<(Seen, Minted), Fault> {
    let status = seen.status;
    if status == 200 {
        let minted = seen.json().as_ref().and_then(Minted::read);
        return minted.map(|minted| (seen, minted)).ok_or_else(|| {
            Fault::fail(
                "The mint does not answer with jwt, wallet and expiration.",
                "Deploy the broker as it was built; something changes its answers.",
            )
        });
    }
    let remedy = match status {
        401 => {
            "Issue a session for this environment (edge-broker session issue --env NAME --remote); a new one may take a minute to be seen."
        }
        403 => "Name an audience of the session with --audience.",
        429 => "Run doctor again in a minute: the rate limit answered.",
        _ => "Look at /readyz and at the worker's logs.",
    };
    Err(Fault::fail(format!("The mint answers this session with status {status}."), remedy))
}

fn cache(seen: &Seen) -> Result<&'static str, Fault> {
    if seen.is_never_stored() {
        return Ok("The answer with the token is never stored.");
    }
    Err(Fault::fail(
        "The answer with the token may be stored by caches: one wallet's token could be given to another.",
        "Send Cache-Control: no-store with it, and take the mint out of every cache rule in front.",
    ))
}

/// What a caller cannot get, and what it can.
pub(super) fn limits(probe: &Probe, session: &SessionToken, minted: &Minted) -> Vec<Check> {
    let with_ttl = |seconds: u64| json!({ "audience": minted.audience(), "ttl_seconds": seconds });
    vec![
        if minted.lifetime().is_some_and(|lifetime| lifetime < SHORTEST) {
            Check::skip("ttl-narrower", "The session ends within a minute.")
        } else {
            answered("ttl-narrower", &ask(probe, session, Some(&with_ttl(SHORTEST))), narrower)
        },
        answered("ttl-wider", &ask(probe, session, Some(&with_ttl(TOO_LONG))), |seen| {
            refused(seen, 400, "A longer life than any session has is refused.", "a token that lives longer than the broker can be set to")
        }),
        answered("audience-refused", &ask(probe, session, Some(&json!({ "audience": NO_AUDIENCE }))), |seen| {
            refused(seen, 403, "An audience that nobody registered is refused.", "a token for an audience that nobody registered")
        }),
        answered("session", &probe.with_session(&Method::GET, Route::Session.path(), session, None), |seen| described(seen, minted)),
    ]
}

fn answered(id: &'static str, reply: &Reply, judge: impl FnOnce(&Seen) -> Result<&'static str, Fault>) -> Check {
    match reply {
        Ok(seen) if seen.status == 429 => Check::skip(id, "The rate limit answered: run doctor again in a minute."),
        Ok(seen) => Check::of(id, judge(seen)),
        Err(unseen) => unseen.check(id),
    }
}

fn narrower(seen: &Seen) -> Result<&'static str, Fault> {
    let lifetime = seen.json().as_ref().and_then(Minted::read).and_then(|minted| minted.lifetime());
    if lifetime.is_some_and(|lifetime| lifetime <= SHORTEST) {
        return Ok("A shorter life is given where it is asked for.");
    }
    Err(Fault::fail(
        "ttl_seconds of 60 does not give a token of 60 seconds.",
        "Deploy the broker as it was built: callers must be able to narrow what they get.",
    ))
}

fn refused(seen: &Seen, expected: u16, good: &'static str, what: &str) -> Result<&'static str, Fault> {
    match seen.status {
        status if status == expected => Ok(good),
        200..300 => Err(Fault::fail(
            format!("The mint gives {what}: a caller can widen what its session allows."),
            "Deploy the broker as it was built, and look at AUDIENCES and TOKEN_TTL_SECONDS.",
        )),
        status => Err(Fault::warn(
            format!("The mint refuses {what}, with status {status} and not with {expected}."),
            "Look at the worker's logs, and at what stands in front of it.",
        )),
    }
}

fn described(seen: &Seen, minted: &Minted) -> Result<&'static str, Fault> {
    let wallet = seen.json();
    let wallet = wallet.as_ref().and_then(|session| session.get("wallet")).and_then(Value::as_str);
    match (seen.status, wallet) {
        (200, Some(wallet)) if wallet == minted.wallet => Ok("GET /v1/session names the same wallet."),
        (200, Some(_)) => Err(Fault::fail(
            "GET /v1/session names another wallet than the mint.",
            "Take the issuer out of service: sessions are mixed up.",
        )),
        (status, _) => Err(Fault::warn(
            format!("GET /v1/session is answered with status {status}, without a wallet."),
            "Route the whole issuer, path and all, to the worker.",
        )),
    }
}
