//! The rate limits on Workers' bindings. One that is not bound, throws or hangs is one that does not answer.

use js_sys::{Object, Promise, Reflect};
use wasm_bindgen::prelude::*;
use worker::Env;

use super::deadline::Deadline;
use super::exchange::settled;
use crate::limit::Limit;
use crate::{LimiterError, RateLimiter};

#[wasm_bindgen]
extern "C" {
    /// A rate limit as the runtime binds it.
    type RateLimit;

    #[wasm_bindgen(method, catch)]
    fn limit(this: &RateLimit, options: &Object) -> Result<Promise, JsValue>;
}

/// The limits that are bound.
pub(super) struct Limits(Vec<(Limit, RateLimit)>);

impl Limits {
    pub(super) fn new(env: &Env) -> Self {
        let bound = |limit: Limit| {
            let binding = Reflect::get(env, &JsValue::from_str(limit.binding())).ok().filter(JsValue::is_object)?;
            Some((limit, binding.unchecked_into()))
        };
        Self(Limit::ALL.into_iter().filter_map(bound).collect())
    }

    fn find(&self, limit: Limit) -> Option<&RateLimit> {
        self.0.iter().find(|(known, _)| *known == limit).map(|(_, binding)| binding)
    }
}

impl RateLimiter for Limits {
    async fn count(&self, limit: Limit, key: &str) -> Result<bool, LimiterError> {
        let options = Object::new();
        Reflect::set(&options, &JsValue::from_str("key"), &JsValue::from_str(key)).map_err(|_| LimiterError)?;
        let counted = self.find(limit).ok_or(LimiterError)?.limit(&options);
        let outcome = settled(Deadline::for_limiter().on(counted)).await.map_err(|_| LimiterError)?;
        Reflect::get(&outcome, &JsValue::from_str("success")).ok().and_then(|success| success.as_bool()).ok_or(LimiterError)
    }

    fn is_bound(&self, limit: Limit) -> bool {
        self.find(limit).is_some()
    }
}
