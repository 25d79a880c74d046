//! The session store on Workers KV, with a deadline: a namespace that hangs is one that does not answer.

use core::pin::pin;
use core::time::Duration;

use futures_util::future::{Either, select};
use worker::kv::{KvError, KvStore};
use worker::{Delay, Env};

use crate::{SessionStore, StoreError};

/// How long an operation may take.
const DEADLINE: Duration = Duration::from_millis(1_500);

/// The namespace, if it is bound.
pub(super) struct KvSessions(Option<KvStore>);

impl KvSessions {
    pub(super) fn new(env: &Env, binding: &str) -> Self {
        Self(env.kv(binding).ok())
    }

    fn namespace(&self) -> Result<&KvStore, StoreError> {
        self.0.as_ref().ok_or(StoreError)
    }
}

impl SessionStore for KvSessions {
    async fn get(&self, key: &str) -> Result<Option<String>, StoreError> {
        in_time(self.namespace()?.get(key).text()).await
    }

    async fn delete(&self, key: &str) -> Result<(), StoreError> {
        in_time(self.namespace()?.delete(key)).await
    }
}

/// The outcome of an operation, or an error once the deadline has passed.
async fn in_time<T>(operation: impl Future<Output = Result<T, KvError>>) -> Result<T, StoreError> {
    match select(pin!(operation), pin!(Delay::from(DEADLINE))).await {
        Either::Left((outcome, _)) => outcome.map_err(|_| StoreError),
        Either::Right(_) => Err(StoreError),
    }
}
