//! The namespace `SESSIONS` of Workers KV: which one is meant, and what is done with it through `wrangler kv`.

mod namespace;
mod place;

pub(crate) use namespace::{Namespace, Pair};
pub(crate) use place::{Place, PlaceArgs};
