//! The session a sign-in opens, its answer, and the sessions that make room for it.

use agentkeys_edge_broker::session::{IndexMetadata, SessionHash, SessionRecord, SessionToken, index_key, indexed_session};
use agentkeys_edge_broker::signin::{open, signed_in, surplus};
use serde_json::{Value, json};

use crate::support::{NOW, Signer, at, config};

#[test]
fn a_session_lives_as_configured_and_grants_nothing_of_its_own() {
    let wallet = Signer::new("one").wallet;
    for (variables, seconds) in [(&[][..], 2_592_000), (&[("SESSION_TTL_SECONDS", "60"), ("AUDIENCES", r#"["a","b"]"#)], 60)] {
        let session = open(&config(variables), wallet.clone(), at(NOW)).unwrap();
        assert_eq!(
            serde_json::from_str::<Value>(&session.to_json().unwrap()).unwrap(),
            json!({"v": 1, "wallet": wallet.as_str(), "created_at": NOW, "expires_at": NOW + seconds, "label": "sign-in"})
        );
    }
}

#[test]
fn a_session_has_the_audiences_and_tags_that_the_configuration_gives_to_sign_ins() {
    let wallet = Signer::new("one").wallet;
    let variables = [("AUDIENCES", r#"["a","b","c"]"#), ("SIGNIN_AUDIENCES", r#"["c","a"]"#), ("SIGNIN_TAGS", r#"{"origin":"sign-in"}"#)];
    let session = open(&config(&variables), wallet, at(NOW)).unwrap();
    let stored: Value = serde_json::from_str(&session.to_json().unwrap()).unwrap();
    assert_eq!(
        (&stored["audiences"], &stored["tags"], stored.get("transitive_tags")),
        (&json!(["c", "a"]), &json!({"origin": "sign-in"}), None)
    );
}

#[test]
fn the_answer_has_the_token_under_both_names() {
    let wallet = Signer::new("one").wallet;
    let (token, session) = (SessionToken::from_random(&[7; 32]), open(&config(&[]), wallet.clone(), at(NOW)).unwrap());
    let response = signed_in(&token, &session);
    assert_eq!((response.status, response.header("cache-control")), (200, Some("no-store")));
    assert_eq!(
        serde_json::from_str::<Value>(response.body_text()).unwrap(),
        json!({
            "session_token": token.expose(), "session_jwt": token.expose(), "session_jwt_kid": "opaque", "expires_at": NOW + 2_592_000,
            "omni_account": wallet.actor_omni(), "wallet_address": wallet.as_str(), "identity_type": "evm", "identity_value": wallet.as_str(),
        })
    );
}

fn hash(n: u8) -> SessionHash {
    SessionToken::from_random(&[n; 32]).hash()
}

/// An index entry that began so many seconds ago and lives for an hour more.
fn entry(n: u8, age: u64) -> (SessionHash, Option<IndexMetadata>) {
    (hash(n), Some(IndexMetadata { created: at(NOW - age), expires: at(NOW + 3_600), label: None }))
}

#[test]
fn the_oldest_sessions_make_room() {
    let listed = || vec![entry(1, 10), entry(2, 30), entry(3, 20), entry(4, 40)];
    let ended = |limit| surplus(listed(), &hash(9), limit, at(NOW));
    assert_eq!(ended(6), []);
    assert_eq!(ended(5), []);
    assert_eq!(ended(4), [hash(4)]);
    assert_eq!(ended(3), [hash(4), hash(2)]);
    assert_eq!(ended(2), [hash(4), hash(2), hash(3)]);
    assert_eq!(ended(1), [hash(4), hash(2), hash(3), hash(1)]);
}

#[test]
fn the_new_session_stays_whether_it_is_listed_yet_or_not() {
    let listed = vec![entry(1, 10), entry(9, 99), entry(2, 20)];
    assert_eq!(surplus(listed.clone(), &hash(9), 3, at(NOW)), []);
    assert_eq!(surplus(listed.clone(), &hash(9), 2, at(NOW)), [hash(2)]);
    assert_eq!(surplus(listed, &hash(9), 1, at(NOW)), [hash(2), hash(1)]);
    assert_eq!(surplus(vec![], &hash(9), 1, at(NOW)), []);
}

#[test]
fn sessions_that_are_over_do_not_count() {
    let over = |n, expires| (hash(n), Some(IndexMetadata { created: at(NOW - 99), expires: at(expires), label: None }));
    let listed = vec![over(1, NOW), over(2, NOW - 1), entry(3, 10), over(4, NOW + 1)];
    assert_eq!(surplus(listed.clone(), &hash(9), 3, at(NOW)), []);
    assert_eq!(surplus(listed, &hash(9), 2, at(NOW)), [hash(4)]);
}

#[test]
fn an_entry_without_metadata_is_the_oldest_and_equal_ones_go_by_hash() {
    let listed = vec![entry(1, 10), (hash(2), None), entry(3, 10)];
    let (first, second) = if hash(1).as_str() < hash(3).as_str() { (hash(1), hash(3)) } else { (hash(3), hash(1)) };
    assert_eq!(surplus(listed, &hash(9), 1, at(NOW)), [hash(2), first, second]);
}

#[test]
fn an_index_entry_says_what_the_record_says() {
    let mut record = SessionRecord::new(Signer::new("one").wallet, at(1), at(2)).unwrap();
    let metadata = |record: &SessionRecord| {
        let text = serde_json::to_string(&IndexMetadata::from(record)).unwrap();
        assert_eq!(IndexMetadata::parse(&text), Some(IndexMetadata::from(record)));
        serde_json::from_str::<Value>(&text).unwrap()
    };
    assert_eq!(metadata(&record), json!({"created": 1, "expires": 2}));
    record.label = Some("a".to_owned());
    assert_eq!(metadata(&record), json!({"created": 1, "expires": 2, "label": "a"}));
}

#[test]
fn metadata_that_is_not_the_index_s_is_none() {
    assert!(IndexMetadata::parse(r#"{"expires":2,"created":1,"more":true}"#).is_some());
    for other in ["", "null", "{}", "[1,2]", r#"{"created":1}"#, r#"{"created":1,"expires":"2"}"#, r#"{"created":1,"expires":2,"label":1}"#]
    {
        assert_eq!(IndexMetadata::parse(other), None, "{other}");
    }
}

#[test]
fn an_index_key_names_a_session_of_its_wallet_only() {
    let (one, two) = (Signer::new("one").wallet, Signer::new("two").wallet);
    let key = index_key(&one, &hash(1));
    assert_eq!(indexed_session(&one, &key), Some(hash(1)));
    assert_eq!(indexed_session(&two, &key), None);
    for other in ["", "wallet/v1/", &key[..key.len() - 1], &format!("{key}A"), &key.replace("wallet/", "session/")] {
        assert_eq!(indexed_session(&one, other), None, "{other}");
    }
}
