//! The generated sessions and the grant of the broker's own tests: one definition for both.

use agentkeys_edge_broker::time::UnixTime;
use agentkeys_edge_broker::wallet::Wallet;

#[path = "../../../tests/host/support/grant.rs"]
pub(crate) mod grant;
#[allow(dead_code, reason = "the broker's tests use the rest")]
#[path = "../../../tests/host/support/sessions.rs"]
pub(crate) mod sessions;

pub(crate) const NOW: u64 = 1_800_000_000;
pub(crate) use crate::case::WALLET;

pub(crate) fn at(seconds: u64) -> UnixTime {
    UnixTime::try_from(seconds).unwrap()
}

pub(crate) fn wallet() -> Wallet {
    WALLET.parse().unwrap()
}
