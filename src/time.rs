//! Time as an argument: whole seconds since the Unix epoch.

use core::fmt;

use serde::{Deserialize, Serialize};

/// Seconds since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u64")]
pub struct UnixTime(u64);

/// The last second that every reader of our records can hold exactly (a JavaScript number): 2^53 − 1.
const LAST: u64 = (1 << 53) - 1;

/// Why a number is not a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotATime;

impl fmt::Display for NotATime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a time is in whole Unix seconds, at most 2^53 - 1")
    }
}

impl UnixTime {
    /// The epoch itself.
    pub const EPOCH: Self = Self(0);

    /// Seconds since the epoch.
    #[must_use]
    pub fn seconds(self) -> u64 {
        self.0
    }

    /// This time and some seconds; stays at the last representable second.
    #[must_use]
    pub fn plus(self, seconds: u64) -> Self {
        Self(self.0.saturating_add(seconds).min(LAST))
    }

    /// The seconds from `earlier` to this time; 0 where `earlier` is later.
    #[must_use]
    pub fn since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}

impl TryFrom<u64> for UnixTime {
    type Error = NotATime;

    fn try_from(seconds: u64) -> Result<Self, NotATime> {
        if seconds <= LAST { Ok(Self(seconds)) } else { Err(NotATime) }
    }
}

impl fmt::Display for UnixTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
