//! HTTP as plain values: what comes in, what goes out, and which route it is.
//!
//! Nothing here does IO: the edge reads a header or a body only when a route asks for it, through [`Incoming`].

mod bearer;
mod document;
mod route;

use core::fmt;
use std::borrow::Cow;
use std::rc::Rc;

use serde::Serialize;

pub use bearer::{Credential, bearer};
pub use document::Document;
pub use route::Route;

/// A request method; the ones that no route knows are one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// `GET`
    Get,
    /// `HEAD`
    Head,
    /// `POST`
    Post,
    /// `DELETE`
    Delete,
    /// `OPTIONS`
    Options,
    /// Any other.
    Other,
}

impl Method {
    /// The method as it is written; `""` for the ones no route knows.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Head => "HEAD",
            Self::Post => "POST",
            Self::Delete => "DELETE",
            Self::Options => "OPTIONS",
            Self::Other => "",
        }
    }
}

impl From<&str> for Method {
    /// Methods are case-sensitive (RFC 9110 §9.1).
    fn from(text: &str) -> Self {
        [Self::Get, Self::Head, Self::Post, Self::Delete, Self::Options]
            .into_iter()
            .find(|method| method.as_str() == text)
            .unwrap_or(Self::Other)
    }
}

/// A request on its way in. Headers and body are read when a step asks for them.
#[allow(async_fn_in_trait, reason = "one thread: the edge's futures are never sent")]
pub trait Incoming {
    /// The method.
    fn method(&self) -> Method;
    /// The path of the URL, without query and fragment, as the client's URL parser left it.
    fn path(&self) -> &str;
    /// A header's value by its lower-case name; repeated headers are joined with `, `.
    fn header(&self, name: &str) -> Option<String>;
    /// The body, up to `limit` bytes.
    async fn body(&self, limit: usize) -> Result<Vec<u8>, BodyError>;
}

/// Whether a `Content-Type` is this media type, in any case and with or without parameters (RFC 9110 §8.3.1).
#[must_use]
pub fn has_media_type(content_type: Option<&str>, media_type: &str) -> bool {
    content_type.is_some_and(|value| value.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case(media_type))
}

/// Why a body was not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BodyError {
    /// It is larger than the limit.
    TooLarge,
    /// It broke off.
    Broken,
}

/// What a response carries.
#[derive(Clone, PartialEq, Eq)]
pub enum Body {
    /// Nothing.
    Empty,
    /// A text made for this answer.
    Text(String),
    /// A prepared text, shared by every answer.
    Shared(Rc<str>),
}

/// An answer: status, headers, body.
#[derive(Clone, PartialEq, Eq)]
pub struct Response {
    /// The status code.
    pub status: u16,
    /// Lower-case names and values.
    pub headers: Vec<(&'static str, Cow<'static, str>)>,
    /// The body.
    pub body: Body,
}

impl Response {
    /// No body and no headers.
    #[must_use]
    pub fn empty(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: Body::Empty }
    }

    /// A JSON body.
    #[must_use]
    pub fn json(status: u16, body: &impl Serialize) -> Self {
        // Every body is a struct or a map with text keys, which always serialises.
        let text = serde_json::to_string(body).unwrap_or_default();
        Self { status, headers: Vec::new(), body: Body::Text(text) }.with("content-type", "application/json")
    }

    /// A plain text body.
    #[must_use]
    pub fn text(status: u16, body: &str) -> Self {
        Self { status, headers: Vec::new(), body: Body::Text(body.to_owned()) }.with("content-type", "text/plain; charset=utf-8")
    }

    /// The same answer with one more header.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<Cow<'static, str>>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// The same answer, never to be stored by a cache (RFC 9111 §5.2.2.5).
    #[must_use]
    pub fn no_store(self) -> Self {
        self.with("cache-control", "no-store")
    }

    /// The body's text.
    #[must_use]
    pub fn body_text(&self) -> &str {
        match &self.body {
            Body::Empty => "",
            Body::Text(text) => text,
            Body::Shared(text) => text,
        }
    }

    /// A header's value.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| *known == name).map(|(_, value)| &**value)
    }
}

impl fmt::Debug for Response {
    /// Without the body, which may be a token.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Response").field("status", &self.status).field("headers", &self.headers).finish_non_exhaustive()
    }
}
