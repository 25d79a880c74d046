//! The token exchange request (RFC 8693 §2.1), a form.
//!
//! What this broker cannot honour is refused, not ignored: an actor, a resource, a second audience, a scope. What OAuth does
//! not define here is ignored, `client_id` with it (RFC 6749 §3.2), and so is a parameter without a value.

use std::borrow::Cow;

use super::TokenError;
use super::error::ErrorCode::{InvalidRequest, InvalidScope, InvalidTarget, UnsupportedGrantType};
use crate::aws::Audience;
use crate::error::{Refusal, TokenReason};
use crate::http::has_media_type;
use crate::mint::MintRequest;
use crate::session::SessionToken;

/// The most bytes of the body.
pub const BODY_BYTES_MAX: usize = 8_192;

const FORM: &str = "application/x-www-form-urlencoded";
/// The one grant that the token endpoint takes (RFC 8693 §2.1).
pub const GRANT_TYPE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";

/// The token that is asked for (RFC 8693 §3). Both are the same JWT.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum TokenType {
    /// `urn:ietf:params:oauth:token-type:jwt`
    #[default]
    Jwt,
    /// `urn:ietf:params:oauth:token-type:id_token`
    IdToken,
}

impl TokenType {
    /// The type's name in `requested_token_type` and `issued_token_type`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Jwt => "urn:ietf:params:oauth:token-type:jwt",
            Self::IdToken => "urn:ietf:params:oauth:token-type:id_token",
        }
    }

    fn find(name: &str) -> Option<Self> {
        [Self::Jwt, Self::IdToken].into_iter().find(|known| known.as_str() == name)
    }
}

/// A session token to be exchanged, and for what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenExchange {
    /// The subject token: a session token by its form.
    pub subject_token: SessionToken,
    /// What is asked for, as the mint takes it; the lifetime is the session's default.
    pub asked: MintRequest,
    /// The type of token that is asked for.
    pub token_type: TokenType,
}

/// The parameters of RFC 8693 §2.1 as they were sent, without empty ones (RFC 6749 §3.2: as if they were left out).
#[derive(Default)]
struct Parameters<'a> {
    grant_type: Option<Cow<'a, str>>,
    subject_token: Option<Cow<'a, str>>,
    subject_token_type: Option<Cow<'a, str>>,
    requested_token_type: Option<Cow<'a, str>>,
    audience: Option<Cow<'a, str>>,
    scope: Option<Cow<'a, str>>,
    has_actor: bool,
    has_resource: bool,
    has_second_audience: bool,
}

impl TokenExchange {
    /// Reads a form, with the `Content-Type` it came with.
    ///
    /// # Errors
    /// OAuth's, with what to send instead.
    pub fn parse(body: &[u8], content_type: Option<&str>) -> Result<Self, TokenError> {
        if body.len() > BODY_BYTES_MAX {
            return Err(Refusal::PayloadTooLarge(BODY_BYTES_MAX).into());
        }
        if !has_media_type(content_type, FORM) {
            return Err(Refusal::UnsupportedMediaType(FORM).into());
        }
        let sent = Parameters::read(body)?;
        match sent.grant_type.as_deref() {
            Some(GRANT_TYPE) => {}
            Some(_) => return Err(UnsupportedGrantType.saying("The grant_type is urn:ietf:params:oauth:grant-type:token-exchange.")),
            None => return Err(InvalidRequest.saying("Send grant_type: urn:ietf:params:oauth:grant-type:token-exchange.")),
        }
        if sent.has_actor {
            return Err(InvalidRequest.saying("Leave out actor_token and actor_token_type: a session acts for its own wallet only."));
        }
        let subject_token = sent.subject_token.ok_or(InvalidRequest.saying("Send subject_token: the session token."))?;
        if sent.subject_token_type.as_deref() != Some(ACCESS_TOKEN) {
            return Err(InvalidRequest.saying("Send subject_token_type: urn:ietf:params:oauth:token-type:access_token."));
        }
        let token_type = match sent.requested_token_type {
            None => TokenType::default(),
            Some(name) => TokenType::find(&name).ok_or(InvalidRequest.saying(
                "The requested_token_type is urn:ietf:params:oauth:token-type:jwt or urn:ietf:params:oauth:token-type:id_token.",
            ))?,
        };
        // `openid` is what discovery names and changes nothing; the token could not say that another one was not granted.
        if sent.scope.is_some_and(|scope| scope != "openid") {
            return Err(InvalidScope.saying("Leave out scope: what a token may do is its session's."));
        }
        if sent.has_resource {
            return Err(InvalidTarget.saying("Leave out resource, and name the relying party in audience."));
        }
        if sent.has_second_audience {
            return Err(InvalidTarget.saying("Send one audience: a token is for one relying party."));
        }
        let audience = sent
            .audience
            .map(|audience| Audience::try_from(audience.into_owned()))
            .transpose()
            .map_err(|_| InvalidTarget.saying("The audience is 1 to 255 printable characters: one of the session's audiences."))?;
        let subject_token: SessionToken = subject_token.parse().map_err(|_| Refusal::InvalidToken(TokenReason::Malformed))?;
        Ok(Self { subject_token, asked: MintRequest { audience, ttl_seconds: None }, token_type })
    }
}

impl<'a> Parameters<'a> {
    fn read(form: &'a [u8]) -> Result<Self, TokenError> {
        let mut sent = Self::default();
        for (name, value) in form_urlencoded::parse(form).filter(|(_, value)| !value.is_empty()) {
            let place = match &*name {
                "grant_type" => &mut sent.grant_type,
                "subject_token" => &mut sent.subject_token,
                "subject_token_type" => &mut sent.subject_token_type,
                "requested_token_type" => &mut sent.requested_token_type,
                "scope" => &mut sent.scope,
                // RFC 8693 lets these two be repeated, and this broker has its own answer to it.
                "audience" if sent.audience.is_some() => {
                    sent.has_second_audience = true;
                    continue;
                }
                "audience" => &mut sent.audience,
                "resource" => {
                    sent.has_resource = true;
                    continue;
                }
                "actor_token" | "actor_token_type" => {
                    sent.has_actor = true;
                    continue;
                }
                _ => continue,
            };
            if place.replace(value).is_some() {
                return Err(InvalidRequest.saying("Send each parameter once."));
            }
        }
        Ok(sent)
    }
}
