//! The Workers runtime: the only room that names it. It adapts, and decides nothing.
//!
//! `entry.js` beside this file calls [`begin`] for every request, and [`resume`] whenever a promise that the request waits
//! for has settled (`exchange`). The first request of an isolate sets the service up (`setup`); from then on a request is
//! read lazily (`request`), answered by the pure rooms through the two ports (`kv`, `signer`), and written back
//! (`response`).

#![allow(unsafe_code, reason = "wasm-bindgen's macros expand to it; none is written here")]

mod exchange;
mod kv;
mod request;
mod response;
mod setup;
mod signer;

use std::cell::RefCell;
use std::rc::Rc;

use wasm_bindgen::prelude::*;

use crate::broker::{Answer, Outside};
use crate::error::Fault;
use crate::http::{Incoming, Response, Route};
use crate::readiness::{REPORT_AGE_SECONDS, health};
use crate::time::UnixTime;
use request::EdgeRequest;
use setup::Worker;

thread_local! {
    /// Set once an isolate, by the first request that gets there. Requests never wait for one another: some may set up
    /// in parallel, which costs a little and blocks nobody.
    static WORKER: RefCell<Option<Rc<Worker>>> = const { RefCell::new(None) };
    /// The last readiness report and when it was made.
    static REPORT: RefCell<Option<(UnixTime, Response)>> = const { RefCell::new(None) };
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
    let worker = if let Some(worker) = WORKER.with_borrow(Clone::clone) {
        worker
    } else {
        let worker = Rc::new(Worker::set_up(&env).await);
        WORKER.set(Some(Rc::clone(&worker)));
        worker
    };
    let answer = answer(&worker, &request).await;
    if let Some(event) = answer.event {
        worker::console_log!("{}", event.to_line());
    }
    response::write(answer.response)
}

async fn answer(worker: &Worker, request: &EdgeRequest) -> Answer {
    let unlogged = |response| Answer { response, event: None };
    match (Route::of(&worker.service.base_path, request.path(), request.method()), &worker.service.broker) {
        (Ok(Route::Health), _) => unlogged(health()),
        (Ok(Route::Ready), _) => unlogged(readiness(worker).await),
        (_, Err(_)) => unlogged(Fault::Configuration.into_response()),
        (Err(refusal), Ok(_)) => unlogged(refusal.into_response()),
        (Ok(route), Ok(broker)) => {
            let outside = Outside { store: &worker.store, signer: &worker.signer, now: now(), random };
            broker.answer(route, request, &outside).await
        }
    }
}

/// The readiness report, made at most every ten seconds.
async fn readiness(worker: &Worker) -> Response {
    let recent = REPORT.with_borrow(|report| {
        report.as_ref().filter(|(made, _)| now().since(*made) < REPORT_AGE_SECONDS).map(|(_, response)| response.clone())
    });
    if let Some(response) = recent {
        return response;
    }
    let response = worker.service.readiness(&worker.store, &worker.signer, now()).await;
    REPORT.set(Some((now(), response.clone())));
    response
}

/// The runtime's clock, which stands still while code runs.
fn now() -> UnixTime {
    #[allow(
        clippy::as_conversions,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "saturates, and there is no other conversion from f64"
    )]
    let seconds = (js_sys::Date::now() / 1_000.0) as u64;
    UnixTime::EPOCH.plus(seconds)
}

fn random() -> Option<[u8; 16]> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).ok().map(|()| bytes)
}
