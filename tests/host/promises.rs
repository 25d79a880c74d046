//! The promises, for all sessions, requests and configurations: no request widens a grant, and no member that is not known
//! does. Whole requests go through the broker; the tokens that come out are held against [`Grant`], which reads the stored
//! record and the request by itself. That what comes out passes the tool's `check` is `cli/tests/check/promises.rs`.

use std::cell::Cell;

use agentkeys_edge_broker::broker::Answer;
use agentkeys_edge_broker::http::Method;
use agentkeys_edge_broker::session::SessionToken;
use form_urlencoded::Serializer;
use proptest::prelude::*;
use proptest::test_runner::{Config as Cases, TestRunner};
use serde_json::{Map, Value, json};

use crate::support::grant::Grant;
use crate::support::keys::EC;
use crate::support::sessions::{Parts, any_session};
use crate::support::world::{Request, World, claims, minted, verify};
use crate::support::{ISSUER, NOW, at, json};

/// Where sessions, configurations and requests take their audiences from, so that they meet.
const NAMES: [&str; 5] = ["sts.amazonaws.com", "b", "https://c.example.com", "B", "b "];

/// A deployment, a session in its store, and a request.
#[derive(Debug, Clone)]
struct Case {
    audiences: Vec<&'static str>,
    token_ttl: u64,
    with_omni: bool,
    session: Parts,
    asked_audience: Option<&'static str>,
    asked_ttl: Option<u64>,
}

fn some_names() -> impl Strategy<Value = Vec<&'static str>> {
    proptest::sample::subsequence(NAMES[..4].to_vec(), 1..=4).prop_shuffle()
}

/// A session that is live at [`NOW`], of audiences that the configuration may have.
fn live_session() -> impl Strategy<Value = Parts> {
    let left = prop_oneof![1..400_u64, 60..31_536_000_u64];
    (any_session(), 1..1_000_u64, left, proptest::option::of(some_names())).prop_map(|(parts, age, left, audiences)| Parts {
        created_at: NOW - age,
        expires_at: NOW + left,
        audiences: audiences.map(|list| list.into_iter().map(str::to_owned).collect()),
        ..parts
    })
}

fn any_case() -> impl Strategy<Value = Case> {
    let asked_audience = proptest::option::of(proptest::sample::select(NAMES.to_vec()));
    let asked_ttl = proptest::option::of(prop_oneof![4 => 60..3_700_u64, 1 => 0..60_u64, 1 => Just(u64::MAX)]);
    (some_names(), 60..=3_600_u64, any::<bool>(), live_session(), asked_audience, asked_ttl).prop_map(
        |(audiences, token_ttl, with_omni, session, asked_audience, asked_ttl)| Case {
            audiences,
            token_ttl,
            with_omni,
            session,
            asked_audience,
            asked_ttl,
        },
    )
}

