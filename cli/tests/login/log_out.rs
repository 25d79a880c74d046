//! A wallet logs out: at the broker, and on this machine.

use agentkeys_edge_broker::signin::address::checksummed;

use crate::broker::{SESSION, Setup, refusal};
use crate::{Home, change};

#[test]
fn a_session_ends_at_the_broker_and_here() {
    let (home, broker) = (Home::new(), Setup::default().run());
    let key = home.key();
    let token = home.logged_in(&broker, &key);
    let said = home.run(&["logout", "--issuer", &broker.url]).expect(0);
    assert!(said.stdout.contains("the session has ended") && said.stdout.contains(&checksummed(&key.wallet)), "{said:?}");
    assert!(!said.stdout.contains(&token));
    assert!(broker.sessions().is_empty() && home.files().is_empty());
    home.run(&["logout", "--issuer", &broker.url]).refused(66, "nothing was ended");
    home.minted(&broker, &[], &[]).unwrap_err().refused(2, "edge-broker login");
}

#[test]
fn a_session_that_is_gone_already_is_forgotten() {
    let (home, broker) = (Home::new(), Setup::default().run());
    home.logged_in(&broker, &home.key());
    broker.revoke_all();
    let json = home.run(&["logout", "--json"]).expect(0).json();
    assert_eq!(json["session"], "gone");
    assert!(home.files().is_empty());
}

#[test]
fn while_the_session_may_be_there_its_file_stays() {
    for (answer, words) in [
        (refusal(503).with("retry-after", "60"), "in 60 s"),
        (refusal(429).with("retry-after", "60"), "429"),
        (refusal(404), "edge broker"),
        (refusal(302), "redirect"),
        (refusal(200), "edge broker"),
    ] {
        let (home, broker) = (Home::new(), Setup::default().run());
        home.logged_in(&broker, &home.key());
        broker.answers(SESSION, answer);
        let said = home.run(&["logout"]).refused(69, words);
        assert!(said.stderr.contains("--forget"), "{said:?}");
        assert_eq!((home.files().len(), broker.sessions().len()), (1, 1));
        home.run(&["logout"]).expect(0);
        assert!(home.files().is_empty() && broker.sessions().is_empty());
    }
}

#[test]
fn what_may_pass_is_tried_again() {
    let (home, broker) = (Home::new(), Setup::default().script(SESSION, [refusal(503), refusal(500)]).run());
    home.logged_in(&broker, &home.key());
    assert_eq!(home.run(&["logout", "--json"]).expect(0).json()["session"], "ended");
    assert_eq!(broker.asked(SESSION).len(), 3);
}

#[test]
fn an_issuer_that_is_not_there_can_be_forgotten() {
    let (home, broker) = (Home::new(), Setup::default().run());
    home.logged_in(&broker, &home.key());
    let unreachable = |home: &Home| {
        // The same file, as if the issuer had moved away; the name has to stay true.
        home.login(&broker, &home.key(), &["--session-file", "session"]).expect(0);
        change(&home.path("session"), "issuer", "http://127.0.0.1:1");
    };
    unreachable(&home);
    home.run(&["logout", "--session-file", "session"]).refused(69, "--forget");
    assert!(home.path("session").exists());
    let said = home.run(&["logout", "--session-file", "session", "--forget"]).expect(0);
    assert!(said.stdout.contains("forgot") && said.stderr.contains("lives on until"), "{said:?}");
    assert!(!home.path("session").exists());
    assert_eq!(home.files().len(), 1, "the other one is not touched");
}

#[test]
fn of_several_the_one_that_is_named_is_meant_else_the_last() {
    let (home, broker, other) = (Home::new(), Setup::default().run(), Setup::default().run());
    let (one, two) = (home.key(), home.key());
    for key in [&one, &two] {
        home.logged_in(&broker, key);
    }
    home.logged_in(&other, &one);
    let said = home.run(&["logout"]).refused(2, "which login?");
    for words in [&broker.url, &other.url, &checksummed(&one.wallet), &checksummed(&two.wallet)] {
        assert!(said.stderr.contains(words), "{words}: {said:?}");
    }
    home.run(&["logout", "--issuer", &other.url, "--wallet", two.wallet.as_str()]).refused(66, "nothing was ended");
    home.run(&["logout", "--wallet", one.wallet.as_str()]).refused(2, "which login?");
    assert_eq!(home.files().len(), 3);

    let said = home.run(&["logout", "--issuer", &broker.url]).expect(0);
    assert!(said.stdout.contains(&checksummed(&two.wallet)), "the last: {said:?}");
    assert!(said.stderr.contains(&checksummed(&one.wallet)), "who is meant now is said: {said:?}");
    assert_eq!(home.minted(&broker, &[], &[]).unwrap(), one.wallet);
    home.run(&["logout", "--wallet", &checksummed(&one.wallet), "--issuer", &broker.url]).expect(0);
    let json = home.run(&["logout", "--json"]).expect(0).json();
    assert_eq!(json["issuer"], other.url.as_str(), "the only one there is");
    assert!(json.get("next").is_none() && home.files().is_empty());
    assert!(broker.sessions().is_empty() && other.sessions().is_empty());
}

#[test]
fn a_file_that_is_no_session_is_left_or_forgotten() {
    let (home, broker) = (Home::new(), Setup::default().run());
    home.logged_in(&broker, &home.key());
    std::fs::write(&home.files()[0], "{").unwrap();
    home.run(&["logout"]).refused(65, "--forget");
    assert_eq!(home.files().len(), 1);
    home.run(&["logout", "--forget"]).expect(0);
    assert!(home.files().is_empty());

    home.login(&broker, &home.key(), &["--session-file", "session"]).expect(0);
    home.run(&["logout", "--session-file", "session", "--issuer", "https://broker.example.com"]).refused(64, "another issuer");
    home.run(&["logout", "--session-file", "session", "--wallet", "0x52908400098527886E0F7030069857D2E4169EE7"])
        .refused(64, "another issuer or wallet");
    home.run(&["logout", "--session-file", "none", "--forget"]).refused(74, "cannot be read");
    assert!(home.path("session").exists());
    home.run(&["logout", "--session-file", "session", "--issuer", &broker.url]).expect(0);
    assert!(!home.path("session").exists());
}
