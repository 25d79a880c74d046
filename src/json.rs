//! JSON objects from outside and from the store, read strictly.

use serde::{Deserialize, Deserializer, Serialize};

/// Reads one JSON object into a struct.
///
/// `None` for anything that is not of its form, an array of the members' values among it: derived readers take such an
/// array for the struct, schemas do not.
#[must_use]
pub fn object<'a, T: Deserialize<'a>>(text: &'a [u8]) -> Option<T> {
    let is_object = text.trim_ascii_start().first() == Some(&b'{');
    is_object.then(|| serde_json::from_slice(text).ok()).flatten()
}

/// A member that may be absent and is never `null`; with `#[serde(default, deserialize_with = "present")]`.
pub(crate) fn present<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
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
    struct Pair {
        v: VersionOne,
        #[serde(default, deserialize_with = "present")]
        label: Option<String>,
    }

    #[test]
    fn an_object_is_read_and_nothing_else() {
        let read = |text: &str| object::<Pair>(text.as_bytes());
        assert_eq!(read(" \r\n\t{\"v\":1}"), Some(Pair { v: VersionOne, label: None }));
        assert_eq!(read(r#"{"v":1,"label":"a"}"#), Some(Pair { v: VersionOne, label: Some("a".to_owned()) }));
        for refused in [
            "",
            "null",
            r#"[1,"a"]"#,
            "[1]",
            "{}",
            r#"{"v":2}"#,
            r#"{"v":"1"}"#,
            r#"{"v":1.0}"#,
            r#"{"v":1,"v":1}"#,
            r#"{"v":1,"label":null}"#,
            r#"{"v":1} {}"#,
            "\u{feff}{\"v\":1}",
        ] {
            assert_eq!(read(refused), None, "{refused:?}");
        }
    }
}
