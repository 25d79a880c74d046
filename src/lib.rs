//! The edge broker: an OIDC issuer whose tokens isolate every wallet in AWS.
//!
//! A session token comes in, its record is looked up, and a short-lived JWT goes out whose claim
//! `https://aws.amazon.com/tags` AWS STS turns into session tags. Data goes one way: parse → look up → decide → sign →
//! answer, each step a value handed to the next.
//!
//! | room | holds |
//! |---|---|
//! | [`config`] | the variables of `wrangler.toml`, as types |
//! | [`http`] | requests, routes, responses, prepared documents, the Bearer credential |
//! | [`broker`] | the way of a request from route to answer |
//! | [`session`] | session tokens, records and the keys they are stored under |
//! | [`signin`] | sign-in by wallet: the EIP-4361 message, its challenge, its signature, the session it opens |
//! | [`mint`] | the mint request, the decision, the token |
//! | [`oauth`] | the token endpoint: the token exchange request, its answer, its errors |
//! | [`claims`] | the claims of a token, and which of them discovery names |
//! | [`keys`] | private keys from secrets, the ring, what is published |
//! | [`discovery`] | the discovery document and the key set |
//! | [`aws`] | what AWS STS accepts, as types |
//! | [`limit`] | the rate limits: what is counted, and under which key |
//! | [`readiness`] | what `/readyz` checks and says |
//! | [`event`] | the one log line of a request |
//! | [`error`] | what can go wrong, and the answer each wrong has |
//! | [`wallet`], [`time`], [`encoding`], `json` | small things that everybody uses |
//! | `edge` | the only room that knows the Workers runtime; compiled for wasm32 alone |
//!
//! Every room but `edge` is pure: no IO, no clock, no randomness, no JavaScript. What they need from outside comes
//! through the ports below, and as arguments.
//!
//! The runtime's crates are dependencies for wasm32 only, so on the host, where the pure rooms are compiled and tested, a
//! room that names one of them does not compile:
//!
//! ```compile_fail
//! use worker as _;
//! ```
//!
//! Nor does one that names the edge:
//!
//! ```compile_fail
//! use agentkeys_edge_broker::edge as _;
//! ```
//!
//! A dependency of the pure rooms, and a room of theirs, do:
//!
//! ```
//! use serde_json as _;
//! use agentkeys_edge_broker::mint as _;
//! ```

#![cfg_attr(not(target_arch = "wasm32"), forbid(unsafe_code))]

pub mod aws;
pub mod broker;
pub mod claims;
pub mod config;
pub mod discovery;
pub mod encoding;
pub mod error;
pub mod event;
pub mod http;
mod json;
pub mod keys;
pub mod limit;
pub mod mint;
pub mod oauth;
pub mod readiness;
pub mod session;
pub mod signin;
pub mod time;
pub mod wallet;

#[cfg(target_arch = "wasm32")]
mod edge;

use limit::Limit;
use signin::RequestId;
use time::UnixTime;

/// What a request needs of the world outside, each a port of its own.
///
/// One type names all of them: `edge` has the runtime's, host tests have plain values.
pub trait Ports {
    /// Sessions and permissions.
    type Store: SessionStore;
    /// Keys.
    type Signer: Signer;
    /// Sign-in challenges.
    type Challenges: ChallengeStore;
    /// Rate limits.
    type Limiter: RateLimiter;
}

/// The store of sessions: Workers KV at the edge, a map in host tests.
///
/// Eventually consistent: a value may be seen, or not seen, for a minute or more after it was written or deleted.
#[allow(async_fn_in_trait, reason = "one thread: the edge's futures are never sent")]
pub trait SessionStore {
    /// The value of a key, if it is seen.
    async fn get(&self, key: &str) -> Result<Option<String>, StoreError>;
    /// Stores a value under a key until `expires_at`, with metadata (a JSON text) that is listed with the key.
    async fn put(&self, key: &str, value: &str, metadata: Option<&str>, expires_at: UnixTime) -> Result<(), StoreError>;
    /// Deletes a key; one that is not there is deleted too.
    async fn delete(&self, key: &str) -> Result<(), StoreError>;
    /// The keys that start so, each with its metadata as a JSON text; at most the first thousand.
    async fn list(&self, prefix: &str) -> Result<Vec<(String, Option<String>)>, StoreError>;
}

/// The store of sign-in challenges: a Durable Object for each at the edge, a map in host tests.
///
/// Strongly consistent: of all who take a challenge, one gets it.
#[allow(async_fn_in_trait, reason = "one thread: the edge's futures are never sent")]
pub trait ChallengeStore {
    /// Keeps a challenge until it is taken, or until `expires_at`.
    async fn put(&self, name: &RequestId, challenge: &str, expires_at: UnixTime) -> Result<(), StoreError>;
    /// Takes a challenge out for good; `None` where it was never there, is taken already, or has expired.
    async fn take(&self, name: &RequestId) -> Result<Option<String>, StoreError>;
}

/// A store did not answer, or not in time. What it said stays with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoreError;

/// The rate limits: Workers' own bindings at the edge, counters in host tests.
#[allow(async_fn_in_trait, reason = "one thread: the edge's futures are never sent")]
pub trait RateLimiter {
    /// Counts one more under this key of a limit, and says whether that is within it.
    async fn count(&self, limit: Limit, key: &str) -> Result<bool, LimiterError>;
    /// Whether the limit is there to be counted by.
    fn is_bound(&self, limit: Limit) -> bool;
}

/// A rate limit did not answer, or not in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LimiterError;

/// The signer: Web Crypto at the edge, jwt-compact in host tests.
#[allow(async_fn_in_trait, reason = "one thread: the edge's futures are never sent")]
pub trait Signer {
    /// The signature over `message` by the key of this kid, in JOSE form (RFC 7518 §3.3, §3.4).
    async fn sign(&self, kid: &str, message: &[u8]) -> Result<Vec<u8>, SigningError>;
    /// Whether a fresh signature of this key verifies against the key as it is published.
    async fn prove(&self, kid: &str) -> bool;
}

/// The signer did not sign. What it said stays with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SigningError;
