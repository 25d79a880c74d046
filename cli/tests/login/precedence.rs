//! Whose session it is: an option is stronger than a variable, a variable than what is stored, and the last login is meant
//! where no wallet is named.

use agentkeys_edge_broker::session::{SessionRecord, SessionToken, record_key};
use serde_json::json;

use crate::broker::{MINT, Setup, now};
use crate::{Home, change, token_in, write_private};

#[test]
fn an_option_is_stronger_than_a_variable_and_a_variable_than_what_is_stored() {
    let (home, broker) = (Home::new(), Setup::default().run());
    let keys = [home.key(), home.key(), home.key(), home.key()];
    let [option, variable, file_variable, stored] = &keys;
    let tokens = keys.each_ref().map(|key| home.login(&broker, key, &["--print"]).expect(0).stdout.trim_end().to_owned());
    write_private(&home.path("option"), &tokens[0]);
    write_private(&home.path("variable"), &tokens[2]);
    home.logged_in(&broker, variable);
    home.logged_in(&broker, stored);
    let (by_option, wallet) = (["--session-token-file", "option"], ["--wallet", variable.wallet.as_str()]);
    let by_variable = ("EDGE_BROKER_SESSION_TOKEN", tokens[1].as_str());
    let by_file_variable = ("EDGE_BROKER_SESSION_TOKEN_FILE", "variable");
    for (more, environment, expected) in [
        (&by_option[..], &[by_variable, by_file_variable][..], option),
        (&by_option, &[], option),
        (&wallet, &[("EDGE_BROKER_SESSION_TOKEN", tokens[0].as_str()), by_file_variable], variable),
        (&[], &[by_variable, by_file_variable], file_variable),
        (&[], &[by_variable], variable),
        (&[], &[("EDGE_BROKER_SESSION_TOKEN", ""), ("EDGE_BROKER_SESSION_TOKEN_FILE", "")], stored),
        (&[], &[], stored),
        (&wallet, &[], variable),
    ] {
        assert_eq!(home.minted(&broker, more, environment).unwrap(), expected.wallet, "{more:?} {environment:?}");
    }
    home.minted(&broker, &[by_option, wallet].concat(), &[]).unwrap_err().refused(2, "--wallet");
}

#[test]
fn of_several_wallets_the_last_login_is_meant() {
    let (home, broker) = (Home::new(), Setup::default().run());
    let (one, other) = (home.key(), home.key());
    for (key, expected) in [(&one, &one), (&other, &other), (&one, &one)] {
        home.logged_in(&broker, key);
        assert_eq!(home.minted(&broker, &[], &[]).unwrap(), expected.wallet);
    }
    assert_eq!(home.minted(&broker, &["--wallet", other.wallet.as_str()], &[]).unwrap(), other.wallet);
    home.minted(&broker, &["--wallet", "0x52908400098527886E0F7030069857D2E4169EE7"], &[]).unwrap_err().refused(66, "edge-broker login");
    home.minted(&broker, &["--wallet", "agent"], &[]).unwrap_err().refused(2, "40 hex digits");
}

#[test]
fn without_any_session_login_is_named_as_a_way() {
    let (home, broker, other) = (Home::new(), Setup::default().run(), Setup::default().run());
    let said = home.minted(&broker, &[], &[]).unwrap_err().refused(2, "edge-broker login");
    assert!(said.stderr.contains("--session-token-file FILE") && said.stderr.contains("EDGE_BROKER_SESSION_TOKEN"), "{said:?}");
    home.logged_in(&other, &home.key());
    home.minted(&broker, &[], &[]).unwrap_err().refused(2, "edge-broker login");
    assert!(broker.asked("").is_empty(), "another issuer's session goes nowhere");
}

