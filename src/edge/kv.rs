//! The session store on Workers KV, with a deadline: a namespace that hangs is one that does not answer.
//!
//! The calls are bound here and not through `worker::kv`, whose builders make an options object per read, whose futures
//! need a waker, and which pulls the whole error formatting of that crate into the wasm.

use js_sys::{Promise, Reflect};
use wasm_bindgen::prelude::*;
use worker::Env;

use super::exchange::settled;
use crate::{SessionStore, StoreError};

/// How long an operation may take, in milliseconds.
const DEADLINE: u32 = 1_500;

#[wasm_bindgen]
extern "C" {
    /// A KV namespace as the runtime binds it.
    type KvNamespace;

    #[wasm_bindgen(method, catch)]
    fn get(this: &KvNamespace, key: &str) -> Result<Promise, JsValue>;

    #[wasm_bindgen(method, catch)]
    fn delete(this: &KvNamespace, key: &str) -> Result<Promise, JsValue>;
}

#[wasm_bindgen(module = "/src/edge/deadline.js")]
extern "C" {
    #[wasm_bindgen(catch, js_name = inTime)]
    fn in_time(operation: &Promise, milliseconds: u32) -> Result<Promise, JsValue>;
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
        outcome(self.namespace()?.get(key)).await.map(|value| value.as_string())
    }

    async fn delete(&self, key: &str) -> Result<(), StoreError> {
        outcome(self.namespace()?.delete(key)).await.map(|_| ())
    }
}

/// What an operation comes to, or an error once the deadline has passed.
async fn outcome(operation: Result<Promise, JsValue>) -> Result<JsValue, StoreError> {
    settled(operation.and_then(|operation| in_time(&operation, DEADLINE))).await.map_err(|_| StoreError)
}
