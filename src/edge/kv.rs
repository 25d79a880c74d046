//! The session store on Workers KV, with a deadline: a namespace that hangs is one that does not answer.
//!
//! The calls are bound here and not through `worker::kv`, whose builders make an options object per read, whose futures
//! need a waker, and which pulls the whole error formatting of that crate into the wasm.

use js_sys::{Array, JSON, Object, Promise, Reflect};
use wasm_bindgen::prelude::*;
use worker::Env;

use super::deadline::Deadline;
use super::exchange::settled;
use super::now;
use crate::time::UnixTime;
use crate::{SessionStore, StoreError};

/// KV takes no key that is to expire within the next 60 seconds, by its own clock. A record's end stands in the record.
const LIFETIME_MIN_SECONDS: u64 = 90;

#[wasm_bindgen]
extern "C" {
    /// A KV namespace as the runtime binds it.
    #[derive(Clone)]
    type KvNamespace;

    #[wasm_bindgen(method, catch)]
    fn get(this: &KvNamespace, key: &str) -> Result<Promise, JsValue>;

    #[wasm_bindgen(method, catch)]
    fn put(this: &KvNamespace, key: &str, value: &str, options: &Object) -> Result<Promise, JsValue>;

    #[wasm_bindgen(method, catch)]
    fn delete(this: &KvNamespace, key: &str) -> Result<Promise, JsValue>;

    #[wasm_bindgen(method, catch)]
    fn list(this: &KvNamespace, options: &Object) -> Result<Promise, JsValue>;
}

/// The namespace as it is bound, if it is.
pub(super) struct KvBinding(Option<KvNamespace>);

impl KvBinding {
    pub(super) fn new(env: &Env, binding: &str) -> Self {
        let namespace = Reflect::get(env, &JsValue::from_str(binding)).ok().filter(JsValue::is_object);
        Self(namespace.map(JsCast::unchecked_into))
    }

    /// The store of one request: all that it asks for together has to come within the deadline.
    pub(super) fn for_request<'a>(&'a self, deadline: &'a Deadline) -> KvSessions<'a> {
        KvSessions { namespace: self.0.as_ref(), deadline }
    }
}

/// The namespace, for one request.
pub(super) struct KvSessions<'a> {
    namespace: Option<&'a KvNamespace>,
    deadline: &'a Deadline,
}

impl KvSessions<'_> {
    fn namespace(&self) -> Result<&KvNamespace, StoreError> {
        self.namespace.ok_or(StoreError)
    }

    /// What an operation comes to, or an error once the deadline has passed.
    async fn outcome(&self, operation: Result<Promise, JsValue>) -> Result<JsValue, StoreError> {
        settled(self.deadline.on(operation)).await.map_err(|_| StoreError)
    }
}

impl SessionStore for KvSessions<'_> {
    async fn get(&self, key: &str) -> Result<Option<String>, StoreError> {
        self.outcome(self.namespace()?.get(key)).await.map(|value| value.as_string())
    }

    async fn put(&self, key: &str, value: &str, metadata: Option<&str>, expires_at: UnixTime) -> Result<(), StoreError> {
        let expiration = expires_at.max(now().plus(LIFETIME_MIN_SECONDS)).seconds();
        // In JSON, since a whole number of so many bits has no exact way into JavaScript but as text.
        let metadata = metadata.map(|metadata| format!(r#","metadata":{metadata}"#)).unwrap_or_default();
        let options = JSON::parse(&format!(r#"{{"expiration":{expiration}{metadata}}}"#)).map_err(|_| StoreError)?;
        self.outcome(self.namespace()?.put(key, value, options.unchecked_ref())).await.map(|_| ())
    }

    async fn delete(&self, key: &str) -> Result<(), StoreError> {
        self.outcome(self.namespace()?.delete(key)).await.map(|_| ())
    }

    async fn list(&self, prefix: &str) -> Result<Vec<(String, Option<String>)>, StoreError> {
        let options = Object::new();
        Reflect::set(&options, &"prefix".into(), &prefix.into()).map_err(|_| StoreError)?;
        let page = self.outcome(self.namespace()?.list(&options)).await?;
        let member = |of: &JsValue, name: &str| Reflect::get(of, &name.into()).map_err(|_| StoreError);
        let keys: Array = member(&page, "keys")?.dyn_into().map_err(|_| StoreError)?;
        keys.iter().map(|key| Ok((member(&key, "name")?.as_string().ok_or(StoreError)?, text(&member(&key, "metadata")?)))).collect()
    }
}

/// A value as JSON; what is not there, or has none, is `None`.
fn text(value: &JsValue) -> Option<String> {
    if value.is_undefined() { None } else { JSON::stringify(value).ok()?.as_string() }
}
