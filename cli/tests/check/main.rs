//! `edge-broker check` from outside: the built binary, over tokens and key sets made here.
//!
//! | file | holds |
//! |---|---|
//! | `keys` | keys that sign, and their JWKs |
//! | `case` | one token, its key set and its arguments, and running the tool over them |
//! | `form`, `key_set`, `claims`, `tags`, `others` | tables of tokens with the verdict on each, good ones beside bad ones |
//! | `minted` | what the worker's own rooms mint is accepted |
//! | `promises`, `broker` | the same for all sessions, requests and configurations; what is refused is never minted |
//! | `inputs` | wrong files, arguments and clocks |
//! | `issuers` | the key set from the issuer: over TLS, slow, silent, wrong |

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::arithmetic_side_effects,
    reason = "a test crate"
)]

mod broker;
mod case;
mod claims;
mod form;
mod inputs;
mod issuers;
mod key_set;
mod keys;
mod minted;
mod others;
mod promises;
mod tags;
