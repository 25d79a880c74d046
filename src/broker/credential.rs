//! The session behind a request: the token it carries, and the record that is stored for it.

use super::Outside;
use crate::error::{Failure, Fault, Refusal, TokenReason};
use crate::event::Event;
use crate::http::{Credential, Incoming, bearer};
use crate::session::{SessionHash, SessionRecord, SessionToken, record_key};
use crate::{Ports, SessionStore};

/// The hash of the one well-formed session token of a request.
pub(super) fn session_hash(request: &impl Incoming, event: &mut Event) -> Result<SessionHash, Refusal> {
    let header = request.header("authorization");
    let token = match bearer(header.as_deref()) {
        Credential::None => return Err(Refusal::NoCredential),
        Credential::Several => return Err(Refusal::bad_request("Send one credential: a single Authorization header.")),
        Credential::Bearer(token) => token.parse::<SessionToken>().map_err(|_| Refusal::InvalidToken(TokenReason::Malformed))?,
    };
    let hash = token.hash();
    event.of_session(&hash);
    Ok(hash)
}

/// The record of a live session: one read of the store.
pub(super) async fn live_session<P: Ports>(
    hash: &SessionHash,
    outside: &Outside<'_, P>,
    event: &mut Event,
) -> Result<SessionRecord, Failure> {
    let stored = outside.store.get(&record_key(hash)).await.map_err(|_| Fault::Store)?;
    let text = stored.ok_or(Refusal::InvalidToken(TokenReason::Unknown))?;
    let session = SessionRecord::parse(&text).map_err(|broken| {
        event.of_broken_record(hash, broken);
        Refusal::InvalidToken(TokenReason::BrokenRecord)
    })?;
    event.wallet = Some(session.wallet.clone());
    if session.expires_at <= outside.now { Err(Refusal::InvalidToken(TokenReason::Expired).into()) } else { Ok(session) }
}
