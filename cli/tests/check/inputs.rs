//! Wrong files, arguments and clocks: one clear line, exit code 2, at once.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::case::{Folder, NOW, case, run};
use crate::keys::P256;

/// A good token and its key set, in files.
fn good(folder: &Folder) -> (String, String) {
    (folder.file("token", case("good").text()), folder.file("jwks", json!({"keys": [P256.jwk("k1")]}).to_string()))
}

/// No verdict: exit code 2, one line for people, the same line in JSON, nothing else.
pub(crate) fn cannot_tell(arguments: &[&str], stdin: Option<&str>, says: &str) {
    let human = run(arguments, stdin);
    let line = String::from_utf8(human.stderr).unwrap();
    assert_eq!((human.status.code(), human.stdout.as_slice()), (Some(2), &b""[..]), "{line}");
    assert_eq!(line.lines().count(), 1, "{line}");
    assert!(line.starts_with("edge-broker: cannot tell: ") && line.contains(says), "{line}");

    let machine = run(&[arguments, &["--json"]].concat(), stdin);
    let report: Value = serde_json::from_slice(&machine.stdout).unwrap();
    assert_eq!((machine.status.code(), &report["verdict"], &report["recorded"]), (Some(2), &json!("unknown"), &json!(false)));
    assert!(line.contains(report["reason"].as_str().unwrap()), "{report}");
    assert_eq!(report["error"], Value::Null);
}

#[test]
fn a_file_that_cannot_be_read_is_named() {
    let folder = Folder::new();
    let (token, keys) = good(&folder);
    let missing = folder.path("missing").to_str().unwrap().to_owned();
    let directory = folder.path(".").to_str().unwrap().to_owned();
    for bad in [&missing, &directory] {
        cannot_tell(&["check", "--token-file", bad, "--jwks", &keys], None, &format!("--token-file {bad} cannot be read"));
        cannot_tell(&["check", "--token-file", &token, "--jwks", bad], None, &format!("--jwks {bad} cannot be read"));
        cannot_tell(&["check", "--token-file", &token, "--ca-file", bad], None, &format!("--ca-file {bad} cannot be read"));
    }
}

#[test]
fn a_ca_file_holds_certificates() {
    let folder = Folder::new();
    let (token, _) = good(&folder);
    let broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    for (content, says) in
        [("", "holds no PEM certificate"), ("nonsense", "holds no PEM certificate"), (broken, "holds a certificate that cannot be read")]
    {
        let file = folder.file("ca.pem", content);
        cannot_tell(&["check", "--token-file", &token, "--ca-file", &file], None, says);
    }
}

#[test]
fn a_key_set_file_is_json_of_at_most_1_mib() {
    let folder = Folder::new();
    let (token, _) = good(&folder);
    for content in ["", "nonsense", "{\"keys\":[", "-----BEGIN PUBLIC KEY-----"] {
        let keys = folder.file("bad", content);
        cannot_tell(&["check", "--token-file", &token, "--jwks", &keys], None, "is not JSON");
    }
    let large = folder.file("large", format!("{{\"keys\":[{}{{}}]}}", "{},".repeat(400_000)));
    cannot_tell(&["check", "--token-file", &token, "--jwks", &large], None, "is longer than 1 MiB");
}

#[test]
fn a_token_comes_from_stdin_too() {
    let folder = Folder::new();
    let (_, keys) = good(&folder);
    let at = NOW.to_string();
    let arguments = ["check", "--token-file", "-", "--jwks", &keys, "--at", &at];
    assert_eq!(run(&arguments, Some(&case("good").text())).status.code(), Some(0));
    assert_eq!(run(&arguments, Some(&format!("{}\n", case("good").text()))).status.code(), Some(0));
    assert_eq!(run(&arguments, Some("")).status.code(), Some(1));
    assert_eq!(run(&arguments, Some("nonsense")).status.code(), Some(1));
}

#[test]
fn an_endless_token_and_a_large_key_set_end_at_once() {
    let folder = Folder::new();
    let (token, keys) = good(&folder);
    let began = now();
    let endless = run(&["check", "--token-file", "/dev/zero", "--jwks", &keys, "--json"], None);
    let report: Value = serde_json::from_slice(&endless.stdout).unwrap();
    assert_eq!((endless.status.code(), &report["error"]["code"]), (Some(1), &json!("ValidationError")));
    let binary = folder.file("binary", [0xff; 100]);
    assert_eq!(run(&["check", "--token-file", &binary, "--jwks", &keys], None).status.code(), Some(1));
    // Many members, many keys: nothing grows with their square.
    let members = (0..60_000).map(|n| format!(r#""m{n}":1,"#)).collect::<Vec<_>>().concat();
    let large = folder.file("large", format!(r#"{{{members}"keys":[{}]}}"#, vec![P256.jwk("k1").to_string(); 100].join(",")));
    let at = NOW.to_string();
    assert_eq!(run(&["check", "--token-file", &token, "--jwks", &large, "--at", &at], None).status.code(), Some(0));
    assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
}

#[test]
fn wrong_arguments_exit_with_2_and_say_which() {
    let folder = Folder::new();
    let (token, keys) = good(&folder);
    for (extra, says) in [
        (&["--role", "agent"][..], "--role"),
        (&["--role", "arn:aws:iam::123456789012:role/*"], "--role"),
        (&["--at", "soon"], "--at"),
        (&["--at=-1"], "--at"),
        (&["--at", "1.5"], "--at"),
        (&["--at", "99999999999999999999"], "--at"),
        (&["--ca-file", "ca.pem"], "--ca-file"),
        (&["--unknown"], "--unknown"),
        (&["--issuer"], "--issuer"),
    ] {
        let output = run(&[&["check", "--token-file", &token, "--jwks", &keys][..], extra].concat(), None);
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0), "{extra:?}: {stderr}");
        assert!(stderr.contains(says), "{extra:?}: {stderr}");
    }
    assert_eq!(run(&["check", "--jwks", &keys], None).status.code(), Some(2));
}

#[test]
fn without_at_the_clock_is_now() {
    let folder = Folder::new();
    let (token, keys) = good(&folder);
    let output = run(&["check", "--token-file", &token, "--jwks", &keys, "--json"], None);
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let checked_at = report["checked_at"].as_i64().unwrap();
    let seconds = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap().as_secs();
    assert!((i64::try_from(seconds).unwrap() - checked_at).abs() < 60);
}

#[test]
fn the_help_names_the_exit_codes() {
    let help = String::from_utf8(run(&["check", "--help"], None).stdout).unwrap();
    for words in [
        "0  accepted",
        "1  refused",
        "2  cannot tell",
        "--token-file",
        "--jwks",
        "--issuer",
        "--audience",
        "--role",
        "--at",
        "--ca-file",
        "--json",
    ] {
        assert!(help.contains(words), "{words}");
    }
}

/// The clock of this test.
pub(crate) fn now() -> Instant {
    #[allow(clippy::disallowed_methods, reason = "a test that measures")]
    Instant::now()
}
