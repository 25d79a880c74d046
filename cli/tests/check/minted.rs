//! A token that AWS would refuse is never minted: what the worker's own rooms make is accepted, with nothing to warn of.

use agentkeys_edge_broker::aws::{Audience, RoleArn, Roles, SourceIdentity, TagKey, TagValue};
use agentkeys_edge_broker::claims::TokenClaims;
use agentkeys_edge_broker::config::Config;
use agentkeys_edge_broker::encoding::from_base64url;
use agentkeys_edge_broker::keys::{PublicJwk, PublicKey};
use agentkeys_edge_broker::mint::{MintRequest, UnsignedToken, decide};
use agentkeys_edge_broker::session::SessionRecord;
use agentkeys_edge_broker::time::UnixTime;
use agentkeys_edge_broker::wallet::Wallet;
use serde_json::{Value, json};

use crate::case::{Folder, ISSUER, NOW, ROLE, WALLET, run};
use crate::keys::{Key, P256, RSA};

fn time(seconds: i64) -> UnixTime {
    UnixTime::try_from(u64::try_from(seconds).unwrap()).unwrap()
}

fn config(principal_tags: &str) -> Config {
    let value = |name: &str| match name {
        "ISSUER" => Some(ISSUER.to_owned()),
        "AUDIENCES" => Some(r#"["sts.amazonaws.com","second"]"#.to_owned()),
        "PRINCIPAL_TAGS" => Some(principal_tags.to_owned()),
        "TOKEN_TTL_SECONDS" => Some("3600".to_owned()),
        _ => None,
    };
    Config::parse(value).unwrap_or_else(|problems| panic!("{problems:?}"))
}

fn session() -> SessionRecord {
    SessionRecord::new(Wallet::try_from(WALLET.to_owned()).unwrap(), time(NOW - 60), time(NOW + 86_400)).unwrap()
}

fn tag(key: &str, value: &str) -> (TagKey, TagValue) {
    (TagKey::try_from(key.to_owned()).unwrap(), TagValue::try_from(value.to_owned()).unwrap())
}

/// Mints as the worker does, checks, and hands back the report.
fn check(config: &Config, session: &SessionRecord, request: &MintRequest, key: &'static Key) -> Value {
    let jwk = key.jwk("");
    let number = |name: &str| jwk[name].as_str().unwrap().to_owned();
    let public = if jwk["kty"] == "EC" { PublicKey::p256(number("x"), number("y")) } else { PublicKey::rsa(number("n"), number("e")) };
    let public = PublicJwk::new(&public.unwrap(), Some(vec![key.certificate()]));
    let decision = decide(config, session, request, time(NOW)).unwrap();
    let claims = TokenClaims::new(config, session, &decision.audience, "jti").unwrap();
    let unsigned = UnsignedToken::new(public.kid(), public.alg(), claims, &decision).unwrap();
    let signature = key.sign(public.alg().as_str(), unsigned.signing_input());
    let token = unsigned.sign_with(&signature).unwrap();

    assert!(from_base64url(token.expose().rsplit('.').next().unwrap()).is_some());
    let folder = Folder::new();
    let (file, keys) = (folder.file("token", token.expose()), folder.file("jwks", json!({"keys": [public]}).to_string()));
    let at = NOW.to_string();
    let audience = decision.audience.as_str();
    let arguments = [
        "check",
        "--token-file",
        &file,
        "--jwks",
        &keys,
        "--issuer",
        ISSUER,
        "--audience",
        audience,
        "--role",
        ROLE,
        "--at",
        &at,
        "--json",
    ];
    let output = run(&arguments, None);
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((output.status.code(), &report["verdict"]), (Some(0), &json!("accepted")), "{report}");
    report
}

const PLAIN: MintRequest = MintRequest { audience: None, ttl_seconds: None };

#[test]
fn a_plain_session_is_accepted_with_nothing_to_warn_of() {
    for key in [&P256, &RSA] {
        let report = check(&config(r#"["agentkeys_user_wallet"]"#), &session(), &PLAIN, key);
        assert_eq!(report["warnings"], json!([]));
        assert_eq!(report["session_tags"], json!({"agentkeys_user_wallet": WALLET}));
        assert_eq!(report["transitive_tag_keys"], json!(["agentkeys_user_wallet"]));
    }
}

#[test]
fn every_restriction_and_addition_of_a_session_is_accepted() {
    let config = config(r#"["agentkeys_user_wallet","agentkeys_actor_omni"]"#);
    let mut session = session().with_tags(vec![tag("team", "a b"), tag("Ключ", "漢")], vec![]).unwrap();
    session.audiences = Some(vec![Audience::try_from("second".to_owned()).unwrap()]);
    session.roles = Some(Roles::try_from(vec![RoleArn::try_from(ROLE.to_owned()).unwrap()]).unwrap());
    session.source_identity = Some(SourceIdentity::try_from("agent-7@example.com".to_owned()).unwrap());
    session.max_token_ttl = Some(60);
    let report = check(&config, &session, &PLAIN, &P256);
    assert_eq!(report["warnings"], json!([]));
    assert_eq!((&report["source_identity"], &report["role_authorized_by_idp"]), (&json!("agent-7@example.com"), &json!(true)));
    assert_eq!(report["session_tags"].as_object().unwrap().len(), 4);
}

#[test]
fn the_largest_session_is_accepted() {
    let config = config(r#"["agentkeys_user_wallet","agentkeys_actor_omni"]"#);
    let many: Vec<_> = (0..48).map(|n| tag(&format!("{n:0>20}"), &"v".repeat(140))).collect();
    let report = check(&config, &session().with_tags(many, vec![]).unwrap(), &PLAIN, &RSA);
    assert_eq!(report["session_tags"].as_object().unwrap().len(), 50);
    assert_eq!(report["warnings"][0]["id"], json!("large-tags"));
}

#[test]
fn every_lifetime_the_worker_gives_is_accepted() {
    let config = config(r#"["agentkeys_user_wallet"]"#);
    for ttl_seconds in [60, 300, 3600] {
        let report = check(&config, &session(), &MintRequest { audience: None, ttl_seconds: Some(ttl_seconds) }, &P256);
        assert_eq!((&report["warnings"], &report["token"]["exp"]), (&json!([]), &json!(NOW + i64::try_from(ttl_seconds).unwrap())));
    }
}
