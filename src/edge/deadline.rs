//! Deadlines: who waits for another service waits for so long, and then goes on without it.

use core::cell::Cell;

use js_sys::{Date, Promise};
use wasm_bindgen::prelude::*;

/// How long the stores may take for all that one request asks of them, in milliseconds: an answer comes within two seconds.
const STORES: f64 = 1_500.0;
/// How long a body may take to arrive, in milliseconds.
const BODY: f64 = 10_000.0;
/// How long a rate limit may take, in milliseconds: a mint waits for it.
const LIMITER: f64 = 250.0;

#[wasm_bindgen(module = "/src/edge/deadline.js")]
extern "C" {
    #[wasm_bindgen(catch, js_name = inTime)]
    fn in_time(operation: &Promise, milliseconds: f64) -> Result<Promise, JsValue>;
}

/// One deadline for several operations, from the first one on.
pub(super) struct Deadline {
    length: f64,
    end: Cell<Option<f64>>,
}

impl Deadline {
    /// For the stores.
    pub(super) fn for_stores() -> Self {
        Self { length: STORES, end: Cell::new(None) }
    }

    /// For a body.
    pub(super) fn for_body() -> Self {
        Self { length: BODY, end: Cell::new(None) }
    }

    /// For a rate limit.
    pub(super) fn for_limiter() -> Self {
        Self { length: LIMITER, end: Cell::new(None) }
    }

    /// The operation, or a rejection once the deadline has passed.
    pub(super) fn on(&self, operation: Result<Promise, JsValue>) -> Result<Promise, JsValue> {
        let now = Date::now();
        let end = self.end.get().unwrap_or(now + self.length);
        self.end.set(Some(end));
        operation.and_then(|operation| in_time(&operation, (end - now).max(0.0)))
    }
}
