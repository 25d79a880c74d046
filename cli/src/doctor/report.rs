//! The report, as lines and as JSON.

use std::fmt::Write as _;

use serde::Serialize;

use super::outcome::{Check, Outcome};

/// The JSON report. Every member is always there, `null` or empty where there is nothing to say.
#[derive(Serialize)]
pub(super) struct Report<'a> {
    url: &'a str,
    verdict: &'static str,
    checks: &'a [Check],
    counts: Counts,
    /// Why there is no verdict.
    reason: Option<&'a str>,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Serialize)]
struct Counts {
    pass: usize,
    warn: usize,
    fail: usize,
    skip: usize,
}

impl Counts {
    fn of(checks: &[Check]) -> Self {
        let count = |outcome| checks.iter().filter(|check| check.result == outcome).count();
        Self { pass: count(Outcome::Pass), warn: count(Outcome::Warn), fail: count(Outcome::Fail), skip: count(Outcome::Skip) }
    }
}

impl<'a> Report<'a> {
    pub(super) fn of(url: &'a str, checks: &'a [Check]) -> Self {
        Self { url, verdict: worst(checks).as_str(), checks, counts: Counts::of(checks), reason: None }
    }

    /// The report where nothing can be said.
    pub(super) fn unknown(url: &'a str, reason: &'a str) -> Self {
        Self { url, verdict: "unknown", checks: &[], counts: Counts::default(), reason: Some(reason) }
    }
}

/// Fail before warn before pass; what was skipped does not count.
pub(super) fn worst(checks: &[Check]) -> Outcome {
    let counting = checks.iter().map(|check| check.result).filter(|result| *result != Outcome::Skip);
    counting.max().unwrap_or(Outcome::Pass)
}

/// One line a check, and one for all.
pub(super) fn text(url: &str, checks: &[Check]) -> String {
    let width = checks.iter().map(|check| check.id.len()).max().unwrap_or(0);
    let mut text = String::new();
    for Check { id, result, why, remedy } in checks {
        let remedy = remedy.as_deref().map(|remedy| format!(" => {remedy}")).unwrap_or_default();
        let _ = writeln!(text, "{}  {id:width$}  {why}{remedy}", result.as_str());
    }
    let Counts { pass, warn, fail, skip } = Counts::of(checks);
    let _ = writeln!(text, "{}: {url}: {pass} passed, {warn} with a warning, {fail} failed, {skip} skipped", worst(checks).as_str());
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_check_is_the_verdict_and_every_check_is_a_line() {
        let (pass, skip) = (Check::pass("a", "Good."), Check::skip("bb", "Not asked."));
        let (warn, fail) = (Check::warn("ccc", "Slow.", "Look."), Check::fail("d", "Bad.", "Mend."));
        assert_eq!(worst(&[]), Outcome::Pass);
        assert_eq!(worst(&[pass.clone(), skip.clone()]), Outcome::Pass);
        assert_eq!(worst(&[warn.clone(), pass.clone(), skip.clone()]), Outcome::Warn);
        let all = [fail, warn, skip, pass];
        assert_eq!(worst(&all), Outcome::Fail);
        assert_eq!(
            text("https://keys.example.com", &all),
            "fail  d    Bad. => Mend.\nwarn  ccc  Slow. => Look.\nskip  bb   Not asked.\npass  a    Good.\n\
             fail: https://keys.example.com: 1 passed, 1 with a warning, 1 failed, 1 skipped\n"
        );
    }
}
