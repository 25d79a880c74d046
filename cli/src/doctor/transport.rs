//! The connection, and the two documents as answers: in time, by themselves, with 200, as JSON.

use std::time::Duration;

use serde_json::{Map, Value};

use super::outcome::{Check, Fault};
use super::probe::{Reply, Seen, Unseen};
use crate::http::{HttpError, is_loopback_http};

/// The time after which an answer is called slow: STS waits about five seconds, and others less.
const SLOW: Duration = Duration::from_secs(1);

/// One of the two documents, by the names of its checks.
pub(super) struct Names {
    /// For sentences.
    pub(super) document: &'static str,
    answer: &'static str,
    redirect: &'static str,
    status: &'static str,
    media_type: &'static str,
    json: &'static str,
    pub(super) cache: &'static str,
    pub(super) etag: &'static str,
    pub(super) not_modified: &'static str,
    pub(super) head: &'static str,
    pub(super) cors: &'static str,
    pub(super) query: &'static str,
    pub(super) repeat: &'static str,
    /// Besides `application/json`.
    other_media_type: Option<&'static str>,
}

pub(super) const DISCOVERY: Names = Names {
    document: "discovery",
    answer: "discovery-answer",
    redirect: "discovery-redirect",
    status: "discovery-status",
    media_type: "discovery-content-type",
    json: "discovery-json",
    cache: "discovery-cache",
    etag: "discovery-etag",
    not_modified: "discovery-not-modified",
    head: "discovery-head",
    cors: "discovery-cors",
    query: "discovery-query",
    repeat: "discovery-repeat",
    other_media_type: None,
};

pub(super) const JWKS: Names = Names {
    document: "the key set",
    answer: "jwks-answer",
    redirect: "jwks-redirect",
    status: "jwks-status",
    media_type: "jwks-content-type",
    json: "jwks-json",
    cache: "jwks-cache",
    etag: "jwks-etag",
    not_modified: "jwks-not-modified",
    head: "jwks-head",
    cors: "jwks-cors",
    query: "jwks-query",
    repeat: "jwks-repeat",
    other_media_type: Some("application/jwk-set+json"),
};

impl Names {
    /// The checks that look at the content and the headers of a document that is there.
    pub(super) fn of_content(&self) -> [&'static str; 9] {
        [self.media_type, self.json, self.cache, self.etag, self.not_modified, self.head, self.cors, self.query, self.repeat]
    }
}

/// Whether the issuer is reached over https, and its certificate. Without a trusted one there is nothing else to look at.
pub(super) fn tls(url: &str, has_ca_file: bool, first: &Reply) -> Vec<Check> {
    if is_loopback_http(url) {
        return vec![
            Check::warn(
                "https",
                "The issuer is an http URL of this machine: good for development, and AWS takes no such issuer.",
                "Deploy the broker under an https URL before you register it.",
            ),
            Check::skip("tls-certificate", "There is no TLS over http."),
        ];
    }
    let certificate = match first {
        Err(Unseen::Failed(error @ (HttpError::Tls | HttpError::TlsTime | HttpError::TlsHost))) => Err(Fault::fail(
            format!("The issuer {error}."),
            "Serve a certificate of a public CA for this host, with its intermediates, and renew it in time; give --ca-file only for a private CA.",
        )),
        _ if has_ca_file => Err(Fault::warn(
            "The certificate is trusted by the CA of --ca-file; STS goes by public CAs.",
            "Use a public CA, or register the certificate's thumbprint with the IAM OIDC provider.",
        )),
        _ => Ok("The certificate is of a public CA, in time and for this host."),
    };
    vec![Check::pass("https", "The issuer is an https URL."), Check::of("tls-certificate", certificate)]
}

/// The JSON object that a document is, where it can be had; its checks go to `checks`.
pub(super) fn document(names: &Names, reply: &Reply, checks: &mut Vec<Check>) -> Option<Map<String, Value>> {
    let what = names.document;
    let seen = match reply {
        Ok(seen) => seen,
        Err(unseen) => {
            checks.push(Check::fail(
                names.answer,
                format!("{what} {unseen}."),
                "STS waits about 5 seconds: have it answered at the edge, without log-in, bot challenge or rate limit.",
            ));
            let why = format!("{what} was not answered.");
            checks.extend([names.redirect, names.status].into_iter().chain(names.of_content()).map(|id| Check::skip(id, why.clone())));
            return None;
        }
    };
    checks.push(Check::of(names.answer, in_time(what, seen)));
    let redirect = redirect(what, seen);
    let is_redirect = redirect.is_err();
    checks.push(Check::of(names.redirect, redirect));
    let is_there = seen.status == 200;
    checks.push(if is_redirect { Check::skip(names.status, "It is a redirect.") } else { Check::of(names.status, status(what, seen)) });
    if !is_there {
        checks.extend(names.of_content().map(|id| Check::skip(id, format!("{what} is not there."))));
        return None;
    }
    checks.push(Check::of(names.media_type, media_type(names, seen)));
    let object = match seen.json() {
        Some(Value::Object(object)) => Some(object),
        _ => None,
    };
    checks.push(Check::of(
        names.json,
        object.as_ref().map(|_| "It is a JSON object.").ok_or_else(|| {
            Fault::fail(
                format!("{what} is not a JSON object."),
                "Look at it with curl: something answers in the broker's place, or it was changed on its way.",
            )
        }),
    ));
    object
}

fn in_time(what: &str, seen: &Seen) -> Result<String, Fault> {
    let milliseconds = seen.took.as_millis();
    if seen.took > SLOW {
        return Err(Fault::warn(
            format!("{what} took {milliseconds} ms from here. STS waits about 5 seconds."),
            "Look for what is slow: the network from here, a proxy in front, an origin behind.",
        ));
    }
    Ok(format!("It answered in {milliseconds} ms."))
}

fn redirect(what: &str, seen: &Seen) -> Result<&'static str, Fault> {
    if (300..400).contains(&seen.status) {
        return Err(Fault::fail(
            format!("{what} answers with a redirect ({}). That STS follows one is not recorded.", seen.status),
            "Serve the document at its own URL: no redirect to https, to another host, or to a path with or without a slash.",
        ));
    }
    Ok("It is no redirect.")
}

fn status(what: &str, seen: &Seen) -> Result<&'static str, Fault> {
    let status = seen.status;
    let remedy = match status {
        200 => return Ok("The status is 200."),
        401 | 403 => "Take log-in, bot challenge and firewall rules off this path: STS has no credential.",
        404 => "Check the URL, the path of ISSUER, and the route that the worker is deployed at.",
        429 => "Take the rate limit off this path: STS must never meet it.",
        503 => "Look at /readyz: it names the variable or the key that is wrong.",
        _ => "Look at the worker's logs, and at what stands in front of it.",
    };
    Err(Fault::fail(format!("{what} answers with status {status}."), remedy))
}

fn media_type(names: &Names, seen: &Seen) -> Result<&'static str, Fault> {
    if seen.is("application/json") || names.other_media_type.is_some_and(|other| seen.is(other)) {
        return Ok("The content type is that of JSON.");
    }
    Err(Fault::fail(
        format!("{} is not sent as application/json.", names.document),
        "Have it sent as Content-Type: application/json; an HTML page here is a log-in or a bot challenge.",
    ))
}
