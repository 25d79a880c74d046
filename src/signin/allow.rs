//! Who may sign in, where not everybody may: one record per wallet in Workers KV (`kv-schemas/signin-allow.v1.schema.json`).
//!
//! The list is asked after the wallet has proven itself, so that nobody learns whether somebody else is on it.

use serde::Serialize;

use crate::json::Object;
use crate::session::is_label;
use crate::time::UnixTime;
use crate::wallet::Wallet;

/// The version of a stored record.
const VERSION: u64 = 1;
/// The most bytes of a stored record.
pub const ALLOW_BYTES_MAX: usize = 1_024;

/// Where a wallet's permission is: `signin-allow/v1/<wallet>`.
#[must_use]
pub fn allow_key(wallet: &Wallet) -> String {
    format!("{ALLOW_PREFIX}{wallet}")
}

/// What the keys of all permissions start with.
pub const ALLOW_PREFIX: &str = "signin-allow/v1/";

/// A wallet's permission to sign in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AllowRecord {
    /// The wallet, the same as in the key.
    pub wallet: Wallet,
    /// Since when.
    pub added_at: UnixTime,
    /// A name for people.
    pub label: Option<String>,
}

/// A stored permission does not follow its schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BrokenAllowRecord;

impl core::fmt::Display for BrokenAllowRecord {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("the record does not follow signin-allow.v1.schema.json")
    }
}

impl core::error::Error for BrokenAllowRecord {}

/// The members as the schema has them.
#[derive(Serialize)]
struct Stored<'a> {
    v: u64,
    wallet: &'a str,
    added_at: UnixTime,
    #[serde(skip_serializing_if = "Option::is_none")]
    label: Option<&'a str>,
}

impl AllowRecord {
    /// Reads a stored record.
    ///
    /// # Errors
    /// Everything that the schema does not know.
    pub fn parse(text: &str) -> Result<Self, BrokenAllowRecord> {
        if text.len() > ALLOW_BYTES_MAX { Err(BrokenAllowRecord) } else { Self::read(text).ok_or(BrokenAllowRecord) }
    }

    fn read(text: &str) -> Option<Self> {
        let mut stored = Object::parse(text.as_bytes())?;
        stored.whole_number("v").filter(|version| *version == VERSION)?;
        let record = Self {
            wallet: stored.text("wallet")?.try_into().ok()?,
            added_at: stored.whole_number("added_at")?.try_into().ok()?,
            label: stored.optional_text("label")?,
        };
        (record.label.as_deref().is_none_or(is_label) && stored.is_empty()).then_some(record)
    }

    /// The record as it is stored.
    ///
    /// # Errors
    /// What [`AllowRecord::parse`] would refuse: its public members may have been set to anything.
    pub fn to_json(&self) -> Result<String, BrokenAllowRecord> {
        let stored = Stored { v: VERSION, wallet: self.wallet.as_str(), added_at: self.added_at, label: self.label.as_deref() };
        let text = serde_json::to_string(&stored).map_err(|_| BrokenAllowRecord)?;
        Self::parse(&text).map(|_| text)
    }

    /// Whether what is stored under [`allow_key`] lets this wallet in: a whole record, and of this wallet. One that was
    /// copied under another wallet's key, or has a member that may be a condition, lets nobody in.
    #[must_use]
    pub fn admits(stored: Option<&str>, wallet: &Wallet) -> bool {
        stored.and_then(|text| Self::parse(text).ok()).is_some_and(|record| record.wallet == *wallet)
    }
}
