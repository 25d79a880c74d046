//! A response value as one of the runtime's.

use web_sys::{Headers, ResponseInit};

use crate::http::{Body, Response};

/// Writes a response. Every name and value comes from our own code or is plain ASCII, so nothing here is refused; if it
/// were, an empty 500 tells less than an exception would.
pub(super) fn write(response: &Response) -> web_sys::Response {
    try_write(response).unwrap_or_else(|_| web_sys::Response::error())
}

fn try_write(response: &Response) -> Result<web_sys::Response, wasm_bindgen::JsValue> {
    let headers = Headers::new()?;
    for (name, value) in &response.headers {
        headers.set(name, value)?;
    }
    let init = ResponseInit::new();
    init.set_status(response.status);
    init.set_headers(&headers);
    let body = match &response.body {
        Body::Empty => None,
        Body::Text(text) => Some(text.as_str()),
        Body::Shared(text) => Some(&**text),
    };
    web_sys::Response::new_with_opt_str_and_init(body, &init)
}
