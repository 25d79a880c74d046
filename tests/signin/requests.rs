//! The bodies of start and verify.

use agentkeys_edge_broker::error::Refusal;
use agentkeys_edge_broker::signin::{BODY_BYTES_MAX, StartRequest, VerifyRequest};
use serde_json::{Value, json};

use crate::support::{Signer, config};

const ADDRESS: &str = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed";
const JSON: Option<&str> = Some("application/json");

fn start(variables: &[(&str, &str)], body: &[u8]) -> Result<StartRequest, Refusal> {
    StartRequest::parse(&config(variables).signin, body, JSON)
}

/// The 400 of a body, as the caller reads it.
fn bad_request<T>(outcome: Result<T, Refusal>, body: &str) -> String {
    let refusal = outcome.err().unwrap_or_else(|| panic!("accepted: {body}"));
    assert_eq!(refusal.reason(), "bad_request", "{body}");
    let response = refusal.into_response();
    assert_eq!((response.status, response.header("cache-control")), (400, Some("no-store")));
    serde_json::from_str::<Value>(response.body_text()).unwrap()["message"].as_str().unwrap().to_owned()
}

#[test]
fn a_start_names_an_address_and_a_chain() {
    for body in [
        json!({"address": ADDRESS, "chain_id": 1}),
        json!({"chain_id": 1, "address": ADDRESS.to_lowercase()}),
        json!({"address": ADDRESS, "chain_id": 1, "nonce": null, "chainId": "x", "siwe": {"a": [1, 2.5, true]}}),
    ] {
        let request = start(&[], body.to_string().as_bytes()).unwrap();
        assert_eq!(request.wallet.as_str(), ADDRESS.to_lowercase());
        assert_eq!(u64::from(request.chain_id), 1);
    }
}