#[test]
fn a_session_that_has_expired_is_not_sent() {
    let (home, broker) = (Home::new(), Setup::default().run());
    home.logged_in(&broker, &home.key());
    let file = home.files().pop().unwrap();
    change(&file, "expires_at", now() - 1);
    home.minted(&broker, &[], &[]).unwrap_err().refused(66, "log in again");
    std::fs::copy(&file, home.path("copy")).unwrap();
    home.minted(&broker, &["--session-token-file", "copy"], &[]).unwrap_err().refused(66, "log in again");
    let role = "arn:aws:iam::123456789012:role/agent";
    home.run(&["credentials", "--issuer", &broker.url, "--role-arn", role]).refused(66, "log in again");
    assert!(broker.asked(MINT).is_empty());
    change(&file, "expires_at", now() + 60);
    home.minted(&broker, &[], &[]).unwrap();
}

#[test]
fn the_wallet_before_does_not_stand_in_for_one_whose_session_has_expired() {
    let (home, broker) = (Home::new(), Setup::default().run());
    let (one, last) = (home.key(), home.key());
    home.logged_in(&broker, &one);
    home.logged_in(&broker, &last);
    let file = home.files().into_iter().find(|file| file.to_str().unwrap().contains(last.wallet.as_str())).unwrap();
    change(&file, "expires_at", now() - 1);
    home.minted(&broker, &[], &[]).unwrap_err().refused(66, "log in again");
    std::fs::write(&file, "").unwrap();
    home.minted(&broker, &[], &[]).unwrap_err().refused(65, "--wallet");
    assert_eq!(home.minted(&broker, &["--wallet", one.wallet.as_str()], &[]).unwrap(), one.wallet);
}

#[test]
fn a_stored_file_of_another_issuer_or_wallet_is_refused() {
    let (home, broker) = (Home::new(), Setup::default().run());
    home.logged_in(&broker, &home.key());
    let file = home.files().pop().unwrap();
    let whole = std::fs::read_to_string(&file).unwrap();
    for (member, value) in [("issuer", "https://broker.example.com"), ("wallet", "0x52908400098527886e0f7030069857d2e4169ee7")] {
        change(&file, member, value);
        home.minted(&broker, &[], &[]).unwrap_err().refused(65, "another issuer or wallet");
        std::fs::write(&file, &whole).unwrap();
    }
    change(&file, "scope", "all");
    home.minted(&broker, &[], &[]).unwrap_err().refused(65, "log in again");
    assert!(broker.asked(MINT).is_empty());
}

#[test]
fn a_directory_that_others_may_write_in_is_not_read() {
    let (home, broker) = (Home::new(), Setup::default().run());
    home.logged_in(&broker, &home.key());
    std::fs::set_permissions(home.sessions(), std::os::unix::fs::PermissionsExt::from_mode(0o733)).unwrap();
    home.minted(&broker, &[], &[]).unwrap_err().refused(74, "no place for private files");
    assert!(broker.asked(MINT).is_empty());
}

#[test]
fn a_watch_stays_with_its_wallet_and_takes_its_new_session() {
    let broker = Setup::default().edit(MINT, |answer| answer["expiration"] = (now() + 1).into()).run();
    let home = Home::new();
    let (one, other) = (home.key(), home.key());
    let first = home.logged_in(&broker, &one);
    let mut watch = home.tool(&["token", "--issuer", &broker.url, "--out", "token", "--watch"]);
    let child = watch.stderr(std::process::Stdio::piped()).spawn().unwrap();
    let until_minted = |count: usize| {
        let start = std::time::Instant::now();
        while broker.asked(MINT).len() < count {
            assert!(start.elapsed() < std::time::Duration::from_secs(20));
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
    };
    until_minted(1);
    home.logged_in(&broker, &other);
    let second = home.logged_in(&broker, &one);
    home.logged_in(&broker, &other);
    assert_ne!(first, second);
    until_minted(broker.asked(MINT).len() + 2);
    assert!(std::process::Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap().success());
    let output = child.wait_with_output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(0), "{stderr}");
    assert!(stderr.matches(one.wallet.as_str()).count() >= 3 && !stderr.contains(other.wallet.as_str()), "{stderr}");
}

