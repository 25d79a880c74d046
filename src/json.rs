//! JSON read as it is meant: serde alone also reads a struct from an array of its members, and `null` as an absent one.
//!
//! Records of many kinds of members have derived readers. Small objects of texts and whole numbers share one,
//! [`Object`]: a derived reader for each of them would be kilobytes of wasm.

use core::fmt;

use serde::de::{IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

/// One JSON object, and nothing after it.
pub(crate) fn object<'de, T: Deserialize<'de>>(text: &'de str) -> Option<T> {
    // RFC 8259 §2: these four are the white space that may stand before it.
    let is_object = text.trim_start_matches([' ', '\t', '\n', '\r']).starts_with('{');
    is_object.then(|| serde_json::from_str(text).ok()).flatten()
}

/// A member that may be absent and is never `null`; with `#[serde(default, deserialize_with = "present")]`.
pub(crate) fn present<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

/// Such a member as a type, for structs of many; with `#[serde(default)]` on the struct.
pub(crate) struct Member<T>(pub(crate) Option<T>);

impl<T> Default for Member<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Member<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        present(deserializer).map(Self)
    }
}

/// The version of a stored record: the number 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "u64", into = "u64")]
pub(crate) struct VersionOne;

impl TryFrom<u64> for VersionOne {
    type Error = &'static str;

    fn try_from(version: u64) -> Result<Self, Self::Error> {
        if version == 1 { Ok(Self) } else { Err("the record's version is 1") }
    }
}

impl From<VersionOne> for u64 {
    fn from(_: VersionOne) -> Self {
        1
    }
}

/// An object whose members are taken out one by one. What is left over at the end was not known.
pub(crate) struct Object {
    members: Vec<(String, Scalar)>,
}

impl Object {
    /// Reads a JSON text; `None` if it is not one object.
    pub(crate) fn parse(text: &[u8]) -> Option<Self> {
        let mut reader = serde_json::Deserializer::from_slice(text);
        let members = reader.deserialize_map(Members).ok()?;
        reader.end().ok().map(|()| Self { members })
    }

    /// Takes a member that is a text; `None` if it is absent, there twice, or anything else.
    pub(crate) fn text(&mut self, name: &str) -> Option<String> {
        if let Some(Scalar::Text(text)) = self.take(name) { Some(text) } else { None }
    }

    /// Takes a member that is a whole number, 0 or more, written without fraction and exponent.
    pub(crate) fn whole_number(&mut self, name: &str) -> Option<u64> {
        if let Some(Scalar::WholeNumber(number)) = self.take(name) { Some(number) } else { None }
    }

    /// Takes a member that may be absent and else is a text: `Some(None)` where it is absent.
    #[allow(clippy::option_option, reason = "absent is not wrong")]
    pub(crate) fn optional_text(&mut self, name: &str) -> Option<Option<String>> {
        if self.members.iter().any(|(known, _)| known == name) { self.text(name).map(Some) } else { Some(None) }
    }

    /// Whether every member has been taken.
    pub(crate) fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// A member that is there once.
    fn take(&mut self, name: &str) -> Option<Scalar> {
        let place = self.members.iter().position(|(known, _)| known == name)?;
        let (_, value) = self.members.swap_remove(place);
        let is_repeated = self.members.iter().any(|(known, _)| known == name);
        (!is_repeated).then_some(value)
    }
}

struct Members;

impl<'de> Visitor<'de> for Members {
    type Value = Vec<(String, Scalar)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = map.next_entry()? {
            members.push(member);
        }
        Ok(members)
    }
}

/// A member's value, as far as any small object can use it.
pub(crate) enum Scalar {
    /// A text.
    Text(String),
    /// A whole number, 0 or more.
    WholeNumber(u64),
    /// Anything else.
    Other,
}

impl<'de> Deserialize<'de> for Scalar {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;
        impl<'de> Visitor<'de> for Any {
            type Value = Scalar;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a value")
            }

            fn visit_str<E>(self, text: &str) -> Result<Scalar, E> {
                Ok(Scalar::Text(text.to_owned()))
            }

            fn visit_u64<E>(self, number: u64) -> Result<Scalar, E> {
                Ok(Scalar::WholeNumber(number))
            }