#[test]
fn a_start_that_is_not_of_its_form_is_refused_and_told_why() {
    let wrong_checksum = ADDRESS.replace("5aA", "5aa");
    for (body, word) in [
        (String::new(), "JSON object"),
        ("null".to_owned(), "JSON object"),
        ("[]".to_owned(), "JSON object"),
        (format!(r#"["{ADDRESS}", 1]"#), "JSON object"),
        ("{}".to_owned(), "address"),
        (json!({"address": ADDRESS}).to_string(), "chain_id"),
        (json!({"chain_id": 1}).to_string(), "address"),
        (json!({"address": null, "chain_id": 1}).to_string(), "address"),
        (json!({"address": 1, "chain_id": 1}).to_string(), "address"),
        (json!({"address": [ADDRESS], "chain_id": 1}).to_string(), "address"),
        (json!({"address": "", "chain_id": 1}).to_string(), "address"),
        (json!({"address": &ADDRESS[..41], "chain_id": 1}).to_string(), "address"),
        (json!({"address": wrong_checksum, "chain_id": 1}).to_string(), "checksum"),
        (json!({"address": ADDRESS, "chain_id": 0}).to_string(), "chain_id"),
        (json!({"address": ADDRESS, "chain_id": -1}).to_string(), "chain_id"),
        (json!({"address": ADDRESS, "chain_id": 1.5}).to_string(), "chain_id"),
        (json!({"address": ADDRESS, "chain_id": "1"}).to_string(), "chain_id"),
        (json!({"address": ADDRESS, "chain_id": null}).to_string(), "chain_id"),
        (json!({"address": ADDRESS, "chain_id": true}).to_string(), "chain_id"),
        (format!(r#"{{"address":"{ADDRESS}","chain_id":1.0}}"#), "chain_id"),
        (format!(r#"{{"address":"{ADDRESS}","chain_id":1e0}}"#), "chain_id"),
        (format!(r#"{{"address":"{ADDRESS}","chain_id":9007199254740992}}"#), "chain_id"),
        (format!(r#"{{"address":"{ADDRESS}","chain_id":18446744073709551616}}"#), "chain_id"),
        (format!(r#"{{"address":"{ADDRESS}","chain_id":1,"chain_id":1}}"#), "once"),
        (format!(r#"{{"address":"{ADDRESS}","address":"{ADDRESS}","chain_id":1}}"#), "once"),
        (format!(r#"{{"address":"{ADDRESS}","chain_id":1}}x"#), "JSON object"),
        (format!(r#"{{"address":"{ADDRESS}","chain_id":1,}}"#), "JSON object"),
        (format!(r#"{{"a":{}"#, "[".repeat(1000)), "JSON object"),
    ] {
        let message = bad_request(start(&[], body.as_bytes()), &body);
        assert!(message.contains(word), "{body}: {message}");
        assert!(!message.contains(&wrong_checksum[2..]), "{message}");
    }
    bad_request(start(&[], b"{\"address\":\"\xff\",\"chain_id\":1}"), "invalid UTF-8");
}

#[test]
fn a_chain_is_one_of_the_configured_ones() {
    let body = |chain: u64| json!({"address": ADDRESS, "chain_id": chain}).to_string();
    let listed = [("SIGNIN_CHAINS", "[1, 8453]")];
    for chain in [1, 8453] {
        assert_eq!(u64::from(start(&listed, body(chain).as_bytes()).unwrap().chain_id), chain);
    }
    for chain in [2, 84_532, 9_007_199_254_740_991] {
        let message = bad_request(start(&listed, body(chain).as_bytes()), &body(chain));
        assert!(message.contains("SIGNIN_CHAINS"), "{message}");
        assert!(start(&[], body(chain).as_bytes()).is_ok());
    }
}

#[test]
fn a_verify_names_a_challenge_and_a_signature() {
    let signature = Signer::new("wallet").sign("message");
    let id = format!("siwe-{}", "0f".repeat(16));
    for body in [json!({"request_id": id, "signature": signature}), json!({"signature": signature, "request_id": id, "address": 1})] {
        let request = VerifyRequest::parse(body.to_string().as_bytes(), JSON).unwrap();
        assert_eq!(request.request_id.as_str(), id);
        assert_eq!(request.signature, signature.parse().unwrap());
    }
}

#[test]
fn a_verify_that_is_not_of_its_form_is_refused_and_told_why() {
    let signature = Signer::new("wallet").sign("message");
    let id = format!("siwe-{}", "0f".repeat(16));
    for (body, word) in [
        (String::new(), "JSON object"),
        (format!(r#"["{id}","{signature}"]"#), "JSON object"),
        ("{}".to_owned(), "request_id"),
        (json!({"request_id": id}).to_string(), "signature"),
        (json!({"signature": signature}).to_string(), "request_id"),
        (json!({"request_id": null, "signature": signature}).to_string(), "request_id"),
        (json!({"request_id": id, "signature": null}).to_string(), "signature"),
        (json!({"request_id": 1, "signature": signature}).to_string(), "request_id"),
        (json!({"request_id": id, "signature": {"r": 1}}).to_string(), "signature"),
        (json!({"request_id": "", "signature": signature}).to_string(), "request_id"),
        (json!({"request_id": &id[..36], "signature": signature}).to_string(), "request_id"),
        (json!({"request_id": format!("{id}0"), "signature": signature}).to_string(), "request_id"),
        (json!({"request_id": id.to_uppercase(), "signature": signature}).to_string(), "request_id"),
        (json!({"request_id": id.replace('f', "F"), "signature": signature}).to_string(), "request_id"),
        (json!({"request_id": id.replace('f', "g"), "signature": signature}).to_string(), "request_id"),
        (json!({"request_id": &id[5..], "signature": signature}).to_string(), "request_id"),
        (json!({"request_id": id, "signature": &signature[2..]}).to_string(), "signature"),
        (json!({"request_id": id, "signature": &signature[..130]}).to_string(), "signature"),
        (json!({"request_id": id, "signature": format!("{signature}0")}).to_string(), "signature"),
        (json!({"request_id": id, "signature": signature.replacen("0x", "0xg", 1)}).to_string(), "signature"),
        (format!(r#"{{"request_id":"{id}","request_id":"{id}","signature":"{signature}"}}"#), "once"),
    ] {
        let message = bad_request(VerifyRequest::parse(body.as_bytes(), JSON), &body);
        assert!(message.contains(word), "{body}: {message}");
        assert!(!message.contains(&signature[2..60]) && !message.contains("0f0f"), "{message}");
    }
}

#[test]
fn a_body_is_sent_as_json() {
    let config = config(&[]);
    let body = json!({"address": ADDRESS, "chain_id": 1}).to_string();
    for content_type in ["application/json", "Application/JSON", "application/json; charset=utf-8", "application/json ;x"] {
        assert!(StartRequest::parse(&config.signin, body.as_bytes(), Some(content_type)).is_ok(), "{content_type}");
    }
    for content_type in [None, Some(""), Some("text/plain"), Some("application/x-www-form-urlencoded"), Some("application/jsonx")] {
        let refused = Refusal::UnsupportedMediaType("application/json");
        assert_eq!(StartRequest::parse(&config.signin, body.as_bytes(), content_type), Err(refused.clone()));
        assert_eq!(VerifyRequest::parse(body.as_bytes(), content_type), Err(refused));
    }
}

#[test]
fn a_body_of_a_megabyte_is_not_read() {
    let padded = |length: usize| {
        let body = json!({"address": ADDRESS, "chain_id": 1}).to_string();
        format!("{body}{}", " ".repeat(length - body.len()))
    };
    assert!(start(&[], padded(BODY_BYTES_MAX).as_bytes()).is_ok());
    for length in [BODY_BYTES_MAX + 1, 1_000_000] {
        assert_eq!(start(&[], padded(length).as_bytes()), Err(Refusal::PayloadTooLarge(BODY_BYTES_MAX)));
        assert_eq!(VerifyRequest::parse(padded(length).as_bytes(), JSON), Err(Refusal::PayloadTooLarge(BODY_BYTES_MAX)));
    }
}
