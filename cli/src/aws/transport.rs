//! AWS's SDK over the tool's own HTTP client: one TLS, one file of CAs, one proxy rule and one set of words for what fails.
//!
//! The client blocks. That is right here: these commands make one request at a time, and each is bounded.

use std::time::Duration;

use aws_sdk_sts::config::http::{HttpRequest, HttpResponse};
use aws_sdk_sts::config::{HttpClient, RuntimeComponents};
use aws_sdk_sts::error::{ConnectorError, SdkError};
use aws_smithy_runtime_api::client::http::{HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector};
use aws_smithy_types::body::SdkBody;
use ureq::http::{HeaderValue, Response, header::HOST};

use crate::error::Error;
use crate::http::{Client, HttpError};

/// How long one answer may take. STS itself waits about 5 s for an issuer.
pub(crate) const LIMIT: Duration = Duration::from_secs(10);

/// What the SDK sends through.
#[derive(Clone, Debug)]
pub(crate) struct Transport(pub(crate) Client);

impl HttpClient for Transport {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for Transport {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        HttpConnectorFuture::ready(self.exchange(request))
    }
}

impl Transport {
    fn exchange(&self, request: HttpRequest) -> Result<HttpResponse, ConnectorError> {
        let mut request = request.try_into_http1x().map_err(|error| ConnectorError::user(error.into()))?;
        // The signature covers the host without the scheme's own port, so that is what is sent.
        if let Some(host) = signed_host(request.uri()) {
            request.headers_mut().insert(HOST, host);
        }
        let (parts, body) = request.into_parts();
        let body = body.bytes().ok_or_else(|| ConnectorError::user("a body that is not in memory".into()))?.to_vec();
        let request = ureq::http::Request::from_parts(parts, body);
        let response = self.0.send(request, LIMIT).map_err(|error| ConnectorError::other(error.into(), None))?;
        let response: Response<SdkBody> = response.map(SdkBody::from);
        HttpResponse::try_from(response).map_err(|error| ConnectorError::other(error.into(), None))
    }
}

fn signed_host(uri: &ureq::http::Uri) -> Option<HeaderValue> {
    let host = uri.host()?;
    let port = uri.port_u16().filter(|port| !matches!((uri.scheme_str(), port), (Some("https"), 443) | (Some("http"), 80)));
    let text = port.map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
    HeaderValue::from_str(&text).ok()
}

/// Runs one of the SDK's futures on this thread.
pub(crate) fn wait<F: Future>(future: F) -> Result<F::Output, Error> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
    let runtime = runtime.map_err(|_| Error::outside("this machine has no room for one more event loop: try again"))?;
    Ok(runtime.block_on(future))
}

/// What came of a request that did not succeed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Failure {
    /// The service said so: its status, and its code where it named one.
    Refused { status: u16, code: Option<String> },
    /// No answer; the text says why, without a subject.
    NoAnswer { why: String, may_pass: bool },
    /// An answer that is none of this service.
    Foreign { status: u16 },
}

impl Failure {
    /// Whether the same request may succeed another time.
    pub(crate) fn may_pass(&self) -> bool {
        match self {
            Self::Refused { status, code } => {
                let code = code.as_deref().unwrap_or_default();
                is_passing(*status) || matches!(code, "IDPCommunicationError" | "SlowDown") || code.starts_with("Throttl")
            }
            Self::NoAnswer { may_pass, .. } => *may_pass,
            Self::Foreign { status } => is_passing(*status),
        }
    }

    /// Whether nobody is there to ask further.
    pub(crate) fn is_silence(&self) -> bool {
        matches!(self, Self::NoAnswer { .. })
    }

    /// The service's own code.
    pub(crate) fn code(&self) -> Option<&str> {
        if let Self::Refused { code, .. } = self { code.as_deref() } else { None }
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Refused { status, code: Some(code) } => write!(f, "answered {code} ({status})"),
            Self::Refused { status, code: None } => write!(f, "answered with status {status}"),
            Self::NoAnswer { why, .. } => f.write_str(why),
            Self::Foreign { status } => write!(f, "answered with status {status} and something that is none of this service"),
        }
    }
}