impl Case {
    fn world(&self) -> World {
        let audiences = json!(self.audiences).to_string();
        let tags = if self.with_omni { r#"["agentkeys_user_wallet","agentkeys_actor_omni"]"# } else { r#"["agentkeys_user_wallet"]"# };
        let ttl = self.token_ttl.to_string();
        let variables = [("AUDIENCES", audiences.as_str()), ("TOKEN_TTL_SECONDS", &ttl), ("PRINCIPAL_TAGS", tags)];
        World::new(&variables, &[("SIGNING_KEY_A", EC.jwk().to_string())])
    }

    fn grant(&self) -> Grant {
        Grant {
            issuer: ISSUER.to_owned(),
            audiences: self.audiences.iter().map(|name| (*name).to_owned()).collect(),
            token_ttl: self.token_ttl,
            with_omni: self.with_omni,
            record: self.session.json(),
            asked_audience: self.asked_audience.map(str::to_owned),
            asked_ttl: self.asked_ttl,
            now: NOW,
        }
    }

    /// The request's members.
    fn asked(&self) -> Map<String, Value> {
        let audience = self.asked_audience.map(|name| ("audience".to_owned(), json!(name)));
        let ttl = self.asked_ttl.map(|seconds| ("ttl_seconds".to_owned(), json!(seconds)));
        audience.into_iter().chain(ttl).collect()
    }

    /// The parameters of the same request as a token exchange, which has no lifetime.
    fn exchange(&self, token: &SessionToken) -> Vec<(String, String)> {
        let mut parameters = vec![
            ("grant_type".to_owned(), "urn:ietf:params:oauth:grant-type:token-exchange".to_owned()),
            ("subject_token".to_owned(), token.expose().to_owned()),
            ("subject_token_type".to_owned(), "urn:ietf:params:oauth:token-type:access_token".to_owned()),
        ];
        parameters.extend(self.asked_audience.map(|name| ("audience".to_owned(), name.to_owned())));
        parameters
    }

    /// Stores a text as the session's record.
    fn store(&self, world: &World, record: String) -> SessionToken {
        world.store_text(7, &self.session.record(), record)
    }
}

fn exchange(world: &World, parameters: &[(String, String)]) -> Answer {
    let form = Serializer::new(String::new()).extend_pairs(parameters).finish();
    let request = Request::new(Method::Post, "/v1/token").body(Ok(form.into_bytes()));
    world.send(&request.with("content-type", "application/x-www-form-urlencoded"))
}

/// Nothing was signed, and nothing that looks like a token was answered.
fn mints_nothing(world: &World, answer: &Answer) -> Result<(), TestCaseError> {
    prop_assert_ne!(answer.response.status, 200);
    prop_assert_eq!(world.signer.signatures.get(), 0);
    prop_assert!(!answer.response.body_text().contains("eyJ"), "{}", answer.response.body_text());
    Ok(())
}

/// Runs a property over generated cases, and sees to it that enough of them minted something.
fn for_all<T: core::fmt::Debug>(
    cases: u32,
    least_minted: u32,
    any: impl Strategy<Value = T>,
    property: impl Fn(T, &Cell<u32>) -> Result<(), TestCaseError>,
) {
    let counted = Cell::new(0);
    let mut runner = TestRunner::new(Cases { cases, failure_persistence: None, ..Cases::default() });
    runner.run(&any, |case| property(case, &counted)).unwrap();
    assert!(counted.get() >= least_minted, "only {} of {cases} cases minted a token", counted.get());
}

/// An answer that has a token is within the grant, and signed; one that has none cost no signature.
fn within(world: &World, grant: &Grant, answer: &Answer, token: Option<String>, minted: &Cell<u32>) -> Result<(), TestCaseError> {
    match token {
        Some(token) => {
            minted.set(minted.get() + 1);
            prop_assert_eq!(grant.holds(&claims(&token)), Ok(()));
            prop_assert!(verify(&token, &world.key_set(), at(NOW)).is_ok());
        }
        None => mints_nothing(world, answer)?,
    }
    Ok(())
}

#[test]
fn no_request_widens_a_grant() {
    for_all(200, 40, any_case(), |case, counted| {
        let world = case.world();
        let token = case.store(&world, case.session.json().to_string());
        let answer = world.mint(&token, Some(&Value::Object(case.asked()).to_string()));
        let jwt = (answer.response.status == 200).then(|| minted(&answer));
        if let Some((jwt, body)) = &jwt {
            prop_assert_eq!((&body["expiration"], &body["wallet"]), (&claims(jwt)["exp"], &json!(case.session.wallet)));
        }
        within(&world, &case.grant(), &answer, jwt.map(|(jwt, _)| jwt), counted)
    });
}

#[test]
fn no_token_exchange_widens_a_grant() {
    for_all(200, 40, any_case(), |case, counted| {
        let world = case.world();
        let token = case.store(&world, case.session.json().to_string());
        let answer = exchange(&world, &case.exchange(&token));
        let body = json(answer.response.body_text());
        let jwt = body["access_token"].as_str().map(str::to_owned);
        within(&world, &Grant { asked_ttl: None, ..case.grant() }, &answer, jwt, counted)
    });
}

/// A member, as JSON has it: any value under a name that is not among these, or is one of these in another spelling, or
/// (where there is such a member already) the very same again.
fn extra_member(known: &'static [&'static str]) -> impl Strategy<Value = (String, String)> {
    let spelled = proptest::sample::select(known.to_vec()).prop_flat_map(|name| {
        prop_oneof![
            Just(name.to_ascii_uppercase()),
            Just(format!("{name} ")),
            Just(name.trim_end_matches('s').to_owned() + "z"),
            Just(format!("\u{feff}{name}")),
            Just(name.replace('_', "-") + "s"),
        ]
    });
    let any = prop_oneof![
        "\\PC{0,12}",
        spelled,
        proptest::sample::select(vec!["scope", "deny", "not_before", "ip", "max_ttl", "restrict", "aud", "tag", "role", "__proto__"])
            .prop_map(str::to_owned),
    ];
    let name = any.prop_filter("a name that is known", |name| !known.contains(&name.as_str()));
    let value = proptest::sample::select(vec![
        "null",
        "true",
        "0",
        "\"\"",
        "[]",
        "{}",
        "[\"b\"]",
        "\"sts.amazonaws.com\"",
        "{\"admin\":\"yes\"}",
        "9007199254740991",
    ]);
    (name.prop_map(|name| json!(name).to_string()), value.prop_map(str::to_owned))
}

