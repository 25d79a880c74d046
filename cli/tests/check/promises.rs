//! For all sessions, requests and configurations: every minted token passes `check`, and what `check` refuses is never minted.
//! Tokens are made by the worker's own rooms from records as they are stored, and judged by the built tool.

use std::cell::Cell;

use agentkeys_edge_broker::claims::TokenClaims;
use agentkeys_edge_broker::config::Config;
use agentkeys_edge_broker::encoding::{base64url, from_base64url};
use agentkeys_edge_broker::keys::{PublicJwk, PublicKey};
use agentkeys_edge_broker::mint::{MintRequest, UnsignedToken, decide};
use agentkeys_edge_broker::session::SessionRecord;
use proptest::prelude::*;
use proptest::test_runner::{Config as Cases, TestRunner};
use serde_json::{Value, json};

use crate::broker::grant::Grant;
use crate::broker::sessions::{Parts, any_session};
use crate::broker::{NOW, at};
use crate::case::{Folder, run};
use crate::keys::{Key, P256, RSA};

const ISSUERS: [&str; 4] =
    ["https://keys.example.com", "https://keys.example.com/agents/a-b.c_d~e", "https://keys.example.com:8443", "http://localhost:8787"];
const NAMES: [&str; 3] = ["sts.amazonaws.com", "b", "https://c.example.com"];

/// A deployment, a live session of it, and a request.
#[derive(Debug, Clone)]
struct Case {
    issuer: &'static str,
    audiences: Vec<&'static str>,
    token_ttl: u64,
    with_omni: bool,
    with_rsa: bool,
    session: Parts,
    asked_audience: Option<&'static str>,
    asked_ttl: Option<u64>,
}

fn any_case() -> impl Strategy<Value = Case> {
    let names = || proptest::sample::subsequence(NAMES.to_vec(), 1..=3).prop_shuffle();
    let own = proptest::option::of(names());
    let session = (any_session(), 1..1_000_u64, prop_oneof![1..400_u64, 60..31_536_000_u64], own);
    let live = session.prop_map(|(parts, age, left, audiences)| Parts {
        created_at: NOW - age,
        expires_at: NOW + left,
        audiences: audiences.map(|list| list.into_iter().map(str::to_owned).collect()),
        ..parts
    });
    let asked = (proptest::option::of(proptest::sample::select(NAMES.to_vec())), proptest::option::of(60..3_700_u64));
    let deployment = (proptest::sample::select(ISSUERS.to_vec()), names(), 60..=3_600_u64, any::<bool>(), prop::bool::weighted(0.2));
    (deployment, live, asked).prop_map(|((issuer, audiences, token_ttl, with_omni, with_rsa), session, (asked_audience, asked_ttl))| Case {
        issuer,
        audiences,
        token_ttl,
        with_omni,
        with_rsa,
        session,
        asked_audience,
        asked_ttl,
    })
}

impl Case {
    fn config(&self) -> Config {
        let tags = if self.with_omni { r#"["agentkeys_user_wallet","agentkeys_actor_omni"]"# } else { r#"["agentkeys_user_wallet"]"# };
        let value = |name: &str| match name {
            "ISSUER" => Some(self.issuer.to_owned()),
            "AUDIENCES" => Some(json!(self.audiences).to_string()),
            "PRINCIPAL_TAGS" => Some(tags.to_owned()),
            "TOKEN_TTL_SECONDS" => Some(self.token_ttl.to_string()),
            _ => None,
        };
        Config::parse(value).unwrap_or_else(|problems| panic!("{problems:?}"))
    }

    fn key(&self) -> &'static Key {
        if self.with_rsa { &RSA } else { &P256 }
    }

    fn grant(&self) -> Grant {
        Grant {
            issuer: self.issuer.to_owned(),
            audiences: self.audiences.iter().map(|name| (*name).to_owned()).collect(),
            token_ttl: self.token_ttl,
            with_omni: self.with_omni,
            record: self.session.json(),
            asked_audience: self.asked_audience.map(str::to_owned),
            asked_ttl: self.asked_ttl,
            now: NOW,
        }
    }

