//! The index of a wallet's sessions: what Workers KV lists beside each key (`kv-schemas/README.md`).

use serde::{Deserialize, Serialize};

use super::{SessionHash, SessionRecord, index_prefix};
use crate::time::UnixTime;
use crate::wallet::Wallet;

/// The metadata of an index entry: enough to list sessions, and to tell the oldest, without reading their records.
///
/// Nothing is decided by it but the order in which sessions are listed and end; members that are not known are ignored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IndexMetadata {
    /// When the session began.
    pub created: UnixTime,
    /// When it ends.
    pub expires: UnixTime,
    /// Its name for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
}

impl From<&SessionRecord> for IndexMetadata {
    fn from(record: &SessionRecord) -> Self {
        Self { created: record.created_at, expires: record.expires_at, label: record.label.clone() }
    }
}

/// The session that an index key of this wallet lists.
#[must_use]
pub fn indexed_session(wallet: &Wallet, key: &str) -> Option<SessionHash> {
    key.strip_prefix(&*index_prefix(wallet))?.parse().ok()
}
