//! Host tests of the pure rooms, a file a subject: `cargo test --test host`, or one subject with `cargo test --test host keys::`.
//!
//! One program, so that the keys are made once and nothing is linked twelve times. Every promise stands beside its
//! negative twin: what must be refused, broken in one way at a time. What is promised for all inputs is tested over
//! generated ones.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::string_slice,
    reason = "a test fails by a panic; the code under test has none"
)]

mod support;

mod broker;
mod certificate;
mod claims;
mod config;
mod discovery;
mod error_form;
mod keys;
mod mint_decision;
mod mint_request;
mod promises;
mod readiness;
mod rooms;
mod schemas;
mod session_record;
mod session_routes;
mod signin_routes;
mod token_size;
mod vectors;
