//! The chain a wallet says it is on (EIP-155).

use core::fmt;

use serde::Serialize;

/// A chain id: 1 to 2^53 − 1, which every client holds exactly (a JavaScript number).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(into = "u64")]
pub struct ChainId(u64);

/// A number is not a chain id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotAChainId;

impl fmt::Display for NotAChainId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("is a whole number, 1 to 2^53 - 1")
    }
}

impl TryFrom<u64> for ChainId {
    type Error = NotAChainId;

    fn try_from(number: u64) -> Result<Self, NotAChainId> {
        if (1..1 << 53).contains(&number) { Ok(Self(number)) } else { Err(NotAChainId) }
    }
}

impl From<ChainId> for u64 {
    fn from(chain: ChainId) -> Self {
        chain.0
    }
}

impl fmt::Display for ChainId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
