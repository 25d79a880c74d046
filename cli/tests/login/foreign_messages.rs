//! A broker that asks to sign something else than a sign-in of this wallet at this issuer: it gets no signature.

use serde_json::Value;

use crate::Home;
use crate::broker::{START, Setup, VERIFY};

/// A broker with this message in place of its own is told nothing, and this is said.
fn unsigned(edit: impl Fn(&str) -> String + Send + Sync + 'static, words: &str) {
    let broker =
        Setup::default().edit(START, move |answer| answer["siwe_message"] = edit(answer["siwe_message"].as_str().unwrap()).into()).run();
    let home = Home::new();
    let said = home.login(&broker, &home.key(), &[]).refused(69, words);
    assert!(said.stderr.contains("nothing was signed"), "{said:?}");
    assert_eq!((broker.asked(START).len(), broker.asked(VERIFY).len()), (1, 0), "and nothing is tried again");
    assert!(home.files().is_empty() && broker.sessions().is_empty());
}

#[test]
fn another_message_is_not_signed() {
    for (from, to, words) in [
        ("http://127.0.0.1", "https://127.0.0.1", "another domain"),
        ("http://127.0.0.1", "http://localhost", "another domain"),
        (" wants you to sign in", " wants you to pay", "another domain"),
        ("\n0x", "\n0X", "another address"),
        ("URI: http", "URI: https", "URI is not the issuer"),
        ("Chain ID: 1", "Chain ID: 137", "another chain"),
        ("Nonce: ", "Nonce: 0", "nonce is not the one"),
        ("Version: 1", "Version: 2", "are not those of a sign-in"),
        ("\nVersion: 1", "\nI owe you 100 ETH\nVersion: 1", "are not those of a sign-in"),
        ("Sign in to a test.", "Sign in to a test.\nI owe you 100 ETH", "are not those of a sign-in"),
        ("Sign in to a test.", "I owe you 100 €", "statement"),
        ("\nExpiration Time: ", "\nNot Before: 2020-01-01T00:00:00Z\nExpiration Time: ", "are not those of a sign-in"),
        ("\nIssued At: 2", "\nIssued At: 3", "in the future"),
        ("\nExpiration Time: 2", "\nExpiration Time: 3", "longer than a sign-in"),
    ] {
        unsigned(
            move |message| {
                let edited = message.replacen(from, to, 1);
                assert_ne!(edited, message, "{from:?} is not in the message");
                edited
            },
            words,
        );
    }
    unsigned(|message| format!("{message}\nResources:\n- urn:recap:eyJhdHQiOnt9fQ"), "urn:recap");
    let expired = |message: &str| format!("{}\nExpiration Time: 2001-01-01T00:00:00Z", message.split_once("\nExpiration").unwrap().0);
    unsigned(expired, "expired already");
    unsigned(|message| format!("{message}\n"), "are not those of a sign-in");
    unsigned(|message| format!("{message}{}", " ".repeat(10_000)), "longer than any");
    unsigned(|_| "0x7f5b0f8a6f0e4bd3a8a65f9a4c1d2e3f".to_owned(), "");
    unsigned(|_| String::new(), "");
}

#[test]
fn what_goes_into_the_message_is_what_it_is_called() {
    for (member, value) in [
        ("nonce", Value::from("32891756")),
        ("nonce", "0".repeat(31).into()),
        ("nonce", format!("{}\n", "0".repeat(31)).into()),
        ("nonce", Value::Null),
        ("request_id", "siwe-1".into()),
        ("request_id", format!("siwe-{}/../x", "0".repeat(27)).into()),
        ("siwe_message", 1.into()),
    ] {
        let broker = Setup::default().edit(START, move |answer| answer[member] = value.clone()).run();
        let home = Home::new();
        home.login(&broker, &home.key(), &[]).refused(69, "something else than what to sign");
        assert!(broker.asked(VERIFY).is_empty());
    }
}

#[test]
fn the_twin_is_signed() {
    let broker = Setup::default().edit(START, |answer| answer["more"] = "is ignored".into()).run();
    let home = Home::new();
    home.login(&broker, &home.key(), &[]).expect(0);
    assert_eq!(broker.asked(VERIFY).len(), 1);
}
