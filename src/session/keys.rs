//! The keys of Workers KV, binding `SESSIONS` (see `kv-schemas/README.md`).

use super::SessionHash;
use crate::wallet::Wallet;

/// Where a session's record is: `session/v1/<hash>`.
#[must_use]
pub fn record_key(hash: &SessionHash) -> String {
    format!("session/v1/{hash}")
}

/// Where a session is listed under its wallet: `wallet/v1/<wallet>/<hash>`.
#[must_use]
pub fn index_key(wallet: &Wallet, hash: &SessionHash) -> String {
    format!("{}{hash}", index_prefix(wallet))
}

/// What the keys of all sessions of a wallet start with: `wallet/v1/<wallet>/`.
#[must_use]
pub fn index_prefix(wallet: &Wallet) -> String {
    format!("wallet/v1/{wallet}/")
}
