//! `headers`: an input is lines: `Authorization`, `If-None-Match` (where `{tag}` is the document's tag), `Content-Type`,
//! `CF-Connecting-IP`, an issuer, a path.

use agentkeys_edge_broker::config::base_path;
use agentkeys_edge_broker::http::{Credential, Document, Method, Route, bearer, has_media_type};
use agentkeys_edge_broker::limit::Client;
use agentkeys_edge_broker::session::{SessionHash, SessionToken, record_key};

use crate::said::repeated;
use crate::world::Request;

pub fn headers(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    let mut lines = text.split('\n');
    let mut next = || lines.next().unwrap_or_default();
    let (authorization, if_none_match, content_type, address, issuer, path) = (next(), next(), next(), next(), next(), next());
    credential(authorization);
    conditional(if_none_match);
    media_type(content_type);
    client(address);
    route(issuer, path);
}

/// One Bearer credential is what stands after the scheme; a second one is never overlooked.
fn credential(header: &str) {
    let found = bearer(Some(header));
    let second = format!("{header}, Bearer x");
    match found {
        Credential::Bearer(token) => {
            assert!(!header.contains(',') && header.contains(token) && token.trim_matches([' ', '\t']) == token);
            let scheme = header.trim_matches([' ', '\t']).get(..6);
            assert!(scheme.is_some_and(|scheme| scheme.eq_ignore_ascii_case("bearer")), "{header:?}");
            assert_eq!(bearer(Some(&second)), Credential::Several, "{second:?}");
            session_token(token);
        }
        Credential::Several => assert!(header.contains(',') && bearer(Some(&second)) == Credential::Several),
        Credential::None => {
            let is_bearer = |part: &str| {
                let part = part.trim_matches([' ', '\t']);
                part.split([' ', '\t']).next().is_some_and(|scheme| scheme.eq_ignore_ascii_case("bearer"))
            };
            assert!(!header.split(',').any(is_bearer), "{header:?}");
        }
    }
    assert_eq!(bearer(None), Credential::None);
}

/// A session token has one spelling, does not print, and is stored under a name that is not itself.
fn session_token(text: &str) {
    if let Ok(token) = text.parse::<SessionToken>() {
        assert_eq!((token.expose(), text.len()), (text, 47));
        let hash = token.hash();
        assert_eq!(hash.as_str().parse::<SessionHash>().as_ref(), Ok(&hash));
        for shown in [format!("{token:?}"), hash.to_string(), record_key(&hash)] {
            assert_eq!(repeated(&shown, text.as_bytes(), 8), None);
        }
    }
}

/// A 304 is for who names this document's tag, or any; either way the answer may be cached and says which it is.
fn conditional(header: &str) {
    let document = Document::new(&serde_json::json!({"issuer": "https://keys.example.com"}));
    let ask = |method: Method, header: Option<&str>| {
        let headers = header.map(|value| ("if-none-match".to_owned(), value.to_owned())).into_iter().collect();
        document.answer(&Request { method, path: String::new(), headers, body: Vec::new() })
    };
    let tag = document.etag();
    let header = &header.replace("{tag}", tag);
    let answer = ask(Method::Get, Some(header));
    let is_named = header.split(',').map(str::trim).any(|one| one.strip_prefix("W/").unwrap_or(one) == tag);
    let is_known = header.trim() == "*" || is_named;
    assert_eq!(answer.status, if is_known { 304 } else { 200 }, "{header:?}");
    assert_eq!(answer.body_text().is_empty(), is_known);
    assert_eq!((answer.header("etag"), answer.header("cache-control")), (Some(tag), Some("public, max-age=900")));
    assert_eq!(ask(Method::Get, Some(&format!("{tag}, {header}"))).status, 304);
    assert_eq!(ask(Method::Options, Some(header)).status, 204);
    assert_eq!(ask(Method::Get, None).status, 200);
}

/// A media type is one in any case, with parameters or without, and nothing else begins so.
fn media_type(header: &str) {
    const JSON: &str = "application/json";
    let is_json = has_media_type(Some(header), JSON);
    let essence = header.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    assert_eq!(is_json, essence == JSON, "{header:?}");
    assert_eq!(has_media_type(Some(&format!("{header}; charset=utf-8")), JSON), is_json);
    assert!(!has_media_type(None, JSON));
}

/// A client is an address or unknown: whatever a header says, the key of a limit is short and plain.
fn client(header: &str) {
    let client = Client::of(Some(header)).to_string();
    assert!(client.len() <= 43 && client.bytes().all(|byte| byte.is_ascii_hexdigit() || b".:/unkow".contains(&byte)), "{client}");
    assert_eq!(Client::of(Some(&format!(" {header} "))).to_string(), client);
}

/// A route is the issuer's path and its own, byte for byte.
fn route(issuer: &str, path: &str) {
    let base = base_path(Some(issuer));
    assert!(base.is_empty() || (base.starts_with('/') && !base.ends_with('/') && issuer.ends_with(&base)), "{base:?}");
    match Route::find(&base, path) {
        Some(route) => assert_eq!(path, format!("{base}{}", route.path())),
        None => assert!(Route::ALL.iter().all(|(_, known)| path != format!("{base}{known}"))),
    }
    for (route, known) in Route::ALL {
        assert_eq!(Route::find(&base, &format!("{base}{known}")), Some(route));
        let longer = format!("{base}{known}{path}");
        assert_eq!(Route::find(&base, &longer).is_some(), path.is_empty(), "{longer:?}");
    }
}
