//! Faults of the routes: what is not refused, what is not ready, a clock that is wrong.

use serde_json::json;

use crate::issuer::{Issuer, MINT, public_jwk};
use crate::{CANARY, examined, finds};

#[test]
fn a_page_for_every_path() {
    finds(
        Issuer::new().with_answer(|_, answer| {
            if answer.status == 404 {
                answer.status = 200;
                answer.body = CANARY.into();
            }
        }),
        &[("unknown-route", "warn")],
    );
}

#[test]
fn a_method_that_is_not_refused() {
    finds(
        Issuer::new().with_answer(|_, answer| {
            if answer.status == 405 {
                answer.remove("Allow");
            }
        }),
        &[("wrong-method", "warn")],
    );
}

#[test]
fn a_mint_for_everybody() {
    finds(
        Issuer::new().with_answer(|_, answer| {
            if answer.status == 401 {
                answer.status = 200;
            }
        }),
        &[("mint-challenge", "fail"), ("mint-stranger", "fail")],
    );
}

#[test]
fn a_mint_for_every_token() {
    finds(
        Issuer::new().with_answer(|request, answer| {
            if answer.status == 401 && request.header("authorization").is_some() {
                answer.status = 200;
            }
        }),
        &[("mint-stranger", "fail")],
    );
}

#[test]
fn a_challenge_that_is_missing() {
    finds(
        Issuer::new().with_answer(|request, answer| {
            if request.is("POST", MINT) {
                answer.remove("WWW-Authenticate");
            }
        }),
        &[("mint-challenge", "warn"), ("mint-stranger", "warn")],
    );
}

#[test]
fn a_refusal_that_is_cached() {
    finds(
        Issuer::new().with_answer(|_, answer| {
            if answer.status == 401 {
                answer.remove("Cache-Control");
            }
        }),
        &[("refusal-cache", "warn")],
    );
}

#[test]
fn a_rate_limit_is_not_a_fault_of_the_mint() {
    let said = finds(
        Issuer::new().with_answer(|_, answer| {
            if answer.status == 401 {
                answer.status = 429;
            }
        }),
        &[],
    );
    assert!(said.skipped().contains(&"mint-challenge".to_owned()));
}

#[test]
fn a_broker_that_is_not_ready() {
    let said = finds(
        Issuer::new().with_answer(|request, answer| {
            if request.path == "/readyz" {
                answer.status = 503;
                let keys = [1, 2].map(|seed| json!({ "check": "key", "ok": true, "kid": public_jwk(seed)["kid"] }));
                let broken = json!({ "check": "configuration", "name": "TOKEN_TTL_SECONDS", "ok": false, "message": CANARY });
                answer.body = json!({ "ready": false, "checks": [keys[0], keys[1], broken] }).to_string().into_bytes();
            }
        }),
        &[("ready", "fail")],
    );
    assert!(said.why("ready").contains("TOKEN_TTL_SECONDS"), "{said:?}");
}

#[test]
fn a_broker_without_readiness() {
    finds(
        Issuer::new().with_answer(|request, answer| {
            if request.path == "/readyz" {
                answer.status = 404;
                answer.body = CANARY.into();
            }
        }),
        &[("ready", "warn")],
    );
}

#[test]
fn a_key_that_signs_and_is_not_published() {
    finds(
        Issuer::new().with_answer(|request, answer| {
            if request.path == "/readyz" {
                let checks = [1, 3].map(|seed| json!({ "check": "key", "ok": true, "kid": public_jwk(seed)["kid"] }));
                answer.body = json!({ "ready": true, "checks": checks }).to_string().into_bytes();
            }
        }),
        &[("ready-keys", "fail")],
    );
}

#[test]
fn a_clock_that_is_wrong() {
    for (seconds, result) in [(3_600, "fail"), (-3_600, "fail"), (120, "warn"), (-120, "warn")] {
        finds(Issuer::new().with_clock_off_by(seconds), &[("clock", result)]);
    }
    finds(Issuer::new().with_clock_off_by(10), &[]);
}

#[test]
fn a_wrong_clock_is_seen_in_the_token_where_no_answer_has_a_date() {
    let said = examined(Issuer::new().with_clock_off_by(3_600).with_answer(|_, answer| answer.remove("Date")));
    assert_eq!(said.found()["clock"], "fail");
    assert_eq!(said.found()["token-lifetime"], "fail");
}

#[test]
fn the_date_of_a_cached_answer_says_nothing_of_the_clock() {
    let said = finds(
        Issuer::new().with_answer(|request, answer| {
            if request.method == "GET" || request.header("authorization").is_none() {
                answer.set("Date", "Sun, 06 Nov 1994 08:49:37 GMT");
                answer.set("Age", "900");
            }
        }),
        &[],
    );
    assert!(!said.skipped().contains(&"clock".to_owned()), "{said:?}");
}
