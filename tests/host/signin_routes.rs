//! Sign-in and token exchange from request to answer: in which order the ports are asked, what each failure leaves behind,
//! and that both ways to a token give the same one.

use agentkeys_edge_broker::http::Method;
use agentkeys_edge_broker::limit::Limit;
use agentkeys_edge_broker::session::{IndexMetadata, SessionRecord, index_key, record_key};
use agentkeys_edge_broker::signin::{allow_key, personal_message_hash};
use agentkeys_edge_broker::wallet::Wallet;
use k256::ecdsa::signature::hazmat::PrehashSigner;
use k256::ecdsa::{RecoveryId, Signature, SigningKey};
use serde_json::{Value, json};
use sha3::{Digest, Keccak256};

use crate::support::keys::EC;
use crate::support::sessions::plain;
use crate::support::world::{Request, World, claims, error_of};
use crate::support::{NOW, at, json};

const START: &str = "/v1/auth/wallet/start";
const VERIFY: &str = "/v1/auth/wallet/verify";
const CLIENT: &str = "192.0.2.7";

fn world(variables: &[(&str, &str)]) -> World {
    World::new(variables, &[("SIGNING_KEY_A", EC.jwk().to_string())])
}

/// A wallet with its key, by its label.
struct Owner {
    key: SigningKey,
    wallet: Wallet,
}

impl Owner {
    fn new(label: &str) -> Self {
        let key = SigningKey::from_slice(&Keccak256::digest(label)).unwrap();
        let point = key.verifying_key().to_sec1_point(false);
        let address = Keccak256::digest(&point.as_bytes()[1..]);
        Self { wallet: format!("0x{}", agentkeys_edge_broker::encoding::lower_hex(&address[12..])).parse().unwrap(), key }
    }

    fn sign(&self, message: &str) -> String {
        let (signature, id): (Signature, RecoveryId) = self.key.sign_prehash(&personal_message_hash(message)).unwrap();
        format!("0x{}{:02x}", agentkeys_edge_broker::encoding::lower_hex(&signature.to_bytes()), id.to_byte() + 27)
    }
}

fn post(path: &str, body: &Value) -> Request {
    Request::new(Method::Post, path).json(body.to_string()).with("cf-connecting-ip", CLIENT)
}

/// A started sign-in of this wallet.
fn start(world: &World, owner: &Owner) -> Value {
    let answer = world.send(&post(START, &json!({"address": owner.wallet.as_str(), "chain_id": 1})));
    assert_eq!(answer.response.status, 200, "{}", answer.response.body_text());
    json(answer.response.body_text())
}

fn verify(started: &Value, signer: &Owner) -> Request {
    post(VERIFY, &json!({"request_id": started["request_id"], "signature": signer.sign(started["siwe_message"].as_str().unwrap())}))
}

/// The session that a wallet signs in to.
fn sign_in(world: &World, owner: &Owner) -> Value {
    let answer = world.send(&verify(&start(world, owner), owner));
    assert_eq!(answer.response.status, 200, "{}", answer.response.body_text());
    json(answer.response.body_text())
}

#[test]
fn a_sign_in_stores_the_entry_before_the_record_and_both_until_the_session_s_end() {
    let (world, owner) = (world(&[]), Owner::new("one"));
    let session = sign_in(&world, &owner);
    let hash = session["session_token"].as_str().unwrap().parse::<agentkeys_edge_broker::session::SessionToken>().unwrap().hash();
    let keys = [index_key(&owner.wallet, &hash), record_key(&hash)];
    assert_eq!(*world.store.puts.borrow(), keys);
    let record = SessionRecord::parse(&world.store.values.borrow()[&keys[1]]).unwrap();
    let entries = world.store.entries.borrow();
    assert_eq!(entries[&keys[0]], (Some(IndexMetadata::from(&record).to_json()), at(NOW + 2_592_000)));
    assert_eq!(entries[&keys[1]], (None, at(NOW + 2_592_000)));
    assert!(world.challenges.kept.borrow().is_empty(), "the challenge is gone");
}

