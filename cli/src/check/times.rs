//! `iat`, `nbf` and `exp` against the clock: whole seconds, five minutes of tolerance both ways.

use agentkeys_edge_broker::aws::CLOCK_TOLERANCE_SECONDS;
use agentkeys_edge_broker::time::UnixTime;

use super::json::Json;
use super::rule::{Basis, Code, Finding, Rule};

const FRACTION: Rule = Rule::new(
    "timestamp-integer",
    Basis::DocAndSeen,
    "iat, nbf and exp are whole Unix seconds; integers in a string are tolerated, fractions are refused.",
    "Write iat, nbf and exp as JSON integers.",
);

const TIMESTAMP: Rule = Rule::new(
    "timestamp-form",
    Basis::NotRecorded,
    "iat, nbf and exp are written as JSON integers, digits only.",
    "Write iat, nbf and exp as JSON integers, without a decimal point, an exponent, a sign or blanks.",
);

const AHEAD: Rule = Rule::new(
    "issued-in-the-future",
    Basis::DocAndSeen,
    "iat and nbf are at most 5 minutes ahead of the clock.",
    "Set the issuer's clock (and this one), and do not date tokens ahead.",
);

const AHEAD_EXACTLY: Rule = Rule::new(
    "issued-exactly-5-minutes-ahead",
    Basis::NotRecorded,
    "iat and nbf are less than 5 minutes ahead of the clock; what happens at exactly 300 seconds is not recorded.",
    AHEAD.remedy,
);

const EXPIRED: Rule = Rule::new(
    "expired",
    Basis::DocAndSeen,
    "exp is at most 5 minutes past.",
    "Get a fresh token. If this one is fresh, set the issuer's clock (and this one).",
)
.with_code(Code::ExpiredToken);

const EXPIRED_EXACTLY: Rule = Rule::new(
    "expired-exactly-5-minutes-ago",
    Basis::NotRecorded,
    "exp is less than 5 minutes past; what happens at exactly 300 seconds is not recorded.",
    EXPIRED.remedy,
)
.with_code(Code::ExpiredToken);

/// A timestamp: an integer, or an integer in a string.
pub(crate) fn timestamp(claim: &str, value: &Json) -> Result<i128, Finding> {
    let refused = |rule: &'static Rule| rule.broken().because(format!("{claim} is {}.", what(value)));
    match value {
        Json::Integer(seconds) => Ok(*seconds),
        Json::Float(number) if number.fract() != 0.0 => Err(refused(&FRACTION)),
        Json::String(text) => integer(text).ok_or_else(|| refused(if is_fraction(text) { &FRACTION } else { &TIMESTAMP })),
        _ => Err(refused(&TIMESTAMP)),
    }
}

/// The integer of a text of digits, with a minus sign or without, within 64 bits.
fn integer(text: &str) -> Option<i128> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let is_integer = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_integer.then(|| text.parse::<i64>().ok()).flatten().map(i128::from)
}

/// `digits.digits` that is not a whole number.
fn is_fraction(text: &str) -> bool {
    text.split_once('.').is_some_and(|(whole, fraction)| {
        integer(whole).is_some() && fraction.bytes().all(|byte| byte.is_ascii_digit()) && fraction.bytes().any(|byte| byte != b'0')
    })
}

fn what(value: &Json) -> &'static str {
    match value {
        Json::Float(number) if number.fract() != 0.0 => "a number with a fraction",
        Json::Float(_) => "a number with a decimal point or an exponent, or one beyond 64 bits",
        Json::String(_) => "a string of something else than an integer",
        other => other.kind(),
    }
}

/// `iat` and `nbf`: not more than five minutes ahead.
pub(crate) fn not_ahead(claim: &str, seconds: i128, now: UnixTime) -> Result<(), Finding> {
    let ahead = seconds.saturating_sub(now.seconds().into());
    let because = || format!("{claim} is {ahead} seconds ahead of the clock.");
    match ahead.cmp(&CLOCK_TOLERANCE_SECONDS.into()) {
        core::cmp::Ordering::Less => Ok(()),
        core::cmp::Ordering::Equal => Err(AHEAD_EXACTLY.broken().because(because())),
        core::cmp::Ordering::Greater => Err(AHEAD.broken().because(because())),
    }
}

