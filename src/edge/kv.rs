//! The session store on Workers KV, with a deadline: a namespace that hangs is one that does not answer.
//!
//! The three calls are bound here and not through `worker::kv`, whose builders make an options object per read and pull
//! the whole error formatting of that crate into the wasm.

use core::pin::pin;
use core::time::Duration;

use futures_util::future::{Either, select};
use js_sys::{Promise, Reflect};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use worker::{Delay, Env};

use crate::{SessionStore, StoreError};

/// How long an operation may take.
const DEADLINE: Duration = Duration::from_millis(1_500);

#[wasm_bindgen]
extern "C" {
    /// A KV namespace as the runtime binds it.
    type KvNamespace;

    #[wasm_bindgen(method, catch)]
    fn get(this: &KvNamespace, key: &str) -> Result<Promise, JsValue>;

    #[wasm_bindgen(method, catch)]
    fn delete(this: &KvNamespace, key: &str) -> Result<Promise, JsValue>;
}

/// The namespace, if it is bound.
pub(super) struct KvSessions(Option<KvNamespace>);

impl KvSessions {
    pub(super) fn new(env: &Env, binding: &str) -> Self {
        let namespace = Reflect::get(env, &JsValue::from_str(binding)).ok().filter(JsValue::is_object);
        Self(namespace.map(JsCast::unchecked_into))
    }

    fn namespace(&self) -> Result<&KvNamespace, StoreError> {
        self.0.as_ref().ok_or(StoreError)
    }
}

impl SessionStore for KvSessions {
    async fn get(&self, key: &str) -> Result<Option<String>, StoreError> {
        in_time(self.namespace()?.get(key)).await.map(|value| value.as_string())
    }

    async fn delete(&self, key: &str) -> Result<(), StoreError> {
        in_time(self.namespace()?.delete(key)).await.map(|_| ())
    }
}

/// What a promise comes to, or an error once the deadline has passed.
async fn in_time(promise: Result<Promise, JsValue>) -> Result<JsValue, StoreError> {
    let operation = JsFuture::from(promise.map_err(|_| StoreError)?);
    match select(pin!(operation), pin!(Delay::from(DEADLINE))).await {
        Either::Left((outcome, _)) => outcome.map_err(|_| StoreError),
        Either::Right(_) => Err(StoreError),
    }
}
