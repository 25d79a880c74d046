//! The wall clock, asked once a command, and times as people read them.

use std::time::{SystemTime, UNIX_EPOCH};

use agentkeys_edge_broker::time::UnixTime;
use chrono::{DateTime, SecondsFormat, Utc};

use crate::error::Error;

/// Now, in Unix seconds.
pub(crate) fn now() -> Result<UnixTime, Error> {
    #[allow(clippy::disallowed_methods, reason = "the one place of the tool that asks for the time")]
    let elapsed = SystemTime::now().duration_since(UNIX_EPOCH);
    let seconds = elapsed.ok().and_then(|elapsed| UnixTime::try_from(elapsed.as_secs()).ok());
    seconds.ok_or_else(|| Error::input("this machine's clock is wrong: set it, then try again"))
}

/// RFC 3339 in UTC, `2026-01-31T12:00:00Z`; the bare number where no calendar has that year.
pub(crate) fn rfc3339(time: UnixTime) -> String {
    let date = i64::try_from(time.seconds()).ok().and_then(|seconds| DateTime::<Utc>::from_timestamp(seconds, 0));
    date.map_or_else(|| time.to_string(), |date| date.to_rfc3339_opts(SecondsFormat::Secs, true))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_written_in_rfc_3339_utc() {
        for (seconds, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (1_795_470_116, "2026-11-23T21:41:56Z"),
            ((1 << 53) - 1, "9007199254740991"),
        ] {
            assert_eq!(rfc3339(UnixTime::try_from(seconds).unwrap()), text);
        }
    }
}