#[test]
fn the_session_of_a_sign_in_mints_by_either_route() {
    let (world, owner) = (world(&[]), Owner::new("one"));
    let session = sign_in(&world, &owner);
    let token = session["session_token"].as_str().unwrap();
    let minted = world.send(&Request::new(Method::Post, "/v1/mint-oidc-jwt").bearer(token));
    let minted = claims(json(minted.response.body_text())["jwt"].as_str().unwrap());
    let exchanged = claims(exchange(&world, token)["access_token"].as_str().unwrap());
    for member in ["iss", "sub", "aud", "iat", "exp", "https://aws.amazon.com/tags", "agentkeys_user_wallet"] {
        assert_eq!(minted[member], exchanged[member], "{member}");
    }
    assert_eq!(minted["agentkeys_user_wallet"], owner.wallet.as_str());
    assert_ne!(minted["jti"], exchanged["jti"]);
}

fn exchange_request(token: &str) -> Request {
    let form = format!(
        "grant_type=urn:ietf:params:oauth:grant-type:token-exchange&subject_token={token}&subject_token_type=urn:ietf:params:oauth:token-type:access_token"
    );
    Request::new(Method::Post, "/v1/token").with("content-type", "application/x-www-form-urlencoded").body(Ok(form.into_bytes()))
}

fn exchange(world: &World, token: &str) -> Value {
    let answer = world.send(&exchange_request(token));
    assert_eq!(answer.response.status, 200, "{}", answer.response.body_text());
    json(answer.response.body_text())
}

#[test]
fn whoever_did_not_sign_gets_nothing_and_the_challenge_is_used_up() {
    let (world, owner, other) = (world(&[]), Owner::new("one"), Owner::new("two"));
    let started = start(&world, &owner);
    for signer in [&other, &owner] {
        let answer = world.send(&verify(&started, signer));
        assert_eq!(error_of(&answer.response).0, 401);
    }
    assert_eq!((world.challenges.taken.get(), world.store.puts.borrow().len()), (2, 0));
}

#[test]
fn a_store_that_fails_on_the_way_leaves_no_session_without_its_entry() {
    for (fails, puts) in [("wallet/", 1), ("session/", 2)] {
        let (world, owner) = (world(&[]), Owner::new("one"));
        let started = start(&world, &owner);
        world.store.fails_at.set(Some(fails));
        let answer = world.send(&verify(&started, &owner));
        assert_eq!((error_of(&answer.response).0, world.store.puts.borrow().len()), (503, puts), "{fails}");
        assert!(!world.store.values.borrow().keys().any(|key| key.starts_with("session/")), "{fails}");
        assert!(answer.response.body_text().contains("Start again"));
    }
}

#[test]
fn a_limit_that_is_used_up_ends_the_way_before_what_it_protects() {
    let (world, owner) = (world(&[]), Owner::new("one"));
    let started = start(&world, &owner);
    let kept = world.challenges.kept.borrow().len();
    world.limits.most.set(Some(0));
    for request in [post(START, &json!({})), verify(&started, &owner)] {
        assert_eq!(error_of(&world.send(&request).response).0, 429);
    }
    assert_eq!((world.challenges.kept.borrow().len(), world.challenges.taken.get()), (kept, 0));
    let token = world.begin(1, &plain());
    assert_eq!(error_of(&world.mint(&token, None).response).0, 429);
    assert!(world.store.gets.borrow().is_empty(), "no read for a session that asks too often");
}

