//! The body of a mint request: empty, or `{"audience"?, "ttl_seconds"?}`.

use core::fmt;

use serde::de::{Deserializer, MapAccess, Visitor};

use crate::aws::Audience;
use crate::error::Refusal;
use crate::http::has_media_type;
use crate::json::Scalar;

/// The most bytes of the body.
pub const BODY_BYTES_MAX: usize = 4_096;

/// What a caller asks for; nothing means the session's defaults.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MintRequest {
    /// The audience, one of the session's.
    pub audience: Option<Audience>,
    /// The lifetime in seconds, at most the session's ceiling.
    pub ttl_seconds: Option<u64>,
}

impl MintRequest {
    /// Reads a body, with the `Content-Type` it came with.
    ///
    /// # Errors
    /// 415 for a body that is not said to be JSON, 400 that names the member for everything else.
    pub fn parse(body: &[u8], content_type: Option<&str>) -> Result<Self, Refusal> {
        if body.is_empty() {
            return Ok(Self::default());
        }
        if !has_media_type(content_type, "application/json") {
            return Err(Refusal::UnsupportedMediaType("application/json"));
        }
        let mut problem = None;
        let mut reader = serde_json::Deserializer::from_slice(body);
        let request = reader.deserialize_map(Members { problem: &mut problem }).and_then(|request| reader.end().map(|()| request));
        match (request, problem) {
            (_, Some(problem)) => Err(Refusal::bad_request(problem)),
            (Ok(request), None) => Ok(request),
            (Err(_), None) => {
                Err(Refusal::bad_request("Send an empty body, or one JSON object with audience and ttl_seconds, both optional."))
            }
        }
    }
}

/// Reads the members one by one; the first that does not fit is kept as a message that names it.
struct Members<'a> {
    problem: &'a mut Option<String>,
}

impl<'de> Visitor<'de> for Members<'_> {
    type Value = MintRequest;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<MintRequest, A::Error> {
        let mut request = MintRequest::default();
        while let Some(name) = map.next_key::<String>()? {
            let value: Scalar = map.next_value()?;
            let outcome = match name.as_str() {
                "audience" if request.audience.is_some() => Err("is there twice: send it once."),
                "ttl_seconds" if request.ttl_seconds.is_some() => Err("is there twice: send it once."),
                "audience" => audience(value).map(|audience| request.audience = Some(audience)),
                "ttl_seconds" => ttl(&value).map(|seconds| request.ttl_seconds = Some(seconds)),
                _ => Err("is not known here: leave it out. The members are audience and ttl_seconds."),
            };
            if let (Err(rule), None) = (outcome, &self.problem) {
                *self.problem = Some(format!("{} {rule}", printable(&name)));
            }
        }
        Ok(request)
    }
}

fn audience(value: Scalar) -> Result<Audience, &'static str> {
    const RULE: &str = "is a text of 1 to 255 printable characters: one of the session's audiences.";
    let Scalar::Text(text) = value else { return Err(RULE) };
    Audience::try_from(text).map_err(|_| RULE)
}

fn ttl(value: &Scalar) -> Result<u64, &'static str> {
    let Scalar::WholeNumber(seconds) = value else { return Err("is a whole number of seconds, 60 or more.") };
    Ok(*seconds)
}

/// A member's name for a message, if it looks like one: it came from outside and may be anything, a token too.
fn printable(name: &str) -> String {
    let looks_like_a_name = (1..=32).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    if looks_like_a_name { format!("The member {name}") } else { "A member".to_owned() }
}
