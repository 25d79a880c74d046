//! A broker in a world of plain values: a map for a store, jwt-compact for a signer, a struct for a request, a fixed clock.
//! Store and signer count what is asked of them, and fail when told to.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU8, Ordering};

use agentkeys_edge_broker::broker::{Answer, Broker, Outside, unserved};
use agentkeys_edge_broker::encoding::from_base64url;
use agentkeys_edge_broker::error::Fault;
use agentkeys_edge_broker::http::{BodyError, Incoming, Method, Response, Route};
use agentkeys_edge_broker::keys::{KeyRing, PrivateKey, RingKey};
use agentkeys_edge_broker::limit::Limit;
use agentkeys_edge_broker::session::{SessionRecord, SessionToken, index_key, record_key};
use agentkeys_edge_broker::signin::RequestId;
use agentkeys_edge_broker::time::UnixTime;
use agentkeys_edge_broker::{ChallengeStore, LimiterError, Ports, RateLimiter, SessionStore, Signer, SigningError, StoreError};
use chrono::{DateTime, Duration};
use jwt_compact::alg::{Es256, Rsa};
use jwt_compact::jwk::JsonWebKey;
use jwt_compact::{Algorithm, AlgorithmExt, AlgorithmSignature, TimeOptions, UntrustedToken};
use serde_json::Value;

use super::{NOW, at, config, json};

/// A request as plain values.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    method: Method,
    path: String,
    headers: Vec<(&'static str, String)>,
    body: Result<Vec<u8>, BodyError>,
}

impl Request {
    pub(crate) fn new(method: Method, path: &str) -> Self {
        Self { method, path: path.to_owned(), headers: Vec::new(), body: Ok(Vec::new()) }
    }

    pub(crate) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    pub(crate) fn bearer(self, token: &str) -> Self {
        self.with("authorization", format!("Bearer {token}"))
    }

    pub(crate) fn json(self, body: impl Into<Vec<u8>>) -> Self {
        Self { body: Ok(body.into()), ..self }.with("content-type", "application/json")
    }

    pub(crate) fn body(self, body: Result<Vec<u8>, BodyError>) -> Self {
        Self { body, ..self }
    }
}

impl Incoming for Request {
    fn method(&self) -> Method {
        self.method
    }

    fn path(&self) -> &str {
        &self.path
    }

    fn header(&self, name: &str) -> Option<String> {
        let values: Vec<&str> = self.headers.iter().filter(|(known, _)| *known == name).map(|(_, value)| value.as_str()).collect();
        (!values.is_empty()).then(|| values.join(", "))
    }

    async fn body(&self, limit: usize) -> Result<Vec<u8>, BodyError> {
        self.body.clone().and_then(|body| if body.len() > limit { Err(BodyError::TooLarge) } else { Ok(body) })
    }
}

/// A store that counts, and fails when told to.
#[derive(Default)]
pub(crate) struct MapStore {
    pub(crate) values: RefCell<BTreeMap<String, String>>,
    /// Metadata and end of what was put.
    pub(crate) entries: RefCell<BTreeMap<String, (Option<String>, UnixTime)>>,
    pub(crate) gets: RefCell<Vec<String>>,
    pub(crate) puts: RefCell<Vec<String>>,
    pub(crate) deletes: RefCell<Vec<String>>,
    pub(crate) fails: Cell<bool>,
    /// What fails besides: operations on keys that start so.
    pub(crate) fails_at: Cell<Option<&'static str>>,
}

impl MapStore {
    fn working(&self, key: &str) -> Result<(), StoreError> {
        let fails = self.fails.get() || self.fails_at.get().is_some_and(|start| key.starts_with(start));
        if fails { Err(StoreError) } else { Ok(()) }
    }
}

impl SessionStore for MapStore {
    async fn get(&self, key: &str) -> Result<Option<String>, StoreError> {
        self.gets.borrow_mut().push(key.to_owned());
        self.working(key)?;
        Ok(self.values.borrow().get(key).cloned())
    }

