//! The store of challenges on Durable Objects: one object per challenge, by its name (`challenge.js`).

use js_sys::{Promise, Reflect};
use wasm_bindgen::prelude::*;
use worker::Env;

use super::deadline::Deadline;
use super::exchange::settled;
use crate::signin::RequestId;
use crate::time::UnixTime;
use crate::{ChallengeStore, StoreError};

#[wasm_bindgen]
extern "C" {
    /// A namespace of Durable Objects as the runtime binds it.
    type ObjectNamespace;
    /// One object, wherever it is.
    type SigninChallenge;

    #[wasm_bindgen(method, catch, js_name = getByName)]
    fn get_by_name(this: &ObjectNamespace, name: &str) -> Result<SigninChallenge, JsValue>;

    #[wasm_bindgen(method, catch)]
    fn put(this: &SigninChallenge, challenge: &str, expires_at: f64) -> Result<Promise, JsValue>;

    #[wasm_bindgen(method, catch)]
    fn take(this: &SigninChallenge) -> Result<Promise, JsValue>;
}

/// The namespace, if it is bound.
pub(super) struct Challenges(Option<ObjectNamespace>);

impl Challenges {
    pub(super) fn new(env: &Env, binding: &str) -> Self {
        let namespace = Reflect::get(env, &JsValue::from_str(binding)).ok().filter(JsValue::is_object);
        Self(namespace.map(JsCast::unchecked_into))
    }

    fn object(&self, name: &RequestId) -> Result<SigninChallenge, JsValue> {
        self.0.as_ref().ok_or(JsValue::UNDEFINED)?.get_by_name(name.as_str())
    }
}

impl ChallengeStore for Challenges {
    async fn put(&self, name: &RequestId, challenge: &str, expires_at: UnixTime) -> Result<(), StoreError> {
        #[allow(clippy::as_conversions, clippy::cast_precision_loss, reason = "a time is at most 2^53, which f64 holds exactly")]
        let seconds = expires_at.seconds() as f64;
        outcome(self.object(name).and_then(|object| object.put(challenge, seconds))).await.map(|_| ())
    }

    async fn take(&self, name: &RequestId) -> Result<Option<String>, StoreError> {
        outcome(self.object(name).and_then(|object| object.take())).await.map(|value| value.as_string())
    }
}

async fn outcome(operation: Result<Promise, JsValue>) -> Result<JsValue, StoreError> {
    settled(Deadline::for_stores().on(operation)).await.map_err(|_| StoreError)
}
