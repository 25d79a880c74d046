//! A wallet logs in: the whole round, and where its session is kept.

use std::path::Path;
use std::sync::Arc;

use agentkeys_edge_broker::signin::address::checksummed;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use serde_json::json;

use crate::broker::{START, Setup, VERIFY, now};
use crate::{Home, mode, token_in};

#[test]
fn a_wallet_logs_in_and_its_session_is_kept_privately() {
    let (home, broker) = (Home::new(), Setup::default().run());
    let key = home.key();
    let said = home.login(&broker, &key, &[]).expect(0);
    let [file] = home.files().try_into().unwrap();
    let token = token_in(&file);
    assert_eq!(broker.sessions().into_iter().collect::<Vec<_>>(), [(token.clone(), key.wallet.clone())]);
    for words in [&checksummed(&key.wallet), &broker.url, file.to_str().unwrap()] {
        assert!(said.stdout.contains(words), "{words}: {said:?}");
    }
    assert_eq!(said.stderr, "");
    assert!(!said.stdout.contains(&token), "{said:?}");
    assert_eq!((mode(&file), mode(&home.sessions())), (0o600, 0o700));
    assert_eq!(broker.asked(START), [json!({ "address": checksummed(&key.wallet), "chain_id": 1 })]);
    let [verify] = broker.asked(VERIFY).try_into().unwrap();
    assert_eq!(verify.as_object().unwrap().keys().collect::<Vec<_>>(), ["request_id", "signature"]);
    assert!(["1b", "1c"].contains(&verify["signature"].as_str().unwrap().get(130..).unwrap()));
    assert_eq!(home.minted(&broker, &[], &[]).unwrap(), key.wallet);
}

#[test]
fn the_result_is_json_where_that_is_asked_for() {
    let (home, broker) = (Home::new(), Setup { path: "/agents/keys", ..Setup::default() }.run());
    let key = home.key();
    let json = home.login(&broker, &key, &["--json", "--chain-id", "8453"]).expect(0).json();
    assert_eq!(json.as_object().unwrap().keys().collect::<Vec<_>>(), ["expires_at", "issuer", "session_file", "wallet"]);
    assert_eq!((&json["issuer"], &json["wallet"]), (&json!(broker.url), &json!(key.wallet)));
    assert!((now() + 3_590..=now() + 3_600).contains(&json["expires_at"].as_u64().unwrap()));
    assert!(Path::new(json["session_file"].as_str().unwrap()).is_file());
    assert_eq!(broker.asked(START)[0]["chain_id"], 8_453);
}

#[test]
fn a_token_is_printed_where_that_is_asked_for_and_then_kept_nowhere() {
    let (home, broker) = (Home::new(), Setup::default().run());
    let key = home.key();
    let said = home.login(&broker, &key, &["--print"]).expect(0);
    assert!(broker.sessions().contains_key(said.stdout.trim_end()), "{said:?}");
    assert!(said.stderr.contains(&checksummed(&key.wallet)) && !said.stderr.contains(said.stdout.trim_end()), "{said:?}");
    let json = home.login(&broker, &key, &["--print", "--json"]).expect(0).json();
    assert!(broker.sessions().contains_key(json["session_token"].as_str().unwrap()) && json.get("session_file").is_none(), "{json}");
    assert!(!home.path(".local").exists());
    let token = said.stdout.trim_end();
    assert_eq!(home.minted(&broker, &[], &[("EDGE_BROKER_SESSION_TOKEN", token)]).unwrap(), key.wallet);
}

#[test]
fn a_session_is_kept_where_it_is_wanted() {
    let (home, broker, other) = (Home::new(), Setup::default().run(), Setup::default().run());
    let key = home.key();
    home.login(&broker, &key, &["--session-file", "session"]).expect(0);
    assert_eq!(mode(&home.path("session")), 0o600);
    assert!(home.files().is_empty());
    let file = ["--session-token-file", "session"];
    assert_eq!(home.minted(&broker, &file, &[]).unwrap(), key.wallet);
    home.minted(&other, &file, &[]).unwrap_err().refused(64, "another issuer");
    assert!(other.asked("").is_empty(), "nothing was sent");

    let mut command = home.tool(&["login", "--issuer", &broker.url, "--wallet-key-file", key.file.to_str().unwrap()]);
    home.said(command.env("XDG_STATE_HOME", home.path("state"))).expect(0);
    assert_eq!(std::fs::read_dir(home.path("state/edge-broker/sessions")).unwrap().count(), 1);
    assert!(home.files().is_empty());
    let mut command = home.tool(&["login", "--issuer", &broker.url, "--wallet-key-file", key.file.to_str().unwrap()]);
    home.said(command.env_remove("HOME")).refused(2, "--session-file");
}

#[test]
fn what_cannot_be_kept_is_known_before_anything_is_signed() {
    let (home, broker) = (Home::new(), Setup::default().run());
    let key = home.key();
    std::fs::create_dir_all(home.sessions()).unwrap();
    std::fs::set_permissions(home.sessions(), std::os::unix::fs::PermissionsExt::from_mode(0o777)).unwrap();
    home.login(&broker, &key, &[]).refused(74, "no place for private files");
    assert!(broker.asked("").is_empty());
    home.login(&broker, &key, &["--session-file", "no/such/session"]).refused(74, "could not be kept");
    home.login(&broker, &key, &["--session-file", "-"]).refused(2, "--print");
    home.login(&broker, &key, &["--session-file", "session", "--print"]).refused(2, "--print");
}

#[test]
fn another_login_takes_the_place_of_the_one_before() {
    let (home, broker) = (Home::new(), Setup::default().run());
    let (one, other) = (home.key(), home.key());
    let first = home.logged_in(&broker, &one);
    let second = home.logged_in(&broker, &one);
    assert_ne!(first, second);
    assert_eq!(home.files().len(), 1);
    assert_eq!(token_in(&home.files()[0]), second);
    home.logged_in(&broker, &other);
    assert_eq!(home.files().len(), 2);
    assert_eq!(broker.sessions().len(), 3, "none was ended");
}

#[test]
fn over_tls_with_a_private_ca() {
    let mut ca = CertificateParams::default();
    ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let ca = CertifiedIssuer::self_signed(ca, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(vec!["localhost".to_owned()]).unwrap().signed_by(&key, &ca).unwrap();
    let config = rustls::ServerConfig::builder_with_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der())))
        .unwrap();
    let (home, broker) = (Home::new(), Setup { tls: Some(Arc::new(config)), ..Setup::default() }.run());
    let key = home.key();
    std::fs::write(home.path("ca.pem"), ca.pem()).unwrap();
    home.login(&broker, &key, &[]).refused(69, "--ca-file");
    home.login(&broker, &key, &["--ca-file", "ca.pem"]).expect(0);
    home.run(&["logout", "--ca-file", "ca.pem"]).expect(0);
    assert!(broker.sessions().is_empty());
}
