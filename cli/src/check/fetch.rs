//! The key set from the issuer itself: discovery, then `jwks_uri` (OpenID Connect Discovery §4), as STS fetches it.

use super::json::Json;
use super::keys::{KeySet, no_key_set};
use super::rule::{Basis, Finding, Rule};
use crate::http::Client;

const NO_DOCUMENT: Rule = Rule::new(
    "discovery-answer",
    Basis::Doc,
    "Discovery ({issuer}/.well-known/openid-configuration) and the jwks_uri that it names are public and answer with JSON.",
    "Serve both without redirects, log-in, bot challenge or rate limit, and look at both with curl.",
);

const REDIRECT: Rule = Rule::new(
    "discovery-redirect",
    Basis::NotRecorded,
    "Discovery and jwks_uri answer themselves, without a redirect.",
    "Serve both documents at their own URLs.",
);

const OTHER_ISSUER: Rule = Rule::new(
    "discovery-of-another-issuer",
    Basis::NotRecorded,
    "The issuer in the discovery document is the issuer it was asked of, byte for byte (OpenID Connect Discovery, 4.3).",
    "Make issuer in the discovery document, iss in the tokens and the registered URL the same text.",
);

/// STS's words where it finds no key, blanks and all.
const NO_KEY: &str = "Couldn't retrieve verification key from your identity provider,  please reference AssumeRoleWithWebIdentity documentation for requirements";

/// The key set could not be had, so no verdict can. The text is one line and says what to do.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct CannotTell(pub(super) String);

/// What the issuer publishes: a key set, or the rule that it breaks.
pub(super) fn published(client: &Client, issuer: &str) -> Result<Result<KeySet, Finding>, CannotTell> {
    let discovery_url = format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'));
    let document = match document(client, "discovery", &discovery_url)? {
        Ok(document) => document,
        Err(finding) => return Ok(Err(finding)),
    };
    match jwks_uri(&document, issuer) {
        Ok(jwks_uri) => Ok(self::document(client, "jwks_uri", &jwks_uri)?.and_then(|document| KeySet::parse(&document))),
        Err(finding) => Ok(Err(finding)),
    }
}

/// One document, where the server answered.
fn document(client: &Client, what: &str, url: &str) -> Result<Result<Vec<u8>, Finding>, CannotTell> {
    let cannot = |why: &dyn std::fmt::Display| CannotTell(format!("{what} {} {why}; give the key set with --jwks FILE", shown(url)));
    let answer = client.get(url).map_err(|error| cannot(&error))?;
    match answer.status {
        200 => Ok(Ok(answer.body)),
        300..=399 => Ok(Err(REDIRECT.broken().because(format!("{what} answered with a redirect.")))),
        408 | 425 | 429 | 500..=599 => Err(cannot(&format!("answered with status {}", answer.status))),
        status => Ok(Err(NO_DOCUMENT.broken().saying(NO_KEY).because(format!("{what} answered with status {status}.")))),
    }
}

/// Where the keys are, from the discovery document.
fn jwks_uri(document: &[u8], issuer: &str) -> Result<String, Finding> {
    let no_document = |because: &'static str| NO_DOCUMENT.broken().saying(NO_KEY).because(because);
    let document = Json::parse(document).ok_or_else(|| no_document("The discovery document is not JSON."))?;
    let document = document.as_object().ok_or_else(|| no_document("The discovery document is not a JSON object."))?;
    if document.get("issuer").and_then(Json::as_str) != Some(issuer) {
        return Err(OTHER_ISSUER.broken());
    }
    let jwks_uri = document.get("jwks_uri").and_then(Json::as_str);
    let jwks_uri = jwks_uri.ok_or_else(|| no_document("The discovery document has no jwks_uri."))?;
    let is_loopback = crate::http::is_loopback_http(jwks_uri) && crate::http::is_loopback_http(issuer);
    if jwks_uri.starts_with("https://") || is_loopback { Ok(jwks_uri.to_owned()) } else { Err(no_key_set("jwks_uri is not an https URL.")) }
}

/// A URL for people: escaped, and not longer than a line.
fn shown(url: &str) -> String {
    url.chars().take(300).flat_map(char::escape_debug).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ISSUER: &str = "https://keys.example.com";

    #[test]
    fn discovery_names_its_issuer_and_where_the_keys_are() {
        let found = |text: &str| jwks_uri(text.as_bytes(), ISSUER).map_err(|finding| finding.rule.id);
        assert_eq!(
            found(r#"{"issuer":"https://keys.example.com","jwks_uri":"https://other.example.com/any/path"}"#),
            Ok("https://other.example.com/any/path".to_owned())
        );
        for (document, rule) in [
            ("", "discovery-answer"),
            ("<html>", "discovery-answer"),
            ("[]", "discovery-answer"),
            (r#"{"issuer":"https://keys.example.com"}"#, "discovery-answer"),
            (r#"{"issuer":"https://keys.example.com","jwks_uri":7}"#, "discovery-answer"),
            (r#"{"issuer":"https://keys.example.com","jwks_uri":"http://keys.example.com/jwks"}"#, "key-set-form"),
            (r#"{"issuer":"https://keys.example.com","jwks_uri":"http://localhost/jwks"}"#, "key-set-form"),
            (r#"{"jwks_uri":"https://keys.example.com/jwks"}"#, "discovery-of-another-issuer"),
            (r#"{"issuer":"https://keys.example.com/","jwks_uri":"https://keys.example.com/jwks"}"#, "discovery-of-another-issuer"),
        ] {
            assert_eq!(found(document), Err(rule), "{document}");
        }
    }

    #[test]
    fn a_development_issuer_has_its_keys_on_this_machine() {
        let document = br#"{"issuer":"http://localhost:8787","jwks_uri":"http://localhost:8787/.well-known/jwks.json"}"#;
        assert!(jwks_uri(document, "http://localhost:8787").is_ok());
    }

    #[test]
    fn a_url_is_shown_without_control_characters() {
        assert_eq!(shown("https://a\u{1b}[31m\n"), "https://a\\u{1b}[31m\\n");
    }
}
