//! What stands around a target: a clock, configurations, a session in a store, a signer that signs with nothing.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::pin::pin;
use std::sync::LazyLock;
use std::task::{Context, Poll, Waker};

use agentkeys_edge_broker::broker::{Broker, Outside};
use agentkeys_edge_broker::claims::TokenClaims;
use agentkeys_edge_broker::config::Config;
use agentkeys_edge_broker::encoding::from_base64url;
use agentkeys_edge_broker::error::Fault;
use agentkeys_edge_broker::http::{BodyError, Incoming, Method};
use agentkeys_edge_broker::keys::{KeyRing, PublicJwk, PublicKey, RingKey};
use agentkeys_edge_broker::limit::Limit;
use agentkeys_edge_broker::mint::{Decision, UnsignedToken};
use agentkeys_edge_broker::session::{SessionRecord, SessionToken};
use agentkeys_edge_broker::signin::RequestId;
use agentkeys_edge_broker::time::UnixTime;
use agentkeys_edge_broker::{ChallengeStore, LimiterError, Ports, RateLimiter, SessionStore, Signer, SigningError, StoreError};
use serde_json::Value;

use crate::grant::Grant;

/// The time of all targets.
pub(crate) const NOW: u64 = 1_800_000_000;
pub(crate) const ISSUER: &str = "https://keys.example.com/agents";
pub(crate) const WALLET: &str = "0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed";
/// The one session token that is live: of 32 bytes that are 7.
pub(crate) static TOKEN: LazyLock<SessionToken> = LazyLock::new(|| SessionToken::from_random(&[7; 32]));

/// The point of RFC 7517 §A.1, and the key it is published as.
const EC_X: &str = "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4";
const EC_Y: &str = "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM";

pub(crate) fn at(seconds: u64) -> UnixTime {
    UnixTime::EPOCH.plus(seconds)
}

/// A configuration that is known to be right.
pub(crate) fn config(variables: &[(&str, &str)]) -> Config {
    let named = |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, text)| (*text).to_owned());
    Config::parse(|name| named(name).or((name == "ISSUER").then(|| ISSUER.to_owned()))).expect("a right configuration")
}

/// A session with an audience, a tag, a role, an identity and a ceiling of its own.
pub(crate) const RECORD: &str = r#"{"v":1,"wallet":"0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed","created_at":1799999000,"expires_at":1800000900,"audiences":["sts.amazonaws.com","b"],"tags":{"team":"storage"},"transitive_tags":["team"],"roles":["arn:aws:iam::123456789012:role/reader"],"source_identity":"agent-7","max_token_ttl":600}"#;

/// The claims of a token in compact form.
pub(crate) fn claims(token: &str) -> Value {
    let payload = token.split('.').nth(1).and_then(from_base64url).expect("a token has claims");
    serde_json::from_slice(&payload).expect("claims are JSON")
}

/// Makes the token of a decision, with the largest signature there is, and holds its claims against the grant.
pub(crate) fn mint_within(config: &Config, session: &SessionRecord, decision: &Decision, grant: &Grant) {
    let claims_of = TokenClaims::new(config, session, &decision.audience, "000102030405060708090a0b0c0d0e0f").expect("tags fit");
    let alg = decision.alg.unwrap_or(agentkeys_edge_broker::keys::Alg::Rs256);
    let unsigned = UnsignedToken::new(&"k".repeat(43), alg, claims_of, decision).expect("a time that can be written");
    let token = unsigned.sign_with(&[0xff; 1_024]).expect("within the length that STS takes");
    assert_eq!(grant.holds(&claims(token.expose())), Ok(()));
}

/// Runs a future that waits for nothing.
pub(crate) fn now_or_never<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => unreachable!("nothing here waits"),
    }
}

/// A request as plain values.
pub(crate) struct Request {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Incoming for Request {
    fn method(&self) -> Method {
        self.method
    }

    fn path(&self) -> &str {
        &self.path
    }

    fn header(&self, name: &str) -> Option<String> {
        let values: Vec<&str> = self.headers.iter().filter(|(known, _)| known == name).map(|(_, value)| value.as_str()).collect();
        (!values.is_empty()).then(|| values.join(", "))
    }

    async fn body(&self, limit: usize) -> Result<Vec<u8>, BodyError> {
        if self.body.len() > limit { Err(BodyError::TooLarge) } else { Ok(self.body.clone()) }
    }
}

/// Everything outside: maps, no limits, and a signer of zeroes.
#[derive(Default)]
pub(crate) struct Host {
    pub(crate) values: RefCell<BTreeMap<String, String>>,
    pub(crate) challenges: RefCell<BTreeMap<String, String>>,
    pub(crate) signatures: RefCell<usize>,
}

impl Host {
    pub(crate) fn outside(&self) -> Outside<'_, Self> {
        let random = |bytes: &mut [u8]| -> Result<(), Fault> {
            bytes.fill(9);
            Ok(())
        };
        Outside { store: self, signer: self, challenges: self, limiter: self, now: at(NOW), random }
    }
}

impl Ports for Host {
    type Store = Self;
    type Signer = Self;
    type Challenges = Self;
    type Limiter = Self;
}

impl SessionStore for Host {
    async fn get(&self, key: &str) -> Result<Option<String>, StoreError> {
        Ok(self.values.borrow().get(key).cloned())
    }

    async fn put(&self, key: &str, value: &str, _: Option<&str>, _: UnixTime) -> Result<(), StoreError> {
        self.values.borrow_mut().insert(key.to_owned(), value.to_owned());
        Ok(())
    }

    async fn delete(&self, key: &str) -> Result<(), StoreError> {
        self.values.borrow_mut().remove(key);
        Ok(())
    }

    async fn list(&self, prefix: &str) -> Result<Vec<(String, Option<String>)>, StoreError> {
        Ok(self.values.borrow().keys().filter(|key| key.starts_with(prefix)).map(|key| (key.clone(), None)).collect())
    }
}

impl ChallengeStore for Host {
    async fn put(&self, name: &RequestId, challenge: &str, _: UnixTime) -> Result<(), StoreError> {
        self.challenges.borrow_mut().insert(name.to_string(), challenge.to_owned());
        Ok(())
    }

    async fn take(&self, name: &RequestId) -> Result<Option<String>, StoreError> {
        Ok(self.challenges.borrow_mut().remove(name.as_str()))
    }
}

impl RateLimiter for Host {
    async fn count(&self, _: Limit, _: &str) -> Result<bool, LimiterError> {
        Ok(true)
    }

    fn is_bound(&self, _: Limit) -> bool {
        true
    }
}

impl Signer for Host {
    async fn sign(&self, _: &str, _: &[u8]) -> Result<Vec<u8>, SigningError> {
        *self.signatures.borrow_mut() += 1;
        Ok(vec![0; 64])
    }

    async fn prove(&self, _: &str) -> bool {
        true
    }
}

/// A broker with one key.
pub(crate) fn broker(variables: &[(&str, &str)]) -> Broker {
    let point = PublicKey::p256(EC_X.to_owned(), EC_Y.to_owned()).expect("a point");
    let key = RingKey { secret: "SIGNING_KEY_A".to_owned(), public: PublicJwk::new(&point, None), not_before: UnixTime::EPOCH };
    Broker::new(config(variables), KeyRing::new(vec![key]))
}
