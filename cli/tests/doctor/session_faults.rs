//! Faults of the mint and of the token.

use serde_json::{Value, json};

use crate::issuer::{Issuer, MINT, TAGS};
use crate::{CANARY, finds};

const OTHER_WALLET: &str = "0x0000000000000000000000000000000000000001";

#[test]
fn a_token_without_tags() {
    let said = finds(Issuer::new().with_claims(|claims| drop(claims.as_object_mut().unwrap().remove(TAGS))), &[("token-tags", "fail")]);
    assert!(said.why("token-tags").contains("UNTAGGED"), "{said:?}");
}

#[test]
fn tags_of_a_form_that_sts_refuses() {
    finds(
        Issuer::new().with_claims(|claims| claims[TAGS]["principal_tags"]["agentkeys_user_wallet"] = CANARY.into()),
        &[("token-tags", "fail")],
    );
}

#[test]
fn tags_without_the_wallet_or_not_transitive() {
    finds(
        Issuer::new().with_claims(|claims| claims[TAGS] = json!({ "principal_tags": { "Other": [CANARY] }, "transitive_tag_keys": [] })),
        &[("token-tags", "fail")],
    );
    finds(Issuer::new().with_claims(|claims| claims[TAGS]["transitive_tag_keys"] = json!([])), &[("token-tags", "fail")]);
}

#[test]
fn a_token_of_two_wallets() {
    let edits: [fn(&mut Value); 3] = [
        |claims| claims[TAGS]["principal_tags"]["agentkeys_user_wallet"] = json!([OTHER_WALLET]),
        |claims| claims["agentkeys_user_wallet"] = OTHER_WALLET.into(),
        |claims| claims["sub"] = format!("agentkeys:agent:{OTHER_WALLET}").into(),
    ];
    for edit in edits {
        finds(Issuer::new().with_claims(edit), &[("token-wallet", "fail")]);
    }
}

#[test]
fn a_signature_of_another_key() {
    finds(Issuer::new().signed_with(3), &[("token-signature", "fail")]);
}

#[test]
fn a_token_of_another_issuer_or_audience() {
    finds(Issuer::new().with_claims(|claims| claims["iss"] = "https://other.example.com".into()), &[("token-accepted", "fail")]);
    finds(Issuer::new().with_claims(|claims| claims["aud"] = CANARY.into()), &[("token-accepted", "fail"), ("ttl-narrower", "fail")]);
}

#[test]
fn a_token_that_is_not_valid_yet() {
    finds(
        Issuer::new().with_claims(|claims| claims["nbf"] = (claims["iat"].as_i64().unwrap() + 3_600).into()),
        &[("token-accepted", "fail"), ("token-claims", "warn"), ("token-warnings", "warn")],
    );
}

#[test]
fn a_token_that_lives_too_long_or_longer_than_the_answer_says() {
    finds(
        Issuer::new().with_claims(|claims| claims["exp"] = (claims["iat"].as_i64().unwrap() + 7_200).into()),
        &[("token-lifetime", "fail"), ("token-answer", "fail"), ("ttl-narrower", "fail")],
    );
}

#[test]
fn an_answer_with_a_token_that_is_cached() {
    finds(
        Issuer::new().with_answer(|request, answer| {
            if request.is("POST", MINT) && answer.status == 200 {
                answer.set("Cache-Control", "public, max-age=60");
            }
        }),
        &[("mint-cache", "fail")],
    );
}

#[test]
fn a_session_that_is_not_known() {
    for status in [401, 403, 429, 500] {
        finds(
            Issuer::new().with_answer(move |request, answer| {
                if request.is("POST", MINT) && answer.status == 200 {
                    answer.status = status;
                }
            }),
            &[("mint", "fail")],
        );
    }
}

#[test]
fn an_answer_of_another_form() {
    for body in [json!({}), json!({ "jwt": CANARY, "wallet": 1, "expiration": 1 }), json!(CANARY)] {
        finds(
            Issuer::new().with_answer(move |request, answer| {
                if request.is("POST", MINT) && answer.status == 200 {
                    answer.body = body.to_string().into_bytes();
                }
            }),
            &[("mint", "fail")],
        );
    }
}

/// Answers what was refused with this status as if it had been granted.
fn granting(status: u16) -> Issuer {
    Issuer::new().with_answer(move |request, answer| {
        if request.is("POST", MINT) && answer.status == status {
            answer.status = 200;
        }
    })
}

#[test]
fn a_caller_that_widens_its_session() {
    finds(granting(400), &[("ttl-wider", "fail")]);
    finds(granting(403), &[("audience-refused", "fail")]);
}

#[test]
fn a_session_of_another_wallet() {
    finds(
        Issuer::new().with_answer(|request, answer| {
            if request.is("GET", "/v1/session") {
                answer.body = json!({ "wallet": OTHER_WALLET }).to_string().into_bytes();
            }
        }),
        &[("session", "fail")],
    );
}