    /// Mints from a stored record as the worker does; `None` where it refuses.
    fn mint(&self, record: &str) -> Option<String> {
        let session = SessionRecord::parse(record).ok()?;
        let audience = self.asked_audience.map(|name| name.to_owned().try_into().unwrap());
        let request = MintRequest { audience, ttl_seconds: self.asked_ttl };
        let config = self.config();
        let decision = decide(&config, &session, &request, at(NOW)).ok()?;
        let claims = TokenClaims::new(&config, &session, &decision.audience, "000102030405060708090a0b0c0d0e0f").ok()?;
        let public = public(self.key());
        let unsigned = UnsignedToken::new(public.kid(), public.alg(), claims, &decision).ok()?;
        let signature = self.key().sign(public.alg().as_str(), unsigned.signing_input());
        unsigned.sign_with(&signature).ok().map(|token| token.expose().to_owned())
    }
}

fn public(key: &Key) -> PublicJwk {
    let jwk = key.jwk("");
    let number = |name: &str| jwk[name].as_str().unwrap().to_owned();
    let public = if jwk["kty"] == "EC" { PublicKey::p256(number("x"), number("y")) } else { PublicKey::rsa(number("n"), number("e")) };
    PublicJwk::new(&public.unwrap(), None)
}

fn claims(token: &str) -> Value {
    serde_json::from_slice(&from_base64url(token.split('.').nth(1).unwrap()).unwrap()).unwrap()
}

/// A token of any claims, signed by a key.
fn signed(key: &Key, claims: &Value) -> String {
    let public = public(key);
    let header = json!({"alg": public.alg(), "kid": public.kid(), "typ": "JWT"}).to_string();
    let input = format!("{}.{}", base64url(header.as_bytes()), base64url(claims.to_string().as_bytes()));
    let signature = base64url(&key.sign(public.alg().as_str(), input.as_bytes()));
    format!("{input}.{signature}")
}

/// What `check` says of a token, held against its own issuer, audience and first role.
fn check(token: &str, key: &Key) -> Value {
    let claims = claims(token);
    let folder = Folder::new();
    let (file, keys) = (folder.file("token", token), folder.file("jwks", json!({"keys": [public(key)]}).to_string()));
    let (at, role) = (NOW.to_string(), claims["https://aws.amazon.com/roles"][0].as_str().map(str::to_owned));
    let mut arguments = vec!["check", "--json", "--token-file", &file, "--jwks", &keys, "--at", &at];
    arguments.extend(["--issuer", claims["iss"].as_str().unwrap(), "--audience", claims["aud"].as_str().unwrap()]);
    // A list of roles that the tool's own argument could not name is held against no role.
    let role = role.filter(|role| agentkeys_edge_broker::aws::RoleArn::try_from(role.clone()).is_ok());
    if let Some(role) = &role {
        arguments.extend(["--role", role]);
    }
    let output = run(&arguments, None);
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)))
}

/// Runs a property over generated cases; it counts those it is really about, of which there are enough.
fn for_all<T: core::fmt::Debug>(
    cases: u32,
    least: u32,
    any: impl Strategy<Value = T>,
    property: impl Fn(T, &Cell<u32>) -> Result<(), TestCaseError>,
) {
    let counted = Cell::new(0);
    let mut runner = TestRunner::new(Cases { cases, failure_persistence: None, ..Cases::default() });
    runner.run(&any, |case| property(case, &counted)).unwrap();
    assert!(counted.get() >= least, "only {} of {cases} cases", counted.get());
}

#[test]
fn every_minted_token_passes_check() {
    for_all(300, 80, any_case(), |case, minted| {
        if let Some(token) = case.mint(&case.session.json().to_string()) {
            minted.set(minted.get() + 1);
            let report = check(&token, case.key());
            prop_assert_eq!(&report["verdict"], &json!("accepted"), "{}", report);
            prop_assert_eq!(case.grant().holds(&claims(&token)), Ok(()));
            let tags = &report["session_tags"];
            prop_assert_eq!(&tags["agentkeys_user_wallet"], &json!(case.session.wallet));
            prop_assert_eq!(tags.as_object().unwrap().len(), case.session.tags.len() + 1 + usize::from(case.with_omni));
        }
        Ok(())
    });
}

