//! RFC 8693 §2.1: the request.

use agentkeys_edge_broker::error::{Refusal, TokenReason};
use agentkeys_edge_broker::oauth::{BODY_BYTES_MAX, TokenError, TokenExchange, TokenType};
use agentkeys_edge_broker::session::SessionToken;

use super::{form, parse, refused, required, with};

const FORM: &str = "application/x-www-form-urlencoded";

#[test]
fn the_required_parameters_ask_for_a_jwt_and_the_session_s_defaults() {
    let request = with(&[]).unwrap();
    assert_eq!(request.subject_token, SessionToken::from_random(&[7; 32]));
    assert_eq!((request.asked.audience, request.asked.ttl_seconds), (None, None));
    assert_eq!(request.token_type, TokenType::Jwt);
}

#[test]
fn an_audience_and_a_type_may_be_asked_for() {
    let request =
        with(&[("audience", "api://AzureADTokenExchange"), ("requested_token_type", "urn:ietf:params:oauth:token-type:id_token")]).unwrap();
    assert_eq!(request.asked.audience.unwrap().as_str(), "api://AzureADTokenExchange");
    assert_eq!(request.token_type, TokenType::IdToken);
    let request = with(&[("requested_token_type", "urn:ietf:params:oauth:token-type:jwt")]).unwrap();
    assert_eq!(request.token_type, TokenType::Jwt);
}

#[test]
fn the_form_is_decoded() {
    let token = SessionToken::from_random(&[7; 32]);
    let body = format!(
        "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Atoken-exchange&&subject_token=%61ks_{}&\
         subject%5Ftoken_type=urn:ietf:params:oauth:token-type:access_token&audience=a%2Bb",
        token.expose().strip_prefix("aks_").unwrap()
    );
    let request = parse(&body).unwrap();
    assert_eq!(request.subject_token, token);
    assert_eq!(request.asked.audience.unwrap().as_str(), "a+b");
    // A plus is a blank, and an audience has none.
    assert_eq!(refused(with(&[]).and_then(|_| parse(&format!("{}&audience=a+b", form(&required()))))), "invalid_target");
}

#[test]
fn every_required_parameter_is_required() {
    for missing in ["grant_type", "subject_token", "subject_token_type"] {
        let without: Vec<_> = required().into_iter().filter(|(name, _)| *name != missing).collect();
        assert_eq!(refused(parse(&form(&without))), "invalid_request", "{missing}");
        let empty: Vec<_> =
            required().into_iter().map(|(name, value)| (name, if name == missing { String::new() } else { value })).collect();
        assert_eq!(refused(parse(&form(&empty))), "invalid_request", "{missing}");
    }
    assert_eq!(refused(parse("")), "invalid_request");
}

#[test]
fn another_grant_is_not_supported() {
    for grant in ["client_credentials", "authorization_code", "urn:ietf:params:oauth:grant-type:TOKEN-EXCHANGE", " ", "token-exchange"] {
        assert_eq!(refused(parse(&form(&[("grant_type", grant)]))), "unsupported_grant_type", "{grant}");
    }
}

#[test]
fn no_known_parameter_is_there_twice() {
    for (name, value) in required() {
        assert_eq!(refused(with(&[(name, &value)])), "invalid_request", "{name}");
        assert_eq!(refused(with(&[(name, "other")])), "invalid_request", "{name}");
    }
    for (name, value) in [("requested_token_type", "urn:ietf:params:oauth:token-type:jwt"), ("scope", "openid")] {
        assert!(with(&[(name, value)]).is_ok());
        assert_eq!(refused(with(&[(name, value), (name, value)])), "invalid_request", "{name}");
    }
}

#[test]
fn a_parameter_without_a_value_is_as_if_it_were_left_out() {
    let names = ["audience", "resource", "scope", "requested_token_type", "actor_token", "actor_token_type", "subject_token", "x", ""];
    let empty: Vec<_> = names.map(|name| (name, "")).into();
    assert_eq!(with(&empty), with(&[]));
}

#[test]
fn parameters_that_are_not_known_are_ignored_however_often() {
    let unknown = [("client_id", "a"), ("x", "1"), ("x", "2"), ("ttl_seconds", "1"), ("Audience", "b"), ("é", "é"), ("audience ", "c")];
    assert_eq!(with(&unknown), with(&[]));
}