/// `exp`: not more than five minutes past.
pub(crate) fn not_expired(exp: i128, now: UnixTime) -> Result<(), Finding> {
    let past = i128::from(now.seconds()).saturating_sub(exp);
    let rule = match past.cmp(&CLOCK_TOLERANCE_SECONDS.into()) {
        core::cmp::Ordering::Less => return Ok(()),
        core::cmp::Ordering::Equal => &EXPIRED_EXACTLY,
        core::cmp::Ordering::Greater => &EXPIRED,
    };
    // As the public record has it, with the missing blank.
    let message = format!("Token expired: current date/time {now} must be before the expiration date/time{exp}");
    Err(rule.broken().said_to_say(message).because(format!("exp is {past} seconds past.")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> UnixTime {
        UnixTime::try_from(1_800_000_000).unwrap()
    }

    fn value(text: &str) -> Json {
        Json::parse(text.as_bytes()).unwrap()
    }

    #[test]
    fn a_timestamp_is_an_integer_or_an_integer_string() {
        for (text, seconds) in [
            ("1800000000", 1_800_000_000),
            ("0", 0),
            ("-1", -1),
            (r#""1800000000""#, 1_800_000_000),
            (r#""-1""#, -1),
            ("9999999999999", 9_999_999_999_999),
        ] {
            assert_eq!(timestamp("iat", &value(text)), Ok(seconds), "{text}");
        }
        for (text, rule) in [
            ("1800000000.5", &FRACTION),
            ("1.8000000005e9", &FRACTION),
            (r#""1800000000.5""#, &FRACTION),
            ("1800000000.0", &TIMESTAMP),
            ("18e8", &TIMESTAMP),
            ("99999999999999999999", &TIMESTAMP),
            (r#""1800000000.0""#, &TIMESTAMP),
            (r#""99999999999999999999""#, &TIMESTAMP),
            (r#""+1800000000""#, &TIMESTAMP),
            (r#"" 1800000000""#, &TIMESTAMP),
            (r#""0x10""#, &TIMESTAMP),
            (r#""2027-01-15T08:00:00Z""#, &TIMESTAMP),
            (r#""""#, &TIMESTAMP),
            (r#""-""#, &TIMESTAMP),
            ("null", &TIMESTAMP),
            ("true", &TIMESTAMP),
            ("[1800000000]", &TIMESTAMP),
            ("{}", &TIMESTAMP),
        ] {
            assert_eq!(timestamp("iat", &value(text)).unwrap_err().rule, rule, "{text}");
        }
    }

    #[test]
    fn iat_and_nbf_are_at_most_5_minutes_ahead() {
        for good in [-1_000_000_000_000, -300, 0, 1, 299] {
            assert_eq!(not_ahead("iat", 1_800_000_000 + good, now()), Ok(()), "{good}");
        }
        for (bad, rule) in [(300, &AHEAD_EXACTLY), (301, &AHEAD), (3600, &AHEAD), (i128::from(i64::MAX), &AHEAD)] {
            assert_eq!(not_ahead("nbf", 1_800_000_000 + bad, now()).unwrap_err().rule, rule, "{bad}");
        }
    }

    #[test]
    fn exp_is_at_most_5_minutes_past() {
        for good in [i128::from(i64::MAX), 3600, 1, 0, -1, -299] {
            assert_eq!(not_expired(1_800_000_000 + good, now()), Ok(()), "{good}");
        }
        for (bad, rule) in [(-300, &EXPIRED_EXACTLY), (-301, &EXPIRED), (-3600, &EXPIRED), (-1_800_000_001, &EXPIRED)] {
            let finding = not_expired(1_800_000_000 + bad, now()).unwrap_err();
            assert_eq!((finding.rule, finding.rule.code), (rule, Code::ExpiredToken), "{bad}");
        }
    }

    #[test]
    fn at_exactly_5_minutes_nothing_is_recorded() {
        assert_eq!((AHEAD_EXACTLY.basis, EXPIRED_EXACTLY.basis), (Basis::NotRecorded, Basis::NotRecorded));
    }
}
