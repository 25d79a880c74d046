//! The challenge: how it is made, stored, and handed out.

use agentkeys_edge_broker::config::Config;
use agentkeys_edge_broker::signin::{BrokenChallenge, Challenge, RANDOM_BYTES, StartRequest, started};
use serde_json::{Value, json};

use crate::support::{NOW, Signer, at, config};

fn challenge(config: &Config, random: [u8; RANDOM_BYTES], now: u64) -> Challenge {
    let request = StartRequest { wallet: Signer::new("wallet").wallet, chain_id: 1.try_into().unwrap() };
    Challenge::new(config, request, &random, at(now)).unwrap()
}

#[test]
fn name_and_nonce_are_128_random_bits_each() {
    let random = core::array::from_fn(|n| u8::try_from(n).unwrap());
    let made = challenge(&config(&[]), random, NOW);
    assert_eq!(made.request_id.as_str(), "siwe-000102030405060708090a0b0c0d0e0f");
    assert_eq!(made.nonce, "101112131415161718191a1b1c1d1e1f");
    // Every bit counts, in one of the two.
    for bit in 0..256 {
        let mut other = random;
        other[bit / 8] ^= 1 << (bit % 8);
        let other = challenge(&config(&[]), other, NOW);
        assert_eq!(other.request_id == made.request_id, bit >= 128, "{bit}");
        assert_eq!(other.nonce == made.nonce, bit < 128, "{bit}");
        assert_eq!(other.message == made.message, bit < 128, "{bit}");
    }
}

#[test]
fn a_challenge_lives_as_long_as_configured() {
    for (variables, seconds) in
        [(&[][..], 600), (&[("SIGNIN_CHALLENGE_TTL_SECONDS", "60")], 60), (&[("SIGNIN_CHALLENGE_TTL_SECONDS", "2700")], 2_700)]
    {
        let made = challenge(&config(variables), [0; 32], NOW);
        assert_eq!((made.created_at, made.expires_at), (at(NOW), at(NOW + seconds)));
    }
}

#[test]
fn what_is_stored_is_read_back_and_has_a_version() {
    let made = challenge(&config(&[("SIGNIN_RESOURCES", r#"["urn:a:b"]"#)]), [7; 32], NOW);
    let stored = made.to_json();
    assert_eq!(Challenge::parse(&stored), Ok(made.clone()));
    assert_eq!(
        serde_json::from_str::<Value>(&stored).unwrap(),
        json!({
            "v": 1, "request_id": made.request_id.as_str(), "wallet": made.wallet.as_str(), "chain_id": 1, "nonce": made.nonce,
            "message": made.message, "created_at": NOW, "expires_at": NOW + 600,
        })
    );
}

#[test]
fn the_largest_challenge_can_be_stored() {
    let resources: Vec<String> = (0..10).map(|n| format!("urn:{n}:{}", "'".repeat(249))).collect();
    let (resources, statement) = (serde_json::to_string(&resources).unwrap(), "a".repeat(255));
    let issuer = format!("https://keys.example.com/{}", "a".repeat(230));
    let variables = [("SIGNIN_RESOURCES", &*resources), ("SIGNIN_STATEMENT", &*statement), ("ISSUER", &*issuer)];
    let made = challenge(&config(&variables), [7; 32], 253_402_200_000);
    assert_eq!(Challenge::parse(&made.to_json()), Ok(made));
}

#[test]
fn whatever_else_is_stored_is_broken() {
    let whole: Value = serde_json::from_str(&challenge(&config(&[]), [7; 32], NOW).to_json()).unwrap();
    let with = |member: &str, value: Value| {
        let mut changed = whole.clone();
        changed[member] = value;
        changed.to_string()
    };
    let mut broken = vec![
        String::new(),
        "null".to_owned(),
        "{}".to_owned(),
        json!(whole.as_object().unwrap().values().collect::<Vec<_>>()).to_string(),
        with("v", json!(2)),
        with("other", json!(1)),
        with("request_id", json!("siwe-0")),
        with("wallet", json!("0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed")),
        with("chain_id", json!(0)),
        with("nonce", json!("0000")),
        with("nonce", json!("0".repeat(32))),
        with("message", json!("a message without the nonce")),
        with("message", json!(format!("another message that says {}", whole["nonce"].as_str().unwrap()))),
        with("expires_at", json!(NOW)),
        with("expires_at", json!(-1)),
        with("message", json!(format!("{}{}", whole["message"].as_str().unwrap(), "a".repeat(20_000)))),
    ];
    for member in whole.as_object().unwrap().keys() {
        broken.push(with(member, Value::Null));
        let mut without = whole.clone();
        without.as_object_mut().unwrap().remove(member);
        broken.push(without.to_string());
    }
    assert_eq!(broken.len(), 16 + 16);
    for stored in broken {
        assert_eq!(Challenge::parse(&stored), Err(BrokenChallenge), "{stored}");
    }
    assert!(Challenge::parse(&whole.to_string()).is_ok());
}

#[test]
fn the_answer_is_what_the_design_says_and_nothing_else() {
    let made = challenge(&config(&[]), [7; 32], NOW);
    let response = started(&made).unwrap();
    assert_eq!((response.status, response.header("cache-control")), (200, Some("no-store")));
    assert_eq!(
        serde_json::from_str::<Value>(response.body_text()).unwrap(),
        json!({
            "request_id": made.request_id.as_str(), "expires_in_seconds": 600, "siwe_message": made.message, "nonce": made.nonce,
            "expires_at_iso": "2026-11-23T22:03:31Z",
        })
    );
}
