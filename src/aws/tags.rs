//! Session tags: keys, values, and the whole set a token carries (AWS: `id_session-tags`).

use core::fmt;

use serde::ser::{SerializeMap, SerializeStruct};
use serde::{Serialize, Serializer};

use super::characters::{is_reserved, is_tag_character};
use super::{TAGS_MAX, Violation};

/// The key of a session tag: 1 to 128 characters, not AWS's own.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(into = "String")]
pub struct TagKey(String);

/// The value of a session tag: 0 to 256 characters, not AWS's own.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
#[serde(into = "String")]
pub struct TagValue(String);

impl TagKey {
    /// The key as it is sent.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether two keys are one to AWS, which ignores case.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        self.0 == other.0 || self.folded() == other.folded()
    }

    /// The key without its case. How AWS folds is not published, so letters that only some foldings make one are one here:
    /// the long s, the i with no dot and with two, the final sigma.
    #[must_use]
    pub(crate) fn folded(&self) -> String {
        let common = |letter: char| match letter {
            'ſ' => 's',
            'ı' | 'İ' => 'i',
            'ς' => 'σ',
            letter => letter,
        };
        self.0.chars().flat_map(|letter| common(letter).to_lowercase()).collect()
    }
}

impl TagValue {
    /// The value as it is sent.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for TagKey {
    type Error = Violation;

    fn try_from(text: String) -> Result<Self, Violation> {
        if !(1..=128).contains(&text.chars().count()) {
            return Err(Violation::TagKeyLength);
        }
        if !text.chars().all(is_tag_character) {
            return Err(Violation::TagKeyCharacters);
        }
        if is_reserved(&text) {
            return Err(Violation::TagKeyReserved);
        }
        Ok(Self(text))
    }
}

impl TryFrom<String> for TagValue {
    type Error = Violation;

    fn try_from(text: String) -> Result<Self, Violation> {
        if text.chars().count() > 256 {
            return Err(Violation::TagValueLength);
        }
        if !text.chars().all(is_tag_character) {
            return Err(Violation::TagValueCharacters);
        }
        if is_reserved(&text) {
            return Err(Violation::TagValueReserved);
        }
        Ok(Self(text))
    }
}

impl From<TagKey> for String {
    fn from(key: TagKey) -> Self {
        key.0
    }
}

impl From<TagValue> for String {
    fn from(value: TagValue) -> Self {
        value.0
    }
}

impl fmt::Display for TagKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// All tags of one token, with those of them that are transitive.
///
/// Serialises as the value of the claim [`TAGS_CLAIM`](super::TAGS_CLAIM) in its nested form:
/// `{"principal_tags":{"Key":["value"]},"transitive_tag_keys":["Key"]}`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SessionTags {
    tags: Vec<(TagKey, TagValue)>,
    transitive: Vec<TagKey>,
}

impl SessionTags {
    /// A set of tags in the order given.
    ///
    /// # Errors
    /// More than 50 tags, keys that are equal ignoring case, or a transitive key without its tag.
    pub fn new(tags: Vec<(TagKey, TagValue)>, transitive: Vec<TagKey>) -> Result<Self, Violation> {
        if tags.len() > TAGS_MAX || transitive.len() > TAGS_MAX {
            return Err(Violation::TooManyTags);
        }
        if has_repeated(tags.iter().map(|(key, _)| key)) || has_repeated(transitive.iter()) {
            return Err(Violation::TagKeyRepeated);
        }
        if !transitive.iter().all(|key| tags.iter().any(|(tag, _)| tag == key)) {
            return Err(Violation::TransitiveKeyWithoutTag);
        }
        Ok(Self { tags, transitive })
    }

    /// The tags, in the order they are sent.
    #[must_use]
    pub fn tags(&self) -> &[(TagKey, TagValue)] {
        &self.tags
    }

    /// The keys that survive role chaining.
    #[must_use]
    pub fn transitive(&self) -> &[TagKey] {
        &self.transitive
    }
}

/// Whether two keys are one to AWS. At most 50 are compared with one another.
fn has_repeated<'a>(keys: impl Iterator<Item = &'a TagKey>) -> bool {
    let mut known: Vec<String> = Vec::new();
    for key in keys.take(TAGS_MAX.saturating_add(1)) {
        let folded = key.folded();
        if known.contains(&folded) {
            return true;
        }
        known.push(folded);
    }
    false
}

