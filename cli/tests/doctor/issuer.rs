//! An issuer that is in order, by the wire of this broker, with a place to plant a fault at: in a document, in a token,
//! in an answer.

use std::net::TcpListener;
use std::sync::Arc;

use agentkeys_edge_broker::encoding::base64url;
use agentkeys_edge_broker::session::SessionToken;
use p256::ecdsa::signature::Signer;
use p256::ecdsa::{Signature, SigningKey};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::CANARY;
use crate::server::{Answer, Request, serve};

pub(crate) const DISCOVERY: &str = "/.well-known/openid-configuration";
pub(crate) const JWKS: &str = "/.well-known/jwks.json";
pub(crate) const MINT: &str = "/v1/mint-oidc-jwt";
pub(crate) const WALLET: &str = "0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed";
pub(crate) const TAGS: &str = "https://aws.amazon.com/tags";

type Edit = Box<dyn Fn(&mut Value) + Send + Sync>;
type EditAnswer = Box<dyn Fn(&Request, &mut Answer) + Send + Sync>;

/// The issuer before it runs.
pub(crate) struct Issuer {
    path: &'static str,
    discovery: Edit,
    key_set: Edit,
    claims: Edit,
    answer: EditAnswer,
    tls: Option<(Arc<rustls::ServerConfig>, &'static str)>,
    /// What its clock is off by, in seconds.
    clock: i64,
    /// The key that signs under the first key's name.
    signs: u8,
}

/// An issuer that answers until the test process ends.
pub(crate) struct Running {
    pub(crate) url: String,
}

/// The session that it knows.
pub(crate) fn session_token() -> SessionToken {
    SessionToken::from_random(&[7; 32])
}

fn signing_key(seed: u8) -> SigningKey {
    SigningKey::from_slice(&[seed; 32]).unwrap()
}

/// A published key.
pub(crate) fn public_jwk(seed: u8) -> Value {
    let point = signing_key(seed).verifying_key().to_sec1_point(false);
    named(
        json!({ "kty": "EC", "crv": "P-256", "x": base64url(point.x().unwrap()), "y": base64url(point.y().unwrap()), "alg": "ES256", "use": "sig" }),
    )
}

/// The key under its RFC 7638 thumbprint.
pub(crate) fn named(mut jwk: Value) -> Value {
    let canonical = match jwk["kty"].as_str() {
        Some("EC") => format!(r#"{{"crv":{},"kty":"EC","x":{},"y":{}}}"#, jwk["crv"], jwk["x"], jwk["y"]),
        _ => format!(r#"{{"e":{},"kty":"RSA","n":{}}}"#, jwk["e"], jwk["n"]),
    };
    jwk["kid"] = base64url(&Sha256::digest(canonical)).into();
    jwk
}

impl Issuer {
    /// One that is in order.
    pub(crate) fn new() -> Self {
        let nothing = || -> Edit { Box::new(|_| {}) };
        Self {
            path: "",
            discovery: nothing(),
            key_set: nothing(),
            claims: nothing(),
            answer: Box::new(|_, _| {}),
            tls: None,
            clock: 0,
            signs: 1,
        }
    }

    pub(crate) fn at_path(self, path: &'static str) -> Self {
        Self { path, ..self }
    }

    pub(crate) fn with_discovery(self, edit: impl Fn(&mut Value) + Send + Sync + 'static) -> Self {
        Self { discovery: Box::new(edit), ..self }
    }

    /// Another key set. It is what the keys are, to readiness too.
    pub(crate) fn with_key_set(self, edit: impl Fn(&mut Value) + Send + Sync + 'static) -> Self {
        Self { key_set: Box::new(edit), ..self }
    }

    pub(crate) fn with_claims(self, edit: impl Fn(&mut Value) + Send + Sync + 'static) -> Self {
        Self { claims: Box::new(edit), ..self }
    }

    /// Other answers: the last that happens to each.
    pub(crate) fn with_answer(self, edit: impl Fn(&Request, &mut Answer) + Send + Sync + 'static) -> Self {
        Self { answer: Box::new(edit), ..self }
    }

    pub(crate) fn with_tls(self, config: Arc<rustls::ServerConfig>, host: &'static str) -> Self {
        Self { tls: Some((config, host)), ..self }
    }

    pub(crate) fn with_clock_off_by(self, clock: i64) -> Self {
        Self { clock, ..self }
    }

    pub(crate) fn signed_with(self, signs: u8) -> Self {
        Self { signs, ..self }
    }

    pub(crate) fn start(self) -> Running {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (scheme, host) = self.tls.as_ref().map_or(("http", "127.0.0.1"), |(_, host)| ("https", *host));
        let url = format!("{scheme}://{host}:{}{}", listener.local_addr().unwrap().port(), self.path);
        let (issuer, tls) = (url.clone(), self.tls.as_ref().map(|(config, _)| Arc::clone(config)));
        serve(
            listener,
            tls,
            Arc::new(move |request| {
                let mut answer = self.route(request, &issuer).with("Date", self.date());
                (self.answer)(request, &mut answer);
                answer
            }),
        );
        Running { url }
    }

    fn now(&self) -> i64 {
        i64::try_from(std::time::UNIX_EPOCH.elapsed().unwrap().as_secs()).unwrap() + self.clock
    }

    fn date(&self) -> String {
        chrono::DateTime::from_timestamp(self.now(), 0).unwrap().format("%a, %d %b %Y %H:%M:%S GMT").to_string()
    }

    fn route(&self, request: &Request, issuer: &str) -> Answer {
        let Some(path) = request.path.strip_prefix(self.path) else { return error(404, "not_found") };
        match (request.method.as_str(), path) {
            ("GET" | "HEAD", DISCOVERY) => document(request, &self.discovery(issuer)),
            ("GET" | "HEAD", JWKS) => document(request, &self.keys()),
            ("POST", MINT) => self.mint(request, issuer),
            ("GET", "/v1/session") if is_known(request) => never_stored(200, &json!({ "wallet": WALLET, "label": CANARY })),
            ("GET", "/readyz") => self.ready(),
            (_, DISCOVERY | JWKS) => error(405, "method_not_allowed").with("Allow", "GET, HEAD, OPTIONS"),
            _ => error(404, "not_found"),
        }
    }

    fn discovery(&self, issuer: &str) -> Value {
        let mut document = json!({
            "issuer": issuer,
            "jwks_uri": format!("{issuer}{JWKS}"),
            "response_types_supported": ["id_token"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["ES256"],
            "claims_supported": ["iss", "sub", "aud", "iat", "exp", "jti", "agentkeys_user_wallet", TAGS],
            "service_documentation": CANARY,
        });
        (self.discovery)(&mut document);
        document
    }

    fn keys(&self) -> Value {
        let mut document = json!({ "keys": [public_jwk(1), public_jwk(2)] });
        (self.key_set)(&mut document);
        document
    }

    fn ready(&self) -> Answer {
        let keys = self.keys();
        let keys = keys["keys"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|key| json!({ "check": "key", "name": "SIGNING_KEY_A", "ok": true, "kid": key["kid"] }));
        let checks: Vec<Value> = std::iter::once(json!({ "check": "configuration", "ok": true, "message": CANARY })).chain(keys).collect();
        never_stored(200, &json!({ "ready": true, "checks": checks }))
    }

    fn mint(&self, request: &Request, issuer: &str) -> Answer {
        if request.header("authorization").is_none() {
            return error(401, "unauthorized").with("WWW-Authenticate", "Bearer");
        }
        if !is_known(request) {
            return error(401, "unauthorized").with("WWW-Authenticate", "Bearer error=\"invalid_token\"");
        }
        let now = self.now();
        let asked: Value = serde_json::from_slice(&request.body).unwrap_or_else(|_| json!({}));
        let ttl = asked["ttl_seconds"].as_i64().unwrap_or(300);
        if ttl > 300 {
            return error(400, "bad_request");
        }
        if asked["audience"].as_str().is_some_and(|audience| audience != "sts.amazonaws.com") {
            return error(403, "forbidden");
        }
        let mut claims = json!({
            "iss": issuer, "sub": format!("agentkeys:agent:{WALLET}"), "aud": "sts.amazonaws.com",
            "iat": now, "exp": now + ttl, "jti": "00000000000000000000000000000000",
            "agentkeys_user_wallet": WALLET,
            TAGS: { "principal_tags": { "agentkeys_user_wallet": [WALLET] }, "transitive_tag_keys": ["agentkeys_user_wallet"] },
        });
        (self.claims)(&mut claims);
        let header = json!({ "alg": "ES256", "kid": public_jwk(1)["kid"], "typ": "JWT" });
        let input = format!("{}.{}", base64url(header.to_string().as_bytes()), base64url(claims.to_string().as_bytes()));
        let signature: Signature = signing_key(self.signs).sign(input.as_bytes());
        let jwt = format!("{input}.{}", base64url(&signature.to_bytes()));
        never_stored(200, &json!({ "jwt": jwt, "wallet": WALLET, "expiration": now + ttl }))
    }
}

fn is_known(request: &Request) -> bool {
    request.header("authorization") == Some(&format!("Bearer {}", session_token().expose()))
}

fn document(request: &Request, document: &Value) -> Answer {
    let body = document.to_string();
    let etag = format!("\"{}\"", base64url(&Sha256::digest(&body)));
    let answer = if request.header("if-none-match") == Some(&etag) { Answer::new(304, &"") } else { Answer::new(200, &body) };
    answer
        .with("Content-Type", "application/json")
        .with("Cache-Control", "public, max-age=900")
        .with("ETag", etag)
        .with("Access-Control-Allow-Origin", "*")
}

fn never_stored(status: u16, body: &Value) -> Answer {
    Answer::new(status, body).with("Content-Type", "application/json").with("Cache-Control", "no-store")
}

fn error(status: u16, kind: &str) -> Answer {
    never_stored(status, &json!({ "error": kind, "message": CANARY }))
}
