//! One check: its stable name, how it ended, why, and what to do.

use std::borrow::Cow;

use serde::Serialize;

/// How a check ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Outcome {
    Pass,
    /// Nothing can be said, because of what another check found or because it was not asked for.
    Skip,
    /// STS works with it, and a careful team would not leave it so.
    Warn,
    /// STS refuses it, or isolation is not there.
    Fail,
}

impl Outcome {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Skip => "skip",
            Self::Warn => "warn",
            Self::Fail => "fail",
        }
    }
}

/// One line of the report. `why` never has a token, a key or a server's words in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Check {
    pub(super) id: &'static str,
    pub(super) result: Outcome,
    pub(super) why: Cow<'static, str>,
    pub(super) remedy: Option<Cow<'static, str>>,
}

type Text = Cow<'static, str>;

impl Check {
    pub(super) fn pass(id: &'static str, why: impl Into<Text>) -> Self {
        Self { id, result: Outcome::Pass, why: why.into(), remedy: None }
    }

    pub(super) fn skip(id: &'static str, why: impl Into<Text>) -> Self {
        Self { id, result: Outcome::Skip, why: why.into(), remedy: None }
    }

    pub(super) fn warn(id: &'static str, why: impl Into<Text>, remedy: impl Into<Text>) -> Self {
        Self { id, result: Outcome::Warn, why: why.into(), remedy: Some(remedy.into()) }
    }

    pub(super) fn fail(id: &'static str, why: impl Into<Text>, remedy: impl Into<Text>) -> Self {
        Self { id, result: Outcome::Fail, why: why.into(), remedy: Some(remedy.into()) }
    }
}

/// A fault that a check has found, before it has the check's name: a warning or a failure.
pub(super) struct Fault {
    result: Outcome,
    why: Text,
    remedy: Text,
}

impl Fault {
    pub(super) fn warn(why: impl Into<Text>, remedy: impl Into<Text>) -> Self {
        Self { result: Outcome::Warn, why: why.into(), remedy: remedy.into() }
    }

    pub(super) fn fail(why: impl Into<Text>, remedy: impl Into<Text>) -> Self {
        Self { result: Outcome::Fail, why: why.into(), remedy: remedy.into() }
    }
}

impl Check {
    /// Passes for this reason, unless there is a fault.
    pub(super) fn of(id: &'static str, verdict: Result<impl Into<Text>, Fault>) -> Self {
        match verdict {
            Ok(why) => Self::pass(id, why),
            Err(fault) => Self { id, result: fault.result, why: fault.why, remedy: Some(fault.remedy) },
        }
    }
}
