//! Setting up: variables to configuration and secrets to imported keys, then bindings to ports.
//!
//! An isolate goes on running where only its bindings change, as a rotation of keys changes them: its next request comes with
//! other ones, and what was made of the former must not answer it.

use std::cell::{Cell, RefCell};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::rc::Rc;

use js_sys::{JSON, Object, Reflect};
use serde::Serialize;
use wasm_bindgen::{JsCast, JsValue};
use worker::Env;

use super::challenges::Challenges;
use super::kv::KvBinding;
use super::limiter::Limits;
use super::now;
use super::signer::WebCrypto;
use crate::broker::Broker;
use crate::config::{Config, base_path};
use crate::http::Response;
use crate::keys::{BrokenKey, KeyRing, PrivateKey, RingKey, SECRET_PREFIX};
use crate::readiness::Service;
use crate::time::UnixTime;

/// The namespace of sessions.
const SESSIONS: &str = "SESSIONS";
/// The namespace of sign-in challenges.
const CHALLENGES: &str = "CHALLENGES";
/// The dataset of events, if one is wanted.
const EVENTS: &str = "EVENTS";
/// The sets of variables and secrets that an instance keeps ready, the last ones: two versions of a worker may take turns.
const KEPT: usize = 4;

thread_local! {
    /// One for each set of variables and secrets, the last one first.
    static WORKERS: RefCell<Vec<Rc<Worker>>> = const { RefCell::new(Vec::new()) };
}

/// Makes an issuer while the isolate starts. Kept is only what has nothing wrong in it: what the runtime does not do for a
/// start it may do for a request, and so the first one sets up again and says what is wrong.
pub(super) async fn prepare(env: &Env) {
    let issuer = Issuer::set_up(env).await;
    if issuer.service.is_sound() {
        Worker::keep(Rc::new(issuer), env);
    }
}

/// What the variables and secrets come to.
struct Issuer {
    service: Service,
    signer: WebCrypto,
    source: Source,
    report: Report,
}

/// The last readiness report and when it was made.
type Report = Cell<Option<(UnixTime, Response)>>;

/// What holds for every request that comes with the same bindings within a second. Then it is looked again whether they are
/// what they were, since nothing says that other ones come as another object.
pub(super) struct Worker {
    issuer: Rc<Issuer>,
    bindings: JsValue,
    since: UnixTime,
    pub(super) store: KvBinding,
    pub(super) challenges: Challenges,
    pub(super) limits: Limits,
    /// `undefined` where there is none.
    pub(super) dataset: JsValue,
}

impl Worker {
    /// The worker of a request's bindings. Requests never wait for one another: some may set up in parallel, which costs a
    /// little and blocks nobody.
    pub(super) async fn of(env: &Env) -> Rc<Self> {
        let now = now();
        let is = |worker: &&Rc<Self>| worker.since == now && worker.bindings == **env;
        let known = WORKERS.with_borrow(|workers| workers.iter().find(is).cloned());
        if let Some(worker) = known {
            return worker;
        }
        let issuer = match Issuer::of(env) {
            Some(issuer) => issuer,
            None => Rc::new(Issuer::set_up(env).await),
        };
        Self::keep(issuer, env)
    }

    /// Puts an issuer to bindings, and keeps that instead of what it was put to before.
    fn keep(issuer: Rc<Issuer>, env: &Env) -> Rc<Self> {
        let worker = Rc::new(Self::new(issuer, env));
        WORKERS.with_borrow_mut(|workers| {
            let others = core::mem::take(workers).into_iter().filter(|other| other.issuer.source != worker.issuer.source);
            *workers = core::iter::once(Rc::clone(&worker)).chain(others).take(KEPT).collect();
        });
        worker
    }

    fn new(issuer: Rc<Issuer>, env: &Env) -> Self {
        Self {
            issuer,
            bindings: JsValue::clone(env),
            since: now(),
            store: KvBinding::new(env, SESSIONS),
            challenges: Challenges::new(env, CHALLENGES),
            limits: Limits::new(env),
            dataset: Reflect::get(env, &JsValue::from_str(EVENTS)).unwrap_or_default(),
        }
    }

    /// The broker, or what keeps it from being one.
    pub(super) fn service(&self) -> &Service {
        &self.issuer.service
    }

    /// The last readiness report.
    pub(super) fn report(&self) -> &Report {
        &self.issuer.report
    }

    /// The imported keys.
    pub(super) fn signer(&self) -> &WebCrypto {
        &self.issuer.signer
    }
}

impl Issuer {
    /// The issuer of these bindings, if it has been made.
    fn of(env: &Env) -> Option<Rc<Self>> {
        WORKERS.with_borrow(|workers| workers.iter().map(|worker| &worker.issuer).find(|issuer| issuer.source.is(env)).cloned())
    }

    /// Sets up from variables and secrets. What is wrong is kept for `/readyz` to say.
    async fn set_up(env: &Env) -> Self {
        log_panics();
        // Everything is read before anything is waited for: the bindings may be others afterwards.
        let secrets = secret_names(env);
        let texts: Vec<_> = secrets.iter().map(|secret| text(env, secret).unwrap_or_default()).collect();
        let variables = Cell::new(Vec::new());
        let variable = |name: &str| {
            let mut names = variables.take();
            names.push(name.to_owned());
            variables.set(names);
            text(env, name)
        };
        let config = Config::parse(variable);
        let base_path = base_path(variable("ISSUER").as_deref());
        let source = Source::new(env, secrets, variables.take());

        let mut signer = WebCrypto::new();
        let (mut ring, mut broken_keys) = (Vec::new(), Vec::new());
        for (secret, text) in source.secrets.iter().zip(&texts) {
            match import(secret, text, &mut signer).await {
                Ok(key) => ring.push(key),
                Err(broken) => broken_keys.push((secret.clone(), broken)),
            }
        }
        let broker = config.map(|config| Broker::new(config, KeyRing::new(ring)));
        Self { service: Service { base_path, broker, broken_keys }, signer, source, report: Report::default() }
    }
}

/// The variables and secrets that an issuer is made of: their names, and a hash of their texts, which are keys.
#[derive(PartialEq, Eq)]
struct Source {
    secrets: Vec<String>,
    variables: Vec<String>,
    hash: u64,
}

impl Source {
    fn new(env: &Env, secrets: Vec<String>, variables: Vec<String>) -> Self {
        let hash = hash(env, secrets.iter().chain(&variables));
        Self { secrets, variables, hash }
    }

    /// Whether these bindings have the same ones.
    fn is(&self, env: &Env) -> bool {
        secret_names(env) == self.secrets && hash(env, self.secrets.iter().chain(&self.variables)) == self.hash
    }
}

fn hash<'a>(env: &Env, names: impl Iterator<Item = &'a String>) -> u64 {
    let mut hash = DefaultHasher::new();
    for name in names {
        text(env, name).hash(&mut hash);
    }
    hash.finish()
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
async fn import(secret: &str, text: &str, signer: &mut WebCrypto) -> Result<RingKey, BrokenKey> {
    let key = PrivateKey::parse(text)?;
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
