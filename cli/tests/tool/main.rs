//! The tool, run as its user runs it: with a double of wrangler, with the project's own, and with a double of Cloudflare.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::arithmetic_side_effects,
    reason = "a test crate"
)]
#![cfg(unix)]

mod allow;
mod cloudflare;
mod command_line;
mod double;
mod issue;
mod keygen;
mod list;
mod local;
mod project;
mod remote;
mod revoke;
mod show;

use std::ffi::OsStr;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use agentkeys_edge_broker::session::{SessionRecord, SessionToken, index_key, record_key};
use agentkeys_edge_broker::wallet::Wallet;
use serde_json::{Value, json};

/// The address of EIP-55's examples.
const WALLET: &str = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed";

/// What the tool said, and how it ended.
#[derive(Debug)]
struct Said {
    code: i32,
    stdout: String,
    stderr: String,
}

impl Said {
    /// The result of `--json`.
    fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|_| panic!("no JSON: {self:?}"))
    }

    /// The same, if the tool ended so.
    fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{self:?}");
        self
    }
}

/// The tool, with nothing of this process's environment that it looks at.
fn tool<I: AsRef<OsStr>>(arguments: impl IntoIterator<Item = I>) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_edge-broker"));
    command.args(arguments).stdin(Stdio::null());
    for variable in
        ["EDGE_BROKER_WRANGLER", "EDGE_BROKER_SESSION_TOKEN", "EDGE_BROKER_SESSION_TOKEN_FILE", "EDGE_BROKER_ISSUER", "CLOUDFLARE_ENV"]
    {
        command.env_remove(variable);
    }
    // Nobody has logged in.
    command.env("XDG_STATE_HOME", "/nowhere");
    command
}

fn run(command: &mut Command) -> Said {
    let output = command.output().unwrap();
    Said {
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

/// Runs it with this on stdin.
fn run_with_stdin(command: &mut Command, stdin: &str) -> Said {
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // A tool that reads none of it may have ended already.
    let _ = child.stdin.take().unwrap().write_all(stdin.as_bytes());
    finish(child)
}

fn finish(child: Child) -> Said {
    let output = child.wait_with_output().unwrap();
    Said {
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

/// The files under a directory in which a text stands.
fn files_with(directory: &Path, text: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files_with(&path, text));
        } else if std::fs::read(&path).unwrap().windows(text.len()).any(|window| window == text.as_bytes()) {
            found.push(path);
        }
    }
    found
}

fn token(seed: u8) -> SessionToken {
    SessionToken::from_random(&[seed; 32])
}

/// A stored record that lives for an hour.
fn record(wallet: &str) -> SessionRecord {
    let now = std::time::UNIX_EPOCH.elapsed().unwrap().as_secs().try_into().unwrap();
    let created: agentkeys_edge_broker::time::UnixTime = now;
    SessionRecord::new(wallet.to_lowercase().parse().unwrap(), created, created.plus(3_600)).unwrap()
}

/// The wallet of [`WALLET`].
fn wallet() -> Wallet {
    WALLET.to_lowercase().parse().unwrap()
}

fn key_of(seed: u8) -> String {
    record_key(&token(seed).hash())
}

fn index_of(seed: u8) -> String {
    index_key(&wallet(), &token(seed).hash())
}

/// Wrangler's answer to a bulk read, in the form of local storage.
fn values(pairs: &[(String, Option<String>)]) -> Value {
    pairs.iter().map(|(key, value)| (key.clone(), json!({ "value": value }))).collect::<serde_json::Map<_, _>>().into()
}

fn stored(seed: u8) -> Value {
    values(&[(key_of(seed), Some(record(WALLET).to_json().unwrap()))])
}
