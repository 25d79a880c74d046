//! The decision on a verify: one way in, and one answer to everything else.

use agentkeys_edge_broker::error::Refusal;
use agentkeys_edge_broker::signin::{BadSignature, Challenge, SigninReason, StartRequest, VerifyRequest};
use agentkeys_edge_broker::time::UnixTime;
use agentkeys_edge_broker::wallet::Wallet;
use serde_json::Value;

use crate::support::{NOW, Signer, at, config, hex, wire};

/// A challenge to the wallet of this label.
fn challenge(label: &str, random: u8) -> Challenge {
    let request = StartRequest { wallet: Signer::new(label).wallet, chain_id: 1.try_into().unwrap() };
    Challenge::new(&config(&[]), request, &[random; 32], at(NOW)).unwrap()
}

fn answer(challenge: &Challenge, signature: &str) -> VerifyRequest {
    VerifyRequest { request_id: challenge.request_id.clone(), signature: signature.parse().unwrap() }
}

/// The decision on what was taken out of the store.
fn verify(stored: Option<&str>, request: &VerifyRequest, now: UnixTime) -> Result<Wallet, SigninReason> {
    Challenge::consumed(stored, &request.request_id, now)?.signed_by(&request.signature)
}

/// Verifies this signature against a stored challenge.
fn outcome(challenge: &Challenge, signature: &str, now: u64) -> Result<Wallet, SigninReason> {
    verify(Some(&challenge.to_json()), &answer(challenge, signature), at(now))
}

#[test]
fn the_wallet_that_was_named_signs_in() {
    for label in ["one", "two", "three"] {
        let (signer, challenge) = (Signer::new(label), challenge(label, 7));
        assert_eq!(outcome(&challenge, &signer.sign(&challenge.message), NOW), Ok(signer.wallet));
    }
}

#[test]
fn a_challenge_ends_in_its_last_second() {
    let challenge = challenge("one", 7);
    let signature = Signer::new("one").sign(&challenge.message);
    for (now, live) in [(NOW, true), (NOW + 599, true), (NOW + 600, false), (NOW + 601, false), (u64::MAX, false)] {
        let expected = if live { Ok(challenge.wallet.clone()) } else { Err(SigninReason::Expired) };
        assert_eq!(outcome(&challenge, &signature, now), expected, "{now}");
    }
}

#[test]
fn another_wallet_s_signature_signs_nobody_in() {
    let challenge = challenge("one", 7);
    let signature = Signer::new("two").sign(&challenge.message);
    assert_eq!(outcome(&challenge, &signature, NOW), Err(SigninReason::WrongSigner));
}

#[test]
fn a_signature_over_another_message_signs_nobody_in() {
    let (signer, asked) = (Signer::new("one"), challenge("one", 7));
    let another = challenge("one", 8);
    for message in [
        another.message.clone(),
        asked.message.replace("keys.example.com", "phishing.example"),
        asked.message.replace("Chain ID: 1", "Chain ID: 2"),
        asked.message.replace("22:03:31", "23:03:31"),
        format!("{}\n", asked.message),
        asked.message.to_lowercase(),
        String::new(),
    ] {
        assert_eq!(outcome(&asked, &signer.sign(&message), NOW), Err(SigninReason::WrongSigner), "{message}");
    }
    // Over the bare text, without EIP-191's prefix: what a transaction signature could be made to look like.
    let hash = <[u8; 32]>::from(<sha3::Keccak256 as sha3::Digest>::digest(&asked.message));
    let (r_and_s, v) = signer.sign_hash(&hash);
    assert_eq!(outcome(&asked, &wire(&r_and_s, v), NOW), Err(SigninReason::WrongSigner));
}

#[test]
fn a_challenge_that_was_consumed_or_never_made_signs_nobody_in() {
    let challenge = challenge("one", 7);
    let request = answer(&challenge, &Signer::new("one").sign(&challenge.message));
    assert_eq!(verify(None, &request, at(NOW)), Err(SigninReason::Unknown));
}

#[test]
fn a_stored_challenge_that_is_another_or_broken_signs_nobody_in() {
    let (signer, asked, another) = (Signer::new("one"), challenge("one", 7), challenge("one", 8));
    let request = answer(&asked, &signer.sign(&another.message));
    assert_eq!(verify(Some(&another.to_json()), &request, at(NOW)), Err(SigninReason::Broken));
    for stored in ["", "{}", "null", &asked.to_json().replace("\"v\":1", "\"v\":2")] {
        assert_eq!(verify(Some(stored), &request, at(NOW)), Err(SigninReason::Broken), "{stored}");
    }
}

#[test]
fn a_signature_of_nobody_s_signs_nobody_in() {
    let challenge = challenge("one", 7);
    let signature = hex(&Signer::new("one").sign(&challenge.message)[2..]);
    assert_eq!(outcome(&challenge, &wire(&signature[..64], 29), NOW), Err(SigninReason::BadSignature(BadSignature::V)));
    assert_eq!(outcome(&challenge, &wire(&[0; 64], 27), NOW), Err(SigninReason::BadSignature(BadSignature::Range)));
    assert!(outcome(&challenge, &wire(&[0x7f; 64], 27), NOW).is_err());
}

#[test]
fn every_reason_is_the_same_answer_and_another_word_in_the_log() {
    let reasons = [
        SigninReason::Unknown,
        SigninReason::Expired,
        SigninReason::Broken,
        SigninReason::WrongSigner,
        SigninReason::BadSignature(BadSignature::V),
        SigninReason::BadSignature(BadSignature::Range),
        SigninReason::BadSignature(BadSignature::HighS),
        SigninReason::BadSignature(BadSignature::NoKey),
    ];
    let answers: Vec<_> = reasons.map(|reason| Refusal::SigninFailed(reason).into_response()).into();
    assert!(answers.iter().all(|answer| *answer == answers[0]));
    assert_eq!((answers[0].status, answers[0].header("cache-control")), (401, Some("no-store")));
    assert_eq!(serde_json::from_str::<Value>(answers[0].body_text()).unwrap()["error"], "unauthorized");
    let words: std::collections::BTreeSet<_> = reasons.iter().map(|reason| Refusal::SigninFailed(*reason).reason()).collect();
    assert_eq!(words.len(), reasons.len());
}
