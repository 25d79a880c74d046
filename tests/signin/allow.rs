//! The list of who may sign in: every example of `kv-schemas/examples/signin-allow/`, and whom a record lets in.

use std::fs;

use agentkeys_edge_broker::signin::{ALLOW_BYTES_MAX, AllowRecord, BrokenAllowRecord, allow_key};
use agentkeys_edge_broker::wallet::Wallet;

use crate::support::{NOW, Signer, at};

fn examples(kind: &str) -> Vec<(String, String)> {
    let folder = format!("{}/kv-schemas/examples/signin-allow/{kind}", env!("CARGO_MANIFEST_DIR"));
    let files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.iter().map(|path| (path.display().to_string(), fs::read_to_string(path).unwrap())).collect()
}

#[test]
fn the_valid_examples_are_read_and_written_back() {
    let examples = examples("valid");
    assert!(examples.len() >= 4);
    for (file, text) in examples {
        let record = AllowRecord::parse(&text).unwrap_or_else(|_| panic!("{file}"));
        assert_eq!(AllowRecord::parse(&record.to_json().unwrap()), Ok(record), "{file}");
    }
}

#[test]
fn the_invalid_examples_are_broken() {
    let examples = examples("invalid");
    assert!(examples.len() >= 17);
    for (file, text) in examples {
        assert_eq!(AllowRecord::parse(&text), Err(BrokenAllowRecord), "{file}");
    }
}

#[test]
fn a_record_that_could_not_be_read_is_not_written() {
    let record = |label: String| AllowRecord { wallet: Signer::new("one").wallet, added_at: at(NOW), label: Some(label) };
    assert!(record("a".repeat(128)).to_json().is_ok());
    for label in [String::new(), "a".repeat(129), "a\u{7f}".to_owned()] {
        assert_eq!(record(label).to_json(), Err(BrokenAllowRecord));
    }
    let padded = format!("{}{}", record("a".to_owned()).to_json().unwrap(), " ".repeat(ALLOW_BYTES_MAX));
    assert_eq!(AllowRecord::parse(&padded), Err(BrokenAllowRecord));
}

#[test]
fn a_wallet_is_let_in_by_a_whole_record_of_its_own() {
    let (one, two) = (Signer::new("one").wallet, Signer::new("two").wallet);
    let stored = |wallet: &Wallet| AllowRecord { wallet: wallet.clone(), added_at: at(NOW), label: None }.to_json().unwrap();
    assert!(AllowRecord::admits(Some(&stored(&one)), &one));
    assert!(!AllowRecord::admits(Some(&stored(&two)), &one));
    assert!(!AllowRecord::admits(None, &one));
    for broken in ["", "1", "true", "{}", &stored(&one).replace("\"v\":1", "\"v\":1,\"until\":1")] {
        assert!(!AllowRecord::admits(Some(broken), &one), "{broken}");
    }
}

#[test]
fn a_record_has_its_wallet_in_its_key() {
    let wallet: Wallet = "0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed".parse().unwrap();
    assert_eq!(allow_key(&wallet), "signin-allow/v1/0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed");
}