    async fn put(&self, key: &str, value: &str, metadata: Option<&str>, expires_at: UnixTime) -> Result<(), StoreError> {
        self.puts.borrow_mut().push(key.to_owned());
        self.working(key)?;
        self.values.borrow_mut().insert(key.to_owned(), value.to_owned());
        self.entries.borrow_mut().insert(key.to_owned(), (metadata.map(str::to_owned), expires_at));
        Ok(())
    }

    async fn delete(&self, key: &str) -> Result<(), StoreError> {
        self.deletes.borrow_mut().push(key.to_owned());
        self.working(key)?;
        self.values.borrow_mut().remove(key);
        Ok(())
    }

    async fn list(&self, prefix: &str) -> Result<Vec<(String, Option<String>)>, StoreError> {
        self.working(&format!("list {prefix}"))?;
        let entries = self.entries.borrow();
        let keys = self.values.borrow().keys().filter(|key| key.starts_with(prefix)).cloned().collect::<Vec<_>>();
        Ok(keys.into_iter().map(|key| (key.clone(), entries.get(&key).and_then(|(metadata, _)| metadata.clone()))).collect())
    }
}

/// Challenges in a map: taken once.
#[derive(Default)]
pub(crate) struct MapChallenges {
    pub(crate) kept: RefCell<BTreeMap<String, (String, UnixTime)>>,
    pub(crate) taken: Cell<usize>,
    pub(crate) fails: Cell<bool>,
}

impl ChallengeStore for MapChallenges {
    async fn put(&self, name: &RequestId, challenge: &str, expires_at: UnixTime) -> Result<(), StoreError> {
        if self.fails.get() {
            return Err(StoreError);
        }
        self.kept.borrow_mut().insert(name.to_string(), (challenge.to_owned(), expires_at));
        Ok(())
    }

    async fn take(&self, name: &RequestId) -> Result<Option<String>, StoreError> {
        self.taken.set(self.taken.get() + 1);
        if self.fails.get() { Err(StoreError) } else { Ok(self.kept.borrow_mut().remove(name.as_str()).map(|(challenge, _)| challenge)) }
    }
}

/// Limits that count every key, and do what they are told to.
#[derive(Default)]
pub(crate) struct Limits {
    pub(crate) counts: RefCell<BTreeMap<(&'static str, String), usize>>,
    /// How many are within each limit; any number where it is `None`.
    pub(crate) most: Cell<Option<usize>>,
    pub(crate) fails: Cell<bool>,
    pub(crate) unbound: Cell<Option<Limit>>,
}

impl RateLimiter for Limits {
    async fn count(&self, limit: Limit, key: &str) -> Result<bool, LimiterError> {
        if self.fails.get() || self.unbound.get() == Some(limit) {
            return Err(LimiterError);
        }
        let mut counts = self.counts.borrow_mut();
        let count = counts.entry((limit.binding(), key.to_owned())).or_default();
        *count += 1;
        Ok(self.most.get().is_none_or(|most| *count <= most))
    }

    fn is_bound(&self, limit: Limit) -> bool {
        self.unbound.get() != Some(limit)
    }
}

/// A key as jwt-compact imports it from the very text that Web Crypto would import, and the entry it is published as.
enum Imported {
    Ec(p256::ecdsa::SigningKey),
    Rsa(Box<rsa::RsaPrivateKey>),
}

/// A signer that counts, and fails when told to.
#[derive(Default)]
pub(crate) struct HostSigner {
    keys: Vec<(String, Imported, Value)>,
    pub(crate) signatures: Cell<usize>,
    pub(crate) fails: Cell<bool>,
}

impl HostSigner {
    pub(crate) fn import(&mut self, key: &PrivateKey) {
        let jwk: JsonWebKey<'_> = serde_json::from_str(key.expose_import()).unwrap();
        let imported = match &jwk {
            JsonWebKey::Rsa { .. } => Imported::Rsa(Box::new((&jwk).try_into().unwrap())),
            _ => Imported::Ec((&jwk).try_into().unwrap()),
        };
        self.keys.push((key.public().kid().to_owned(), imported, serde_json::to_value(key.public()).unwrap()));
    }