/// An object's text with one more member, written as it is: in front or at the end.
fn with_member(object: &Value, name: &str, value: &str, in_front: bool) -> String {
    let text = object.to_string();
    let inner = &text[1..text.len() - 1];
    let parts = if in_front { [format!("{name}:{value}"), inner.to_owned()] } else { [inner.to_owned(), format!("{name}:{value}")] };
    format!("{{{}}}", parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(","))
}

const RECORD: &[&str] = &[
    "v",
    "wallet",
    "created_at",
    "expires_at",
    "label",
    "audiences",
    "tags",
    "transitive_tags",
    "roles",
    "source_identity",
    "max_token_ttl",
];
const REQUEST: &[&str] = &["audience", "ttl_seconds"];

/// A case that mints as it stands: the session's default audience is one of the configuration.
fn minting_case() -> impl Strategy<Value = Case> {
    any_case().prop_map(|case| Case {
        session: Parts { audiences: Some(vec![case.audiences[0].to_owned()]), ..case.session },
        asked_audience: None,
        asked_ttl: None,
        ..case
    })
}

#[test]
fn a_record_with_a_member_that_is_not_known_mints_nothing() {
    for_all(100, 100, (minting_case(), extra_member(RECORD), any::<bool>()), |(case, (name, value), in_front), counted| {
        let record = case.session.json();
        // Without it the same record mints.
        let world = case.world();
        let token = case.store(&world, record.to_string());
        minted(&world.mint(&token, None));
        counted.set(counted.get() + 1);
        for by_exchange in [false, true] {
            let world = case.world();
            let token = case.store(&world, with_member(&record, &name, &value, in_front));
            let answer = if by_exchange { exchange(&world, &case.exchange(&token)) } else { world.mint(&token, None) };
            mints_nothing(&world, &answer)?;
        }
        Ok(())
    });
}

#[test]
fn a_record_with_a_member_twice_mints_nothing() {
    let repeated = (minting_case(), any::<prop::sample::Index>(), any::<bool>());
    for_all(100, 0, repeated, |(case, index, in_front), _| {
        let record = case.session.json();
        let (name, value) = record.as_object().unwrap().iter().nth(index.index(record.as_object().unwrap().len())).unwrap();
        let world = case.world();
        let token = case.store(&world, with_member(&record, &json!(name).to_string(), &value.to_string(), in_front));
        mints_nothing(&world, &world.mint(&token, None))
    });
}

