//! The body of a mint request: empty, or `{"audience"?, "ttl_seconds"?}`.

use crate::aws::Audience;
use crate::error::Refusal;
use crate::http::has_media_type;
use crate::json::{Object, Value};

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
        let members = Object::parse(body)
            .ok_or(Refusal::bad_request("Send an empty body, or one JSON object with audience and ttl_seconds, both optional."))?;
        let mut request = Self::default();
        for (name, value) in members.into_members() {
            request.take(&name, value).map_err(|rule| Refusal::bad_request(format!("{} {rule}", printable(&name))))?;
        }
        Ok(request)
    }

    /// Takes over one member.
    fn take(&mut self, name: &str, value: Value<'_>) -> Result<(), &'static str> {
        const TWICE: &str = "is there twice: send it once.";
        match name {
            "audience" if self.audience.is_some() => return Err(TWICE),
            "ttl_seconds" if self.ttl_seconds.is_some() => return Err(TWICE),
            "audience" => self.audience = Some(audience(value)?),
            "ttl_seconds" => self.ttl_seconds = Some(ttl(value)?),
            _ => return Err("is not known here: leave it out. The members are audience and ttl_seconds."),
        }
        Ok(())
    }
}

fn audience(value: Value<'_>) -> Result<Audience, &'static str> {
    let audience = value.text().and_then(|text| text.try_into().ok());
    audience.ok_or("is a text of 1 to 255 printable characters: one of the session's audiences.")
}

fn ttl(value: Value<'_>) -> Result<u64, &'static str> {
    value.whole_number().ok_or("is a whole number of seconds, 60 or more.")
}

/// A member's name for a message, if it looks like one: it came from outside and may be anything, a token too.
fn printable(name: &str) -> String {
    let looks_like_a_name = (1..=32).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    if looks_like_a_name { format!("The member {name}") } else { "A member".to_owned() }
}
