//! JSON as STS reads it: of repeated members the last one counts. That members were repeated stays known, because where
//! two readers of one token can differ there is something to warn about.

use core::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

/// A JSON value.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Json {
    Null,
    Bool(bool),
    /// An integer within 64 bits, signed or not.
    Integer(i128),
    /// Any other number: one with a fraction or an exponent, or beyond 64 bits.
    Float(f64),
    String(String),
    Array(Vec<Json>),
    Object(Object),
}

/// A JSON object with every member that was written, in that order.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Object(Vec<(String, Json)>);

impl Json {
    /// Reads a whole text; `None` where it is not JSON (RFC 8259), is not UTF-8, or is nested deeper than 128 levels.
    pub(crate) fn parse(text: &[u8]) -> Option<Self> {
        serde_json::from_slice(text).ok()
    }

    pub(crate) fn as_str(&self) -> Option<&str> {
        if let Self::String(text) = self { Some(text) } else { None }
    }

    pub(crate) fn as_array(&self) -> Option<&[Json]> {
        if let Self::Array(values) = self { Some(values) } else { None }
    }

    pub(crate) fn as_object(&self) -> Option<&Object> {
        if let Self::Object(object) = self { Some(object) } else { None }
    }

    /// The texts of an array of nothing but texts.
    pub(crate) fn as_texts(&self) -> Option<Vec<&str>> {
        self.as_array()?.iter().map(Self::as_str).collect()
    }

    /// What it is, for a sentence.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "a boolean",
            Self::Integer(_) | Self::Float(_) => "a number",
            Self::String(_) => "a string",
            Self::Array(_) => "an array",
            Self::Object(_) => "an object",
        }
    }
}

impl Object {
    /// The member of this name that counts: the last one.
    pub(crate) fn get(&self, name: &str) -> Option<&Json> {
        self.0.iter().rev().find(|(member, _)| member == name).map(|(_, value)| value)
    }

    /// Whether a member of this name is there.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// The members that count, in the order in which their names first stand.
    pub(crate) fn members(&self) -> impl Iterator<Item = (&str, &Json)> {
        self.0.iter().enumerate().filter_map(|(at, (name, _))| {
            let is_first = self.0.iter().take(at).all(|(earlier, _)| earlier != name);
            is_first.then(|| self.get(name).map(|value| (name.as_str(), value))).flatten()
        })
    }

    /// The first name that stands more than once in this very object.
    pub(crate) fn repeated(&self) -> Option<&str> {
        self.0
            .iter()
            .enumerate()
            .find(|(at, (name, _))| self.0.iter().take(*at).any(|(earlier, _)| earlier == name))
            .map(|(_, (name, _))| name.as_str())
    }
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyJson)
    }
}

struct AnyJson;

impl<'de> Visitor<'de> for AnyJson {
    type Value = Json;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Json, E> {
        Ok(Json::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Json, E> {
        Ok(Json::Integer(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Json, E> {
        Ok(Json::Integer(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Json, E> {
        Ok(Json::Float(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Json, E> {
        Ok(Json::String(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Json, E> {
        Ok(Json::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut array: A) -> Result<Json, A::Error> {
        let mut values = Vec::new();
        while let Some(value) = array.next_element()? {
            values.push(value);
        }
        Ok(Json::Array(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Json, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = map.next_entry()? {
            members.push(member);
        }
        Ok(Json::Object(Object(members)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(text: &str) -> Object {
        Json::parse(text.as_bytes()).unwrap().as_object().unwrap().clone()
    }

    #[test]
    fn of_repeated_members_the_last_one_counts_and_the_repetition_is_known() {
        let repeated = object(r#"{"a":1,"b":2,"\u0061":3}"#);
        assert_eq!(repeated.get("a"), Some(&Json::Integer(3)));
        assert_eq!(repeated.repeated(), Some("a"));
        assert_eq!(repeated.members().collect::<Vec<_>>(), [("a", &Json::Integer(3)), ("b", &Json::Integer(2))]);
        assert_eq!(object(r#"{"a":{"b":1},"b":{"a":1}}"#).repeated(), None);
    }

    #[test]
    fn an_integer_is_told_from_every_other_number() {
        for (text, value) in [
            ("300", Json::Integer(300)),
            ("-1", Json::Integer(-1)),
            ("18446744073709551615", Json::Integer(u64::MAX.into())),
            ("300.0", Json::Float(300.0)),
            ("3e2", Json::Float(300.0)),
            ("18446744073709551616", Json::Float(18_446_744_073_709_551_616.0)),
        ] {
            assert_eq!(Json::parse(text.as_bytes()), Some(value), "{text}");
        }
    }

    #[test]
    fn what_is_not_json_is_refused() {
        for text in [
            "",
            "{",
            "{}x",
            "{'a':1}",
            "{\"a\":1,}",
            "\u{feff}{}",
            "NaN",
            "\"\\ud800\"",
            &format!("{}{}", "[".repeat(200), "]".repeat(200)),
        ] {
            assert_eq!(Json::parse(text.as_bytes()), None, "{text}");
        }
        assert_eq!(Json::parse(b"\"\xff\""), None);
    }
}
