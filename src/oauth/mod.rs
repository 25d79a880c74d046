//! The token endpoint: `POST /v1/token`, token exchange (RFC 8693) by clients that need no authentication of their own.
//!
//! It mints what `POST /v1/mint-oidc-jwt` mints, by the steps of [`crate::mint`]; only the wire is OAuth's: a form comes in,
//! RFC 8693's answer goes out, and every error has the form of RFC 6749 §5.2.

mod answer;
mod error;
mod request;

pub use answer::token_answer;
pub use error::{ErrorCode, TokenError};
pub use request::{BODY_BYTES_MAX, GRANT_TYPE, TokenExchange, TokenType};
