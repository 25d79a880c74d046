//! The session that a sign-in opens, and the ones that make room for it.

use crate::config::Config;
use crate::error::Fault;
use crate::session::{IndexMetadata, SessionHash, SessionRecord};
use crate::time::UnixTime;
use crate::wallet::Wallet;

/// The label by which an operator tells these sessions from those that were issued by hand.
const LABEL: &str = "sign-in";

/// The session of a wallet that has just signed in.
///
/// It lives `SESSION_TTL_SECONDS`, and has the audiences and tags that the configuration gives to every sign-in
/// (`SIGNIN_AUDIENCES`, `SIGNIN_TAGS`), by default the default audience and the broker's own tags. Roles, a source identity
/// and a ceiling are an operator's to grant.
///
/// # Errors
/// [`Fault::Internal`] at the end of time.
pub fn open(config: &Config, wallet: Wallet, now: UnixTime) -> Result<SessionRecord, Fault> {
    let record = SessionRecord::new(wallet, now, now.plus(config.session_ttl));
    let mut record = record.and_then(|record| record.with_tags(config.signin.tags.clone(), Vec::new())).map_err(|_| Fault::Internal)?;
    record.label = Some(LABEL.to_owned());
    record.audiences.clone_from(&config.signin.audiences);
    Ok(record)
}

/// The sessions of a wallet to end, oldest first, so that with the new one no more than `limit` are left.
///
/// `listed` is the wallet's index as it is seen, which may lag behind: the limit is a soft one. The new session may be in
/// it or not and is never ended. Sessions that are over count for nothing; KV reclaims them. An entry without readable
/// metadata counts as the oldest: nothing that this broker or its tool wrote is without.
#[must_use]
pub fn surplus(mut listed: Vec<(SessionHash, Option<IndexMetadata>)>, new: &SessionHash, limit: usize, now: UnixTime) -> Vec<SessionHash> {
    listed.retain(|(hash, entry)| hash != new && entry.as_ref().is_none_or(|entry| entry.expires > now));
    let too_many = listed.len().saturating_sub(limit.saturating_sub(1));
    // One or two as a rule: looking for the oldest again is cheaper than the code of a sort.
    let oldest = |listed: &[(SessionHash, Option<IndexMetadata>)]| {
        let places = listed.iter().enumerate();
        places.min_by_key(|(_, (hash, entry))| (entry.as_ref().map(|entry| entry.created), hash.as_str())).map(|(place, _)| place)
    };
    (0..too_many).filter_map(|_| oldest(&listed).map(|place| listed.swap_remove(place).0)).collect()
}
