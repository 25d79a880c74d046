//! A double of wrangler, `double/wrangler`: it writes down what it was asked, and answers as a test wants it to.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;

use crate::{Said, run, tool};

/// What every call says about the place, if nothing else is asked for.
pub(crate) const LOCAL: [&str; 4] = ["--binding=SESSIONS", "--preview=false", "--env=", "--local"];

/// A double of wrangler, with its answers and what it was asked.
pub(crate) struct Double {
    root: TempDir,
}

/// One call of the double.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) arguments: Vec<String>,
    pub(crate) stdin: String,
    pub(crate) mode: String,
    pub(crate) content: Value,
}

impl Call {
    /// Wrangler's command: its first three words.
    pub(crate) fn command(&self) -> String {
        self.arguments.iter().take(3).cloned().collect::<Vec<_>>().join(" ")
    }
}

impl Double {
    pub(crate) fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        std::fs::create_dir(root.path().join("tmp")).unwrap();
        Self { root }
    }

    /// Its answer to the call of this number, from 1, in the words of a shell.
    pub(crate) fn answers(self, number: usize, script: &str) -> Self {
        std::fs::write(self.root.path().join(format!("answer-{number}")), script).unwrap();
        self
    }

    /// Its answer in JSON.
    pub(crate) fn prints(self, number: usize, json: &Value) -> Self {
        self.answers(number, &format!("cat <<'END'\n{json}\nEND\n"))
    }

    /// A command of the tool that runs this double.
    pub(crate) fn tool(&self, arguments: &[&str]) -> Command {
        let mut command = tool(arguments);
        let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/tool/double/wrangler");
        command.env("DOUBLE", self.root.path()).env("EDGE_BROKER_WRANGLER", program).env("TMPDIR", self.root.path().join("tmp"));
        command.current_dir(self.root.path());
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Said {
        run(&mut self.tool(arguments))
    }

    pub(crate) fn path(&self) -> &Path {
        self.root.path()
    }

    /// What it was asked, in order.
    pub(crate) fn calls(&self) -> Vec<Call> {
        let calls = self.root.path().join("calls");
        (1..1_000)
            .map(|number: usize| calls.join(number.to_string()))
            .take_while(|call| call.is_dir())
            .map(|call| {
                let text = |name: &str| std::fs::read_to_string(call.join(name)).unwrap_or_default();
                Call {
                    arguments: text("arguments").lines().map(ToOwned::to_owned).collect(),
                    stdin: text("stdin"),
                    mode: text("mode").trim().to_owned(),
                    content: serde_json::from_str(&text("content")).unwrap_or(Value::Null),
                }
            })
            .collect()
    }

    /// The files that the tool left behind.
    pub(crate) fn leftovers(&self) -> Vec<PathBuf> {
        std::fs::read_dir(self.root.path().join("tmp")).unwrap().map(|entry| entry.unwrap().path()).collect()
    }
}
