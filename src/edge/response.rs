//! A response value as one of the runtime's.
//!
//! A deployment answers with a few sets of headers and a few prepared documents, over and over. Each is made into its
//! JavaScript form once an isolate and shared from then on, so that an answer is one call into the runtime.

use std::borrow::Cow;
use std::cell::RefCell;
use std::rc::Rc;

use js_sys::JsString;
use wasm_bindgen::prelude::*;
use web_sys::{Headers, ResponseInit};

use crate::http::{Body, Response};

/// The most sets of headers that are kept, and the most documents. There are about twenty of the ones and two of the others.
const KEPT: usize = 64;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_name = Response)]
    type Written;

    /// `body` is passed as it is, `undefined` for none.
    #[wasm_bindgen(constructor, catch, js_class = "Response")]
    fn new(body: &JsValue, init: &ResponseInit) -> Result<Written, JsValue>;

    #[wasm_bindgen(constructor, catch, js_class = "Response")]
    fn with_text(body: &str, init: &ResponseInit) -> Result<Written, JsValue>;
}

/// Status and headers, and their JavaScript form.
struct Head {
    status: u16,
    headers: Vec<(&'static str, Cow<'static, str>)>,
    init: ResponseInit,
}

thread_local! {
    static HEADS: RefCell<Vec<Head>> = const { RefCell::new(Vec::new()) };
    static DOCUMENTS: RefCell<Vec<(Rc<str>, JsString)>> = const { RefCell::new(Vec::new()) };
}

/// Writes a response. Every name and value comes from our own code or is plain ASCII, so nothing here is refused; if it
/// were, an empty 500 tells less than an exception would.
pub(super) fn write(response: Response) -> JsValue {
    try_write(response).map_or_else(|_| web_sys::Response::error().into(), Into::into)
}

fn try_write(response: Response) -> Result<Written, JsValue> {
    let Response { status, headers, body } = response;
    let init = init(status, headers)?;
    match &body {
        Body::Empty => Written::new(&JsValue::UNDEFINED, &init),
        Body::Text(text) => Written::with_text(text, &init),
        Body::Shared(text) => Written::new(&document(text), &init),
    }
}

/// Status and headers as the constructor of responses takes them.
fn init(status: u16, headers: Vec<(&'static str, Cow<'static, str>)>) -> Result<ResponseInit, JsValue> {
    HEADS.with_borrow_mut(|heads| {
        if let Some(head) = heads.iter().find(|head| head.status == status && head.headers == headers) {
            return Ok(head.init.clone());
        }
        let written = Headers::new()?;
        for (name, value) in &headers {
            written.set(name, value)?;
        }
        let init = ResponseInit::new();
        init.set_status(status);
        init.set_headers(&written);
        if heads.len() < KEPT {
            heads.push(Head { status, headers, init: init.clone() });
        }
        Ok(init)
    })
}

/// A prepared text, which lives as long as its broker.
fn document(text: &Rc<str>) -> JsString {
    DOCUMENTS.with_borrow_mut(|documents| {
        if let Some((_, document)) = documents.iter().find(|(known, _)| Rc::ptr_eq(known, text)) {
            return document.clone();
        }
        let document = JsString::from(&**text);
        if documents.len() < KEPT {
            documents.push((Rc::clone(text), document.clone()));
        }
        document
    })
}
