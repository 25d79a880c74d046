//! The key set from the issuer: over TLS with a private CA, and from issuers that are slow, silent or wrong.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustls::pki_types::PrivateKeyDer;
use serde_json::{Value, json};

use crate::case::{Folder, INVALID, NOW, case, run};
use crate::inputs::{cannot_tell, now};
use crate::keys::P256;

/// How a server treats one connection, given what was asked for.
type Handler = Box<dyn Fn(&str, &mut dyn Stream) + Send + Sync>;

trait Stream: Read + Write {}
impl<T: Read + Write> Stream for T {}

/// An issuer on a port of its own. Its thread ends with the test's process.
fn serve(tls: Option<Arc<rustls::ServerConfig>>, handler: impl Fn(&str) -> Handler) -> String {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let issuer = if tls.is_some() { format!("https://localhost:{port}") } else { format!("http://127.0.0.1:{port}") };
    let handler = Arc::new(handler(&issuer));
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let (tls, handler) = (tls.clone(), Arc::clone(&handler));
            std::thread::spawn(move || {
                stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
                match tls {
                    None => answer(stream, &handler),
                    Some(config) => answer(rustls::StreamOwned::new(rustls::ServerConnection::new(config).unwrap(), stream), &handler),
                }
            });
        }
    });
    issuer
}

/// Reads the request's head, and hands the path on.
fn answer(mut stream: impl Stream, handler: &Handler) {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read(&mut byte) {
            Ok(1) => head.push(byte[0]),
            _ => return,
        }
    }
    let head = String::from_utf8(head).unwrap();
    handler(head.split(' ').nth(1).unwrap(), &mut stream);
    let _ = stream.flush();
}

fn respond(stream: &mut dyn Stream, status: &str, headers: &str, body: &[u8]) {
    let _ = write!(stream, "HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n{headers}\r\n", body.len());
    let _ = stream.write_all(body);
}

/// An issuer as it should be: discovery, and the key set under a path of its own.
fn sound(issuer: &str) -> Handler {
    let discovery = json!({"issuer": issuer, "jwks_uri": format!("{issuer}/any/path")}).to_string();
    let keys = json!({"keys": [P256.jwk("k1")]}).to_string();
    Box::new(move |path, stream| match path {
        "/.well-known/openid-configuration" => respond(stream, "200 OK", "content-type: application/json\r\n", discovery.as_bytes()),
        "/any/path" => respond(stream, "200 OK", "content-type: application/json\r\n", keys.as_bytes()),
        _ => respond(stream, "404 Not Found", "", b""),
    })
}

/// An issuer that answers discovery so.
fn with_discovery(status: &'static str, headers: &'static str, body: &'static str) -> String {
    serve(None, |_| Box::new(move |_, stream| respond(stream, status, headers, body.as_bytes())))
}

/// An issuer that answers discovery as it should, and its key set so.
fn with_keys(status: &'static str, headers: &'static str, body: &'static str) -> String {
    serve(None, |issuer| {
        let sound = sound(issuer);
        Box::new(
            move |path, stream| if path == "/any/path" { respond(stream, status, headers, body.as_bytes()) } else { sound(path, stream) },
        )
    })
}

/// The arguments to check a good token of this issuer.
fn arguments(folder: &Folder, issuer: &str) -> Vec<String> {
    let token = folder.file("token", case("good").claim("iss", json!(issuer)).text());
    ["check", "--token-file", &token, "--at", &NOW.to_string()].map(str::to_owned).to_vec()
}

fn report(issuer: &str, more: &[&str]) -> (Option<i32>, Value) {
    let folder = Folder::new();
    let mut arguments = arguments(&folder, issuer);
    arguments.extend(more.iter().map(|&argument| argument.to_owned()));
    arguments.push("--json".to_owned());
    let output = run(&arguments.iter().map(String::as_str).collect::<Vec<_>>(), None);
    (output.status.code(), serde_json::from_slice(&output.stdout).unwrap())
}

