//! The answer to a token exchange (RFC 8693 §2.2.1).

use serde::Serialize;

use super::TokenType;
use crate::http::Response;
use crate::mint::SignedToken;

#[derive(Serialize)]
struct TokenAnswer<'a> {
    access_token: &'a str,
    issued_token_type: &'static str,
    token_type: &'static str,
    expires_in: u64,
}

/// The answer with the token, which lives for so many seconds more.
///
/// `token_type` is `N_A`: the token proves who its bearer is to a relying party, and is no access token of this broker.
#[must_use]
pub fn token_answer(token: &SignedToken, token_type: TokenType, expires_in: u64) -> Response {
    let body = TokenAnswer { access_token: token.expose(), issued_token_type: token_type.as_str(), token_type: "N_A", expires_in };
    Response::json(200, &body).no_store()
}
