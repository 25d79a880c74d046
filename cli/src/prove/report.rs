//! What a proof says: a table and a verdict for people, the same as JSON for programs.

use std::fmt::Write;

use serde::Serialize;

use super::diagnosis::{Diagnosis, Verdict};
use super::probe::{Action, Observations, Outcome, PROBES, Place, Side};

/// The result, with stable names. `cause` says why there is no verdict.
#[derive(Serialize)]
pub(super) struct Report<'a> {
    pub(super) verdict: Verdict,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) diagnosis: Option<Diagnosis>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) cause: Option<&'a str>,
    pub(super) role_arn: &'a str,
    pub(super) bucket: &'a str,
    pub(super) wallets: Vec<&'a str>,
    pub(super) warnings: Vec<String>,
    pub(super) requests: Vec<Line<'a>>,
    pub(super) leftovers: &'a [String],
}

/// One request.
#[derive(Serialize)]
pub(super) struct Line<'a> {
    wallet: &'a str,
    place: Place,
    action: Action,
    must_be: &'static str,
    was: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    because: Option<&'a str>,
}

/// The requests of a proof, for [`Report::requests`].
pub(super) fn lines<'a>(seen: &'a Observations, wallets: [&'a str; 2]) -> Vec<Line<'a>> {
    let [one, other] = wallets;
    let line = |(side, probe, outcome): (Side, super::probe::Probe, &'a Outcome)| Line {
        wallet: if side == Side::One { one } else { other },
        place: probe.place,
        action: probe.action,
        must_be: if probe.must_be_allowed() { "allowed" } else { "denied" },
        was: outcome.word(),
        because: if let Outcome::Undecided(why) = outcome { Some(why) } else { None },
    };
    seen.iter().map(line).collect()
}

/// The text for people; the verdict is its last part.
pub(super) fn text(report: &Report<'_>, seen: Option<&Observations>) -> String {
    let mut text = String::new();
    if let Some(seen) = seen {
        table(&mut text, report, seen);
    }
    // Writing to a String does not fail.
    for warning in &report.warnings {
        let _ = writeln!(text, "warning: {warning}");
    }
    for key in report.leftovers {
        let _ = writeln!(text, "left over: {}", key.escape_debug());
    }
    let _ = match report.verdict {
        Verdict::Isolated => writeln!(text, "ISOLATED: each wallet works in its own prefix, and is denied everything else."),
        Verdict::Broken => writeln!(text, "ISOLATION BROKEN"),
        Verdict::Undecided => writeln!(text, "UNDECIDED: {}", report.cause.unwrap_or("some requests had no answer that decides")),
    };
    if let Some(diagnosis) = &report.diagnosis {
        let _ = writeln!(text, "{}: {}\nremedy: {}", diagnosis.id, diagnosis.text, diagnosis.remedy);
    }
    text
}

fn table(text: &mut String, report: &Report<'_>, seen: &Observations) {
    let [one, other] = [0, 1].map(|index| report.wallets.get(index).copied().unwrap_or_default());
    let _ = writeln!(text, "role {}, bucket {}\n1 is {one}\n2 is {other}\n", report.role_arn, report.bucket);
    let _ = writeln!(text, "{:<18} {:<7} {:<8} {:<10} {:<10}", "where", "what", "must be", "1", "2");
    for probe in PROBES {
        let must_be = if probe.must_be_allowed() { "allowed" } else { "denied" };
        let [one, other] = Side::BOTH.map(|side| seen.get(side, probe));
        let wrong = [one, other].into_iter().any(|outcome| outcome.word() != must_be);
        let mark = if wrong { " <" } else { "" };
        let _ = writeln!(
            text,
            "{:<18} {:<7} {must_be:<8} {:<10} {:<9}{mark}",
            probe.place.name(),
            probe.action.name(),
            one.word(),
            other.word()
        );
    }
    text.push('\n');
    let mut reasons: Vec<String> = Vec::new();
    for (side, probe, outcome) in seen.iter() {
        if let Outcome::Undecided(why) = outcome {
            let side = if side == Side::One { 1 } else { 2 };
            reasons.push(format!("{side} {}, {}: {why}\n", probe.place.name(), probe.action.name()));
        }
    }
    text.extend(reasons);
}