fn no_answer(issuer: &str, says: &str) {
    let folder = Folder::new();
    let arguments = arguments(&folder, issuer);
    cannot_tell(&arguments.iter().map(String::as_str).collect::<Vec<_>>(), None, says);
}

fn refused(issuer: &str, rule: &str) {
    let (exit, report) = report(issuer, &[]);
    assert_eq!((exit, &report["rule"]["id"], &report["error"]["code"]), (Some(1), &json!(rule), &json!(INVALID)), "{report}");
}

/// A server's TLS and the PEM of its certificate.
fn tls(host: &str) -> (Arc<rustls::ServerConfig>, String) {
    let CertifiedKey { cert, signing_key } = generate_simple_self_signed([host.to_owned()]).unwrap();
    let key = PrivateKeyDer::try_from(signing_key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    (Arc::new(config.with_no_client_auth().with_single_cert(vec![cert.der().clone()], key).unwrap()), cert.pem())
}

#[test]
fn the_key_set_is_fetched_from_the_tokens_issuer_or_the_one_given() {
    let issuer = serve(None, sound);
    let (exit, report_) = report(&issuer, &[]);
    assert_eq!((exit, &report_["verdict"]), (Some(0), &json!("accepted")), "{report_}");
    let (exit, report_) = report(&issuer, &["--issuer", &issuer]);
    assert_eq!((exit, &report_["verdict"]), (Some(0), &json!("accepted")), "{report_}");
    let (exit, report_) = report("https://keys.example.com", &["--issuer", &issuer]);
    assert_eq!((exit, &report_["rule"]["id"]), (Some(1), &json!("issuer-not-registered")), "{report_}");
}

#[test]
fn a_private_ca_is_trusted_where_it_is_named_and_for_its_host_only() {
    let (config, pem) = tls("localhost");
    let issuer = serve(Some(config), sound);
    let folder = Folder::new();
    let ca = folder.file("ca.pem", pem);
    let (exit, report_) = report(&issuer, &["--ca-file", &ca]);
    assert_eq!((exit, &report_["verdict"]), (Some(0), &json!("accepted")), "{report_}");
    no_answer(&issuer, "has no TLS certificate that is trusted for its host");

    let (config, pem) = tls("keys.example.com");
    let issuer = serve(Some(config), sound);
    let other_ca = folder.file("other.pem", pem);
    for ca in [&ca, &other_ca] {
        let (exit, report_) = report(&issuer, &["--ca-file", ca]);
        assert_eq!((exit, &report_["verdict"]), (Some(2), &json!("unknown")), "{report_}");
    }
}

#[test]
fn an_issuer_that_answers_wrongly_is_refused() {
    refused(&with_discovery("404 Not Found", "", ""), "discovery-answer");
    refused(&with_discovery("403 Forbidden", "", "{}"), "discovery-answer");
    refused(&with_discovery("200 OK", "", "<html>"), "discovery-answer");
    refused(&with_discovery("200 OK", "", "{}"), "discovery-of-another-issuer");
    refused(
        &with_discovery("200 OK", "", r#"{"issuer":"https://keys.example.com","jwks_uri":"https://keys.example.com/"}"#),
        "discovery-of-another-issuer",
    );
    refused(&with_discovery("302 Found", "location: https://example.com/\r\n", ""), "discovery-redirect");
    refused(&with_keys("404 Not Found", "", ""), "discovery-answer");
    refused(&with_keys("301 Moved Permanently", "location: /jwks\r\n", ""), "discovery-redirect");
    refused(&with_keys("200 OK", "", "<html>"), "key-set-form");
    refused(&with_keys("200 OK", "", r#"{"keys":[]}"#), "key-set-form");
    refused(
        &serve(None, |issuer| {
            let document = json!({"issuer": issuer, "jwks_uri": "http://keys.example.com/jwks"}).to_string();
            Box::new(move |_, stream| respond(stream, "200 OK", "", document.as_bytes()))
        }),
        "key-set-form",
    );
}

#[test]
fn an_issuer_that_is_out_of_order_leaves_no_verdict() {
    no_answer(&with_discovery("500 Internal Server Error", "", ""), "answered with status 500");
    no_answer(&with_discovery("429 Too Many Requests", "", ""), "answered with status 429");
    no_answer(&with_keys("503 Service Unavailable", "", ""), "answered with status 503");
    let closed = { TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port() };
    no_answer(&format!("http://127.0.0.1:{closed}"), "cannot be reached");
    no_answer("http://keys.example.com", "is not an https URL");
    no_answer("https://keys.invalid", "discovery https://keys.invalid/.well-known/openid-configuration");
    let hangs_up = serve(None, |_| Box::new(|_, _| {}));
    no_answer(&hangs_up, "cannot be reached, or closed the connection");
    let speaks_otherwise = serve(None, |_| Box::new(|_, stream| drop(stream.write_all(b"220 mail.example.com ESMTP\r\n\r\n"))));
    no_answer(&speaks_otherwise, "did not answer in HTTP");
    let endless = serve(None, |_| {
        Box::new(|_, stream| {
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n");
            while stream.write_all(&vec![b' '; 65_536]).is_ok() {}
        })
    });
    no_answer(&endless, "answered more than 1048576 bytes");
}

/// Runs it once and says how long it took.
fn timed(issuer: &str, says: &str) -> Duration {
    let began = now();
    let (exit, report) = report(issuer, &[]);
    let took = began.elapsed();
    assert_eq!((exit, &report["verdict"]), (Some(2), &json!("unknown")), "{report}");
    assert!(report["reason"].as_str().unwrap().contains(says), "{report}");
    took
}

#[test]
fn a_host_that_never_answers_is_given_up_after_5_seconds() {
    // It accepts, for the kernel does, and says nothing.
    let silent = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let took = timed(&format!("http://127.0.0.1:{}", silent.local_addr().unwrap().port()), "discovery");
    assert!((4..8).contains(&took.as_secs()), "{took:?}");
}

#[test]
fn a_key_set_that_never_comes_is_given_up_after_5_seconds() {
    let issuer = serve(None, |issuer| {
        let sound = sound(issuer);
        Box::new(move |path, stream| if path == "/any/path" { std::thread::sleep(Duration::from_secs(30)) } else { sound(path, stream) })
    });
    let took = timed(&issuer, "did not answer within 5 seconds");
    assert!((4..8).contains(&took.as_secs()), "{took:?}");
}

#[test]
fn an_answer_that_drips_is_given_up_after_5_seconds() {
    let drips = serve(None, |_| {
        Box::new(|_, stream| {
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n");
            while stream.write_all(b" ").is_ok() {
                let _ = stream.flush();
                std::thread::sleep(Duration::from_millis(200));
            }
        })
    });
    let took = timed(&drips, "did not answer within 5 seconds");
    assert!((4..8).contains(&took.as_secs()), "{took:?}");
}

#[test]
fn a_tls_handshake_that_hangs_is_given_up_after_5_seconds() {
    let silent = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let took = timed(&format!("https://127.0.0.1:{}", silent.local_addr().unwrap().port()), "did not answer within 5 seconds");
    assert!((4..8).contains(&took.as_secs()), "{took:?}");
}

#[test]
fn a_token_of_no_form_is_refused_without_asking_anybody() {
    let silent = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    silent.set_nonblocking(true).unwrap();
    let issuer = format!("http://127.0.0.1:{}", silent.local_addr().unwrap().port());
    let folder = Folder::new();
    let file = folder.file("token", "a".repeat(20_001));
    let output = run(&["check", "--token-file", &file, "--issuer", &issuer], None);
    assert_eq!(output.status.code(), Some(1));
    assert!(silent.accept().map(|(stream, _): (TcpStream, _)| stream).is_err(), "nobody came");
}
