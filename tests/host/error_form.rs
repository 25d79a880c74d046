//! Errors: status, kind and headers of each, one form for all, and messages that say what to do.

use agentkeys_edge_broker::error::{Failure, Fault, Refusal, TokenReason};
use agentkeys_edge_broker::http::{Method, Response, Route};
use agentkeys_edge_broker::limit::Limit;
use agentkeys_edge_broker::signin::SigninReason;

use crate::support::world::{Request, World, error_of};

/// Every refusal and every fault, with status, kind and the headers of its own.
type Expected = (u16, &'static str, &'static [(&'static str, &'static str)]);

const INVALID: Expected = (401, "unauthorized", &[("www-authenticate", r#"Bearer error="invalid_token""#)]);
const LIMITED: Expected = (429, "rate_limited", &[("retry-after", "60")]);
const SIGNIN: Expected = (401, "unauthorized", &[("www-authenticate", "Bearer")]);

fn every_failure() -> Vec<(Failure, Expected)> {
    let refused = |refusal: Refusal, expected: Expected| (Failure::from(refusal), expected);
    let failed = |fault: Fault, expected: Expected| (Failure::from(fault), expected);
    vec![
        refused(Refusal::bad_request("Send it once."), (400, "bad_request", &[])),
        refused(Refusal::NoCredential, (401, "unauthorized", &[("www-authenticate", "Bearer")])),
        refused(Refusal::InvalidToken(TokenReason::Malformed), INVALID),
        refused(Refusal::InvalidToken(TokenReason::Unknown), INVALID),
        refused(Refusal::InvalidToken(TokenReason::Expired), INVALID),
        refused(Refusal::InvalidToken(TokenReason::BrokenRecord), INVALID),
        refused(Refusal::SigninFailed(SigninReason::Unknown), SIGNIN),
        refused(Refusal::SigninFailed(SigninReason::Expired), SIGNIN),
        refused(Refusal::SigninFailed(SigninReason::Broken), SIGNIN),
        refused(Refusal::SigninFailed(SigninReason::WrongSigner), SIGNIN),
        refused(Refusal::Forbidden("Not this one.".into()), (403, "forbidden", &[])),
        refused(Refusal::WalletNotListed, (403, "forbidden", &[])),
        refused(Refusal::NotFound, (404, "not_found", &[])),
        refused(Refusal::MethodNotAllowed(&[Method::Get, Method::Delete]), (405, "method_not_allowed", &[("allow", "GET, DELETE")])),
        refused(Refusal::MethodNotAllowed(&[Method::Post]), (405, "method_not_allowed", &[("allow", "POST")])),
        refused(Refusal::PayloadTooLarge(4_096), (413, "payload_too_large", &[])),
        refused(Refusal::UnsupportedMediaType("application/json"), (415, "unsupported_media_type", &[])),
        refused(Refusal::RateLimited(Limit::Mint), LIMITED),
        refused(Refusal::RateLimited(Limit::Refused), LIMITED),
        refused(Refusal::RateLimited(Limit::SigninClient), LIMITED),
        refused(Refusal::RateLimited(Limit::SigninWallet), LIMITED),
        failed(Fault::Internal, (500, "internal", &[])),
        failed(Fault::Configuration, (503, "unavailable", &[("retry-after", "60")])),
        failed(Fault::NoSigningKey, (503, "unavailable", &[("retry-after", "60")])),
        failed(Fault::Store, (503, "unavailable", &[("retry-after", "1")])),
        failed(Fault::SigninStore, (503, "unavailable", &[("retry-after", "1")])),
        failed(Fault::Challenges, (503, "unavailable", &[("retry-after", "1")])),
        failed(Fault::Signing, (503, "unavailable", &[("retry-after", "1")])),
    ]
}

/// The headers beside those that every error has.
fn own_headers(response: &Response) -> Vec<(&str, &str)> {
    let common = ["content-type", "cache-control"];
    response.headers.iter().map(|(name, value)| (*name, &**value)).filter(|(name, _)| !common.contains(name)).collect()
}

#[test]
fn every_error_has_its_status_its_kind_its_headers_and_the_one_form() {
    for (failure, (status, kind, headers)) in every_failure() {
        let response = failure.clone().into_response();
        let (actual_status, actual_kind, message) = error_of(&response);
        assert_eq!((actual_status, actual_kind.as_str()), (status, kind), "{failure:?}");
        assert_eq!(own_headers(&response), headers, "{failure:?}");
        assert!(message.ends_with(['.', '…']) && message.len() > 10, "{message}");
    }
}

#[test]
fn a_refusal_says_what_to_do_with_the_value_that_helps() {
    let message = |refusal: Refusal| error_of(&refusal.into_response()).2;
    for (message, value) in [
        (message(Refusal::MethodNotAllowed(&[Method::Get, Method::Head])), "GET, HEAD"),
        (message(Refusal::PayloadTooLarge(4_096)), "4096 bytes"),
        (message(Refusal::UnsupportedMediaType("application/json")), "Content-Type: application/json"),
        (message(Refusal::NoCredential), "Authorization: Bearer"),
        (message(Refusal::bad_request("Send it once.")), "Send it once."),
    ] {
        assert!(message.contains(value), "{message}");
    }
}

#[test]
fn whatever_is_wrong_with_a_credential_or_a_sign_in_the_words_are_the_same() {
    let session = |reason| Refusal::InvalidToken(reason).into_response();
    for reason in [TokenReason::Unknown, TokenReason::Expired, TokenReason::BrokenRecord] {
        assert!(session(reason) == session(TokenReason::Malformed), "{reason:?}");
    }
    let signin = |reason| Refusal::SigninFailed(reason).into_response();
    for reason in [SigninReason::Expired, SigninReason::Broken, SigninReason::WrongSigner] {
        assert!(signin(reason) == signin(SigninReason::Unknown), "{reason:?}");
    }
    assert!(session(TokenReason::Unknown) != signin(SigninReason::Unknown));
}

#[test]
fn a_fault_keeps_its_reason_for_the_log() {
    let failures = every_failure();
    for (failure, _) in &failures {
        if let Failure::Faulted(fault) = failure {
            let (_, _, message) = error_of(&fault.into_response());
            for inside in ["KV", "Web Crypto", "store", "JWK", "secret"] {
                assert!(!message.contains(inside), "{message}");
            }
        }
    }
    // The store's and the signer's faults look the same from outside, and differ in the log.
    assert!(Fault::Store.into_response() == Fault::Signing.into_response());
    assert_ne!(Fault::Store.as_str(), Fault::Signing.as_str());
}

#[test]
fn every_reason_has_a_name_of_its_own_in_the_log() {
    let mut names: Vec<&str> = every_failure()
        .iter()
        .map(|(failure, _)| match failure {
            Failure::Refused(refusal) => refusal.reason(),
            Failure::Faulted(fault) => fault.as_str(),
        })
        .collect();
    names.dedup();
    let all = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), all);
    assert!(names.iter().all(|name| name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')));
}

#[test]
fn a_path_that_is_no_route_and_a_method_that_a_route_has_not() {
    let world = World::new(&[], &[]);
    for path in ["/", "/v1", "/v1/mint-oidc-jwt/", "/v1/Session", "/.well-known", "/v1/mint-oidc-jwt?x"] {
        assert_eq!(error_of(&world.send(&Request::new(Method::Get, path)).response).0, 404, "{path}");
    }
    let methods = [Method::Get, Method::Head, Method::Post, Method::Delete, Method::Options, Method::Other];
    for (route, path) in Route::ALL {
        for method in methods {
            let refused = Route::of("", path, method).err();
            assert_eq!(refused.is_none(), route.methods().contains(&method), "{path} {method:?}");
            if let Some(refusal) = refused {
                let response = refusal.into_response();
                let allow = response.header("allow").unwrap();
                assert_eq!(response.status, 405);
                assert_eq!(allow.split(", ").map(Method::from).collect::<Vec<_>>(), route.methods(), "{path}");
            }
        }
    }
}

#[test]
fn debug_of_a_response_is_without_its_body() {
    let shown = format!("{:?}", Response::text(200, "hunter2").no_store());
    assert!(!shown.contains("hunter2") && shown.contains("no-store"), "{shown}");
}
