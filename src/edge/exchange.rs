//! Requests on their way, and the one thing each of them waits for.
//!
//! An async function compiled to wasm is usually driven by a task queue: a promise, two closures and a waker for every
//! `await`. None of that is needed where one request is one future that waits for one promise at a time:
//!
//! 1. `entry.js` calls `begin` with a number of its own choosing; the future is polled at once.
//! 2. A port that needs JavaScript awaits [`settled`], which leaves the promise in [`ASKED`] and is pending. The future
//!    is kept under the request's number, and the promise is handed to `entry.js`.
//! 3. `entry.js` awaits it, in the request's own context, and calls `resume` with the number and what came of it. That
//!    is left in [`TOLD`], the future is polled again, and `settled` takes it from there.
//! 4. Whatever does not have to wait is answered within `begin`: no promise is made for it at all.
//!
//! Polling is synchronous and nothing polls inside a poll, so one place for the promise and one for its outcome are
//! enough for all requests of an isolate. A future that waits for anything else is never woken: the futures of other
//! crates (`worker`'s own, say) have to be bound as promises and awaited here.
//!
//! A number that is not known is that of a request which lost its instance to a panic: numbers are given out by
//! JavaScript, which outlives the instance, and come back only after four thousand million others.

use core::future::poll_fn;
use core::pin::Pin;
use core::task::{Context, Poll, Waker};
use std::cell::{Cell, RefCell};

use js_sys::Promise;
use wasm_bindgen::JsValue;

use super::now;
use crate::time::UnixTime;

/// A request that waits so long waits for ever: its client is gone and the runtime has dropped its promise.
const LOST_AFTER_SECONDS: u64 = 300;

/// Every so many requests the lost ones are looked for; what they hold is small.
const SWEEP_EVERY: u32 = 256;

thread_local! {
    /// The promise that the future being polled waits for.
    static ASKED: Cell<Option<Promise>> = const { Cell::new(None) };
    /// What came of the promise that the future being polled has waited for.
    static TOLD: Cell<Option<Result<JsValue, Rejected>>> = const { Cell::new(None) };
    /// The requests that wait. Few at a time, so that looking through them costs less than keeping them in order.
    static WAITING: RefCell<Vec<Exchange>> = const { RefCell::new(Vec::new()) };
}

/// A promise was rejected. What it said is not looked at: it may quote anything.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rejected;

/// One request: the future of its answer, under the number that `entry.js` knows it by.
struct Exchange {
    id: u32,
    waits_since: UnixTime,
    answer: Pin<Box<dyn Future<Output = JsValue>>>,
}

/// What a promise comes to; a call that threw instead of returning one counts as a rejection.
pub(super) async fn settled(promise: Result<Promise, JsValue>) -> Result<JsValue, Rejected> {
    let mut promise = Some(promise.map_err(|_| Rejected)?);
    poll_fn(|_| match promise.take() {
        Some(promise) => {
            ASKED.set(Some(promise));
            Poll::Pending
        }
        None => TOLD.take().map_or(Poll::Pending, Poll::Ready),
    })
    .await
}

/// Begins a request: its answer, or the promise to wait for.
pub(super) fn begin(id: u32, answer: impl Future<Output = JsValue> + 'static) -> JsValue {
    if id.is_multiple_of(SWEEP_EVERY) {
        let now = now();
        WAITING.with_borrow_mut(|waiting| waiting.retain(|exchange| now.since(exchange.waits_since) < LOST_AFTER_SECONDS));
    }
    Exchange { id, waits_since: UnixTime::EPOCH, answer: Box::pin(answer) }.step()
}

/// Goes on with a request: its answer, or the next promise to wait for. `undefined` where the request is not known.
pub(super) fn resume(id: u32, outcome: Result<JsValue, Rejected>) -> JsValue {
    let exchange = WAITING.with_borrow_mut(|waiting| {
        let place = waiting.iter().position(|exchange| exchange.id == id)?;
        Some(waiting.swap_remove(place))
    });
    let Some(exchange) = exchange else { return JsValue::UNDEFINED };
    TOLD.set(Some(outcome));
    exchange.step()
}

impl Exchange {
    fn step(mut self) -> JsValue {
        match self.answer.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(answer) => answer,
            Poll::Pending => {
                // A future that waits and has asked for nothing would wait for ever: it ends here, as an unknown one.
                let Some(promise) = ASKED.take() else { return JsValue::UNDEFINED };
                self.waits_since = now();
                WAITING.with_borrow_mut(|waiting| waiting.push(self));
                promise.into()
            }
        }
    }
}
