//! `routes`: an input is a request as it is written: a line of method and path, lines of headers, an empty line, a body. It is
//! sent to a broker that has one live session, [`TOKEN`], and one challenge.

use std::sync::LazyLock;

use agentkeys_edge_broker::broker::{Answer, unserved};
use agentkeys_edge_broker::http::{Method, Response, Route};
use agentkeys_edge_broker::session::record_key;
use serde_json::Value;

use crate::grant::Grant;
use crate::said::{repeated, says_nothing_longer};
use crate::world::{Host, ISSUER, NOW, RECORD, Request, TOKEN, broker, claims, now_or_never};

/// The name of the challenge that is there, as the seeds have it.
const CHALLENGE: &str = "siwe-09090909090909090909090909090909";
const STORED: &str = r#"{"v":1,"request_id":"siwe-09090909090909090909090909090909","wallet":"0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed","chain_id":1,"nonce":"0909090909090909090909090909090a","message":"0909090909090909090909090909090a","created_at":1799999999,"expires_at":1800000600}"#;
/// The longest name that a refusal may repeat, and one byte.
const NAME: usize = 33;

pub fn routes(input: &[u8]) {
    let Some(request) = read(input) else { return };
    let host = Host::default();
    host.values.borrow_mut().insert(record_key(&TOKEN.hash()), RECORD.to_owned());
    host.challenges.borrow_mut().insert(CHALLENGE.to_owned(), STORED.to_owned());
    let broker = broker(&[("AUDIENCES", r#"["sts.amazonaws.com","b","c"]"#)]);
    let base = broker.config().issuer.path();
    let answer = match Route::of(base, &request.path, request.method) {
        Ok(route) => now_or_never(broker.answer(route, &request, &host.outside())),
        Err(refusal) => Answer { response: unserved(base, &request.path, refusal.into()), event: None },
    };
    let route = Route::find(base, &request.path);
    holds(route, &request, &answer, &host);
}

/// A request of these bytes; `None` where there is no path in them.
fn read(input: &[u8]) -> Option<Request> {
    let end = input.windows(2).position(|two| two == b"\n\n").unwrap_or(input.len());
    let (head, body) = input.split_at(end);
    let head = String::from_utf8_lossy(head);
    let mut lines = head.lines();
    let (method, path) = lines.next()?.split_once(' ')?;
    let header = |line: &str| line.split_once(':').map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()));
    let headers = lines.filter_map(header).collect();
    let body = body.get(2..).unwrap_or_default().to_vec();
    Some(Request { method: Method::from(method), path: path.to_owned(), headers, body })
}

fn holds(route: Option<Route>, request: &Request, Answer { response, event }: &Answer, host: &Host) {
    let Response { status, .. } = *response;
    let is_document = matches!(route, Some(Route::Discovery | Route::Jwks)) && matches!(status, 200 | 204 | 304);
    // Nothing here fails, so nothing is ever the broker's fault.
    assert!(matches!(status, 200 | 204 | 304 | 400 | 401 | 403 | 404 | 405 | 413 | 415), "{status}");
    assert_eq!(response.header("cache-control") == Some("no-store"), !is_document, "{response:?}");
    assert_eq!(response.header("www-authenticate").is_some(), status == 401);
    assert_eq!(response.header("allow").is_some(), status == 405);
    let body = response.body_text();
    let signatures = *host.signatures.borrow();
    match (route, status) {
        (Some(Route::Mint), 200) => minted(body, "jwt", asked(&request.body)),
        (Some(Route::Token), 200) => minted(body, "access_token", exchanged(&request.body)),
        _ => assert_eq!((signatures, body.contains("eyJ")), (0, false), "{body}"),
    }
    // The one answer that may have a session token is a sign-in, and nobody has signed here.
    assert!(!body.contains("aks_B"), "{body}");
    if status >= 400 {
        error(route, body);
        let sent = format!("{}{}", request.path, String::from_utf8_lossy(&request.body));
        says_nothing_longer(body, sent.as_bytes(), NAME);
    }
    if let Some(event) = event {
        let line = serde_json::to_string(event).expect("an event always serialises");
        assert_eq!(repeated(&line, TOKEN.expose().as_bytes(), 8), None, "{line}");
        assert!(!line.contains("eyJ"), "{line}");
    }
}

/// The error form: OAuth's at the token endpoint, the broker's own elsewhere.
fn error(route: Option<Route>, body: &str) {
    let error: Value = serde_json::from_str(body).expect("an error is JSON");
    let words = if route == Some(Route::Token) { "error_description" } else { "message" };
    let members = error.as_object().expect("an error is an object");
    assert!(members.len() == 2 && members["error"].is_string() && members[words].is_string(), "{body}");
    let plain = |c: char| matches!(c, ' '..='~') && c != '"' && c != '\\';
    assert!(words == "message" || members[words].as_str().is_some_and(|text| text.chars().all(plain)), "{body}");
}

/// What a mint's body asks for, by another reader.
fn asked(body: &[u8]) -> (Option<String>, Option<u64>) {
    let asked: Value = serde_json::from_slice(body).unwrap_or_default();
    (asked["audience"].as_str().map(str::to_owned), asked["ttl_seconds"].as_u64())
}

fn exchanged(body: &[u8]) -> (Option<String>, Option<u64>) {
    let audience = form_urlencoded::parse(body).find(|(name, value)| name == "audience" && !value.is_empty());
    (audience.map(|(_, value)| value.into_owned()), None)
}

fn minted(body: &str, member: &str, (asked_audience, asked_ttl): (Option<String>, Option<u64>)) {
    static RECORD_VALUE: LazyLock<Value> = LazyLock::new(|| serde_json::from_str(RECORD).expect("JSON"));
    let answer: Value = serde_json::from_str(body).expect("an answer is JSON");
    let grant = Grant {
        issuer: ISSUER.to_owned(),
        audiences: ["sts.amazonaws.com", "b", "c"].map(str::to_owned).to_vec(),
        token_ttl: 300,
        with_omni: false,
        record: RECORD_VALUE.clone(),
        asked_audience,
        asked_ttl,
        now: NOW,
    };
    assert_eq!(grant.holds(&claims(answer[member].as_str().expect("a token"))), Ok(()));
}
