//! The index of a wallet's sessions: what Workers KV lists beside each key (`kv-schemas/README.md`).

use serde::Serialize;

use super::{SessionHash, SessionRecord, index_prefix};
use crate::json::Object;
use crate::time::UnixTime;
use crate::wallet::Wallet;

/// The metadata of an index entry: enough to list sessions, and to tell the oldest, without reading their records.
///
/// Nothing is decided by it but the order in which sessions are listed and end; members that are not known are ignored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct IndexMetadata {
    /// When the session began.
    pub created: UnixTime,
    /// When it ends.
    pub expires: UnixTime,
    /// Its name for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
}

impl IndexMetadata {
    /// Reads the metadata of a listed key; `None` where nothing can be made of it.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut metadata = Object::parse(text.as_bytes())?;
        Some(Self {
            created: metadata.whole_number("created")?.try_into().ok()?,
            expires: metadata.whole_number("expires")?.try_into().ok()?,
            label: metadata.optional_text("label")?,
        })
    }
}

impl IndexMetadata {
    /// The metadata as it is stored.
    #[must_use]
    pub fn to_json(&self) -> String {
        // A struct of texts and numbers always serialises.
        serde_json::to_string(self).unwrap_or_default()
    }
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