/// The failure behind an error of the SDK. `code` is what the SDK read in the answer.
pub(crate) fn failure<E>(error: &SdkError<E>, code: Option<&str>) -> Failure {
    match error {
        SdkError::ServiceError(refusal) => {
            let raw = refusal.raw();
            if raw.status().is_success() {
                return Failure::Foreign { status: raw.status().as_u16() };
            }
            let code = code.map(ToOwned::to_owned).or_else(|| raw.body().bytes().and_then(code_in)).filter(|code| is_code(code));
            Failure::Refused { status: raw.status().as_u16(), code }
        }
        SdkError::ResponseError(answer) => Failure::Foreign { status: answer.raw().status().as_u16() },
        SdkError::DispatchFailure(failure) => {
            let why = failure.as_connector_error().and_then(std::error::Error::source).and_then(<dyn std::error::Error>::downcast_ref);
            no_answer(why)
        }
        _ => Failure::NoAnswer { why: "cannot be asked: an endpoint, a region or a name is malformed".to_owned(), may_pass: false },
    }
}

/// 501 is for ever.
fn is_passing(status: u16) -> bool {
    matches!(status, 429 | 500 | 502..=599)
}

fn no_answer(why: Option<&HttpError>) -> Failure {
    let may_pass = matches!(why, Some(HttpError::Connection | HttpError::NotHttp | HttpError::Timeout));
    let why = match why {
        // The limit of these requests is not the client's own.
        Some(HttpError::Timeout) => format!("did not answer within {} seconds", LIMIT.as_secs()),
        Some(error) => error.to_string(),
        None => "cannot be asked: an endpoint or a name is malformed".to_owned(),
    };
    Failure::NoAnswer { why, may_pass }
}

/// The code of an error document whose form is not the protocol's own: some STS answer in S3's form.
fn code_in(body: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(body).ok()?;
    let (_, rest) = text.split_once("<Code>")?;
    rest.split_once("</Code>").map(|(code, _)| code.trim().to_owned())
}

/// Only what looks like a code is shown: an answer's other words never are.
fn is_code(text: &str) -> bool {
    (1..=64).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b':'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_host_is_sent_as_it_is_signed() {
        for (uri, host) in [
            ("https://s3.example.com/b", "s3.example.com"),
            ("https://s3.example.com:443/b", "s3.example.com"),
            ("http://s3.example.com:80/b", "s3.example.com"),
            ("http://127.0.0.1:9000/b", "127.0.0.1:9000"),
            ("https://[::1]:8443/b", "[::1]:8443"),
            ("http://s3.example.com:443/b", "s3.example.com:443"),
        ] {
            assert_eq!(signed_host(&uri.parse().unwrap()).unwrap(), host, "{uri}");
        }
    }

    #[test]
    fn a_code_is_found_in_either_form_and_only_a_code_is_shown() {
        assert_eq!(code_in(b"<Error><Code>AccessDenied</Code></Error>").as_deref(), Some("AccessDenied"));
        assert_eq!(code_in(b"<html>").as_deref(), None);
        assert!(is_code("InvalidIdentityToken") && is_code("XMinio.Any_1"));
        for bad in ["", "two words", "a\u{1b}[31m", &"x".repeat(65), "eyJhbGciOiJFUzI1NiJ9-abc"] {
            assert!(!is_code(bad), "{bad}");
        }
    }

    #[test]
    fn what_may_pass_is_told_from_what_will_not() {
        let refused = |status, code: &str| Failure::Refused { status, code: Some(code.to_owned()) };
        for passing in [
            refused(400, "IDPCommunicationError"),
            refused(503, "SlowDown"),
            refused(429, "X"),
            refused(400, "Throttling"),
            Failure::Foreign { status: 502 },
        ] {
            assert!(passing.may_pass(), "{passing:?}");
        }
        for lasting in [
            refused(403, "AccessDenied"),
            refused(400, "InvalidIdentityToken"),
            Failure::Foreign { status: 200 },
            no_answer(Some(&HttpError::Tls)),
            no_answer(None),
        ] {
            assert!(!lasting.may_pass(), "{lasting:?}");
        }
    }
}