            fn visit_i64<E>(self, _: i64) -> Result<Scalar, E> {
                Ok(Scalar::Other)
            }

            fn visit_f64<E>(self, _: f64) -> Result<Scalar, E> {
                Ok(Scalar::Other)
            }

            fn visit_bool<E>(self, _: bool) -> Result<Scalar, E> {
                Ok(Scalar::Other)
            }

            fn visit_unit<E>(self) -> Result<Scalar, E> {
                Ok(Scalar::Other)
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Scalar, A::Error> {
                while items.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Scalar::Other)
            }

            fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Scalar, A::Error> {
                while members.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(Scalar::Other)
            }
        }
        deserializer.deserialize_any(Any)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, Deserialize)]
    struct Example {
        a: u64,
        #[serde(default, deserialize_with = "present")]
        b: Option<u64>,
    }

    #[test]
    fn an_object_is_read_and_an_array_of_its_members_is_not() {
        assert_eq!(object(" \r\n\t{\"a\":1} "), Some(Example { a: 1, b: None }));
        assert_eq!(object("{\"a\":1,\"b\":2}"), Some(Example { a: 1, b: Some(2) }));
        for refused in ["", "[1,2]", " [1]", "{\"a\":1}{}", "{\"a\":1", "\u{feff}{\"a\":1}", "null", "{\"a\":1,\"b\":null}"] {
            assert_eq!(object::<Example>(refused), None, "{refused}");
        }
    }

    #[test]
    fn a_version_is_the_number_one() {
        assert_eq!(serde_json::from_str::<VersionOne>("1").ok(), Some(VersionOne));
        assert_eq!(serde_json::to_string(&VersionOne).ok().as_deref(), Some("1"));
        for refused in ["0", "2", "1.0", "\"1\"", "true", "null"] {
            assert!(serde_json::from_str::<VersionOne>(refused).is_err(), "{refused}");
        }
    }

    #[test]
    fn the_members_of_one_object_are_read_and_nothing_else() {
        for good in ["{}", " \r\n\t{\"a\":1} \n", r#"{"a":{"b":[1,null,{}]},"a":-1,"b":1.5,"c":true}"#] {
            assert!(Object::parse(good.as_bytes()).is_some(), "{good}");
        }
        for bad in ["", "null", "[]", r#"["a"]"#, "1", "{", "{}{}", "{} x", r#"{"a":1,}"#, "{a:1}", "\u{feff}{}", r#"{"a":01}"#] {
            assert!(Object::parse(bad.as_bytes()).is_none(), "{bad}");
        }
        assert!(Object::parse(b"{\"a\":\"\xff\"}").is_none());
        assert!(Object::parse(format!(r#"{{"a":{}"#, "[".repeat(100_000)).as_bytes()).is_none());
    }

    #[test]
    fn a_member_is_taken_once_and_by_its_type() {
        let read =
            || Object::parse(br#"{"a":"x","n":7,"twice":1,"twice":1,"null":null,"f":1.0,"e":1e0,"neg":-1,"o":{},"l":["x"]}"#).unwrap();
        let mut object = read();
        assert_eq!(object.text("a"), Some("x".to_owned()));
        assert_eq!(object.text("a"), None);
        assert_eq!(object.whole_number("n"), Some(7));
        for other in ["twice", "null", "f", "e", "neg", "o", "l", "absent"] {
            assert_eq!((read().text(other), read().whole_number(other)), (None, None), "{other}");
        }
        assert_eq!((read().text("n"), read().whole_number("a")), (None, None));
        assert_eq!(read().optional_text("absent"), Some(None));
        assert_eq!(read().optional_text("a"), Some(Some("x".to_owned())));
        assert_eq!((read().optional_text("null"), read().optional_text("twice")), (None, None));
    }

    #[test]
    fn what_was_not_taken_is_left_over() {
        let mut object = Object::parse(br#"{"a":"x","b":1}"#).unwrap();
        assert!(!object.is_empty());
        object.text("a");
        assert!(!object.is_empty());
        object.whole_number("b");
        assert!(object.is_empty());
    }
}
