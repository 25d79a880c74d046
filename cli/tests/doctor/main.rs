//! `doctor`, run as its user runs it, on an issuer that is in order and on issuers with one planted fault each.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::disallowed_methods,
    reason = "a test crate"
)]

mod bad_input;
mod document_faults;
mod issuer;
mod key_faults;
mod route_faults;
mod server;
mod session_faults;
mod tls;

use std::collections::BTreeMap;
use std::io::Write;
use std::process::{Command, Stdio};

use issuer::{Issuer, session_token};
use serde_json::Value;

/// What stands in everything that a faulty issuer says, and must never be repeated.
const CANARY: &str = "canary-of-the-issuer";

/// What an issuer on this machine is warned of, though nothing is wrong with it.
const AT_HOME: [(&str, &str); 2] = [("https", "warn"), ("issuer-form", "warn")];

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

    /// The checks that neither passed nor were skipped.
    fn found(&self) -> BTreeMap<String, String> {
        self.of(|result| matches!(result, "warn" | "fail"))
    }

    fn skipped(&self) -> Vec<String> {
        self.of(|result| result == "skip").into_keys().collect()
    }

    fn of(&self, is_meant: impl Fn(&str) -> bool) -> BTreeMap<String, String> {
        let report = self.json();
        let text = |check: &Value, member: &str| check[member].as_str().unwrap().to_owned();
        let checks = report["checks"].as_array().unwrap().iter();
        checks.map(|check| (text(check, "id"), text(check, "result"))).filter(|(_, result)| is_meant(result)).collect()
    }

    /// The reason of a check.
    fn why(&self, id: &str) -> String {
        let report = self.json();
        let check = report["checks"].as_array().unwrap().iter().find(|check| check["id"] == id).cloned();
        check.unwrap_or_else(|| panic!("no check {id}"))["why"].as_str().unwrap().to_owned()
    }
}

/// The tool, with nothing of this process's environment that it looks at.
fn doctor(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_edge-broker"));
    command.arg("doctor").args(arguments).stdin(Stdio::null());
    for variable in ["EDGE_BROKER_SESSION_TOKEN", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"] {
        command.env_remove(variable);
    }
    command
}

/// Runs it, and sees that it repeats nothing.
fn run(command: &mut Command) -> Said {
    run_with_stdin(command, None)
}

fn run_with_stdin(command: &mut Command, stdin: Option<&str>) -> Said {
    command.stdin(if stdin.is_some() { Stdio::piped() } else { Stdio::null() }).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    if let (Some(text), Some(mut pipe)) = (stdin, child.stdin.take()) {
        // A tool that reads none of it may have ended already.
        let _ = pipe.write_all(text.as_bytes());
    }
    let output = child.wait_with_output().unwrap();
    let said = Said {
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    };
    // `eyJ` is how every JWT starts.
    for secret in [CANARY, session_token().expose(), "eyJ"] {
        assert!(!said.stdout.contains(secret) && !said.stderr.contains(secret), "{secret} is repeated: {said:?}");
    }
    said
}

/// Examines an issuer with a session.
fn examined(issuer: Issuer) -> Said {
    let running = issuer.start();
    run(doctor(&[&running.url, "--json"]).env("EDGE_BROKER_SESSION_TOKEN", session_token().expose()))
}

/// The fault is found by these checks and no other, and the exit code is that of the worst of them.
fn finds(issuer: Issuer, expected: &[(&str, &str)]) -> Said {
    let said = examined(issuer);
    let all = AT_HOME.iter().chain(expected).map(|(id, result)| ((*id).to_owned(), (*result).to_owned()));
    assert_eq!(said.found(), all.collect::<BTreeMap<_, _>>(), "{}", said.stdout);
    let is_failed = expected.iter().any(|(_, result)| *result == "fail");
    assert_eq!(said.code, i32::from(is_failed), "{said:?}");
    assert_eq!(said.json()["verdict"], if is_failed { "fail" } else { "warn" });
    said
}

#[test]
fn an_issuer_in_order_passes_every_check() {
    let said = finds(Issuer::new(), &[]);
    assert_eq!(said.skipped(), ["tls-certificate"]);
    let report = said.json();
    let checks = report["checks"].as_array().unwrap();
    let count = |result: &str| checks.iter().filter(|check| check["result"] == result).count();
    for result in ["pass", "warn", "fail", "skip"] {
        assert_eq!(report["counts"][result], count(result), "{result}");
    }
    assert!(count("pass") >= 25, "{report}");
    let ids: std::collections::BTreeSet<_> = checks.iter().map(|check| check["id"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), checks.len(), "a name stands twice");
    for check in checks {
        let needs_remedy = matches!(check["result"].as_str(), Some("warn" | "fail"));
        assert_eq!(check["remedy"].is_string(), needs_remedy, "{check}");
    }
}

#[test]
fn every_check_and_every_member_is_documented() {
    let readme = include_str!("../../src/doctor/README.md");
    let report = examined(Issuer::new()).json();
    let members = report.as_object().unwrap().keys().map(String::as_str);
    for name in report["checks"].as_array().unwrap().iter().map(|check| check["id"].as_str().unwrap()).chain(members) {
        assert!(readme.contains(&format!("`{name}`")), "{name} is not documented");
    }
}

#[test]
fn an_issuer_with_a_path_passes_every_check() {
    finds(Issuer::new().at_path("/agents/keys"), &[]);
}

#[test]
fn without_a_session_its_checks_are_skipped() {
    let running = Issuer::new().start();
    let said = run(&mut doctor(&[&running.url, "--json"]));
    assert_eq!(said.code, 0);
    let skipped = said.skipped();
    for id in ["mint", "mint-cache", "token-tags", "token-signature", "ttl-wider", "session"] {
        assert!(skipped.contains(&id.to_owned()), "{id}");
    }
    assert!(said.of(|result| result == "pass").len() >= 25, "{}", said.stdout);
}

#[test]
fn the_lines_for_people_are_those_of_the_json() {
    let running = Issuer::new().start();
    let said = run(&mut doctor(&[&running.url]));
    assert_eq!(said.code, 0);
    let lines: Vec<&str> = said.stdout.lines().collect();
    let (last, checks) = lines.split_last().unwrap();
    assert!(checks.iter().all(|line| ["pass  ", "warn  ", "skip  "].iter().any(|start| line.starts_with(start))), "{}", said.stdout);
    assert!(checks.iter().filter(|line| line.starts_with("warn")).all(|line| line.contains(" => ")), "{}", said.stdout);
    assert!(last.starts_with(&format!("warn: {}: ", running.url)), "{last}");
    assert_eq!(said.stderr, "");
}

#[test]
fn strict_makes_a_warning_count() {
    let running = Issuer::new().start();
    assert_eq!(run(&mut doctor(&[&running.url, "--strict"])).code, 1);
}

#[test]
fn the_session_comes_from_a_file_or_from_stdin() {
    let running = Issuer::new().start();
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), format!("{}\n", session_token().expose())).unwrap();
    let by_file = run(&mut doctor(&[&running.url, "--json", "--session-token-file", file.path().to_str().unwrap()]));
    let stdin = session_token().expose().to_owned();
    let by_stdin = run_with_stdin(&mut doctor(&[&running.url, "--json", "--session-token-file", "-"]), Some(&stdin));
    for said in [by_file, by_stdin] {
        assert_eq!(said.skipped(), ["tls-certificate"]);
        assert_eq!(said.code, 0);
    }
}
