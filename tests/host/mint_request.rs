//! The body of a mint request: empty, or a JSON object of two optional members. Everything else is refused by name.

use agentkeys_edge_broker::error::Refusal;
use agentkeys_edge_broker::mint::MintRequest;
use proptest::prelude::*;
use serde_json::json;

use crate::support::sessions::audience;

const JSON: Option<&str> = Some("application/json");

fn parse(body: &str) -> Result<MintRequest, Refusal> {
    MintRequest::parse(body.as_bytes(), JSON)
}

fn message(body: &[u8]) -> String {
    match MintRequest::parse(body, JSON) {
        Err(Refusal::BadRequest(message)) => message.into_owned(),
        other => panic!("{}: {other:?}", String::from_utf8_lossy(body)),
    }
}

#[test]
fn nothing_asked_for_is_nothing() {
    for content_type in [None, JSON, Some("text/plain")] {
        assert_eq!(MintRequest::parse(b"", content_type), Ok(MintRequest::default()), "{content_type:?}");
    }
    assert_eq!(parse("{}"), Ok(MintRequest::default()));
}

#[test]
fn both_members_are_optional() {
    let (pool, ttl) = (Some(audience("https://iam.example.com/pool")), Some(120));
    for (body, audience, ttl_seconds) in [
        (r#"{"audience":"https://iam.example.com/pool"}"#, &pool, None),
        (r#"{"ttl_seconds":120}"#, &None, ttl),
        (r#" { "ttl_seconds" : 120 , "audience" : "https:\/\/iam.example.com\/pool" } "#, &pool, ttl),
        (r#"{"audience":"a","ttl_seconds":0}"#, &Some(audience("a")), Some(0)),
        (r#"{"audience":"a","ttl_seconds":18446744073709551615}"#, &Some(audience("a")), Some(u64::MAX)),
    ] {
        assert_eq!(parse(body), Ok(MintRequest { audience: audience.clone(), ttl_seconds }), "{body}");
    }
}

#[test]
fn a_body_is_said_to_be_json() {
    for content_type in
        ["application/json", "Application/JSON", "application/json; charset=utf-8", "application/json;charset=utf-8", " application/json "]
    {
        assert!(MintRequest::parse(b"{}", Some(content_type)).is_ok(), "{content_type}");
    }
    for content_type in [
        None,
        Some(""),
        Some("text/plain"),
        Some("text/json"),
        Some("application/x-www-form-urlencoded"),
        Some("application/jsonp"),
        Some("application/json, text/plain"),
        Some("application/json text/plain"),
        Some("application/problem+json"),
    ] {
        let refused = MintRequest::parse(b"{}", content_type);
        assert_eq!(refused, Err(Refusal::UnsupportedMediaType("application/json")), "{content_type:?}");
    }
}

#[test]
fn a_member_that_does_not_fit_is_named() {
    let long = "a".repeat(256);
    for (body, named) in [
        (json!({"audience": null}).to_string(), "The member audience "),
        (json!({"audience": 1}).to_string(), "The member audience "),
        (json!({"audience": true}).to_string(), "The member audience "),
        (json!({"audience": ["a"]}).to_string(), "The member audience "),
        (json!({"audience": {"a": 1}}).to_string(), "The member audience "),
        (json!({"audience": ""}).to_string(), "The member audience "),
        (json!({"audience": "a b"}).to_string(), "The member audience "),
        (json!({"audience": "a\u{0}"}).to_string(), "The member audience "),
        (json!({"audience": long}).to_string(), "The member audience "),
        (json!({"ttl_seconds": null}).to_string(), "The member ttl_seconds "),
        (json!({"ttl_seconds": "300"}).to_string(), "The member ttl_seconds "),
        (json!({"ttl_seconds": -300}).to_string(), "The member ttl_seconds "),
        (json!({"ttl_seconds": 300.5}).to_string(), "The member ttl_seconds "),
        (r#"{"ttl_seconds": 300.0}"#.to_owned(), "The member ttl_seconds "),
        (r#"{"ttl_seconds": 3e2}"#.to_owned(), "The member ttl_seconds "),
        (r#"{"ttl_seconds": 18446744073709551616}"#.to_owned(), "The member ttl_seconds "),
        (json!({"ttl_seconds": [300]}).to_string(), "The member ttl_seconds "),
        (json!({"ttl_seconds": {}}).to_string(), "The member ttl_seconds "),
        (r#"{"audience":"a","audience":"a"}"#.to_owned(), "The member audience is there twice"),
        (r#"{"ttl_seconds":300,"ttl_seconds":60}"#.to_owned(), "The member ttl_seconds is there twice"),
        (r#"{"ttl_seconds":300,"ttl_\u0073econds":60}"#.to_owned(), "The member ttl_seconds is there twice"),
        (json!({"wallet": "0x00"}).to_string(), "The member wallet is not known"),
        (json!({"tags": {"a": "b"}, "audience": "a"}).to_string(), "The member tags is not known"),
        (json!({"ttl": 300}).to_string(), "The member ttl is not known"),
        (json!({"": 1}).to_string(), "A member is not known"),
        (json!({"Audience": "a"}).to_string(), "A member is not known"),
    ] {
        assert!(message(body.as_bytes()).starts_with(named), "{body}: {}", message(body.as_bytes()));
    }
}

#[test]
fn a_body_that_is_no_json_object_is_refused() {
    let deep = format!("{{\"a\":{}{}}}", "[".repeat(2_000), "]".repeat(2_000));
    let open = "[".repeat(4_000);
    for body in [
        &b" "[..],
        b"\0",
        b"null",
        b"[]",
        b"[\"sts.amazonaws.com\",300]",
        b"\"audience\"",
        b"300",
        b"{",
        b"{}{}",
        b"{} x",
        b"{\"audience\"}",
        b"{audience:1}",
        b"{'audience':'a'}",
        b"{\"audience\":\"a\",}",
        b"{\"ttl_seconds\":0300}",
        b"{\"ttl_seconds\":NaN}",
        b"{\"ttl_seconds\":1e999}",
        b"\xef\xbb\xbf{}",
        b"{\"audience\":\"\xff\"}",
        b"audience=sts.amazonaws.com",
        deep.as_bytes(),
        open.as_bytes(),
    ] {
        assert!(!message(body).is_empty());
    }
}

#[test]
fn a_refusal_repeats_a_member_s_name_only_where_it_looks_like_one() {
    for name in ["aks_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "eyJhbGciOiJFUzI1NiJ9", "<script>", "a\nb", &"a".repeat(33), "Ä"] {
        assert_eq!(message(json!({name: 1}).to_string().as_bytes()).find(name), None, "{name}");
    }
    for value in ["hunter2 ", "aks_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA é"] {
        for member in ["audience", "ttl_seconds", "wallet"] {
            assert!(!message(json!({member: value}).to_string().as_bytes()).contains(value.split(' ').next().unwrap()));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// What is written with these two members is what is read.
    #[test]
    fn a_request_is_read_as_written(asked in proptest::option::of("[!-~]{1,255}"), ttl in proptest::option::of(any::<u64>())) {
        let mut body = json!({});
        if let Some(asked) = &asked {
            body["audience"] = json!(asked);
        }
        if let Some(ttl) = ttl {
            body["ttl_seconds"] = json!(ttl);
        }
        let request = MintRequest { audience: asked.as_deref().map(audience), ttl_seconds: ttl };
        prop_assert_eq!(parse(&body.to_string()), Ok(request));
    }

    #[test]
    fn any_bytes_are_read_to_an_answer(body in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = MintRequest::parse(&body, JSON);
    }

    #[test]
    fn anything_like_json_is_read_to_an_answer(body in "[{}\\[\\]\",:a-z_0-9\\\\.eE+ -]{0,60}") {
        if let Ok(request) = parse(&body) {
            prop_assert!(body.is_empty() || serde_json::from_str::<serde_json::Value>(&body).unwrap().is_object(), "{:?}", request);
        }
    }
}
