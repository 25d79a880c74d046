//! Readiness: what is checked, what stops it, by name and without its content. Health, which nothing stops.

use agentkeys_edge_broker::broker::Broker;
use agentkeys_edge_broker::config::Config;
use agentkeys_edge_broker::http::Response;
use agentkeys_edge_broker::keys::{KeyRing, PrivateKey};
use agentkeys_edge_broker::limit::Limit;
use agentkeys_edge_broker::readiness::{Service, health};
use serde_json::{Value, json};

use crate::support::keys::{EC, RSA};
use crate::support::world::World;
use crate::support::{NOW, json, members, read_config};

/// A service with its world.
struct Deployment {
    service: Service,
    world: World,
}

impl Deployment {
    fn of(mut world: World) -> Self {
        let broker = core::mem::replace(&mut world.broker, World::new(&[], &[]).broker);
        Self { service: Service { base_path: String::new(), broker: Ok(broker), broken_keys: Vec::new() }, world }
    }

    fn new(secrets: &[(&str, String)]) -> Self {
        Self::of(World::new(&[], secrets))
    }

    fn good() -> Self {
        Self::new(&[("SIGNING_KEY_A", EC.jwk().to_string()), ("SIGNING_KEY_B", RSA.jwk().to_string())])
    }

    fn report(&self) -> (u16, Value) {
        let response = pollster::block_on(self.service.readiness(&self.world.outside()));
        assert_eq!(response.header("cache-control"), Some("no-store"));
        let report = json(response.body_text());
        assert_eq!(members(&report), ["checks", "ready"]);
        assert_eq!(report["ready"], json!(response.status == 200));
        (response.status, report["checks"].clone())
    }
}

/// The checks that failed: subject and name.
fn failed(checks: &Value) -> Vec<(&str, &str)> {
    let failed = checks.as_array().unwrap().iter().filter(|check| check["ok"] != true);
    failed
        .map(|check| {
            assert!(check["message"].as_str().is_some_and(|message| message.len() > 10), "{check}");
            (check["check"].as_str().unwrap(), check["name"].as_str().unwrap_or(""))
        })
        .collect()
}

#[test]
fn a_service_is_sound_with_nothing_wrong_and_a_key() {
    let broken = || vec![("SIGNING_KEY_C".to_owned(), PrivateKey::parse("").unwrap_err())];
    let unread = || Config::parse(|_| None).map(|config| Broker::new(config, KeyRing::new(Vec::new())));
    assert!(Deployment::good().service.is_sound());
    assert!(!Deployment::new(&[]).service.is_sound());
    assert!(!Service { broken_keys: broken(), ..Deployment::good().service }.is_sound());
    assert!(!Service { broker: unread(), ..Deployment::good().service }.is_sound());
}

#[test]
fn a_good_deployment_is_ready_and_every_check_is_named() {
    let deployment = Deployment::good();
    let (status, checks) = deployment.report();
    let keys = deployment.service.broker.as_ref().unwrap().ring().keys();
    let expected = json!([
        {"check": "configuration", "ok": true},
        {"check": "key", "name": "SIGNING_KEY_A", "ok": true, "kid": keys[0].public.kid()},
        {"check": "key", "name": "SIGNING_KEY_B", "ok": true, "kid": keys[1].public.kid()},
        {"check": "audience", "name": "sts.amazonaws.com", "ok": true},
        {"check": "sessions", "ok": true},
        {"check": "challenges", "ok": true},
    ]);
    assert_eq!((status, checks), (200, expected));
    assert_eq!(deployment.world.store.gets.borrow().len(), 1, "one read shows that the store answers");
}