    fn key(&self, kid: &str) -> Result<(&Imported, &Value), SigningError> {
        let found = self.keys.iter().find(|(known, _, _)| known == kid).map(|(_, key, published)| (key, published));
        found.filter(|_| !self.fails.get()).ok_or(SigningError)
    }
}

impl Signer for HostSigner {
    async fn sign(&self, kid: &str, message: &[u8]) -> Result<Vec<u8>, SigningError> {
        self.signatures.set(self.signatures.get() + 1);
        Ok(match self.key(kid)?.0 {
            Imported::Ec(key) => Es256.sign(key, message).as_bytes().into_owned(),
            Imported::Rsa(key) => Rsa::rs256().sign(key, message).as_bytes().into_owned(),
        })
    }

    async fn prove(&self, kid: &str) -> bool {
        let Ok((key, published)) = self.key(kid) else { return false };
        let jwk: JsonWebKey<'_> = serde_json::from_value(published.clone()).unwrap();
        match key {
            Imported::Ec(key) => Es256.verify_signature(&Es256.sign(key, b"proof"), &(&jwk).try_into().unwrap(), b"proof"),
            Imported::Rsa(key) => Rsa::rs256().verify_signature(&Rsa::rs256().sign(key, b"proof"), &(&jwk).try_into().unwrap(), b"proof"),
        }
    }
}

/// The ports of a host.
pub(crate) struct Host;

impl Ports for Host {
    type Store = MapStore;
    type Signer = HostSigner;
    type Challenges = MapChallenges;
    type Limiter = Limits;
}

/// A deployment: a broker with its store, its signer and its clock.
pub(crate) struct World {
    pub(crate) broker: Broker,
    pub(crate) store: MapStore,
    pub(crate) signer: HostSigner,
    pub(crate) challenges: MapChallenges,
    pub(crate) limits: Limits,
    pub(crate) now: UnixTime,
    pub(crate) random: fn(&mut [u8]) -> Result<(), Fault>,
}

impl World {
    /// Of these variables and these secrets, at [`NOW`].
    pub(crate) fn new(variables: &[(&str, &str)], secrets: &[(&str, String)]) -> Self {
        let (mut ring, mut signer) = (Vec::new(), HostSigner::default());
        for (name, secret) in secrets {
            let key = PrivateKey::parse(secret).unwrap();
            signer.import(&key);
            ring.push(RingKey { secret: (*name).to_owned(), public: key.public().clone(), not_before: key.not_before() });
        }
        let broker = Broker::new(config(variables), KeyRing::new(ring));
        let (store, challenges, limits) = (MapStore::default(), MapChallenges::default(), Limits::default());
        Self { broker, store, signer, challenges, limits, now: at(NOW), random }
    }

    /// What a request finds outside.
    pub(crate) fn outside(&self) -> Outside<'_, Host> {
        let Self { store, signer, challenges, limits, now, random, .. } = self;
        Outside { store, signer, challenges, limiter: limits, now: *now, random: *random }
    }

    /// Sends a request to the path below the issuer's own.
    pub(crate) fn send(&self, request: &Request) -> Answer {
        let base = self.broker.config().issuer.path();
        let path = format!("{base}{}", request.path);
        match Route::of(base, &path, request.method) {
            Ok(route) => pollster::block_on(self.broker.answer(route, request, &self.outside())),
            Err(refusal) => Answer { response: unserved(base, &path, refusal.into()), event: None },
        }
    }

    /// Stores a record under a fresh token of these random bytes.
    pub(crate) fn begin(&self, random: u8, record: &SessionRecord) -> SessionToken {
        self.store_text(random, record, record.to_json().unwrap())
    }

