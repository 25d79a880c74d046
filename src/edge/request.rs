//! A request of the runtime as [`Incoming`]: method and URL come with it, and nothing else crosses from JavaScript before
//! a step asks for it.

use js_sys::{JsString, Reflect, Uint8Array};
use wasm_bindgen::prelude::*;
use web_sys::ReadableStreamDefaultReader;

use super::deadline::Deadline;
use super::exchange::{Rejected, settled};
use crate::http::{BodyError, Incoming, Method};

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_name = Headers)]
    type RequestHeaders;

    #[wasm_bindgen(method, catch)]
    fn get(this: &RequestHeaders, name: &JsString) -> Result<Option<String>, JsValue>;
}

thread_local! {
    // The names that the busy routes ask for, as JavaScript's strings.
    static AUTHORIZATION: JsString = "authorization".into();
    static IF_NONE_MATCH: JsString = "if-none-match".into();
}

/// A request, with the two things that every route needs.
pub(super) struct EdgeRequest {
    request: web_sys::Request,
    method: Method,
    url: String,
}

impl EdgeRequest {
    pub(super) fn new(request: web_sys::Request, method: &str, url: String) -> Self {
        Self { request, method: Method::from(method), url }
    }

    /// The runtime's own.
    pub(super) fn inner(&self) -> &web_sys::Request {
        &self.request
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
        let headers: RequestHeaders = self.request.headers().unchecked_into();
        let value = match name {
            "authorization" => AUTHORIZATION.with(|name| headers.get(name)),
            "if-none-match" => IF_NONE_MATCH.with(|name| headers.get(name)),
            _ => headers.get(&name.into()),
        };
        value.ok().flatten()
    }

    async fn body(&self, limit: usize) -> Result<Vec<u8>, BodyError> {
        let Some(stream) = self.request.body() else { return Ok(Vec::new()) };
        let announced = self.header("content-length").and_then(|length| length.parse::<usize>().ok());
        match announced {
            Some(0) => return Ok(Vec::new()),
            Some(length) if length > limit => return Err(BodyError::TooLarge),
            _ => {}
        }
        let reader = stream.get_reader().unchecked_into::<ReadableStreamDefaultReader>();
        let deadline = Deadline::for_body();
        let mut body = Vec::new();
        while let Some(chunk) = read(&reader, &deadline).await.map_err(|_| BodyError::Broken)? {
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
async fn read(reader: &ReadableStreamDefaultReader, deadline: &Deadline) -> Result<Option<Uint8Array>, Rejected> {
    let step = settled(deadline.on(Ok(reader.read()))).await?;
    let member = |name| Reflect::get(&step, &JsValue::from_str(name)).map_err(|_| Rejected);
    let (done, value) = (member("done")?.is_truthy(), member("value")?);
    Ok((!done).then(|| value.unchecked_into()))
}

/// The path of an absolute URL as the runtime writes it: as it was sent, no dot segment resolved and nothing decoded.
fn path(url: &str) -> &str {
    let after_scheme = url.split_once(':').and_then(|(_, rest)| rest.strip_prefix("//")).unwrap_or(url);
    let path = after_scheme.find('/').and_then(|start| after_scheme.get(start..)).unwrap_or("/");
    path.split(['?', '#']).next().unwrap_or(path)
}
