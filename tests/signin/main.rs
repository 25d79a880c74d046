//! Sign-in by wallet, by subject. The vectors are in `tests/vectors/`, with their sources.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::arithmetic_side_effects,
    reason = "a test that breaks says so"
)]

mod address;
mod allow;
mod challenge;
mod configuration;
mod message;
mod requests;
mod sessions;
mod signature;
mod support;
mod verify;
mod wycheproof;
