//! RFC 6749 §5.2, RFC 8693 §2.2.2: whatever goes wrong has OAuth's form.

use agentkeys_edge_broker::error::{Failure, Fault, Refusal, TokenReason};
use agentkeys_edge_broker::http::Method;
use agentkeys_edge_broker::oauth::{ErrorCode, TokenError};

use super::oauth_error;

fn of(failure: impl Into<Failure>) -> (u16, String, String) {
    oauth_error(&TokenError::from(failure).into_response())
}

#[test]
fn a_subject_token_that_is_no_live_session_is_one_invalid_request_whatever_is_wrong_with_it() {
    let answers = [TokenReason::Malformed, TokenReason::Unknown, TokenReason::Expired, TokenReason::BrokenRecord].map(|reason| {
        let response = TokenError::from(Refusal::InvalidToken(reason)).into_response();
        assert_eq!(response.header("www-authenticate"), None);
        response
    });
    assert!(answers.iter().all(|answer| *answer == answers[0]));
    let (status, error, _) = oauth_error(&answers[0]);
    assert_eq!((status, &*error), (400, "invalid_request"));
}

#[test]
fn an_audience_that_is_not_allowed_is_an_invalid_target() {
    let (status, error, description) = of(Refusal::Forbidden("This session may not use this audience.".into()));
    assert_eq!((status, &*error, &*description), (400, "invalid_target", "This session may not use this audience."));
}

#[test]
fn the_other_refusals_keep_their_status_and_their_words() {
    for (refusal, status) in [
        (Refusal::bad_request("Send one thing."), 400),
        (Refusal::NotFound, 404),
        (Refusal::MethodNotAllowed(&[Method::Post]), 405),
        (Refusal::PayloadTooLarge(8_192), 413),
        (Refusal::UnsupportedMediaType("application/x-www-form-urlencoded"), 415),
    ] {
        let (actual, error, description) = of(refusal.clone());
        assert_eq!((actual, &*error), (status, "invalid_request"), "{refusal:?}");
        assert!(refusal.into_response().body_text().contains(&description), "{description}");
    }
    let response = TokenError::from(Refusal::MethodNotAllowed(&[Method::Post])).into_response();
    assert_eq!(response.header("allow"), Some("POST"));
}

#[test]
fn our_faults_say_when_to_try_again_and_no_more() {
    for fault in [Fault::Configuration, Fault::NoSigningKey, Fault::Store, Fault::Signing] {
        let response = TokenError::from(fault).into_response();
        let (status, error, _) = oauth_error(&response);
        assert_eq!((status, &*error), (503, "temporarily_unavailable"), "{fault:?}");
        assert_eq!(response.header("retry-after"), fault.into_response().header("retry-after"));
        assert!(response.header("retry-after").is_some());
    }
    let (status, error, _) = of(Fault::Internal);
    assert_eq!((status, &*error), (500, "server_error"));
}

#[test]
fn a_description_has_the_characters_of_oauth_only() {
    let (_, _, description) = of(Refusal::bad_request("a \"b\" \\c\\ é … \n ~!"));
    assert_eq!(description, "a 'b' 'c' ' ' ' ~!");
}

#[test]
fn the_log_names_the_reason_and_whose_fault_it_is() {
    for (error, outcome) in [
        (ErrorCode::InvalidScope.saying("x"), ("refused", "invalid_scope")),
        (TokenError::from(Refusal::InvalidToken(TokenReason::Expired)), ("refused", "expired_session")),
        (TokenError::from(Fault::Store), ("failed", "store")),
    ] {
        assert_eq!(error.outcome(), outcome);
    }
}
