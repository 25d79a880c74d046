//! Setting an isolate up: variables to configuration and secrets to imported keys, then bindings to ports.

use js_sys::{JSON, Object, Reflect};
use serde::Serialize;
use wasm_bindgen::{JsCast, JsValue};
use worker::Env;

use super::challenges::Challenges;
use super::kv::KvBinding;
use super::limiter::Limits;
use super::signer::WebCrypto;
use crate::broker::Broker;
use crate::config::{Config, base_path};
use crate::keys::{BrokenKey, KeyRing, PrivateKey, RingKey, SECRET_PREFIX};
use crate::readiness::Service;

/// The namespace of sessions.
const SESSIONS: &str = "SESSIONS";
/// The namespace of sign-in challenges.
const CHALLENGES: &str = "CHALLENGES";
/// The dataset of events, if one is wanted.
const EVENTS: &str = "EVENTS";

/// What the variables and secrets come to. Needs no request, so it can be made while the isolate starts.
pub(super) struct Issuer {
    pub(super) service: Service,
    pub(super) signer: WebCrypto,
}

impl Issuer {
    /// Sets up from variables and secrets. What is wrong is kept for `/readyz` to say.
    pub(super) async fn set_up(env: &Env) -> Self {
        log_panics();
        let mut signer = WebCrypto::new();
        let (mut ring, mut broken_keys) = (Vec::new(), Vec::new());
        for secret in secret_names(env) {
            match import(env, &secret, &mut signer).await {
                Ok(key) => ring.push(key),
                Err(broken) => broken_keys.push((secret, broken)),
            }
        }
        let broker = Config::parse(|name| text(env, name)).map(|config| Broker::new(config, KeyRing::new(ring)));
        let base_path = base_path(text(env, "ISSUER").as_deref());
        Self { service: Service { base_path, broker, broken_keys }, signer }
    }
}

/// What an isolate holds for every request.
pub(super) struct Worker {
    pub(super) service: Service,
    pub(super) signer: WebCrypto,
    pub(super) store: KvBinding,
    pub(super) challenges: Challenges,
    pub(super) limits: Limits,
    /// `undefined` where there is none.
    pub(super) dataset: JsValue,
}

impl Worker {
    /// An issuer at the bindings that requests come with.
    pub(super) fn new(Issuer { service, signer }: Issuer, env: &Env) -> Self {
        Self {
            service,
            signer,
            store: KvBinding::new(env, SESSIONS),
            challenges: Challenges::new(env, CHALLENGES),
            limits: Limits::new(env),
            dataset: Reflect::get(env, &JsValue::from_str(EVENTS)).unwrap_or_default(),
        }
    }
}

/// The log line of a panic.
#[derive(Serialize)]
struct PanicEvent {
    event: &'static str,
    place: Option<String>,
}

/// Logs a panic by its place in the source, instead of by its message and a stack trace: a message may quote anything.
fn log_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let line = PanicEvent { event: "panic", place: panic.location().map(ToString::to_string) };
        worker::console_error!("{}", serde_json::to_string(&line).unwrap_or_default());
    }));
}

/// Parses and imports a secret; a pair that cannot sign for itself never enters the ring.
async fn import(env: &Env, secret: &str, signer: &mut WebCrypto) -> Result<RingKey, BrokenKey> {
    let key = PrivateKey::parse(&text(env, secret).unwrap_or_default())?;
    signer.import(&key).await.map_err(|_| BrokenKey::NOT_A_PAIR)?;
    Ok(RingKey { secret: secret.to_owned(), public: key.public().clone(), not_before: key.not_before() })
}

/// The names of the bindings that hold signing keys.
fn secret_names(env: &Env) -> Vec<String> {
    let bindings: &Object = env.unchecked_ref();
    let names = Object::keys(bindings);
    names.iter().filter_map(|name| name.as_string()).filter(|name| name.starts_with(SECRET_PREFIX)).collect()
}

/// A variable's or a secret's text: a string as it is, any other value as its JSON.
fn text(env: &Env, name: &str) -> Option<String> {
    let value = Reflect::get(env, &JsValue::from_str(name)).ok().filter(|value| !value.is_undefined())?;
    value.as_string().or_else(|| JSON::stringify(&value).ok().and_then(|json| json.as_string()))
}
