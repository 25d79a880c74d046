//! What can go wrong with a request: the caller's fault is a [`Refusal`], ours is a [`Fault`].
//!
//! A refusal tells the caller what to do. A fault tells the caller nothing but when to try again; its reason goes to
//! the log. Neither ever repeats a token, a key or an upstream's words. This room owns every error status and header.

use std::borrow::Cow;

use serde::Serialize;

use crate::http::{Method, Response};
use crate::limit::{Limit, PERIOD_SECONDS};
use crate::signin::SigninReason;

/// The caller's fault, with what the caller can do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// 400: the request is not of the form the route takes.
    BadRequest(Cow<'static, str>),
    /// 401 with a bare challenge: no Bearer credential (RFC 6750 §3).
    NoCredential,
    /// 401 `invalid_token`: a credential that is not a live session. The reason is for the log, the words are always the same.
    InvalidToken(TokenReason),
    /// 401: a sign-in that was not completed. The reason is for the log, the words are always the same.
    SigninFailed(SigninReason),
    /// 403: the session does not allow it.
    Forbidden(Cow<'static, str>),
    /// 403: the wallet has proven itself, and is not one of those that may sign in.
    WalletNotListed,
    /// 404: no such route.
    NotFound,
    /// 405: the route has other methods.
    MethodNotAllowed(&'static [Method]),
    /// 413: the body is larger than this many bytes.
    PayloadTooLarge(usize),
    /// 415: the body's media type is not this one.
    UnsupportedMediaType(&'static str),
    /// 429: more than this limit allows.
    RateLimited(Limit),
}

/// Why a session token is not a live session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenReason {
    /// It does not have the form of a session token.
    Malformed,
    /// No record is stored for it: never issued, revoked, or expired and reclaimed.
    Unknown,
    /// Its record says that it has ended.
    Expired,
    /// Its record is not one that this broker may trust.
    BrokenRecord,
}

impl TokenReason {
    /// The reason's name in the log.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Malformed => "malformed_token",
            Self::Unknown => "unknown_session",
            Self::Expired => "expired_session",
            Self::BrokenRecord => "broken_record",
        }
    }
}

/// Our fault. What the caller sees is the status and when to try again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The configuration is wrong: every route but health and readiness is closed.
    Configuration,
    /// No published key is due for the algorithm the audience needs.
    NoSigningKey,
    /// The session store did not answer.
    Store,
    /// The session store did not answer a sign-in, whose challenge is consumed.
    SigninStore,
    /// The store of challenges did not answer.
    Challenges,
    /// The signer did not sign.
    Signing,
    /// A step that cannot fail did.
    Internal,
}

impl Fault {
    /// The fault's name in the log.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Configuration => "configuration",
            Self::NoSigningKey => "no_signing_key",
            Self::Store | Self::SigninStore => "store",
            Self::Challenges => "challenges",
            Self::Signing => "signing",
            Self::Internal => "internal",
        }
    }
}

/// Why a request was not answered with what it asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// The caller's fault.
    Refused(Refusal),
    /// Our fault.
    Faulted(Fault),
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<Fault> for Failure {
    fn from(fault: Fault) -> Self {
        Self::Faulted(fault)
    }
}

impl Refusal {
    /// A bad request, with what to do.
    pub fn bad_request(message: impl Into<Cow<'static, str>>) -> Self {
        Self::BadRequest(message.into())
    }

