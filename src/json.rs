//! JSON read as it is meant: serde alone also reads a struct from an array of its members, and `null` as an absent one.

use serde::{Deserialize, Deserializer};

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
}
