//! A request of the runtime as [`Incoming`]: nothing crosses from JavaScript before a step asks for it.

use futures_util::TryStreamExt;

use crate::http::{BodyError, Incoming, Method};

/// A request, with the two things that every route needs.
pub(super) struct EdgeRequest {
    request: web_sys::Request,
    method: Method,
    url: String,
}

impl EdgeRequest {
    pub(super) fn new(request: web_sys::Request) -> Self {
        let (method, url) = (Method::from(request.method().as_str()), request.url());
        Self { request, method, url }
    }
}

impl Incoming for EdgeRequest {
    fn method(&self) -> Method {
        self.method
    }

    fn path(&self) -> &str {
        path(&self.url)
    }

    fn header(&self, name: &str) -> Option<String> {
        self.request.headers().get(name).ok().flatten()
    }

    async fn body(&self, limit: usize) -> Result<Vec<u8>, BodyError> {
        if self.request.body().is_none() {
            return Ok(Vec::new());
        }
        let announced = self.header("content-length").and_then(|length| length.parse::<usize>().ok());
        if announced.is_some_and(|length| length > limit) {
            return Err(BodyError::TooLarge);
        }
        let mut stream = worker::Request::from(Clone::clone(&self.request)).stream().map_err(|_| BodyError::Broken)?;
        let mut body = Vec::new();
        while let Some(chunk) = stream.try_next().await.map_err(|_| BodyError::Broken)? {
            if body.len().saturating_add(chunk.len()) > limit {
                return Err(BodyError::TooLarge);
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    }
}

/// The path of an absolute URL as the runtime writes it: dot segments resolved, nothing decoded.
fn path(url: &str) -> &str {
    let after_scheme = url.split_once("://").map_or(url, |(_, rest)| rest);
    let path = after_scheme.find('/').and_then(|start| after_scheme.get(start..)).unwrap_or("/");
    path.split(['?', '#']).next().unwrap_or(path)
}
