//! The two public documents: what they say, that tokens agree with them, and how caches ask for them.

use agentkeys_edge_broker::http::Method;
use serde_json::{Value, json};

use crate::support::keys::{EC, OTHER_EC, RSA};
use crate::support::sessions::{full_json, plain};
use crate::support::world::{Request, World, claims, error_of, header, minted};
use crate::support::{ISSUER, NOW, json, members};

const DISCOVERY: &str = "/.well-known/openid-configuration";
const JWKS: &str = "/.well-known/jwks.json";

fn both_keys() -> [(&'static str, String); 2] {
    [("SIGNING_KEY_A", RSA.jwk().to_string()), ("SIGNING_KEY_B", EC.jwk().to_string())]
}

fn get(world: &World, path: &str) -> Value {
    json(world.send(&Request::new(Method::Get, path)).response.body_text())
}

/// Whether discovery names what a token holds: its algorithm, and every claim. The tags claim must be among them.
fn describes(document: &Value, token: &str) -> Result<(), String> {
    let named = |list: &str, name: &str| document[list].as_array().is_some_and(|all| all.contains(&json!(name)));
    for claim in members(&claims(token)).into_iter().chain(["https://aws.amazon.com/tags"]) {
        if !named("claims_supported", claim) {
            return Err(format!("claims_supported is without {claim}"));
        }
    }
    let alg = header(token)["alg"].clone();
    if named("id_token_signing_alg_values_supported", alg.as_str().unwrap()) { Ok(()) } else { Err(format!("without {alg}")) }
}

#[test]
fn discovery_says_what_the_issuer_is_and_no_more() {
    let world = World::new(&[], &both_keys());
    let expected = json!({
        "issuer": ISSUER,
        "jwks_uri": format!("{ISSUER}/.well-known/jwks.json"),
        "token_endpoint": format!("{ISSUER}/v1/token"),
        "grant_types_supported": ["urn:ietf:params:oauth:grant-type:token-exchange"],
        "response_types_supported": ["id_token"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["ES256", "RS256"],
        "scopes_supported": ["openid"],
        "token_endpoint_auth_methods_supported": ["none"],
        "claims_supported": [
            "iss", "sub", "aud", "iat", "exp", "jti", "agentkeys_user_wallet",
            "https://aws.amazon.com/tags", "https://aws.amazon.com/roles", "https://aws.amazon.com/source_identity",
        ],
    });
    assert_eq!(get(&world, DISCOVERY), expected);
}

#[test]
fn the_algorithms_are_those_of_the_published_keys() {
    for (secrets, algs) in [
        (vec![both_keys()[1].clone()], json!(["ES256"])),
        (vec![both_keys()[0].clone()], json!(["RS256"])),
        (vec![("SIGNING_KEY_A", EC.jwk_with(&json!({"nbf": NOW + 86_400})))], json!(["ES256"])),
    ] {
        assert_eq!(get(&World::new(&[], &secrets), DISCOVERY)["id_token_signing_alg_values_supported"], algs);
    }
}

#[test]
fn discovery_without_the_tags_claim_fails() {
    for variables in [&[][..], &[("PRINCIPAL_TAGS", r#"["agentkeys_user_wallet","agentkeys_actor_omni"]"#)]] {
        let world =
            World::new(&[&[("AUDIENCES", r#"["sts.amazonaws.com","https://iam.example.com/pool"]"#)], variables].concat(), &both_keys());
        let document = get(&world, DISCOVERY);
        // The token of a session with everything, so that every claim there can be is held against the document.
        let full = agentkeys_edge_broker::session::SessionRecord::parse(&full_json().to_string()).unwrap();
        for session in [plain(), full] {
            let (token, _) = minted(&world.mint(&world.begin(1, &session), None));
            assert_eq!(describes(&document, &token), Ok(()));
            // The twin: without any one claim of the token in its list, the same check fails.
            for claim in members(&claims(&token)) {
                let mut without = document.clone();
                without["claims_supported"].as_array_mut().unwrap().retain(|named| named != claim);
                assert_eq!(describes(&without, &token), Err(format!("claims_supported is without {claim}")));
            }
            let mut other_alg = document.clone();
            other_alg["id_token_signing_alg_values_supported"] = json!(["RS256"]);
            assert!(describes(&other_alg, &token).is_err());
        }
    }
}

#[test]
fn the_omni_is_named_where_it_is_on_and_only_there() {
    let omni = json!("agentkeys_actor_omni");
    let claims = |world: &World| get(world, DISCOVERY)["claims_supported"].as_array().unwrap().clone();
    let on = World::new(&[("PRINCIPAL_TAGS", r#"["agentkeys_user_wallet","agentkeys_actor_omni"]"#)], &both_keys());
    assert!(claims(&on).contains(&omni));
    assert!(!claims(&World::new(&[], &both_keys())).contains(&omni));
}

#[test]
fn every_url_is_the_configured_issuer_s() {
    for issuer in ["https://keys.example.com", "https://keys.example.com/a/b", "http://localhost:8080"] {
        let world = World::new(&[("ISSUER", issuer)], &both_keys());
        let request = Request::new(Method::Get, DISCOVERY).with("host", "evil.example.com").with("x-forwarded-host", "evil.example.com");
        let document = json(world.send(&request).response.body_text());
        assert_eq!((&document["issuer"], &document["jwks_uri"]), (&json!(issuer), &json!(format!("{issuer}{JWKS}"))));
        assert!(!document.to_string().contains("evil"));
    }
}

#[test]
fn the_key_set_has_each_key_once_with_its_public_members_es256_first() {
    let secrets = [
        ("SIGNING_KEY_A", RSA.jwk_with(&json!({"x5c": [RSA.certificate()]}))),
        ("SIGNING_KEY_B", EC.jwk_with(&json!({"key_ops": ["sign"], "ext": true, "nbf": NOW + 86_400}))),
        ("SIGNING_KEY_C", EC.jwk().to_string()),
        ("SIGNING_KEY_D", OTHER_EC.jwk().to_string()),
    ];
    let world = World::new(&[], &secrets);
    let key_set = get(&world, JWKS);
    assert_eq!(members(&key_set), ["keys"]);
    let keys = key_set["keys"].as_array().unwrap();
    let shapes: Vec<Vec<&str>> = keys.iter().map(members).collect();
    let ec = ["alg", "crv", "kid", "kty", "use", "x", "y"];
    assert_eq!(shapes, [&ec[..], &ec, &["alg", "e", "kid", "kty", "n", "use", "x5c"]]);
    assert_eq!([&keys[0]["x"], &keys[1]["x"], &keys[2]["n"]], [&EC.jwk()["x"], &OTHER_EC.jwk()["x"], &RSA.jwk()["n"]]);
    let text = key_set.to_string();
    for pair in [&*EC, &*OTHER_EC, &*RSA] {
        for member in ["d", "p", "q", "dp", "dq", "qi"] {
            if let Some(secret) = pair.jwk()[member].as_str() {
                assert!(!text.contains(secret), "{member} is published");
            }
        }
    }
}

#[test]
fn a_document_is_for_any_cache_and_any_origin() {
    let world = World::new(&[], &both_keys());
    for path in [DISCOVERY, JWKS] {
        for method in [Method::Get, Method::Head] {
            let response = world.send(&Request::new(method, path)).response;
            assert_eq!(response.status, 200);
            assert_eq!(response.header("content-type"), Some("application/json"));
            assert_eq!(response.header("cache-control"), Some("public, max-age=900"));
            assert_eq!(response.header("access-control-allow-origin"), Some("*"));
            let etag = response.header("etag").unwrap();
            assert!(etag.len() > 20 && etag.starts_with('"') && etag.ends_with('"'), "{etag}");
        }
        let response = world.send(&Request::new(Method::Options, path)).response;
        assert_eq!((response.status, response.body_text()), (204, ""));
        assert_eq!(response.header("access-control-allow-origin"), Some("*"));
        assert_eq!(response.header("access-control-allow-methods"), Some("GET, HEAD, OPTIONS"));
    }
}

#[test]
fn a_cache_that_has_the_document_is_told_so_and_one_that_has_another_gets_it() {
    let world = World::new(&[], &both_keys());
    for path in [DISCOVERY, JWKS] {
        let get = |if_none_match: &str| world.send(&Request::new(Method::Get, path).with("if-none-match", if_none_match)).response;
        let first = get("\"other\"");
        let etag = first.header("etag").unwrap();
        assert_eq!(first.status, 200);
        for known in [etag.to_owned(), format!("W/{etag}"), "*".to_owned(), format!("\"other\", {etag}")] {
            let response = get(&known);
            assert_eq!((response.status, response.body_text()), (304, ""), "{known}");
            assert_eq!(response.header("etag"), Some(etag));
            assert_eq!(response.header("cache-control"), Some("public, max-age=900"));
        }
    }
    let etag = |world: &World, path| world.send(&Request::new(Method::Get, path)).response.header("etag").unwrap().to_owned();
    let other = World::new(&[], &[("SIGNING_KEY_A", OTHER_EC.jwk().to_string())]);
    assert_ne!(etag(&world, JWKS), etag(&other, JWKS), "another key set is another document");
    assert_eq!(etag(&world, JWKS), etag(&World::new(&[], &both_keys()), JWKS), "the same one is the same everywhere");
}

#[test]
fn without_any_key_there_is_no_document_rather_than_a_half_right_one() {
    let world = World::new(&[], &[]);
    for path in [DISCOVERY, JWKS] {
        let response = world.send(&Request::new(Method::Get, path)).response;
        assert_eq!(error_of(&response).0, 503);
        assert_eq!(response.header("retry-after"), Some("60"));
    }
}
