//! What is asked for. `mint_body`: an input is a body. `token_exchange`: an input is a form.

use agentkeys_edge_broker::aws::Audience;
use agentkeys_edge_broker::error::{Failure, Refusal};
use agentkeys_edge_broker::mint::{MintRequest, decide};
use agentkeys_edge_broker::oauth::{BODY_BYTES_MAX, TokenError, TokenExchange};
use agentkeys_edge_broker::session::SessionRecord;
use form_urlencoded::Serializer;
use serde_json::{Value, json};

use crate::grant::Grant;
use crate::said::{says_nothing_longer, says_nothing_of};
use crate::sessions::with_member;
use crate::world::{ISSUER, NOW, RECORD, at, config, mint_within};

const JSON: Option<&str> = Some("application/json");
const FORM: Option<&str> = Some("application/x-www-form-urlencoded");
/// The longest name that a refusal may repeat, and one byte.
const NAME: usize = 33;

/// A body that is read says what another reader reads, has no third member, and gets nothing that the session does not have.
pub fn mint_body(input: &[u8]) {
    let request = match MintRequest::parse(input, JSON) {
        Ok(request) => request,
        Err(Refusal::BadRequest(message)) => return says_nothing_longer(&message, input, NAME),
        Err(other) => panic!("{other:?}"),
    };
    let text = core::str::from_utf8(input).expect("JSON is UTF-8");
    let read: Value = if input.is_empty() { json!({}) } else { serde_json::from_str(text).expect("what was read is JSON") };
    let mut meant = json!({});
    if let Some(audience) = &request.audience {
        meant["audience"] = json!(audience.as_str());
    }
    if let Some(seconds) = request.ttl_seconds {
        meant["ttl_seconds"] = json!(seconds);
    }
    assert_eq!(read, meant);
    if !input.is_empty() {
        for extra in [r#""scope":null"#, r#""Audience":"b""#, r#""wallet":"0x00""#] {
            assert!(MintRequest::parse(with_member(text, extra).as_bytes(), JSON).is_err(), "{extra}");
        }
        assert!(MintRequest::parse(input, Some("text/plain")).is_err() && MintRequest::parse(input, None).is_err());
    }
    within(&request);
}

/// Whatever a request says, its token is within the session and the configuration.
fn within(request: &MintRequest) {
    let config = config(&[("AUDIENCES", r#"["sts.amazonaws.com","b","c"]"#)]);
    let mut plain: Value = serde_json::from_str(RECORD).expect("JSON");
    for member in ["audiences", "max_token_ttl"] {
        plain.as_object_mut().expect("an object").remove(member);
    }
    for record in [serde_json::from_str(RECORD).expect("JSON"), plain] {
        let session = SessionRecord::parse(&record.to_string()).expect("a good record");
        let Ok(decision) = decide(&config, &session, request, at(NOW)) else { continue };
        let grant = Grant {
            issuer: ISSUER.to_owned(),
            audiences: ["sts.amazonaws.com", "b", "c"].map(str::to_owned).to_vec(),
            token_ttl: 300,
            with_omni: false,
            record,
            asked_audience: request.audience.as_ref().map(|audience| audience.as_str().to_owned()),
            asked_ttl: request.ttl_seconds,
            now: NOW,
        };
        mint_within(&config, &session, &decision, &grant);
    }
}

/// A form that is read has everything that is asked for once, and nothing that this broker cannot honour.
pub fn token_exchange(input: &[u8]) {
    let exchange = match TokenExchange::parse(input, FORM) {
        Ok(exchange) => exchange,
        Err(TokenError::Request(_, message)) => return says_nothing_of(message, input),
        Err(TokenError::Common(Failure::Refused(refusal))) => {
            assert!(!matches!(refusal, Refusal::PayloadTooLarge(_)) || input.len() > BODY_BYTES_MAX);
            return says_nothing_of(refusal.into_response().body_text(), input);
        }
        Err(TokenError::Common(other)) => panic!("{other:?}"),
    };
    let sent: Vec<(String, String)> = form_urlencoded::parse(input)
        .map(|(name, value)| (name.into_owned(), value.into_owned()))
        .filter(|(_, value)| !value.is_empty())
        .collect();
    let values = |name: &str| sent.iter().filter(|(known, _)| known == name).map(|(_, value)| value.as_str()).collect::<Vec<_>>();
    assert_eq!(values("grant_type"), ["urn:ietf:params:oauth:grant-type:token-exchange"]);
    assert_eq!(values("subject_token_type"), ["urn:ietf:params:oauth:token-type:access_token"]);
    assert_eq!(values("subject_token"), [exchange.subject_token.expose()]);
    assert_eq!(values("audience"), exchange.asked.audience.iter().map(Audience::as_str).collect::<Vec<_>>());
    assert_eq!(exchange.asked.ttl_seconds, None);
    for refused in ["resource", "actor_token", "actor_token_type"] {
        assert!(values(refused).is_empty());
        assert!(TokenExchange::parse(&longer(input, refused, "x"), FORM).is_err(), "{refused}");
    }
    // What is known is there once, and what is not known changes nothing.
    for (name, value) in &sent {
        let again = TokenExchange::parse(&longer(input, name, value), FORM);
        let is_known =
            ["grant_type", "subject_token", "subject_token_type", "requested_token_type", "scope", "audience"].contains(&name.as_str());
        assert!(if is_known { again.is_err() } else { again.as_ref() == Ok(&exchange) || input.len() > BODY_BYTES_MAX / 2 }, "{name}");
    }
    within(&exchange.asked);
}

/// A form with one more parameter.
fn longer(form: &[u8], name: &str, value: &str) -> Vec<u8> {
    let more = Serializer::new(String::new()).append_pair(name, value).finish();
    [form, b"&", more.as_bytes()].concat()
}
