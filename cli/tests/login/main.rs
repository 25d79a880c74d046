//! `login`, `logout` and what reads the stored session, run as their user runs them, with a double of the broker.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::arithmetic_side_effects,
    clippy::disallowed_methods,
    reason = "a test crate"
)]
#![cfg(unix)]

mod broker;
mod foreign_messages;
mod keys;
mod log_in;
mod log_out;
mod precedence;
mod refusals;
#[path = "../doctor/server.rs"]
#[allow(dead_code, reason = "another suite uses the rest")]
mod server;

use std::io::Write;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use agentkeys_edge_broker::encoding::lower_hex;
use agentkeys_edge_broker::wallet::Wallet;
use broker::{Broker, wallet_of};
use k256::ecdsa::SigningKey;
use serde_json::Value;
use tempfile::TempDir;

/// What stands in everything that a faulty broker says, and must never be repeated.
const CANARY: &str = "canary-of-the-broker";

/// What the tool said, and how it ended.
#[derive(Debug)]
struct Said {
    code: i32,
    stdout: String,
    stderr: String,
}

impl Said {
    fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|_| panic!("no JSON: {self:?}"))
    }

    fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{self:?}");
        self
    }

    /// One line that says what to do, and no result.
    fn refused(self, code: i32, words: &str) -> Self {
        let said = self.expect(code);
        assert!(said.stdout.is_empty() && said.stderr.contains(words), "{words}: {said:?}");
        said
    }
}

/// A wallet's key in a private file.
struct Key {
    digits: String,
    wallet: Wallet,
    file: PathBuf,
}

/// A user: a home, and the tool.
struct Home {
    root: TempDir,
    secrets: std::cell::RefCell<Vec<String>>,
}

impl Home {
    fn new() -> Self {
        Self { root: tempfile::tempdir().unwrap(), secrets: std::cell::RefCell::default() }
    }

    /// A new wallet.
    fn key(&self) -> Key {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes).unwrap();
        let digits = lower_hex(&bytes);
        let wallet = wallet_of(SigningKey::from_slice(&bytes).unwrap().verifying_key());
        let file = self.path(&format!("{wallet}.key"));
        write_private(&file, &format!("0x{digits}\n"));
        self.secrets.borrow_mut().push(digits.clone());
        Key { digits, wallet, file }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    /// Where stored sessions are.
    fn sessions(&self) -> PathBuf {
        self.path(".local/state/edge-broker/sessions")
    }

    fn files(&self) -> Vec<PathBuf> {
        let Ok(entries) = std::fs::read_dir(self.sessions()) else { return Vec::new() };
        entries.map(|entry| entry.unwrap().path()).collect()
    }

    /// The tool, with nothing of this process's environment that it looks at.
    fn tool(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_edge-broker"));
        command.args(arguments).stdin(Stdio::null()).env_clear().env("HOME", self.root.path()).current_dir(self.root.path());
        command
    }

    /// Runs it, and sees that it repeats neither a key nor what the broker says.
    fn said(&self, command: &mut Command) -> Said {
        let output = command.output().unwrap();
        let said = Said {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        };
        for secret in self.secrets.borrow().iter().map(String::as_str).chain([CANARY]) {
            assert!(!said.stdout.contains(secret) && !said.stderr.contains(secret), "{secret} is repeated: {said:?}");
        }
        said
    }

    fn run(&self, arguments: &[&str]) -> Said {
        self.said(&mut self.tool(arguments))
    }

    fn run_with_stdin(&self, arguments: &[&str], stdin: &str) -> Said {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(stdin.as_bytes()).unwrap();
        std::io::Seek::rewind(&mut file).unwrap();
        self.said(self.tool(arguments).stdin(file))
    }

    fn login(&self, broker: &Broker, key: &Key, more: &[&str]) -> Said {
        self.run(&[&["login", "--issuer", &broker.url, "--wallet-key-file", key.file.to_str().unwrap()], more].concat())
    }

    /// Logs in, as it must; the session token that is stored.
    fn logged_in(&self, broker: &Broker, key: &Key) -> String {
        let said = self.login(broker, key, &["--json"]).expect(0);
        token_in(Path::new(said.json()["session_file"].as_str().unwrap()))
    }

    /// The wallet that `token` mints for, or how it is refused.
    fn minted(&self, broker: &Broker, more: &[&str], environment: &[(&str, &str)]) -> Result<Wallet, Said> {
        let out = self.path("minted");
        let mut command = self.tool(&["token", "--issuer", &broker.url, "--out", out.to_str().unwrap()]);
        let said = self.said(command.args(more).envs(environment.iter().copied()));
        match said.code {
            0 => Ok(said.stderr.split(' ').nth(2).unwrap().parse().unwrap()),
            _ => Err(said),
        }
    }
}

/// The token in a stored session.
fn token_in(file: &Path) -> String {
    let stored: Value = serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
    stored["session_token"].as_str().unwrap().to_owned()
}

/// Changes a member of a stored session.
fn change(file: &Path, member: &str, value: impl Into<Value>) {
    let mut stored: Value = serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
    stored[member] = value.into();
    std::fs::write(file, stored.to_string()).unwrap();
}

fn write_private(file: &Path, text: &str) {
    let mut file = std::fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(file).unwrap();
    file.write_all(text.as_bytes()).unwrap();
}

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o7777
}
