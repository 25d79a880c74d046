//! Faults of the two documents: how they are answered, how they are cached, what discovery says.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::json;

use crate::issuer::{DISCOVERY, Issuer, JWKS, TAGS};
use crate::{CANARY, finds};

#[test]
fn an_issuer_with_a_trailing_slash() {
    let said = finds(
        Issuer::new().with_discovery(|document| document["issuer"] = format!("{}/", document["issuer"].as_str().unwrap()).into()),
        &[("issuer", "fail")],
    );
    assert!(said.why("issuer").contains("slash"), "{said:?}");
}

#[test]
fn another_issuer_or_none() {
    finds(
        Issuer::new().with_discovery(|document| document["issuer"] = format!("https://{CANARY}.example.com").into()),
        &[("issuer", "fail")],
    );
    finds(Issuer::new().with_discovery(|document| document["issuer"] = 7.into()), &[("issuer", "fail")]);
}

#[test]
fn no_tags_claim_is_announced() {
    finds(
        Issuer::new().with_discovery(|document| document["claims_supported"].as_array_mut().unwrap().retain(|claim| claim != TAGS)),
        &[("claims-tags", "fail")],
    );
}

#[test]
fn a_claim_is_not_announced() {
    finds(
        Issuer::new().with_discovery(|document| document["claims_supported"].as_array_mut().unwrap().retain(|claim| claim != "jti")),
        &[("token-claims", "warn")],
    );
}

#[test]
fn an_algorithm_is_announced_and_not_published() {
    let said = finds(
        Issuer::new().with_discovery(|document| document["id_token_signing_alg_values_supported"] = json!(["ES256", "RS256"])),
        &[("algorithms-published", "fail")],
    );
    assert!(said.why("algorithms-published").contains("RS256"), "{said:?}");
}

#[test]
fn an_algorithm_that_sts_does_not_take() {
    for algs in [json!(["ES256", "EdDSA"]), json!(["PS256"]), json!([]), json!("ES256")] {
        finds(
            Issuer::new().with_discovery(move |document| document["id_token_signing_alg_values_supported"] = algs.clone()),
            &[("algorithms", "fail")],
        );
    }
}

#[test]
fn response_and_subject_types_are_missing() {
    finds(
        Issuer::new().with_discovery(|document| {
            document["response_types_supported"] = json!(["code"]);
            document.as_object_mut().unwrap().remove("subject_types_supported");
        }),
        &[("response-types", "fail"), ("subject-types", "fail")],
    );
}

#[test]
fn the_keys_are_elsewhere() {
    finds(
        Issuer::new().with_discovery(|document| {
            document["jwks_uri"] = document["jwks_uri"].as_str().unwrap().replace("127.0.0.1", "localhost").into();
        }),
        &[("jwks-uri", "warn")],
    );
    finds(
        Issuer::new().with_discovery(|document| document["jwks_uri"] = format!("http://{CANARY}.example.com/jwks").into()),
        &[("jwks-uri", "fail")],
    );
}

#[test]
fn a_redirect() {
    for (path, id) in [(DISCOVERY, "discovery-redirect"), (JWKS, "jwks-redirect")] {
        finds(
            Issuer::new().with_answer(move |request, answer| {
                if request.is("GET", path) {
                    answer.status = 301;
                    answer.set("Location", format!("/{CANARY}"));
                }
            }),
            &[(id, "fail")],
        );
    }
}

#[test]
fn a_status_that_is_not_200() {
    for status in [401, 403, 404, 429, 500, 503] {
        finds(
            Issuer::new().with_answer(move |request, answer| {
                if request.is("GET", JWKS) {
                    answer.status = status;
                }
            }),
            &[("jwks-status", "fail")],
        );
    }
}

#[test]
fn a_page_in_place_of_a_document() {
    finds(
        Issuer::new().with_answer(|request, answer| {
            if request.path.ends_with(DISCOVERY) && answer.status == 200 {
                answer.set("Content-Type", "text/html");
                answer.body = format!("<html>{CANARY}</html>").into_bytes();
            }
        }),
        &[("discovery-content-type", "fail"), ("discovery-json", "fail")],
    );
}

#[test]
fn a_content_type_that_is_not_json() {
    for (path, id) in [(DISCOVERY, "discovery-content-type"), (JWKS, "jwks-content-type")] {
        finds(
            Issuer::new().with_answer(move |request, answer| {
                if request.path.ends_with(path) && answer.status == 200 {
                    answer.set("Content-Type", "text/html; charset=utf-8");
                }
            }),
            &[(id, "fail")],
        );
    }
}