#[test]
fn an_audience_without_a_due_key_fails_by_name_since_its_mints_are_503() {
    let waiting = |alg_audience: &str, secret: String| {
        Deployment::of(World::new(&[("AUDIENCES", alg_audience)], &[("SIGNING_KEY_A", secret)])).report()
    };
    let (both, either) = (r#"["a",{"audience":"b","alg":"RS256"}]"#, r#"["a"]"#);
    let (status, checks) = waiting(both, EC.jwk().to_string());
    assert_eq!((status, failed(&checks)), (503, vec![("audience", "b")]));
    assert!(checks.to_string().contains("keygen --alg RS256"));
    let (status, checks) = waiting(either, EC.jwk_with(&json!({"nbf": NOW + 1})));
    assert_eq!((status, failed(&checks)), (503, vec![("audience", "a")]));
    let (status, checks) = waiting(either, EC.jwk_with(&json!({"nbf": NOW})));
    assert_eq!((status, failed(&checks)), (200, vec![]));
    let (status, checks) = waiting(either, RSA.jwk().to_string());
    assert_eq!((status, failed(&checks)), (200, vec![]), "RS256 signs where no algorithm is named");
}

#[test]
fn a_broken_key_fails_by_its_secret_s_name_and_the_good_ones_stay() {
    let mut deployment = Deployment::good();
    let planted = EC.jwk()["d"].as_str().unwrap().to_owned();
    let secret = EC.jwk_with(&json!({"nfb": 1}));
    deployment.service.broken_keys = vec![("SIGNING_KEY_C".to_owned(), PrivateKey::parse(&secret).unwrap_err())];
    let (status, checks) = deployment.report();
    assert_eq!((status, failed(&checks)), (503, vec![("key", "SIGNING_KEY_C")]));
    assert!(checks.to_string().contains("is not a private JWK") && !checks.to_string().contains(&planted));
    let good = checks.as_array().unwrap().iter().filter(|check| check["check"] == "key" && check["ok"] == true).count();
    assert_eq!(good, 2);
}

#[test]
fn a_key_that_does_not_prove_itself_fails_by_name() {
    let deployment = Deployment::good();
    deployment.world.signer.fails.set(true);
    let (status, checks) = deployment.report();
    assert_eq!((status, failed(&checks)), (503, vec![("key", "SIGNING_KEY_A"), ("key", "SIGNING_KEY_B")]));
}

#[test]
fn no_key_at_all_is_not_ready() {
    let (status, checks) = Deployment::new(&[]).report();
    assert_eq!((status, failed(&checks)), (503, vec![("key", "")]));
    assert!(checks.to_string().contains("keygen"));
}

#[test]
fn a_store_that_does_not_answer_is_not_ready() {
    let deployment = Deployment::good();
    deployment.world.store.fails.set(true);
    let (status, checks) = deployment.report();
    assert_eq!((status, failed(&checks)), (503, vec![("sessions", "")]));
}

#[test]
fn a_store_of_challenges_that_does_not_answer_is_not_ready() {
    let deployment = Deployment::good();
    deployment.world.challenges.fails.set(true);
    let (status, checks) = deployment.report();
    assert_eq!((status, failed(&checks)), (503, vec![("challenges", "")]));
    assert!(checks.to_string().contains("CHALLENGES"));
}

#[test]
fn every_rate_limit_that_is_not_bound_fails_by_its_binding() {
    let deployment = Deployment::good();
    for limit in Limit::ALL {
        deployment.world.limits.unbound.set(Some(limit));
        let (status, checks) = deployment.report();
        assert_eq!((status, failed(&checks)), (503, vec![("rate_limit", limit.binding())]));
    }
    deployment.world.limits.unbound.set(None);
    assert_eq!(deployment.report().0, 200);
}

#[test]
fn every_wrong_variable_fails_by_its_name_and_without_its_value() {
    let mut deployment = Deployment::good();
    let problems = read_config(&[("ISSUER", "https://hunter2.example.com/"), ("TOKEN_TTL_SECONDS", "hunter2")]).unwrap_err();
    deployment.service.broker = Err(problems);
    let (status, checks) = deployment.report();
    assert_eq!((status, failed(&checks)), (503, vec![("configuration", "ISSUER"), ("configuration", "TOKEN_TTL_SECONDS")]));
    assert!(!checks.to_string().contains("hunter2"));
}

#[test]
fn all_that_is_wrong_is_said_at_once() {
    let mut deployment = Deployment::new(&[]);
    deployment.service.broken_keys = vec![("SIGNING_KEY_A".to_owned(), PrivateKey::parse("").unwrap_err())];
    deployment.world.store.fails.set(true);
    let (_, checks) = deployment.report();
    assert_eq!(failed(&checks), [("key", "SIGNING_KEY_A"), ("key", ""), ("sessions", "")]);
}

#[test]
fn health_is_ok_whatever_is_wrong() {
    let Response { status, .. } = health();
    assert_eq!((status, health().body_text(), health().header("cache-control")), (200, "ok", Some("no-store")));
}
