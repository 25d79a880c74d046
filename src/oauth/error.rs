//! Errors in OAuth's form: `{"error", "error_description"}` (RFC 6749 §5.2, RFC 8693 §2.2.2), for whatever goes wrong at
//! the token endpoint.

use serde::Serialize;

use crate::error::{Failure, Refusal};
use crate::http::Response;

/// An error code of OAuth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorCode {
    /// A parameter is missing, repeated or of the wrong form, or the subject token is not a live session.
    InvalidRequest,
    /// Another grant than token exchange.
    UnsupportedGrantType,
    /// A scope, of which this broker knows none.
    InvalidScope,
    /// No token for this audience or resource (RFC 8693 §2.2.2).
    InvalidTarget,
    /// Our fault, of the kind that passes.
    TemporarilyUnavailable,
    /// Our fault.
    ServerError,
}

impl ErrorCode {
    /// The code as it is sent, and as it is logged.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InvalidRequest => "invalid_request",
            Self::UnsupportedGrantType => "unsupported_grant_type",
            Self::InvalidScope => "invalid_scope",
            Self::InvalidTarget => "invalid_target",
            Self::TemporarilyUnavailable => "temporarily_unavailable",
            Self::ServerError => "server_error",
        }
    }

    /// A refusal of the request, with what to send instead.
    #[must_use]
    pub fn saying(self, description: &'static str) -> TokenError {
        TokenError::Request(self, description)
    }
}

/// What went wrong at the token endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TokenError {
    /// The request is not one that can be honoured.
    Request(ErrorCode, &'static str),
    /// What any route may refuse, or fail at.
    Common(Failure),
}

impl<F: Into<Failure>> From<F> for TokenError {
    fn from(failure: F) -> Self {
        Self::Common(failure.into())
    }
}

#[derive(Serialize)]
struct ErrorBody<'a> {
    error: &'static str,
    error_description: &'a str,
}

impl TokenError {
    /// The outcome and its reason in the log: whether the fault is ours, and which it is.
    #[must_use]
    pub fn outcome(&self) -> (&'static str, &'static str) {
        match self {
            Self::Request(code, _) => ("refused", code.as_str()),
            Self::Common(Failure::Refused(refusal)) => ("refused", refusal.reason()),
            Self::Common(Failure::Faulted(fault)) => ("failed", fault.as_str()),
        }
    }

    /// The answer. Status and headers are those of any route (405 with `Allow`, 413, 503 with `Retry-After`), but that a
    /// session token and an audience that are refused make a bad request: the token is a parameter here and no credential
    /// (RFC 8693 §2.2.2), so there is no challenge to it.
    #[must_use]
    pub fn into_response(self) -> Response {
        match self {
            Self::Request(code, description) => bad_request(code, description),
            Self::Common(Failure::Refused(Refusal::InvalidToken(_) | Refusal::NoCredential)) => {
                bad_request(ErrorCode::InvalidRequest, "The subject_token is not a live session. Get a new session token and try again.")
            }
            Self::Common(Failure::Refused(Refusal::Forbidden(message))) => bad_request(ErrorCode::InvalidTarget, &message),
            Self::Common(failure) => {
                let answer = failure.into_answer();
                // OAuth has no code of its own for a wait, an internal error or a wrong method; these are what it has.
                let code = match answer.status {
                    429 | 503 => ErrorCode::TemporarilyUnavailable,
                    500 => ErrorCode::ServerError,
                    _ => ErrorCode::InvalidRequest,
                };
                let response = form(answer.status, code, &answer.message);
                answer.headers_on(response)
            }
        }
    }
}

fn bad_request(code: ErrorCode, description: &str) -> Response {
    form(400, code, description).no_store()
}

fn form(status: u16, code: ErrorCode, description: &str) -> Response {
    // RFC 6749 §5.2: printable ASCII without quotation marks and backslashes. Our own words may have neither.
    Response::json(status, &ErrorBody { error: code.as_str(), error_description: &description.replace(|c| !is_allowed(c), "'") })
}

fn is_allowed(character: char) -> bool {
    matches!(character, ' '..='~') && !matches!(character, '"' | '\\')
}