impl Serialize for SessionTags {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        struct PrincipalTags<'a>(&'a [(TagKey, TagValue)]);
        impl Serialize for PrincipalTags<'_> {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                let mut map = serializer.serialize_map(Some(self.0.len()))?;
                for (key, value) in self.0 {
                    // An array of exactly one string: STS refuses the bare string.
                    map.serialize_entry(key.as_str(), &[value.as_str()])?;
                }
                map.end()
            }
        }
        let mut claim = serializer.serialize_struct("SessionTags", 2)?;
        claim.serialize_field("principal_tags", &PrincipalTags(&self.tags))?;
        if self.transitive.is_empty() {
            claim.skip_field("transitive_tag_keys")?;
        } else {
            claim.serialize_field("transitive_tag_keys", &self.transitive)?;
        }
        claim.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(text: &str) -> TagKey {
        TagKey::try_from(text.to_owned()).unwrap()
    }

    fn tag(name: &str, value: &str) -> (TagKey, TagValue) {
        (key(name), TagValue::try_from(value.to_owned()).unwrap())
    }

    #[test]
    fn a_tag_key_has_1_to_128_allowed_characters_and_is_not_aws_own() {
        for good in ["a", "agentkeys_user_wallet", "Ключ", &"é".repeat(128), "x:aws:"] {
            assert!(TagKey::try_from(good.to_owned()).is_ok(), "{good}");
        }
        for (bad, violation) in [
            ("", Violation::TagKeyLength),
            (&*"a".repeat(129), Violation::TagKeyLength),
            ("a*", Violation::TagKeyCharacters),
            ("a\n", Violation::TagKeyCharacters),
            ("aws:x", Violation::TagKeyReserved),
            ("AwS:x", Violation::TagKeyReserved),
        ] {
            assert_eq!(TagKey::try_from(bad.to_owned()), Err(violation), "{bad}");
        }
    }

    #[test]
    fn a_tag_value_may_be_empty_and_has_at_most_256_allowed_characters() {
        for good in ["", " ", &"漢".repeat(256), "user@example.com", "a/b=c+d:e-f_g.h"] {
            assert!(TagValue::try_from(good.to_owned()).is_ok(), "{good}");
        }
        for (bad, violation) in [
            (&*"a".repeat(257), Violation::TagValueLength),
            ("0x*", Violation::TagValueCharacters),
            ("${aws:username}", Violation::TagValueCharacters),
            ("Aws:x", Violation::TagValueReserved),
        ] {
            assert_eq!(TagValue::try_from(bad.to_owned()), Err(violation), "{bad}");
        }
    }

    #[test]
    fn the_claim_is_nested_and_each_value_is_an_array_of_one_string() {
        let tags = SessionTags::new(vec![tag("wallet", "0xabc"), tag("team", "")], vec![key("wallet")]).unwrap();
        assert_eq!(
            serde_json::to_string(&tags).unwrap(),
            r#"{"principal_tags":{"wallet":["0xabc"],"team":[""]},"transitive_tag_keys":["wallet"]}"#
        );
    }

    #[test]
    fn without_transitive_keys_their_list_is_left_out() {
        let tags = SessionTags::new(vec![tag("wallet", "0xabc")], vec![]).unwrap();
        assert_eq!(serde_json::to_string(&tags).unwrap(), r#"{"principal_tags":{"wallet":["0xabc"]}}"#);
    }

    #[test]
    fn the_set_has_at_most_50_tags_with_keys_unique_ignoring_case() {
        let many = |count: usize| (0..count).map(|n| tag(&format!("k{n}"), "v")).collect::<Vec<_>>();
        assert!(SessionTags::new(many(50), vec![]).is_ok());
        assert_eq!(SessionTags::new(many(51), vec![]), Err(Violation::TooManyTags));
        assert_eq!(SessionTags::new(vec![tag("Team", "a"), tag("tEAM", "b")], vec![]), Err(Violation::TagKeyRepeated));
        assert_eq!(SessionTags::new(vec![tag("É", "a"), tag("é", "b")], vec![]), Err(Violation::TagKeyRepeated));
    }

    #[test]
    fn every_transitive_key_names_a_tag() {
        assert_eq!(SessionTags::new(vec![tag("a", "1")], vec![key("b")]), Err(Violation::TransitiveKeyWithoutTag));
        assert_eq!(SessionTags::new(vec![tag("a", "1")], vec![key("A")]), Err(Violation::TransitiveKeyWithoutTag));
        assert_eq!(SessionTags::new(vec![tag("a", "1")], vec![key("a"), key("a")]), Err(Violation::TagKeyRepeated));
    }
}
