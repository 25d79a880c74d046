//! Minting: `POST /v1/mint-oidc-jwt`. A session and a request become a token; a request narrows, and never widens.
//!
//! 1. parse: the credential, then the body, into types;
//! 2. look up: one read of the session store;
//! 3. decide: audience, lifetime, claims, and the key that signs;
//! 4. sign: one signature;
//! 5. answer.

mod decide;
mod request;
mod token;

pub use decide::{Decision, decide};
pub use request::{BODY_BYTES_MAX, MintRequest};
pub use token::{SignedToken, UnsignedToken};
