//! What ends with one clear line and exit code 2: bad input, and an issuer that does not answer.

use std::net::TcpListener;
use std::time::{Duration, Instant};

use crate::issuer::{DISCOVERY, Issuer, session_token};
use crate::{Said, doctor, run};

/// One line on stderr that says this, nothing on stdout, exit code 2; with `--json` the same as JSON.
fn cannot_tell(arguments: &[&str], words: &str) -> Said {
    let said = run(&mut doctor(arguments));
    assert_eq!((said.code, said.stdout.as_str()), (2, ""), "{said:?}");
    assert_eq!(said.stderr.lines().count(), 1, "{said:?}");
    assert!(said.stderr.starts_with("edge-broker: cannot tell: ") && said.stderr.contains(words), "{said:?}");
    let as_json = run(doctor(arguments).arg("--json"));
    assert_eq!(as_json.code, 2);
    let report = as_json.json();
    assert_eq!(report["verdict"], "unknown");
    assert!(report["reason"].as_str().unwrap().contains(words), "{report}");
    assert_eq!(report["checks"].as_array().unwrap().len(), 0);
    said
}

#[test]
fn a_url_that_is_none() {
    for (url, words) in [
        ("keys.example.com", "https"),
        ("http://keys.example.com", "https"),
        ("https://keys.example.com/?a=b", "query"),
        ("https://keys.example.com/\u{1b}[31m", "ASCII"),
        ("https://user:password@keys.example.com", "password"),
    ] {
        let said = cannot_tell(&[url], words);
        assert!(!said.stderr.contains("user:password") && !said.stderr.contains('\u{1b}'), "{said:?}");
    }
}

#[test]
fn a_ca_file_that_cannot_be_used() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let url = "https://keys.example.com";
    cannot_tell(&[url, "--ca-file", "no/such/file"], "cannot be read");
    cannot_tell(&[url, "--ca-file", file.path().to_str().unwrap()], "holds no PEM certificate");
}

#[test]
fn a_session_token_that_is_none() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), format!("{}x", session_token().expose())).unwrap();
    let url = "https://keys.example.com";
    cannot_tell(&[url, "--session-token-file", "no/such/file"], "cannot be read");
    cannot_tell(&[url, "--session-token-file", file.path().to_str().unwrap()], "no session token");
}

#[test]
fn nobody_listens() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    cannot_tell(&[&format!("http://127.0.0.1:{port}")], "cannot be reached");
}

#[test]
fn a_network_that_hangs() {
    // Connections are taken by the kernel and never answered.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let begins = Instant::now();
    cannot_tell(&[&format!("http://{}", listener.local_addr().unwrap())], "did not answer in time");
    // Twice, once of them as JSON.
    assert!(begins.elapsed() < Duration::from_secs(14), "{:?}", begins.elapsed());
}

#[test]
fn what_answers_is_not_http() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let _ = std::io::Write::write_all(&mut stream, b"220 canary-of-the-issuer ready\r\n\r\n");
        }
    });
    cannot_tell(&[&url], "");
}

#[test]
fn an_answer_without_end() {
    let running = Issuer::new()
        .with_answer(|request, answer| {
            if request.path.ends_with(DISCOVERY) {
                answer.body = vec![b' '; 2 * 1024 * 1024];
            }
        })
        .start();
    let said = run(&mut doctor(&[&running.url, "--json"]));
    assert_eq!(said.code, 1);
    assert!(said.why("discovery-answer").contains("more than"), "{said:?}");
}
