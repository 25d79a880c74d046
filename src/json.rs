//! JSON read as it is meant: serde alone also reads a struct from an array of its members, and `null` as an absent one.

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
}
