//! The Workers runtime: the only room that names it. It adapts, and decides nothing.
//!
//! `entry.js` beside this file calls [`prepare`] while an isolate starts, which sets the service up (`setup`), then [`begin`]
//! for every request, and [`resume`] whenever a promise that one of them waits for has settled (`exchange`). A request is
//! read lazily (`request`), answered by the pure rooms through the ports (`kv`, `challenges`, `limiter`, `signer`), each of
//! which waits for so long and no longer (`deadline`), written back (`response`), and recorded (`record.js`).

#![allow(unsafe_code, reason = "wasm-bindgen's macros expand to it; none is written here")]

mod challenges;
mod deadline;
mod exchange;
mod kv;
mod limiter;
mod request;
mod response;
mod setup;
mod signer;

use js_sys::Date;
use wasm_bindgen::prelude::*;

use crate::Ports;
use crate::broker::{Answer, Outside, unserved};
use crate::error::{Failure, Fault};
use crate::http::{Incoming, Response, Route};
use crate::readiness::{REPORT_AGE_SECONDS, health};
use crate::time::UnixTime;
use challenges::ObjectChallenges;
use deadline::Deadline;
use kv::KvSessions;
use limiter::Limits;
use request::EdgeRequest;
use setup::Worker;
use signer::WebCrypto;

#[wasm_bindgen(module = "/src/edge/record.js")]
extern "C" {
    fn trace(request: &web_sys::Request) -> String;

    #[wasm_bindgen(catch)]
    fn record(line: &str, dataset: &JsValue) -> Result<(), JsValue>;
}

/// The runtime's ports, for one request.
struct Edge<'a>(core::marker::PhantomData<&'a ()>);

impl<'a> Ports for Edge<'a> {
    type Store = KvSessions<'a>;
    type Signer = WebCrypto;
    type Challenges = ObjectChallenges<'a>;
    type Limiter = Limits;
}

/// Sets up while the isolate starts, where no request waits for it, and answers a health check that nobody asked for: what
/// runs here has been compiled when the first request comes. Returns as [`begin`] does.
#[wasm_bindgen]
#[allow(unreachable_pub, reason = "an export of the wasm, for entry.js")]
pub fn prepare(id: u32, env: worker::Env) -> JsValue {
    exchange::begin(id, prepared(env))
}

async fn prepared(env: worker::Env) -> JsValue {
    setup::prepare(&env).await;
    response::write(health())
}

/// Begins a request under a number of the caller's choosing. Returns its `Response`, or a promise: what comes of that is
/// for [`resume`]. Never fails: whatever goes wrong is a response.
#[wasm_bindgen]
#[allow(unreachable_pub, reason = "an export of the wasm, for entry.js")]
pub fn begin(id: u32, method: &str, url: String, request: web_sys::Request, env: worker::Env) -> JsValue {
    exchange::begin(id, respond(EdgeRequest::new(request, method, url), env))
}

/// Goes on with a request whose promise has settled. Returns as [`begin`] does, and `undefined` for a number that is not
/// known, which is a request of an earlier instance.
#[wasm_bindgen]
#[allow(unreachable_pub, reason = "an export of the wasm, for entry.js")]
pub fn resume(id: u32, value: JsValue, rejected: bool) -> JsValue {
    exchange::resume(id, if rejected { Err(exchange::Rejected) } else { Ok(value) })
}

async fn respond(request: EdgeRequest, env: worker::Env) -> JsValue {
    let begun = Date::now();
    let worker = Worker::of(&env).await;
    let Answer { response, event } = answer(&worker, &request).await;
    if let Some(mut event) = event {
        let trace = trace(request.inner());
        let (colo, ray) = trace.split_once(' ').unwrap_or_default();
        event.seen(whole(Date::now() - begun), colo, ray);
        // A line that cannot be logged is no reason to fail.
        let _ = record(&event.to_line(), &worker.dataset);
    }
    response::write(response)
}

async fn answer(worker: &Worker, request: &EdgeRequest) -> Answer {
    let unlogged = |response| Answer { response, event: None };
    let base = &worker.service().base_path;
    let unserved = |failure: Failure| unlogged(unserved(base, request.path(), failure));
    let route = Route::of(base, request.path(), request.method());
    // What one request asks of both stores has one deadline. Readiness judges each by itself.
    let (deadline, apart) = (Deadline::for_stores(), Deadline::for_stores());
    let store = worker.store.for_request(&deadline);
    let challenges = worker.challenges.for_request(if matches!(route, Ok(Route::Ready)) { &apart } else { &deadline });
    let outside = Outside::<Edge<'_>> {
        store: &store,
        signer: worker.signer(),
        challenges: &challenges,
        limiter: &worker.limits,
        now: now(),
        random,
    };
    match (route, &worker.service().broker) {
        (Ok(Route::Health), _) => unlogged(health()),
        (Ok(Route::Ready), _) => unlogged(readiness(worker, &outside).await),
        (_, Err(_)) => unserved(Fault::Configuration.into()),
        (Err(refusal), Ok(_)) => unserved(refusal.into()),
        (Ok(route), Ok(broker)) => broker.answer(route, request, &outside).await,
    }
}

/// The readiness report, made at most every ten seconds.
async fn readiness(worker: &Worker, outside: &Outside<'_, Edge<'_>>) -> Response {
    if let Some((made, response)) = worker.report().take().filter(|(made, _)| now().since(*made) < REPORT_AGE_SECONDS) {
        worker.report().set(Some((made, response.clone())));
        return response;
    }
    let response = worker.service().readiness(outside).await;
    worker.report().set(Some((now(), response.clone())));
    response
}

/// The runtime's clock, which stands still while code runs.
fn now() -> UnixTime {
    UnixTime::EPOCH.plus(whole(Date::now() / 1_000.0))
}

/// The whole part of a number of JavaScript; 0 for a negative one.
#[allow(
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "saturates, and there is no other conversion from f64"
)]
fn whole(number: f64) -> u64 {
    number as u64
}

fn random(bytes: &mut [u8]) -> Result<(), Fault> {
    getrandom::fill(bytes).map_err(|_| Fault::Internal)
}