#[test]
fn a_subject_token_is_an_access_token_by_its_type() {
    for name in [
        "urn:ietf:params:oauth:token-type:jwt",
        "urn:ietf:params:oauth:token-type:id_token",
        "urn:ietf:params:oauth:token-type:refresh_token",
        "access_token",
    ] {
        let mut parameters = required();
        name.clone_into(&mut parameters[2].1);
        assert_eq!(refused(parse(&form(&parameters))), "invalid_request", "{name}");
    }
}

#[test]
fn a_subject_token_that_cannot_be_a_session_s_is_an_invalid_request() {
    let mut parameters = required();
    for token in ["x", "aks_", "eyJhbGciOiJFUzI1NiJ9.e30.AAAA", &"a".repeat(7_000)] {
        token.clone_into(&mut parameters[1].1);
        let outcome = parse(&form(&parameters));
        assert_eq!(outcome, Err(TokenError::from(Refusal::InvalidToken(TokenReason::Malformed))));
        assert_eq!(refused(outcome), "invalid_request");
    }
}

#[test]
fn a_token_of_another_type_is_not_issued() {
    for name in ["urn:ietf:params:oauth:token-type:access_token", "urn:ietf:params:oauth:token-type:saml2", "jwt", " "] {
        assert_eq!(refused(with(&[("requested_token_type", name)])), "invalid_request", "{name}");
    }
}

#[test]
fn an_actor_is_refused() {
    for parameters in [
        &[("actor_token", "a")][..],
        &[("actor_token_type", "urn:ietf:params:oauth:token-type:jwt")],
        &[("actor_token", "a"), ("actor_token_type", "urn:ietf:params:oauth:token-type:jwt")],
    ] {
        assert_eq!(refused(with(parameters)), "invalid_request");
    }
}

#[test]
fn a_resource_or_a_second_audience_is_an_invalid_target() {
    for parameters in [
        &[("resource", "https://a.example")][..],
        &[("resource", "https://a.example"), ("resource", "https://b.example")],
        &[("audience", "a"), ("resource", "https://a.example")],
        &[("audience", "a"), ("audience", "b")],
        &[("audience", "a"), ("audience", "a")],
        &[("audience", "a b")],
        &[("audience", "é")],
        &[("audience", &"a".repeat(256))],
    ] {
        assert_eq!(refused(with(parameters)), "invalid_target", "{parameters:?}");
    }
}

#[test]
fn a_scope_but_openid_is_invalid() {
    assert!(with(&[("scope", "openid")]).is_ok());
    for scope in ["profile", "openid profile", "OpenID", " "] {
        assert_eq!(refused(with(&[("scope", scope)])), "invalid_scope", "{scope}");
    }
}

#[test]
fn a_body_is_a_form() {
    let body = form(&required());
    for content_type in [FORM, "Application/X-WWW-Form-URLEncoded", "application/x-www-form-urlencoded; charset=UTF-8"] {
        assert!(TokenExchange::parse(body.as_bytes(), Some(content_type)).is_ok(), "{content_type}");
    }
    for content_type in [None, Some(""), Some("application/json"), Some("multipart/form-data; boundary=a")] {
        let outcome = TokenExchange::parse(body.as_bytes(), content_type);
        assert_eq!(outcome, Err(TokenError::from(Refusal::UnsupportedMediaType(FORM))), "{content_type:?}");
    }
}

#[test]
fn a_body_of_a_megabyte_is_not_read() {
    let padded = |length: usize| {
        let body = format!("{}&x=", form(&required()));
        format!("{body}{}", "a".repeat(length - body.len()))
    };
    assert!(parse(&padded(BODY_BYTES_MAX)).is_ok());
    for length in [BODY_BYTES_MAX + 1, 1_000_000] {
        assert_eq!(parse(&padded(length)), Err(TokenError::from(Refusal::PayloadTooLarge(BODY_BYTES_MAX))));
    }
}

#[test]
fn bytes_that_are_no_form_are_refused_and_nothing_breaks() {
    for body in [&b"\xff\xfe=\x00&%"[..], b"%%%", b"&&&&", b"====", b"grant_type=%ff", &[b'%'; 8_192], &[b'&'; 8_192]] {
        let error = TokenExchange::parse(body, Some(FORM)).unwrap_err();
        assert_eq!(error.into_response().status, 400);
    }
}