#[test]
fn a_request_with_a_member_that_is_not_known_is_refused() {
    for_all(100, 100, (minting_case(), extra_member(REQUEST), any::<bool>()), |(case, (name, value), in_front), counted| {
        let world = case.world();
        let token = case.store(&world, case.session.json().to_string());
        let asked = json!({"audience": case.audiences[0], "ttl_seconds": 60});
        let answer = world.mint(&token, Some(&with_member(&asked, &name, &value, in_front)));
        prop_assert_eq!(answer.response.status, 400);
        mints_nothing(&world, &answer)?;
        minted(&world.mint(&token, Some(r#"{"ttl_seconds":60}"#)));
        counted.set(counted.get() + 1);
        Ok(())
    });
}

/// What OAuth does not define is ignored (RFC 6749 §3.2), whatever it would like to be.
#[test]
fn a_parameter_of_a_token_exchange_that_is_not_known_changes_nothing() {
    const PARAMETERS: &[&str] = &[
        "grant_type",
        "subject_token",
        "subject_token_type",
        "requested_token_type",
        "audience",
        "scope",
        "resource",
        "actor_token",
        "actor_token_type",
    ];
    for_all(100, 100, (minting_case(), extra_member(PARAMETERS), any::<bool>()), |(case, (name, value), in_front), counted| {
        let world = case.world();
        let token = case.store(&world, case.session.json().to_string());
        let mut parameters = case.exchange(&token);
        let place = if in_front { 0 } else { parameters.len() };
        parameters.insert(place, (serde_json::from_str(&name).unwrap(), value));
        let answer = exchange(&world, &parameters);
        prop_assert_eq!(answer.response.status, 200, "{}", answer.response.body_text());
        let jwt = json(answer.response.body_text())["access_token"].as_str().map(str::to_owned);
        within(&world, &Grant { asked_ttl: None, ..case.grant() }, &answer, jwt, counted)
    });
}

/// The twin: a claim that is wider in any one way is not within the grant.
#[test]
fn a_token_that_is_wider_in_any_way_is_found() {
    let session = json!({
        "v": 1, "wallet": "0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed", "created_at": NOW - 60, "expires_at": NOW + 250,
        "audiences": ["b", "gone"], "tags": {"team": "storage"}, "transitive_tags": ["team"],
        "roles": ["arn:aws:iam::123456789012:role/reader"], "source_identity": "agent-7", "max_token_ttl": 240,
    });
    let world = World::new(&[("AUDIENCES", r#"["sts.amazonaws.com","b"]"#)], &[("SIGNING_KEY_A", EC.jwk().to_string())]);
    let grant = Grant {
        issuer: ISSUER.to_owned(),
        audiences: vec!["sts.amazonaws.com".to_owned(), "b".to_owned()],
        token_ttl: 300,
        with_omni: false,
        record: session.clone(),
        asked_audience: Some("b".to_owned()),
        asked_ttl: Some(120),
        now: NOW,
    };
    let record = agentkeys_edge_broker::session::SessionRecord::parse(&session.to_string()).unwrap();
    let token = world.store_text(7, &record, session.to_string());
    let (token, _) = minted(&world.mint(&token, Some(r#"{"audience":"b","ttl_seconds":120}"#)));
    let good = claims(&token);
    assert_eq!(grant.holds(&good), Ok(()));

    let other_wallet = "0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaee";
    let changes: [(&str, Value); 22] = [
        ("/iss", json!("https://keys.example.com/agent")),
        ("/sub", json!(format!("agentkeys:agent:{other_wallet}"))),
        ("/agentkeys_user_wallet", json!(other_wallet)),
        ("/aud", json!("sts.amazonaws.com")),
        ("/aud", json!("gone")),
        ("/aud", json!(["b"])),
        ("/iat", json!(NOW + 1)),
        ("/exp", json!(NOW + 121)),
        ("/exp", json!(NOW)),
        ("/exp", json!(NOW + 251)),
        ("/https:~1~1aws.amazon.com~1tags/principal_tags/agentkeys_user_wallet", json!([other_wallet])),
        ("/https:~1~1aws.amazon.com~1tags/principal_tags/agentkeys_user_wallet", json!("0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed")),
        ("/https:~1~1aws.amazon.com~1tags/principal_tags/team", json!(["storage", "admin"])),
        ("/https:~1~1aws.amazon.com~1tags/principal_tags/admin", json!(["yes"])),
        ("/https:~1~1aws.amazon.com~1tags/transitive_tag_keys", json!(["agentkeys_user_wallet"])),
        ("/https:~1~1aws.amazon.com~1tags/transitive_tag_keys", json!(["agentkeys_user_wallet", "team", "admin"])),
        ("/https:~1~1aws.amazon.com~1roles", json!(["arn:aws:iam::123456789012:role/reader", "arn:aws:iam::123456789012:role/writer"])),
        ("/https:~1~1aws.amazon.com~1roles", Value::Null),
        ("/https:~1~1aws.amazon.com~1source_identity", json!("agent-8")),
        ("/agentkeys_actor_omni", json!("00")),
        ("/azp", json!("b")),
        ("/nbf", json!(NOW)),
    ];
    for (pointer, value) in changes {
        let mut claims = good.clone();
        let (parent, name) = pointer.rsplit_once('/').unwrap();
        claims.pointer_mut(parent).unwrap()[name.replace("~1", "/")] = value.clone();
        assert!(grant.holds(&claims).is_err(), "{pointer} {value}");
    }
    for gone in ["iss", "sub", "aud", "iat", "exp", "jti", "agentkeys_user_wallet", "https://aws.amazon.com/tags"] {
        let mut claims = good.clone();
        claims.as_object_mut().unwrap().remove(gone);
        assert!(grant.holds(&claims).is_err(), "without {gone}");
    }
    // And the same token under a narrower grant.
    for (member, value) in [("expires_at", json!(NOW + 119)), ("max_token_ttl", json!(60)), ("audiences", json!(["sts.amazonaws.com"]))] {
        let mut grant = grant.clone();
        grant.record[member] = value;
        assert!(grant.holds(&good).is_err(), "{member}");
    }
    assert!(Grant { asked_ttl: Some(60), ..grant.clone() }.holds(&good).is_err());
    assert!(Grant { asked_audience: Some("sts.amazonaws.com".to_owned()), ..grant.clone() }.holds(&good).is_err());
    assert!(Grant { audiences: vec!["sts.amazonaws.com".to_owned()], ..grant }.holds(&good).is_err());
}
