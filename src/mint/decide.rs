//! What token a session and a request make: audience, lifetime, algorithm.

use super::MintRequest;
use crate::aws::Audience;
use crate::config::{Config, TOKEN_TTL_SECONDS};
use crate::error::Refusal;
use crate::keys::Alg;
use crate::session::SessionRecord;
use crate::time::UnixTime;

/// The token to make. Within the session and within the configuration, whatever was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// The `aud` claim.
    pub audience: Audience,
    /// The algorithm that audience names, if it does.
    pub alg: Option<Alg>,
    /// The `iat` claim.
    pub issued_at: UnixTime,
    /// The `exp` claim.
    pub expires_at: UnixTime,
}

/// Decides on a live session's token.
///
/// # Errors
/// 403 for an audience outside the session or the configuration, 400 for a lifetime below 60 seconds or above the ceiling.
pub fn decide(config: &Config, session: &SessionRecord, request: &MintRequest, now: UnixTime) -> Result<Decision, Refusal> {
    let (audience, alg) = audience(config, session, request.audience.as_ref())?;
    let ttl = lifetime(config, session, request.ttl_seconds)?;
    Ok(Decision { audience, alg, issued_at: now, expires_at: now.plus(ttl).min(session.expires_at) })
}

/// The audience asked for, else the session's first, else the configuration's; allowed by both.
fn audience(config: &Config, session: &SessionRecord, asked: Option<&Audience>) -> Result<(Audience, Option<Alg>), Refusal> {
    let default = &config.audiences.first().audience;
    let own = session.audiences.as_deref().unwrap_or(core::slice::from_ref(default));
    let audience = asked.or(own.first()).unwrap_or(default);
    if !own.contains(audience) {
        return Err(Refusal::Forbidden("This session may not use this audience. GET /v1/session lists the ones it may use.".into()));
    }
    match config.audiences.find(audience) {
        Some(entry) => Ok((entry.audience.clone(), entry.alg)),
        None => Err(Refusal::Forbidden(
            "This broker does not issue tokens for this audience. Its operator lists the ones it does in AUDIENCES.".into(),
        )),
    }
}

/// The seconds asked for, else the smaller of ceiling and configured lifetime.
fn lifetime(config: &Config, session: &SessionRecord, asked: Option<u64>) -> Result<u64, Refusal> {
    let ceiling = session.max_token_ttl.unwrap_or(config.token_ttl);
    let minimum = *TOKEN_TTL_SECONDS.start();
    match asked {
        None => Ok(ceiling.min(config.token_ttl)),
        Some(seconds) if seconds < minimum => {
            Err(Refusal::bad_request(format!("The member ttl_seconds is too small: ask for {minimum} seconds or more.")))
        }
        Some(seconds) if seconds > ceiling => {
            Err(Refusal::bad_request(format!("The member ttl_seconds is too large: this session's ceiling is {ceiling} seconds.")))
        }
        Some(seconds) => Ok(seconds),
    }
}
