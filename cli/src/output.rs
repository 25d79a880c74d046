//! Where results and remarks go: results to stdout, remarks to stderr.

use std::io::Write;
use std::process::ExitCode;

use serde::Serialize;

use crate::error::Error;

/// Human text or JSON. The methods that are the same for both take it too, so that whoever may write has been handed it.
pub(crate) struct Output {
    json: bool,
}

#[allow(clippy::unused_self, reason = "a handle: who may write holds one")]
impl Output {
    pub(crate) fn new(json: bool) -> Self {
        Self { json }
    }

    /// The result: `json` as one line of JSON where that was asked for, else the text of `human`.
    pub(crate) fn result(&self, json: &impl Serialize, human: impl FnOnce() -> String) -> Result<(), Error> {
        let text = if self.json {
            serde_json::to_string(json).map_err(|_| Error::input("the result cannot be written as JSON"))?
        } else {
            human()
        };
        self.line(text.trim_end_matches('\n'))
    }

    /// A result that is the same text for people and for machines.
    pub(crate) fn line(&self, text: &str) -> Result<(), Error> {
        let mut stdout = std::io::stdout().lock();
        writeln!(stdout, "{text}").and_then(|()| stdout.flush()).map_err(|_| Error::file("stdout is closed"))
    }

    /// Whether results are JSON.
    pub(crate) fn is_json(&self) -> bool {
        self.json
    }

    /// A remark for people; never part of the result.
    pub(crate) fn remark(&self, text: &str) {
        // Where stderr is closed nobody is there to be told so.
        let _ = writeln!(std::io::stderr().lock(), "{text}");
    }

    /// The last word on an error.
    pub(crate) fn fail(&self, error: &Error) -> ExitCode {
        if self.json {
            let report = serde_json::json!({ "error": { "code": error.code(), "message": error.to_string() } });
            self.remark(&report.to_string());
        } else {
            self.remark(&format!("edge-broker: {error}"));
        }
        ExitCode::from(error.code())
    }
}
