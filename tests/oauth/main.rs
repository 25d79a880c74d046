//! The token endpoint's request, answer and errors (RFC 8693, RFC 6749).

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a test that breaks says so"
)]

mod answer;
mod errors;
mod request;

use agentkeys_edge_broker::http::Response;
use agentkeys_edge_broker::oauth::{TokenError, TokenExchange};
use agentkeys_edge_broker::session::SessionToken;
use serde_json::{Map, Value};

/// A whole request: every required parameter.
fn required() -> Vec<(&'static str, String)> {
    vec![
        ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange".to_owned()),
        ("subject_token", SessionToken::from_random(&[7; 32]).expose().to_owned()),
        ("subject_token_type", "urn:ietf:params:oauth:token-type:access_token".to_owned()),
    ]
}

fn form<N: AsRef<str>, V: AsRef<str>>(parameters: &[(N, V)]) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(parameters).finish()
}

fn parse(form: &str) -> Result<TokenExchange, TokenError> {
    TokenExchange::parse(form.as_bytes(), Some("application/x-www-form-urlencoded"))
}

/// The required parameters and these.
fn with(parameters: &[(&'static str, &str)]) -> Result<TokenExchange, TokenError> {
    let mut all = required();
    all.extend(parameters.iter().map(|(name, value)| (*name, (*value).to_owned())));
    parse(&form(&all))
}

/// The members of an error in OAuth's form, held against what every one of them must be.
fn oauth_error(response: &Response) -> (u16, String, String) {
    assert_eq!(response.header("cache-control"), Some("no-store"));
    assert_eq!(response.header("content-type"), Some("application/json"));
    let mut members: Map<String, Value> = serde_json::from_str(response.body_text()).unwrap();
    let mut text = |name| members.remove(name).unwrap().as_str().unwrap().to_owned();
    let (error, description) = (text("error"), text("error_description"));
    assert!(members.is_empty(), "{members:?}");
    // RFC 6749 §5.2.
    let allowed = |byte: u8| matches!(byte, 0x20..=0x21 | 0x23..=0x5b | 0x5d..=0x7e);
    assert!(!description.is_empty() && description.bytes().all(allowed), "{description}");
    assert!(!description.contains("aks_B"), "{description}");
    (response.status, error, description)
}

/// The code that a request is refused with, as a bad request.
fn refused(outcome: Result<TokenExchange, TokenError>) -> String {
    let (status, error, _) = oauth_error(&outcome.unwrap_err().into_response());
    assert_eq!(status, 400);
    error
}