    /// The refusal's name in the log.
    #[must_use]
    pub fn reason(&self) -> &'static str {
        match self {
            Self::BadRequest(_) => "bad_request",
            Self::NoCredential => "no_credential",
            Self::InvalidToken(reason) => reason.as_str(),
            Self::SigninFailed(reason) => reason.as_str(),
            Self::Forbidden(_) => "forbidden",
            Self::WalletNotListed => "wallet_not_listed",
            Self::NotFound => "not_found",
            Self::MethodNotAllowed(_) => "method_not_allowed",
            Self::PayloadTooLarge(_) => "payload_too_large",
            Self::UnsupportedMediaType(_) => "unsupported_media_type",
            Self::RateLimited(limit) => match limit {
                Limit::Mint => "mint_limit",
                Limit::Refused => "refused_limit",
                Limit::SigninClient => "signin_client_limit",
                Limit::SigninWallet => "signin_wallet_limit",
            },
        }
    }

    /// The answer: `{"error": kind, "message": text}` with the status and headers of its kind.
    #[must_use]
    pub fn into_response(self) -> Response {
        self.into_answer().into_response()
    }

    fn into_answer(self) -> ErrorAnswer {
        match self {
            Self::BadRequest(message) => error(400, "bad_request", message),
            Self::NoCredential => {
                error(401, "unauthorized", "Send the session token: Authorization: Bearer aks_…").with("www-authenticate", "Bearer")
            }
            Self::InvalidToken(_) => error(401, "unauthorized", "This is not a live session. Get a new session token and try again.")
                .with("www-authenticate", r#"Bearer error="invalid_token""#),
            // RFC 9110 §15.5.2 wants a challenge on every 401; what a sign-in leads to is a Bearer session.
            Self::SigninFailed(_) => error(
                401,
                "unauthorized",
                "The sign-in was not completed. Start again with POST /v1/auth/wallet/start, and sign its siwe_message with the wallet that was named.",
            )
            .with("www-authenticate", "Bearer"),
            Self::Forbidden(message) => error(403, "forbidden", message),
            Self::WalletNotListed => {
                error(403, "forbidden", "This wallet may not sign in here. The broker's operator adds it with edge-broker allow add.")
            }
            Self::NotFound => {
                error(404, "not_found", "There is nothing at this path. The routes are in the discovery document and the README.")
            }
            Self::MethodNotAllowed(methods) => {
                let allow = methods.iter().map(|method| method.as_str()).collect::<Vec<_>>().join(", ");
                error(405, "method_not_allowed", format!("Use {allow} here.")).with("allow", allow)
            }
            Self::PayloadTooLarge(limit) => error(413, "payload_too_large", format!("Send a body of at most {limit} bytes.")),
            Self::UnsupportedMediaType(expected) => {
                error(415, "unsupported_media_type", format!("Send the body as Content-Type: {expected}."))
            }
            Self::RateLimited(limit) => {
                let message = match limit {
                    Limit::Mint => "This session asks for tokens too often. Use each one until it expires, and try again in a minute.",
                    Limit::Refused => "Too many session tokens from here are not live. Get a new session token, and try again in a minute.",
                    Limit::SigninClient => "Too many sign-ins from here. Try again in a minute.",
                    Limit::SigninWallet => "Too many sign-ins of this wallet. Try again in a minute, from POST /v1/auth/wallet/start on.",
                };
                error(429, "rate_limited", message).with("retry-after", PERIOD_SECONDS)
            }
        }
    }
}

impl Fault {
    /// The answer: 503 with `Retry-After` where waiting may help, else 500.
    #[must_use]
    pub fn into_response(self) -> Response {
        self.into_answer().into_response()
    }

    fn into_answer(self) -> ErrorAnswer {
        match self {
            Self::Internal => error(500, "internal", "The broker failed. Try again, and tell its operator if it stays so."),
            Self::Configuration => unavailable("The broker's configuration is wrong. Its operator finds what and why at /readyz.", "60"),
            Self::NoSigningKey => {
                unavailable("No signing key is due for this audience. The broker's operator finds the keys at /readyz.", "60")
            }
            Self::SigninStore | Self::Challenges => {
                unavailable("The broker cannot sign you in now. Start again in a moment, with POST /v1/auth/wallet/start.", "1")
            }
            Self::Store | Self::Signing => unavailable("The broker cannot answer now. Try again in a moment.", "1"),
        }
    }
}

impl Failure {
    /// The answer in the error form of every route but the token endpoint.
    #[must_use]
    pub fn into_response(self) -> Response {
        self.into_answer().into_response()
    }

    /// What is answered, before it takes a form.
    pub(crate) fn into_answer(self) -> ErrorAnswer {
        match self {
            Self::Refused(refusal) => refusal.into_answer(),
            Self::Faulted(fault) => fault.into_answer(),
        }
    }
}

/// What is answered to a failure: the status, the kind, the words, and the headers of its own.
pub(crate) struct ErrorAnswer {
    pub(crate) status: u16,
    kind: &'static str,
    pub(crate) message: Cow<'static, str>,
    headers: Vec<(&'static str, Cow<'static, str>)>,
}

impl ErrorAnswer {
    fn with(mut self, name: &'static str, value: impl Into<Cow<'static, str>>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    fn into_response(self) -> Response {
        let body = Response::json(self.status, &ErrorBody { error: self.kind, message: &self.message });
        self.headers_on(body)
    }

    /// Another form of the same answer: `body` with this answer's headers.
    pub(crate) fn headers_on(self, body: Response) -> Response {
        self.headers.into_iter().fold(body.no_store(), |response, (name, value)| response.with(name, value))
    }
}

/// The error form of every route but the token endpoint.
#[derive(Serialize)]
struct ErrorBody<'a> {
    error: &'static str,
    message: &'a str,
}

fn unavailable(message: &'static str, retry_after_seconds: &'static str) -> ErrorAnswer {
    error(503, "unavailable", message).with("retry-after", retry_after_seconds)
}

fn error(status: u16, kind: &'static str, message: impl Into<Cow<'static, str>>) -> ErrorAnswer {
    ErrorAnswer { status, kind, message: message.into(), headers: Vec::new() }
}
