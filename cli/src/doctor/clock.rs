//! The difference between the issuer's clock and this machine's, by the `Date` of an answer that no cache kept
//! (RFC 9110 §6.6.1), or by the `iat` of a token where there is none.

use std::time::Duration;

use agentkeys_edge_broker::time::UnixTime;
use chrono::DateTime;

use super::outcome::{Check, Fault};
use super::probe::Seen;

/// STS takes a token whose times are this far off, in seconds.
const TOLERANCE: u64 = 300;
/// What a clock that is kept in time is never off by, in seconds.
const NOTICEABLE: u64 = 30;

/// The issuer's clock as an answer shows it, and the difference to this machine's that is certain, in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Reading {
    issuer: u64,
    here: u64,
    /// How much of the difference may be the way of the answer, and the rounding to seconds.
    doubt: u64,
}

impl Reading {
    /// The `Date` of an answer, unless a cache kept it.
    pub(super) fn of(seen: &Seen) -> Option<Self> {
        if seen.header("age").is_some() {
            return None;
        }
        Self::new(date(seen)?, seen.at?, seen.took)
    }

    /// The issuer's clock at some time of a call that took so long.
    pub(super) fn new(issuer: UnixTime, after: UnixTime, took: Duration) -> Option<Self> {
        let half = took.as_secs() / 2;
        Some(Self { issuer: issuer.seconds(), here: after.seconds().checked_sub(half)?, doubt: half.saturating_add(1) })
    }

    fn difference(self) -> u64 {
        self.issuer.abs_diff(self.here).saturating_sub(self.doubt)
    }
}

/// The `Date` of an answer.
pub(super) fn date(seen: &Seen) -> Option<UnixTime> {
    let date = DateTime::parse_from_rfc2822(&seen.header("date")?).ok()?;
    UnixTime::try_from(u64::try_from(date.timestamp()).ok()?).ok()
}

pub(super) fn check(reading: Option<Reading>) -> Check {
    const ID: &str = "clock";
    let Some(reading) = reading else {
        return Check::skip(ID, "No answer has a Date that no cache kept; with a session the token's iat is looked at.");
    };
    let difference = reading.difference();
    let which = if reading.issuer > reading.here { "ahead of" } else { "behind" };
    let why = format!("The issuer's clock is {difference} s {which} this machine's.");
    let remedy = "Find out which of the two is wrong, by a third clock, and set it: NTP on this machine; at the issuer ask its host.";
    let verdict = if difference == 0 {
        Ok("The issuer's clock is this machine's.".to_owned())
    } else if difference <= NOTICEABLE {
        Ok(why)
    } else if difference <= TOLERANCE {
        Err(Fault::warn(format!("{why} STS tolerates 5 minutes, other verifiers less."), remedy))
    } else {
        Err(Fault::fail(format!("{why} If it is the issuer's that is wrong, STS refuses its tokens: it tolerates 5 minutes."), remedy))
    };
    Check::of(ID, verdict)
}

#[cfg(test)]
mod tests {
    use super::super::outcome::Outcome;
    use super::*;

    #[test]
    fn a_difference_is_judged_by_the_tolerance_of_sts() {
        let time = |seconds: u64| UnixTime::try_from(seconds).unwrap();
        for (issuer, took, result) in [
            (1_000_000, 0, Outcome::Pass),
            (1_000_031, 0, Outcome::Pass),
            (999_969, 0, Outcome::Pass),
            (1_000_032, 0, Outcome::Warn),
            (1_000_301, 0, Outcome::Warn),
            (1_000_302, 0, Outcome::Fail),
            (996_400, 0, Outcome::Fail),
            (1_003_600, 5, Outcome::Fail),
            // Four seconds on the way: half of them are taken off, half are in doubt.
            (1_000_031, 4, Outcome::Pass),
        ] {
            let reading = Reading::new(time(issuer), time(1_000_000), Duration::from_secs(took));
            assert_eq!(check(reading).result, result, "{issuer} {took}");
        }
        assert_eq!(check(None).result, Outcome::Skip);
    }
}
