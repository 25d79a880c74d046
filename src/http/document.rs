//! A public document, prepared once: body, strong `ETag`, cache and CORS headers, conditional answers.

use std::rc::Rc;

use serde::Serialize;
use sha2::{Digest, Sha256};

use super::{Body, Incoming, Method, Response};
use crate::encoding::base64url;

/// Caches may keep a document for 15 minutes; the day's notice that a new key gives is 96 times that.
const CACHE_CONTROL: &str = "public, max-age=900";

/// A JSON document that is the same for every caller until the next deployment.
#[derive(Debug, Clone)]
pub struct Document {
    body: Rc<str>,
    etag: String,
}

impl Document {
    /// Prepares a document.
    #[must_use]
    pub fn new(content: &impl Serialize) -> Self {
        // Documents are structs with text keys, which always serialise.
        let body = serde_json::to_string(content).unwrap_or_default();
        let hash = base64url(&Sha256::digest(body.as_bytes()));
        Self { etag: format!("\"{hash}\""), body: body.into() }
    }

    /// The document's text.
    #[must_use]
    pub fn body(&self) -> &str {
        &self.body
    }

    /// The strong entity tag, with its quotes.
    #[must_use]
    pub fn etag(&self) -> &str {
        &self.etag
    }

    /// The answer to GET, HEAD and OPTIONS, as RFC 9110 §13.1.2 has conditional ones.
    #[must_use]
    pub fn answer(&self, request: &impl Incoming) -> Response {
        if request.method() == Method::Options {
            return Response::empty(204)
                .with("access-control-allow-origin", "*")
                .with("access-control-allow-methods", "GET, HEAD, OPTIONS")
                .with("access-control-allow-headers", "if-none-match")
                .with("access-control-max-age", "86400");
        }
        let known = request.header("if-none-match").is_some_and(|header| self.is_among(&header));
        let response = if known {
            Response::empty(304)
        } else {
            Response { status: 200, headers: Vec::with_capacity(5), body: Body::Shared(Rc::clone(&self.body)) }
                .with("content-type", "application/json")
        };
        response
            .with("cache-control", CACHE_CONTROL)
            .with("etag", self.etag.clone())
            .with("access-control-allow-origin", "*")
            .with("access-control-expose-headers", "etag")
    }

    /// Whether `If-None-Match` names this document, by the weak comparison that the header asks for.
    fn is_among(&self, header: &str) -> bool {
        let is_this = |tag: &str| tag.strip_prefix("W/").unwrap_or(tag) == self.etag;
        header.trim() == "*" || header.split(',').map(str::trim).any(is_this)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn if_none_match_is_a_list_a_weak_tag_or_a_star() {
        let document = Document::new(&serde_json::json!({"a": 1}));
        let tag = document.etag().to_owned();
        for known in [tag.clone(), format!("W/{tag}"), "*".to_owned(), format!("\"x\", {tag}"), format!("{tag},\"y\"")] {
            assert!(document.is_among(&known), "{known}");
        }
        for unknown in [
            String::new(),
            "\"x\"".to_owned(),
            tag.trim_matches('"').to_owned(),
            tag.to_lowercase(),
            format!("{tag}x"),
            format!("W/W/{tag}"),
        ] {
            assert!(!document.is_among(&unknown), "{unknown}");
        }
    }
}
