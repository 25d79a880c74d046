//! The message a wallet signs (EIP-4361, "ABNF Message Format"), written here and never parsed.
//!
//! Everything in it but address, chain, nonce and times comes from the configuration. Since every message is of our own
//! making, a signature is checked over the stored text, byte for byte, and no foreign message is ever interpreted.

use core::fmt;

use chrono::{DateTime, Datelike, Timelike};

use super::ChainId;
use crate::config::{Resource, Statement};
use crate::time::UnixTime;

/// The parts of a message, in the order they are written; those that are `None` or empty leave no line.
#[derive(Debug, Clone)]
pub struct SiweMessage<'a> {
    /// The scheme of the origin where it is not https, which EIP-4361 assumes without one.
    pub scheme: Option<&'a str>,
    /// The origin's authority: host, and port where there is one.
    pub domain: &'a str,
    /// The address in EIP-55 form.
    pub address: &'a str,
    /// What the person reads.
    pub statement: Option<&'a Statement>,
    /// What is signed in to.
    pub uri: &'a str,
    /// The chain.
    pub chain_id: ChainId,
    /// At least 8 letters and digits, never used before.
    pub nonce: &'a str,
    /// When it was written.
    pub issued_at: DateTimeText,
    /// From when on it is worth nothing.
    pub expires_at: Option<DateTimeText>,
    /// What the sign-in refers to.
    pub resources: &'a [Resource],
}

impl fmt::Display for SiweMessage<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(scheme) = self.scheme {
            write!(f, "{scheme}://")?;
        }
        write!(f, "{} wants you to sign in with your Ethereum account:\n{}\n\n", self.domain, self.address)?;
        if let Some(statement) = self.statement {
            writeln!(f, "{statement}")?;
        }
        write!(f, "\nURI: {}\nVersion: 1\nChain ID: {}\nNonce: {}\nIssued At: {}", self.uri, self.chain_id, self.nonce, self.issued_at)?;
        if let Some(expires_at) = &self.expires_at {
            write!(f, "\nExpiration Time: {expires_at}")?;
        }
        if !self.resources.is_empty() {
            f.write_str("\nResources:")?;
            self.resources.iter().try_for_each(|resource| write!(f, "\n- {resource}"))?;
        }
        Ok(())
    }
}

/// A time as RFC 3339 §5.6 writes it, in UTC and whole seconds: `2026-11-23T21:53:31Z`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DateTimeText(String);

impl DateTimeText {
    /// The text of a time; `None` after the year 9999, for which RFC 3339 has no text.
    #[must_use]
    pub fn new(time: UnixTime) -> Option<Self> {
        let time = i64::try_from(time.seconds()).ok().and_then(|seconds| DateTime::from_timestamp(seconds, 0))?;
        let (date, clock) = (time.date_naive(), time.time());
        let text = format!(
            "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z",
            date.year(),
            date.month(),
            date.day(),
            clock.hour(),
            clock.minute(),
            clock.second()
        );
        (date.year() <= 9_999).then_some(Self(text))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for DateTimeText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_in_utc_and_whole_seconds() {
        for (seconds, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (1_633_019_124, "2021-09-30T16:25:24Z"),
            (4_107_542_399, "2100-02-28T23:59:59Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
            (253_402_300_799, "9999-12-31T23:59:59Z"),
        ] {
            assert_eq!(DateTimeText::new(UnixTime::EPOCH.plus(seconds)).unwrap().as_str(), text);
        }
    }

    #[test]
    fn a_time_that_rfc_3339_cannot_write_has_no_text() {
        for seconds in [253_402_300_800, u64::MAX] {
            assert_eq!(DateTimeText::new(UnixTime::EPOCH.plus(seconds)), None);
        }
    }
}