#[test]
fn a_proof_takes_two_wallets_that_have_logged_in() {
    let (home, broker) = (Home::new(), Setup::default().run());
    let (one, other) = (home.key(), home.key());
    home.logged_in(&broker, &other);
    home.logged_in(&broker, &one);
    let prove = |more: &[&str]| {
        let line = ["prove", "--issuer", &broker.url, "--role-arn", "arn:aws:iam::123456789012:role/agent", "--bucket", "wallets"];
        let nowhere = ["--sts-endpoint", "http://127.0.0.1:1", "--json"];
        home.run(&[&line[..], &nowhere, more].concat()).expect(2)
    };
    // STS is not there: both tokens were minted by then.
    for more in
        [&["--other-wallet", other.wallet.as_str()][..], &["--wallet", other.wallet.as_str(), "--other-wallet", one.wallet.as_str()]]
    {
        let said = prove(more);
        let mut wallets = [said.json()["wallets"][0].clone(), said.json()["wallets"][1].clone()];
        wallets.sort_by_key(ToString::to_string);
        let mut expected = [json!(one.wallet), json!(other.wallet)];
        expected.sort_by_key(ToString::to_string);
        assert_eq!(wallets, expected, "{said:?}");
    }
    assert!(prove(&[]).json()["cause"].as_str().unwrap().contains("--other-wallet WALLET"));
    assert!(prove(&["--other-wallet", one.wallet.as_str()]).json()["cause"].as_str().unwrap().contains("same wallet"));
}

#[test]
fn session_show_finds_the_stored_session() {
    let (home, broker) = (Home::new(), Setup::default().run());
    let (one, other) = (home.key(), home.key());
    let (first, second) = (home.logged_in(&broker, &one), home.logged_in(&broker, &other));
    // A wrangler that knows these two sessions.
    let wrangler = home.path("wrangler");
    let record = |token: &str, wallet: &agentkeys_edge_broker::wallet::Wallet| {
        let token: SessionToken = token.parse().unwrap();
        let created = agentkeys_edge_broker::time::UnixTime::try_from(now()).unwrap();
        let mut record = SessionRecord::new(wallet.clone(), created, created.plus(60)).unwrap();
        record.label = Some("sign-in".to_owned());
        (record_key(&token.hash()), json!({ "value": record.to_json().unwrap() }))
    };
    let values: serde_json::Map<_, _> = [record(&first, &one.wallet), record(&second, &other.wallet)].into_iter().collect();
    std::fs::write(&wrangler, format!("#!/bin/sh\ncat <<'END'\n{}\nEND\n", json!(values))).unwrap();
    std::fs::set_permissions(&wrangler, std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();
    let show = |more: &[&str], environment: &[(&str, &str)]| {
        let mut command = home.tool(&["session", "show", "--json", "--wrangler", wrangler.to_str().unwrap()]);
        home.said(command.args(more).envs(environment.iter().copied()).env("PATH", std::env::var_os("PATH").unwrap()))
    };
    let issuer = ["--issuer", broker.url.as_str()];
    let wallet = ["--issuer", broker.url.as_str(), "--wallet", one.wallet.as_str()];
    let by_variable = ("EDGE_BROKER_SESSION_TOKEN", first.as_str());
    let hash = second.parse::<SessionToken>().unwrap().hash();
    for (more, environment, expected) in [
        (&issuer[..], &[][..], &other),
        (&[], &[("EDGE_BROKER_ISSUER", broker.url.as_str())], &other),
        (&wallet, &[], &one),
        (&wallet, &[("EDGE_BROKER_SESSION_TOKEN", second.as_str())], &one),
        (&issuer, &[by_variable], &one),
        (&[issuer[0], issuer[1], hash.as_str()], &[by_variable], &other),
        (&["--token-file", home.files()[0].to_str().unwrap()], &[], if token_in(&home.files()[0]) == first { &one } else { &other }),
    ] {
        let json = show(more, environment).expect(0).json();
        assert_eq!(json["record"]["wallet"], expected.wallet.as_str(), "{more:?} {environment:?}");
        assert_eq!(json["record"]["label"], "sign-in");
    }
    show(&[], &[]).refused(2, "edge-broker login");
    show(&["--issuer", "https://broker.example.com"], &[]).refused(2, "edge-broker login");
    show(&["--wallet", one.wallet.as_str()], &[]).refused(2, "--issuer");
}
