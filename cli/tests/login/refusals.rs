//! A broker that refuses, fails, hangs, or answers what is no answer.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::broker::{START, Setup, VERIFY, now, refusal};
use crate::server::Answer;
use crate::{CANARY, Home};

/// Refused after one request to each route that comes before.
fn refuses(setup: Setup, code: i32, words: &str) {
    let (home, broker) = (Home::new(), setup.run());
    let said = home.login(&broker, &home.key(), &[]).refused(code, words);
    assert_eq!(said.stderr.trim().lines().count(), 1, "{said:?}");
    assert!(broker.asked(START).len() == 1 && broker.asked(VERIFY).len() <= 1, "it is not tried again");
    assert!(home.files().is_empty());
}

#[test]
fn each_refusal_says_what_to_do() {
    for (route, status, code, words) in [
        (START, 400, 64, "--chain-id"),
        (START, 401, 69, "in front of it"),
        (START, 403, 69, "in front of it"),
        (START, 404, 69, "no sign-in"),
        (START, 405, 69, "no sign-in"),
        (START, 415, 69, "edge broker"),
        (START, 201, 69, "edge broker"),
        (VERIFY, 400, 69, "edge broker"),
        (VERIFY, 401, 69, "Log in again"),
        (VERIFY, 403, 69, "edge-broker allow add 0x"),
        (VERIFY, 404, 69, "edge broker"),
    ] {
        refuses(Setup::default().script(route, [refusal(status)]), code, words);
    }
}

#[test]
fn a_redirect_is_not_followed() {
    let elsewhere = Setup::default().run();
    for route in [START, VERIFY] {
        for status in [301, 302, 307, 308] {
            let to = Answer { status, ..Answer::default() }.with("location", format!("{}{route}", elsewhere.url));
            refuses(Setup::default().script(route, [to]), 69, "redirect");
        }
    }
    assert!(elsewhere.asked("").is_empty());
}

#[test]
fn what_is_no_answer_is_refused() {
    let whole = json!({ "request_id": CANARY, "nonce": CANARY, "siwe_message": CANARY }).to_string();
    for body in [String::new(), CANARY.to_owned(), "[]".to_owned(), "null".to_owned(), "{}".to_owned(), format!("{{\"{CANARY}\":"), whole] {
        refuses(Setup::default().script(START, [Answer::new(200, &body)]), 69, "something else than what to sign");
        refuses(Setup::default().script(VERIFY, [Answer::new(200, &body)]), 69, "something else than a session");
    }
    let huge = format!("{{\"siwe_message\":\"{}\"}}", CANARY.repeat(100_000));
    for route in [START, VERIFY] {
        refuses(Setup::default().script(route, [Answer::new(200, &huge)]), 69, "more than");
    }
}

#[test]
fn a_session_of_another_or_none_is_refused() {
    let other = "0x52908400098527886e0f7030069857d2e4169ee7";
    for (member, value) in [
        ("wallet_address", json!(other)),
        ("omni_account", json!("0".repeat(64))),
        ("session_token", json!(CANARY)),
        ("expires_at", json!(now() - 1)),
        ("expires_at", json!(now() + 40_000_000)),
        ("expires_at", json!("soon")),
    ] {
        refuses(Setup::default().edit(VERIFY, move |answer| answer[member] = value.clone()), 69, "a session of this wallet");
    }
}

#[test]
fn what_may_pass_is_tried_again_from_the_start() {
    let setup = Setup::default()
        .script(START, [refusal(503), refusal(429).with("retry-after", "1")])
        .script(VERIFY, [refusal(503).with("retry-after", "1"), refusal(500), refusal(429)]);
    let (home, broker) = (Home::new(), setup.run());
    let start = Instant::now();
    home.logged_in(&broker, &home.key());
    assert!(start.elapsed() >= Duration::from_secs(2), "Retry-After is kept");
    let names: Vec<_> = broker.asked(VERIFY).iter().map(|verify| verify["request_id"].clone()).collect();
    assert_eq!((broker.asked(START).len(), names.len()), (6, 4));
    assert!(names.iter().enumerate().all(|(n, name)| !names[..n].contains(name)), "a challenge is answered once: {names:?}");
}

#[test]
fn a_pause_that_is_too_long_is_named() {
    for route in [START, VERIFY] {
        let (home, broker) = (Home::new(), Setup::default().script(route, [refusal(429).with("retry-after", "60")]).run());
        let start = Instant::now();
        home.login(&broker, &home.key(), &[]).refused(69, "in 60 s");
        assert!(start.elapsed() < Duration::from_secs(5));
    }
    let (home, broker) = (Home::new(), Setup::default().script(START, std::iter::repeat_n(refusal(503), 100)).run());
    home.login(&broker, &home.key(), &[]).refused(69, "/readyz");
    assert!((3..100).contains(&broker.asked(START).len()), "patience ends");
}

#[test]
fn silence_ends_in_seconds_and_is_tried_again() {
    let silence = || Answer { after: Duration::from_secs(7), ..Answer::new(200, &"{}") };
    let (home, broker) = (Home::new(), Setup::default().script(VERIFY, [silence()]).run());
    home.logged_in(&broker, &home.key());
    assert_eq!((broker.asked(START).len(), broker.asked(VERIFY).len()), (2, 2));
    let start = Instant::now();
    home.run(&["login", "--issuer", "http://127.0.0.1:1", "--wallet-key-file", home.key().file.to_str().unwrap()])
        .refused(69, "cannot be reached");
    assert!(start.elapsed() < Duration::from_secs(20));
}

#[test]
fn wrong_input_is_refused_before_anything_is_asked() {
    let (home, broker) = (Home::new(), Setup::default().run());
    let key = home.key();
    let file = key.file.to_str().unwrap();
    for (issuer, more, code) in [
        ("http://broker.example.com", &[][..], 64),
        ("https://Broker.example.com", &[], 64),
        ("https://user:password@broker.example.com", &[], 64),
        ("ftp://localhost", &[], 64),
        ("", &[], 64),
        (&broker.url, &["--chain-id", "0"], 2),
        (&broker.url, &["--chain-id", "-1"], 2),
        (&broker.url, &["--chain-id", "mainnet"], 2),
        (&broker.url, &["--chain-id", "9007199254740992"], 2),
        (&broker.url, &["--ca-file", "none.pem"], 74),
        (&format!("{}/?a", broker.url), &[], 64),
    ] {
        let said = home.run(&[&["login", "--issuer", issuer, "--wallet-key-file", file], more].concat()).refused(code, "");
        assert!(said.stderr.len() > 20 && !said.stderr.contains("password"), "{said:?}");
    }
    home.run(&["login", "--issuer", &broker.url]).refused(2, "--wallet-key-file");
    assert!(broker.asked("").is_empty());
}