#[test]
fn the_content_type_of_a_key_set_is_none() {
    finds(
        Issuer::new().with_answer(|request, answer| {
            if request.path.ends_with(JWKS) {
                answer.set("Content-Type", "application/jwk-set+json; charset=utf-8");
            }
        }),
        &[],
    );
}

#[test]
fn a_key_set_that_hangs() {
    let begins = Instant::now();
    finds(
        Issuer::new().with_answer(|request, answer| {
            if request.path.ends_with(JWKS) {
                answer.after = Duration::from_mins(1);
            }
        }),
        &[("jwks-answer", "fail")],
    );
    assert!(begins.elapsed() < Duration::from_secs(15), "{:?}", begins.elapsed());
}

#[test]
fn everything_but_discovery_hangs_and_the_whole_ends_in_time() {
    let begins = Instant::now();
    let said = finds(
        Issuer::new().with_answer(|request, answer| {
            if !request.is("GET", DISCOVERY) {
                answer.after = Duration::from_mins(1);
            }
        }),
        &[
            ("discovery-head", "fail"),
            ("jwks-answer", "fail"),
            ("unknown-route", "warn"),
            ("wrong-method", "warn"),
            ("mint-challenge", "warn"),
            ("mint-stranger", "warn"),
            ("ready", "warn"),
            ("mint", "fail"),
        ],
    );
    assert!(begins.elapsed() < Duration::from_secs(34), "{:?}", begins.elapsed());
    assert!(said.why("ready").contains("was not asked"), "{said:?}");
}

#[test]
fn a_slow_discovery() {
    finds(
        Issuer::new().with_answer(|request, answer| {
            if request.is("GET", DISCOVERY) && request.query.is_none() {
                answer.after = Duration::from_millis(1_100);
            }
        }),
        &[("discovery-answer", "warn")],
    );
}

#[test]
fn caching_that_misses_a_rotation_or_does_not_happen() {
    for value in ["public, max-age=31536000", "no-store", "private, max-age=900", "public", "max-age=soon"] {
        finds(
            Issuer::new().with_answer(move |request, answer| {
                if request.path.ends_with(JWKS) {
                    answer.set("Cache-Control", value);
                }
            }),
            &[("jwks-cache", "warn")],
        );
    }
}

#[test]
fn no_304() {
    finds(
        Issuer::new().with_answer(|request, answer| {
            if answer.status == 304 && request.path.ends_with(JWKS) {
                answer.status = 200;
            }
        }),
        &[("jwks-not-modified", "warn")],
    );
}

#[test]
fn a_weak_entity_tag_or_none() {
    for tag in ["W/\"a\"", "a", "\"\""] {
        finds(
            Issuer::new().with_answer(move |request, answer| {
                if request.path.ends_with(DISCOVERY) {
                    answer.set("ETag", tag);
                }
            }),
            &[("discovery-etag", "warn")],
        );
    }
}

#[test]
fn head_that_differs_from_get() {
    finds(
        Issuer::new().with_answer(|request, answer| {
            if request.is("HEAD", DISCOVERY) {
                answer.status = 405;
            }
            if request.is("HEAD", JWKS) {
                answer.remove("ETag");
            }
        }),
        &[("discovery-head", "warn"), ("jwks-head", "warn")],
    );
}

#[test]
fn scripts_of_other_origins_cannot_read_it() {
    finds(
        Issuer::new().with_answer(|request, answer| {
            if request.path.ends_with(JWKS) {
                answer.remove("Access-Control-Allow-Origin");
            }
        }),
        &[("jwks-cors", "warn")],
    );
}

#[test]
fn a_query_string_that_matters() {
    finds(
        Issuer::new().with_answer(|request, answer| {
            if request.query.is_some() && request.path.ends_with(DISCOVERY) {
                answer.status = 404;
            }
        }),
        &[("discovery-query", "warn")],
    );
}

#[test]
fn edges_that_disagree() {
    let count = AtomicUsize::new(0);
    finds(
        Issuer::new().with_answer(move |request, answer| {
            let is_plain = request.is("GET", JWKS) && request.query.is_none() && answer.status == 200;
            // The first answer, the second, and then another.
            if is_plain && count.fetch_add(1, Ordering::SeqCst) == 2 {
                answer.set("ETag", "\"other\"");
                answer.body = json!({ "keys": [] }).to_string().into_bytes();
            }
        }),
        &[("jwks-repeat", "fail")],
    );
}
