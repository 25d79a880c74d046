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

    /// The store of one request: all that it asks for together has to come within the deadline.
    pub(super) fn for_request<'a>(&'a self, deadline: &'a Deadline) -> ObjectChallenges<'a> {
        ObjectChallenges { namespace: self.0.as_ref(), deadline }
    }
}

/// The namespace, for one request.
pub(super) struct ObjectChallenges<'a> {
    namespace: Option<&'a ObjectNamespace>,
    deadline: &'a Deadline,
}

impl ObjectChallenges<'_> {
    fn object(&self, name: &RequestId) -> Result<SigninChallenge, JsValue> {
        self.namespace.ok_or(JsValue::UNDEFINED)?.get_by_name(name.as_str())
    }

    /// What an operation comes to, or an error once the deadline has passed.
    async fn outcome(&self, operation: Result<Promise, JsValue>) -> Result<JsValue, StoreError> {
        settled(self.deadline.on(operation)).await.map_err(|_| StoreError)
    }
}

impl ChallengeStore for ObjectChallenges<'_> {
    async fn put(&self, name: &RequestId, challenge: &str, expires_at: UnixTime) -> Result<(), StoreError> {
        #[allow(clippy::as_conversions, clippy::cast_precision_loss, reason = "a time is at most 2^53, which f64 holds exactly")]
        let seconds = expires_at.seconds() as f64;
        self.outcome(self.object(name).and_then(|object| object.put(challenge, seconds))).await.map(|_| ())
    }

    async fn take(&self, name: &RequestId) -> Result<Option<String>, StoreError> {
        self.outcome(self.object(name).and_then(|object| object.take())).await.map(|value| value.as_string())
    }
}
