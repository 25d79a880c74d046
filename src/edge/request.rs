//! A request of the runtime as [`Incoming`]: nothing crosses from JavaScript before a step asks for it.

use js_sys::{Reflect, Uint8Array};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::ReadableStreamDefaultReader;

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
        let Some(stream) = self.request.body() else { return Ok(Vec::new()) };
        let announced = self.header("content-length").and_then(|length| length.parse::<usize>().ok());
        if announced.is_some_and(|length| length > limit) {
            return Err(BodyError::TooLarge);
        }
        let reader = stream.get_reader().unchecked_into::<ReadableStreamDefaultReader>();
        let mut body = Vec::new();
        while let Some(chunk) = read(&reader).await.map_err(|_| BodyError::Broken)? {
            let announced = usize::try_from(chunk.length()).unwrap_or(usize::MAX);
            if body.len().saturating_add(announced) > limit {
                return Err(BodyError::TooLarge);
            }
            body.extend(chunk.to_vec());
        }
        Ok(body)
    }
}

/// The next chunk of a stream of bytes; `None` at its end.
async fn read(reader: &ReadableStreamDefaultReader) -> Result<Option<Uint8Array>, JsValue> {
    let step = JsFuture::from(reader.read()).await?;
    let done = Reflect::get(&step, &JsValue::from_str("done"))?.is_truthy();
    let value = Reflect::get(&step, &JsValue::from_str("value"))?;
    Ok((!done).then(|| value.unchecked_into()))
}

/// The path of an absolute URL as the runtime writes it: dot segments resolved, nothing decoded.
fn path(url: &str) -> &str {
    let after_scheme = url.split_once("://").map_or(url, |(_, rest)| rest);
    let path = after_scheme.find('/').and_then(|start| after_scheme.get(start..)).unwrap_or("/");
    path.split(['?', '#']).next().unwrap_or(path)
}