/// The twin: a minted token that is changed in one way is refused, or accepted with the warning that is about it.
#[test]
fn a_minted_token_that_is_changed_does_not_pass() {
    const TAGS: &str = "https://aws.amazon.com/tags";
    type Change = fn(&mut Value);
    let refused: [(&str, Change); 10] = [
        ("claim-missing", |claims| drop(claims.as_object_mut().unwrap().remove("sub"))),
        ("expired", |claims| claims["exp"] = json!(NOW - 301)),
        ("issued-in-the-future", |claims| claims["iat"] = json!(NOW + 301)),
        ("audience-form", |claims| claims["aud"] = json!({})),
        ("tags-form", |claims| claims[TAGS]["principal_tags"]["agentkeys_user_wallet"] = json!("bare")),
        ("tags-limits", |claims| claims[TAGS]["principal_tags"]["AWS:x"] = json!(["v"])),
        ("tags-limits", |claims| claims[TAGS]["principal_tags"]["Agentkeys_User_Wallet"] = json!(["v"])),
        ("transitive-key-without-tag", |claims| claims[TAGS]["transitive_tag_keys"] = json!(["no such tag"])),
        ("roles-without-a-valid-arn", |claims| claims["https://aws.amazon.com/roles"] = json!(["*"])),
        ("source-identity-form", |claims| claims["https://aws.amazon.com/source_identity"] = json!("a b")),
    ];
    let case = Case {
        issuer: ISSUERS[0],
        audiences: vec![NAMES[0]],
        token_ttl: 300,
        with_omni: false,
        with_rsa: false,
        session: Parts {
            wallet: crate::case::WALLET.to_owned(),
            created_at: NOW - 60,
            expires_at: NOW + 60,
            label: None,
            audiences: None,
            tags: Vec::new(),
            roles: None,
            source_identity: None,
            max_token_ttl: None,
        },
        asked_audience: None,
        asked_ttl: None,
    };
    let token = case.mint(&case.session.json().to_string()).unwrap();
    assert_eq!(check(&token, &P256)["verdict"], json!("accepted"));
    for (rule, change) in refused {
        let mut changed = claims(&token);
        change(&mut changed);
        let changed_aud = changed["aud"].is_string();
        let text = signed(&P256, &changed);
        let report = if changed_aud {
            check(&text, &P256)
        } else {
            // The argument is a text; the claim is not.
            let folder = Folder::new();
            let (file, keys) = (folder.file("token", text), folder.file("jwks", json!({"keys": [public(&P256)]}).to_string()));
            let output = run(&["check", "--json", "--token-file", &file, "--jwks", &keys, "--at", &NOW.to_string()], None);
            serde_json::from_slice(&output.stdout).unwrap()
        };
        assert_eq!((&report["verdict"], &report["rule"]["id"]), (&json!("refused"), &json!(rule)), "{report}");
    }
    let mut untagged = claims(&token);
    untagged.as_object_mut().unwrap().remove(TAGS);
    let report = check(&signed(&P256, &untagged), &P256);
    assert!(report["warnings"].as_array().unwrap().iter().any(|warning| warning["id"] == json!("untagged")), "{report}");
    assert!(case.grant().holds(&untagged).is_err());
    let (input, signature) = token.rsplit_once('.').unwrap();
    let other = base64url(&P256.sign("ES256", b"something else"));
    assert_ne!(signature, other);
    assert_eq!(check(&format!("{input}.{other}"), &P256)["rule"]["id"], json!("signature"));
}