    /// Stores any text as a session's record.
    pub(crate) fn store_text(&self, random: u8, record: &SessionRecord, text: String) -> SessionToken {
        let token = SessionToken::from_random(&[random; 32]);
        let mut values = self.store.values.borrow_mut();
        values.insert(record_key(&token.hash()), text);
        values.insert(index_key(&record.wallet, &token.hash()), String::new());
        token
    }

    /// Mints with a session's token and this body, if any.
    pub(crate) fn mint(&self, token: &SessionToken, body: Option<&str>) -> Answer {
        let request = Request::new(Method::Post, "/v1/mint-oidc-jwt").bearer(token.expose());
        self.send(&match body {
            Some(body) => request.json(body),
            None => request,
        })
    }

    /// The published key set.
    pub(crate) fn key_set(&self) -> Value {
        json(self.send(&Request::new(Method::Get, "/.well-known/jwks.json")).response.body_text())
    }
}

/// Random bytes that no two calls share: a byte of a counter.
#[allow(clippy::unnecessary_wraps, reason = "the edge's may fail")]
fn random(bytes: &mut [u8]) -> Result<(), Fault> {
    static CALLS: AtomicU8 = AtomicU8::new(0);
    bytes.fill(CALLS.fetch_add(1, Ordering::Relaxed));
    Ok(())
}

/// The token of a successful mint, with its answer.
pub(crate) fn minted(answer: &Answer) -> (String, Value) {
    assert_eq!(answer.response.status, 200, "{}", answer.response.body_text());
    let body = json(answer.response.body_text());
    (body["jwt"].as_str().unwrap().to_owned(), body)
}

/// The claims of a token as they are written.
pub(crate) fn claims(token: &str) -> Value {
    json(&part(token, 1))
}

/// The header of a token as it is written.
pub(crate) fn header(token: &str) -> Value {
    json(&part(token, 0))
}

fn part(token: &str, n: usize) -> String {
    String::from_utf8(from_base64url(token.split('.').nth(n).unwrap()).unwrap()).unwrap()
}

/// What a relying party does: finds the key of the token's `kid` in the key set, takes the algorithm from that key,
/// verifies the signature, and holds `exp` and `iat` against its clock without any tolerance.
pub(crate) fn verify(token: &str, key_set: &Value, now: UnixTime) -> Result<Value, String> {
    let untrusted = UntrustedToken::new(token).map_err(|error| error.to_string())?;
    let kid = untrusted.header().key_id.clone().ok_or("no kid")?;
    let published = key_set["keys"].as_array().unwrap().iter().find(|key| key["kid"] == kid).ok_or("unknown kid")?;
    let jwk: JsonWebKey<'_> = serde_json::from_value(published.clone()).map_err(|error| error.to_string())?;
    let token = match published["alg"].as_str() {
        Some("ES256") => Es256.validator::<Value>(&(&jwk).try_into().unwrap()).validate(&untrusted),
        Some("RS256") => Rsa::rs256().validator::<Value>(&(&jwk).try_into().unwrap()).validate(&untrusted),
        _ => return Err("the key has no algorithm".to_owned()),
    };
    let token = token.map_err(|error| error.to_string())?;
    let now = DateTime::from_timestamp(i64::try_from(now.seconds()).unwrap(), 0).unwrap();
    let clock = TimeOptions::new(Duration::zero(), || now);
    token.claims().validate_expiration(&clock).map_err(|error| error.to_string())?;
    if token.claims().issued_at.is_none_or(|issued| issued > now) {
        return Err("issued in the future".to_owned());
    }
    Ok(token.claims().custom.clone())
}

/// An error's kind and message, once its form has been checked: a JSON object of exactly these, never to be stored.
pub(crate) fn error_of(response: &Response) -> (u16, String, String) {
    let body = json(response.body_text());
    assert_eq!(super::members(&body), ["error", "message"], "{body}");
    assert_eq!(response.header("content-type"), Some("application/json"));
    assert_eq!(response.header("cache-control"), Some("no-store"));
    (response.status, body["error"].as_str().unwrap().to_owned(), body["message"].as_str().unwrap().to_owned())
}
