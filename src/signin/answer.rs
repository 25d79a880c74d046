//! The answers of the two sign-in requests. Either is never to be stored by a cache.

use serde::Serialize;

use super::{Challenge, DateTimeText};
use crate::error::Fault;
use crate::http::Response;
use crate::session::{SessionRecord, SessionToken};
use crate::time::UnixTime;

/// The answer of `POST /v1/auth/wallet/start`.
#[derive(Serialize)]
struct Started<'a> {
    request_id: &'a str,
    expires_in_seconds: u64,
    siwe_message: &'a str,
    nonce: &'a str,
    expires_at_iso: &'a str,
}

/// The answer of `POST /v1/auth/wallet/verify`. Clients of the existing broker look for the session in `session_jwt`.
#[derive(Serialize)]
struct SignedIn<'a> {
    session_token: &'a str,
    session_jwt: &'a str,
    session_jwt_kid: &'static str,
    expires_at: UnixTime,
    omni_account: String,
    wallet_address: &'a str,
    identity_type: &'static str,
    identity_value: &'a str,
}

/// What the wallet has to sign.
///
/// # Errors
/// [`Fault::Internal`] for a time after the year 9999, in which no challenge is made.
pub fn started(challenge: &Challenge) -> Result<Response, Fault> {
    let expires_at_iso = DateTimeText::new(challenge.expires_at).ok_or(Fault::Internal)?;
    let body = Started {
        request_id: challenge.request_id.as_str(),
        expires_in_seconds: challenge.expires_at.since(challenge.created_at),
        siwe_message: &challenge.message,
        nonce: &challenge.nonce,
        expires_at_iso: expires_at_iso.as_str(),
    };
    Ok(Response::json(200, &body).no_store())
}

/// The session of a wallet that has signed in: the one answer that has its token.
#[must_use]
pub fn signed_in(token: &SessionToken, session: &SessionRecord) -> Response {
    let body = SignedIn {
        session_token: token.expose(),
        session_jwt: token.expose(),
        session_jwt_kid: "opaque",
        expires_at: session.expires_at,
        omni_account: session.wallet.actor_omni(),
        wallet_address: session.wallet.as_str(),
        identity_type: "evm",
        identity_value: session.wallet.as_str(),
    };
    Response::json(200, &body).no_store()
}