#[test]
fn each_limit_counts_under_a_key_of_its_own() {
    let (world, owner) = (world(&[]), Owner::new("one"));
    let session = sign_in(&world, &owner);
    let token = session["session_token"].as_str().unwrap();
    exchange(&world, token);
    assert_eq!(
        error_of(&world.send(&Request::new(Method::Get, "/v1/session").bearer("x").with("cf-connecting-ip", "2001:db8::1")).response).0,
        401
    );
    let hash = token.parse::<agentkeys_edge_broker::session::SessionToken>().unwrap().hash();
    let expected = [
        (Limit::Mint.binding(), hash.to_string()),
        (Limit::Refused.binding(), "2001:db8:0:0::/64".to_owned()),
        (Limit::SigninClient.binding(), format!("start {CLIENT}")),
        (Limit::SigninClient.binding(), format!("verify {CLIENT}")),
        (Limit::SigninWallet.binding(), format!("start {}", owner.wallet)),
        (Limit::SigninWallet.binding(), format!("verify {}", owner.wallet)),
    ];
    let counts = world.limits.counts.borrow();
    assert_eq!(counts.keys().cloned().collect::<Vec<_>>(), expected);
    assert!(counts.values().all(|count| *count == 1));
}

#[test]
fn a_limit_that_does_not_answer_is_passed_over_and_logged() {
    let (world, owner) = (world(&[]), Owner::new("one"));
    world.limits.fails.set(true);
    let session = sign_in(&world, &owner);
    let answer = world.send(&exchange_request(session["session_token"].as_str().unwrap()));
    assert_eq!(answer.response.status, 200);
    assert_eq!(json(&answer.event.unwrap().to_line())["degraded"], "limiter");
}

#[test]
fn only_listed_wallets_sign_in_where_there_is_a_list_and_others_are_told_once_they_have_proven_themselves() {
    let (world, owner, other) = (world(&[("SIGNIN_ALLOW", "listed")]), Owner::new("one"), Owner::new("two"));
    let record = json!({"v": 1, "wallet": owner.wallet.as_str(), "added_at": NOW});
    world.store.values.borrow_mut().insert(allow_key(&owner.wallet), record.to_string());
    sign_in(&world, &owner);
    let answer = world.send(&verify(&start(&world, &other), &other));
    assert_eq!(error_of(&answer.response).0, 403);
    assert_eq!(json(&answer.event.unwrap().to_line())["reason"], "wallet_not_listed");
    let forged = world.send(&verify(&start(&world, &other), &owner));
    assert_eq!(error_of(&forged.response).0, 401, "who has not proven it hears nothing of the list");
    // Another wallet's record under this one's key lets nobody in.
    world.store.values.borrow_mut().insert(allow_key(&other.wallet), record.to_string());
    assert_eq!(error_of(&world.send(&verify(&start(&world, &other), &other)).response).0, 403);
}

#[test]
fn the_oldest_sessions_make_room_by_their_entries_and_a_failure_there_fails_nobody() {
    let (mut world, owner) = (world(&[("SESSIONS_PER_WALLET", "2")]), Owner::new("one"));
    let mut tokens = Vec::new();
    for n in 0..4 {
        world.now = at(NOW + n);
        tokens.push(sign_in(&world, &owner)["session_token"].as_str().unwrap().to_owned());
    }
    let live = |world: &World, token: &str| world.send(&Request::new(Method::Get, "/v1/session").bearer(token)).response.status;
    assert_eq!(tokens.iter().map(|token| live(&world, token)).collect::<Vec<_>>(), [401, 401, 200, 200]);
    world.store.fails_at.set(Some("list "));
    let started = start(&world, &owner);
    let answer = world.send(&verify(&started, &owner));
    assert_eq!((answer.response.status, json(&answer.event.unwrap().to_line())["degraded"].clone()), (200, json!("surplus")));
}

#[test]
fn without_randomness_nobody_signs_in() {
    let (mut world, owner) = (world(&[]), Owner::new("one"));
    let started = start(&world, &owner);
    world.random = |_| Err(agentkeys_edge_broker::error::Fault::Internal);
    assert_eq!(error_of(&world.send(&post(START, &json!({"address": owner.wallet.as_str(), "chain_id": 1}))).response).0, 500);
    assert_eq!(error_of(&world.send(&verify(&started, &owner)).response).0, 500);
    assert_eq!((world.challenges.kept.borrow().len(), world.store.puts.borrow().len()), (0, 0));
}
