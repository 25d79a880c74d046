//! `GET /v1/session`: what a session may do. `DELETE /v1/session`: its end.

use agentkeys_edge_broker::http::Method;
use agentkeys_edge_broker::session::{SessionRecord, SessionToken, index_key, record_key};
use serde_json::{Value, json};

use crate::support::keys::EC;
use crate::support::sessions::{audience, full_json, key, plain, tag};
use crate::support::world::{Request, World, error_of};
use crate::support::{NOW, WALLET, at, json, wallet};

fn world() -> World {
    World::new(&[("AUDIENCES", r#"["sts.amazonaws.com","a"]"#)], &[("SIGNING_KEY_A", EC.jwk().to_string())])
}

fn get(token: &SessionToken) -> Request {
    Request::new(Method::Get, "/v1/session").bearer(token.expose())
}

fn delete(token: &SessionToken) -> Request {
    Request::new(Method::Delete, "/v1/session").bearer(token.expose())
}

#[test]
fn a_session_is_described_by_its_record_s_names() {
    let world = world();
    let record = SessionRecord::parse(&full_json().to_string()).unwrap();
    let answer = world.send(&get(&world.begin(1, &record)));
    assert_eq!(answer.response.status, 200);
    assert_eq!(answer.response.header("cache-control"), Some("no-store"));
    let mut expected = full_json();
    expected.as_object_mut().unwrap().remove("v");
    assert_eq!(json(answer.response.body_text()), expected);
}

#[test]
fn a_plain_session_is_told_the_audience_it_has_by_default() {
    let world = world();
    let description: Value = json(world.send(&get(&world.begin(1, &plain()))).response.body_text());
    let expected = json!({
        "wallet": WALLET, "created_at": NOW - 60, "expires_at": NOW + 86_400,
        "audiences": ["sts.amazonaws.com"], "tags": {}, "transitive_tags": [],
    });
    assert_eq!(description, expected);
}

#[test]
fn what_is_described_is_what_mints() {
    let world = world();
    let mut session = plain().with_tags(vec![tag("team", "storage")], vec![key("team")]).unwrap();
    session.audiences = Some(vec![audience("a"), audience("sts.amazonaws.com")]);
    session.max_token_ttl = Some(120);
    let token = world.begin(1, &session);
    let description = json(world.send(&get(&token)).response.body_text());
    for audience in description["audiences"].as_array().unwrap() {
        let body = json!({"audience": audience, "ttl_seconds": description["max_token_ttl"]}).to_string();
        assert_eq!(world.mint(&token, Some(&body)).response.status, 200, "{audience}");
    }
    for body in [json!({"audience": "b"}), json!({"ttl_seconds": 121})] {
        assert_ne!(world.mint(&token, Some(&body.to_string())).response.status, 200, "{body}");
    }
}

#[test]
fn a_session_ends_itself_and_leaves_nothing_behind() {
    let world = world();
    let (token, other) = (world.begin(1, &plain()), world.begin(2, &plain()));
    let answer = world.send(&delete(&token));
    assert_eq!((answer.response.status, answer.response.body_text()), (204, ""));
    assert_eq!(answer.response.header("cache-control"), Some("no-store"));
    assert_eq!(*world.store.deletes.borrow(), [record_key(&token.hash()), index_key(&wallet(), &token.hash())]);
    assert!(!world.store.values.borrow().keys().any(|key| key.contains(token.hash().as_str())));
    for request in [get(&token), delete(&token), Request::new(Method::Post, "/v1/mint-oidc-jwt").bearer(token.expose())] {
        assert_eq!(error_of(&world.send(&request).response).0, 401);
    }
    assert_eq!(world.mint(&other, None).response.status, 200, "the wallet's other session goes on");
}

#[test]
fn only_a_live_session_is_described_or_ended() {
    let world = world();
    let mut over = plain();
    over.expires_at = at(NOW);
    let over = world.begin(1, &over);
    let broken = world.store_text(2, &plain(), "{}".to_owned());
    let unknown = SessionToken::from_random(&[3; 32]);
    for token in [&over, &broken, &unknown] {
        for request in [get(token), delete(token)] {
            let response = world.send(&request).response;
            assert_eq!((response.status, response.header("www-authenticate")), (401, Some(r#"Bearer error="invalid_token""#)));
        }
    }
    for method in [Method::Get, Method::Delete] {
        let response = world.send(&Request::new(method, "/v1/session")).response;
        assert_eq!((response.status, response.header("www-authenticate")), (401, Some("Bearer")));
        let two = Request::new(method, "/v1/session").bearer(over.expose()).bearer(unknown.expose());
        assert_eq!(world.send(&two).response.status, 400);
    }
    assert!(world.store.deletes.borrow().is_empty());
}

#[test]
fn a_store_that_fails_ends_nothing_and_describes_nothing() {
    let world = world();
    let token = world.begin(1, &plain());
    world.store.fails.set(true);
    for request in [get(&token), delete(&token)] {
        let answer = world.send(&request);
        assert_eq!(error_of(&answer.response).0, 503);
        assert_eq!(json(&answer.event.unwrap().to_line())["reason"], "store");
    }
    world.store.fails.set(false);
    assert_eq!(world.send(&get(&token)).response.status, 200);
}

#[test]
fn the_events_are_named_after_what_was_asked() {
    let world = world();
    let token = world.begin(1, &plain());
    for (request, name) in [(get(&token), "session"), (delete(&token), "revoke")] {
        let line = json(&world.send(&request).event.unwrap().to_line());
        assert_eq!((&line["event"], &line["outcome"], &line["wallet"]), (&json!(name), &json!("ok"), &json!(WALLET)));
        assert!(!line.to_string().contains(&token.expose()[4..]));
    }
}
