//! Lifetimes on the command line: a whole number and a unit, `90s`, `15m`, `24h`, `7d`.

use core::fmt;
use core::str::FromStr;

/// A length of time in whole seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Seconds(pub(crate) u64);

/// A text is not a length of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NotADuration;

impl fmt::Display for NotADuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a length of time is a whole number and s, m, h or d, like 90s, 15m, 24h or 7d")
    }
}

impl std::error::Error for NotADuration {}

impl FromStr for Seconds {
    type Err = NotADuration;

    fn from_str(text: &str) -> Result<Self, NotADuration> {
        let (digits, unit) = [('s', 1), ('m', 60), ('h', 3_600), ('d', 86_400)]
            .into_iter()
            .find_map(|(letter, seconds)| text.strip_suffix(letter).map(|digits| (digits, seconds)))
            .ok_or(NotADuration)?;
        // `u64::from_str` takes a sign too.
        if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(NotADuration);
        }
        let count: u64 = digits.parse().map_err(|_| NotADuration)?;
        count.checked_mul(unit).map(Self).ok_or(NotADuration)
    }
}

impl fmt::Display for Seconds {
    /// The largest unit that divides it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let units = [(86_400, 'd'), (3_600, 'h'), (60, 'm')];
        match units.into_iter().find(|(seconds, _)| self.0 != 0 && self.0.is_multiple_of(*seconds)) {
            Some((seconds, letter)) => write!(f, "{}{letter}", self.0.checked_div(seconds).unwrap_or(self.0)),
            None => write!(f, "{}s", self.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_a_whole_number_and_a_unit() {
        for (text, seconds) in
            [("0s", 0), ("90s", 90), ("15m", 900), ("24h", 86_400), ("7d", 604_800), ("365d", 31_536_000), ("007d", 604_800)]
        {
            assert_eq!(text.parse(), Ok(Seconds(seconds)), "{text}");
        }
    }

    #[test]
    fn anything_else_is_refused() {
        for text in [
            "",
            "s",
            "90",
            "1.5h",
            "-1s",
            "+1s",
            "1 s",
            " 1s",
            "1s ",
            "1S",
            "1w",
            "1y",
            "1h30m",
            "٣s",
            "1e3s",
            "18446744073709551616s",
            "18446744073709551615d",
        ] {
            assert_eq!(text.parse::<Seconds>(), Err(NotADuration), "{text:?}");
        }
    }

    #[test]
    fn a_duration_reads_back() {
        for text in ["0s", "59s", "90s", "15m", "5h", "1d", "30d"] {
            assert_eq!(text.parse::<Seconds>().unwrap().to_string(), text);
        }
        assert_eq!(Seconds(86_400).to_string(), "1d");
    }
}