/// One change to a record: to the edge of a limit, over it, or beside the point.
fn any_change() -> impl Strategy<Value = (&'static str, Value)> {
    let tag = |key: String, value: String| ("tags", json!({key: value}));
    let tags = |count: usize| ("tags", (0..count).map(|n| (format!("k{n}"), json!("v"))).collect::<serde_json::Map<_, _>>().into());
    let arn = |name: &str| json!([format!("arn:aws:iam::123456789012:role/{name}")]);
    proptest::sample::select(vec![
        tag("k".repeat(128), "v".repeat(256)),
        tag("k".repeat(129), String::new()),
        tag("k".to_owned(), "v".repeat(257)),
        tag(String::new(), "v".to_owned()),
        tag("é".repeat(128), "漢".repeat(256)),
        tag("k*".to_owned(), "v".to_owned()),
        tag("k".to_owned(), "v,w".to_owned()),
        tag("k".to_owned(), "v\n".to_owned()),
        tag("k".to_owned(), "e\u{301}".to_owned()),
        tag("aws:k".to_owned(), "v".to_owned()),
        tag("aWs:k".to_owned(), "v".to_owned()),
        tag("aws".to_owned(), "aws-v".to_owned()),
        tag("k".to_owned(), "AWS:v".to_owned()),
        tag("Agentkeys_User_Wallet".to_owned(), "v".to_owned()),
        tag("agentkeys_user_wallet".to_owned(), "v".to_owned()),
        tag("agent\u{212a}eys_user_wallet".to_owned(), "v".to_owned()),
        ("tags", json!({"key": "v", "KEY": "v"})),
        ("tags", json!({"straße": "v", "STRASSE": "v"})),
        ("tags", json!({"k": ["v"]})),
        ("tags", json!({"k": 7})),
        tags(48),
        tags(49),
        tags(50),
        ("tags", (0..40).map(|n| (format!("k{n}"), json!("v".repeat(256)))).collect::<serde_json::Map<_, _>>().into()),
        ("tags", (0..48).map(|n| (format!("{n:0>128}"), json!("漢".repeat(128)))).collect::<serde_json::Map<_, _>>().into()),
        ("transitive_tags", json!(["no such tag"])),
        ("transitive_tags", json!(["agentkeys_user_wallet"])),
        ("transitive_tags", json!([])),
        ("roles", json!([])),
        ("roles", arn("agent")),
        ("roles", arn("*")),
        ("roles", arn("a/*/b")),
        ("roles", arn(&"r".repeat(64))),
        ("roles", arn(&"r".repeat(65))),
        ("roles", arn("a;b")),
        ("roles", json!("arn:aws:iam::123456789012:role/a")),
        ("roles", json!((0..300).map(|n| format!("arn:aws:iam::123456789012:role/{n:0>60}")).collect::<Vec<_>>())),
        ("source_identity", json!("a")),
        ("source_identity", json!("ab")),
        ("source_identity", json!("a".repeat(64))),
        ("source_identity", json!("a".repeat(65))),
        ("source_identity", json!("aws:x")),
        ("source_identity", json!("a b")),
        ("source_identity", json!("é")),
        ("source_identity", json!(7)),
        ("max_token_ttl", json!(60)),
        ("max_token_ttl", json!(1_000_000)),
    ])
}

/// The token of a record, made by somebody who looks at no limit.
fn careless(case: &Case, record: &Value) -> Value {
    let wallet = record["wallet"].as_str().unwrap();
    let mut tags = json!({"agentkeys_user_wallet": [wallet]});
    for (key, value) in record["tags"].as_object().into_iter().flatten() {
        tags[key] = json!([value]);
    }
    let mut transitive = vec![json!("agentkeys_user_wallet")];
    transitive.extend(record["transitive_tags"].as_array().into_iter().flatten().cloned());
    let lifetime = record.get("max_token_ttl").and_then(Value::as_u64).unwrap_or(300);
    let mut claims = json!({
        "iss": case.issuer, "sub": format!("agentkeys:agent:{wallet}"), "aud": case.audiences[0], "iat": NOW, "exp": NOW + lifetime,
        "jti": "j", "agentkeys_user_wallet": wallet,
        "https://aws.amazon.com/tags": {"principal_tags": tags, "transitive_tag_keys": transitive},
    });
    for name in ["roles", "source_identity"] {
        if let Some(value) = record.get(name) {
            claims[format!("https://aws.amazon.com/{name}")] = value.clone();
        }
    }
    claims
}

#[test]
fn what_check_refuses_is_never_minted() {
    let (accepted, minted) = (Cell::new(0), Cell::new(0));
    for_all(300, 60, (any_case(), any_change()), |(case, (member, value)), refused| {
        let mut record = case.session.json();
        record[member] = value;
        let verdict = check(&signed(case.key(), &careless(&case, &record)), case.key());
        let token = Case { asked_audience: None, asked_ttl: None, ..case }.mint(&record.to_string());
        if verdict["verdict"] == json!("refused") {
            refused.set(refused.get() + 1);
            prop_assert_eq!(token, None, "{}", verdict);
        } else {
            accepted.set(accepted.get() + 1);
            minted.set(minted.get() + u32::from(token.is_some()));
        }
        Ok(())
    });
    // And the other way round it is no accident: what check accepts is minted as a rule.
    assert!(accepted.get() >= 20 && minted.get() >= 10, "{} accepted, {} of them minted", accepted.get(), minted.get());
}
