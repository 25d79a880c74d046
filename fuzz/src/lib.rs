//! What the fuzz targets assert. Each target is a function of any bytes, which panics where a promise is broken.
//!
//! | file | targets |
//! |---|---|
//! | `headers` | `headers`: credentials, conditional requests, media types, client addresses, paths |
//! | `routes` | `routes`: whole requests through the broker |
//! | `sessions` | `session_record`, `stored`: what Workers KV holds |
//! | `mint` | `mint_body`, `token_exchange` |
//! | `signin` | `signin_body`, `wallet_signature`, `challenge` |
//! | `keys` | `key_secret`, `certificate` |
//! | `configuration` | `configuration` |
//! | `tool` | `check_token`, `check_keys`: the tool's judgement |
//!
//! `world` holds what stands around them, `said` what no message may do, `grant` (the broker's own tests have it, too) what a
//! token may carry. Seeds are in `seeds/`, a folder a target; dictionaries in `dictionaries/`.

#[allow(dead_code, reason = "the tool uses the rest")]
mod check;
mod configuration;
#[path = "../../tests/host/support/grant.rs"]
mod grant;
mod headers;
mod keys;
#[path = "../../cli/src/loopback.rs"]
mod loopback;
mod mint;
mod routes;
mod said;
mod sessions;
mod signin;
#[path = "../../cli/src/terminal.rs"]
mod terminal;
mod tool;
mod world;

pub use configuration::configuration;
pub use headers::headers;
pub use keys::{certificate, key_secret};
pub use mint::{mint_body, token_exchange};
pub use routes::routes;
pub use said::repeated;
pub use sessions::{session_record, stored};
pub use signin::{challenge, signin_body, wallet_signature};
pub use tool::{check_keys, check_token};

/// A target: it takes any bytes, and panics where a promise is broken.
pub type Target = fn(&[u8]);

/// Every target by its name.
pub const TARGETS: [(&str, Target); 14] = [
    ("headers", headers),
    ("routes", routes),
    ("session_record", session_record),
    ("stored", stored),
    ("mint_body", mint_body),
    ("token_exchange", token_exchange),
    ("signin_body", signin_body),
    ("wallet_signature", wallet_signature),
    ("challenge", challenge),
    ("key_secret", key_secret),
    ("certificate", certificate),
    ("configuration", configuration),
    ("check_token", check_token),
    ("check_keys", check_keys),
];
