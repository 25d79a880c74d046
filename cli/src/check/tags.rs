//! The claim `https://aws.amazon.com/tags`: the session tags, nested or flattened, and which of them are transitive.
//!
//! The limits are those of [`TagKey`], [`TagValue`] and [`SessionTags`], the types that the worker mints from.

use agentkeys_edge_broker::aws::{SessionTags, TAGS_CLAIM, TagKey, TagValue, Violation};

use super::json::{Json, Object};
use super::rule::{Basis, Finding, Rule};

const FORM: Rule = Rule::new(
    "tags-form",
    Basis::DocAndSeen,
    "The tags claim is an object with principal_tags, an object in which each value is an array of exactly one string, \
     and transitive_tag_keys, an array of strings.",
    "Write {\"principal_tags\": {\"Key\": [\"value\"]}, \"transitive_tag_keys\": [\"Key\"]}: the value in an array, not a bare string.",
);

const UNKNOWN_FORM: Rule = Rule::new(
    "tags-unknown-form",
    Basis::NotRecorded,
    "The tags claim has principal_tags with at least one tag in it, perhaps transitive_tag_keys, and nothing else.",
    "Put every tag into principal_tags, name the transitive ones in transitive_tag_keys, and leave other members out.",
);

const FLATTENED_FORM: Rule = Rule::new(
    "tags-flattened-form",
    Basis::NotRecorded,
    "In the flattened form each tag's value is a string.",
    "Write \"https://aws.amazon.com/tags/principal_tags/Key\": \"value\", or use the nested form.",
);

const TRANSITIVE_FORM: Rule = Rule::new(
    "transitive-keys-form",
    Basis::Seen,
    "The transitive tag keys are an array of strings.",
    "Write the transitive tag keys as an array of strings.",
);

const BOTH_FORMS: Rule = Rule::new(
    "tags-nested-and-flattened",
    Basis::NotRecorded,
    "A token has its tags in one form, nested or flattened.",
    "Use the nested form alone, which AWS documents.",
);

const REPEATED_KEY: Rule =
    Rule::new("tags-repeated-key", Basis::NotRecorded, "A tag key stands once in principal_tags.", "Send each tag once.");

const LIMITS: Rule = Rule::new(
    "tags-limits",
    Basis::Doc,
    "At most 50 tags; keys of 1 to 128 and values of 0 to 256 letters, digits, blanks and _ . : / = + - @, neither starting with aws: \
     in any case; keys unique ignoring case.",
    "Bring keys, values and their number within these limits.",
)
.with_unrecorded_code();

const TRANSITIVE_WITHOUT_TAG: Rule = Rule::new(
    "transitive-key-without-tag",
    Basis::Seen,
    "Every transitive key names a tag that the token supplies.",
    "Supply the tag, or take its key out of the transitive ones.",
)
.with_unrecorded_code();

const TRANSITIVE_SPELLING: Rule = Rule::new(
    "transitive-key-spelling",
    Basis::NotRecorded,
    "A transitive key stands once, in the very case of its tag.",
    "Name each transitive key once, spelled as the tag's key is.",
);

/// STS's words for a value that is not an array of one string.
const NOT_IN_CORRECT_FORMAT: &str = "principal_tags passed in claim is not in correct format.";

/// The session tags, if the token has any.
pub(crate) fn session_tags(claims: &Object) -> Result<Option<SessionTags>, Finding> {
    let flattened = Flattened::of(claims);
    match (claims.get(TAGS_CLAIM), flattened) {
        (None, None) => Ok(None),
        (Some(_), Some(_)) => Err(BOTH_FORMS.broken()),
        (Some(nested), None) => set(nested_tags(nested)?),
        (None, Some(flattened)) => set(flattened.tags()?),
    }
    .map(|tags| tags.filter(|tags| !tags.tags().is_empty()))
}

/// Keys and values as they stand, and the transitive keys.
type Texts<'a> = (Vec<(&'a str, &'a str)>, Vec<&'a str>);

fn nested_tags(claim: &Json) -> Result<Texts<'_>, Finding> {
    let claim = match claim {
        Json::Object(claim) => claim,
        Json::Null => return Err(UNKNOWN_FORM.broken().because("The claim is null.")),
        other => return Err(FORM.broken().because(format!("The claim is {}.", other.kind()))),
    };
    if claim.members().any(|(name, _)| !matches!(name, "principal_tags" | "transitive_tag_keys")) {
        return Err(UNKNOWN_FORM.broken().because("The claim has a member besides those two."));
    }
    let principal_tags = match claim.get("principal_tags") {
        Some(Json::Object(tags)) => tags,
        Some(other) => return Err(FORM.broken().saying(NOT_IN_CORRECT_FORMAT).because(format!("principal_tags is {}.", other.kind()))),
        None => return Err(UNKNOWN_FORM.broken().because("The claim has no principal_tags.")),
    };
    let tags = principal_tags.members().map(|(key, value)| Ok((key, only_string(value)?))).collect::<Result<Vec<_>, Finding>>()?;
    if principal_tags.repeated().is_some() {
        return Err(REPEATED_KEY.broken());
    }
    Ok((tags, transitive_keys(claim.get("transitive_tag_keys"))?))
}

/// The string of an array of exactly one string.
fn only_string(value: &Json) -> Result<&str, Finding> {
    let because = match value {
        Json::Array(values) => match values.as_slice() {
            [Json::String(text)] => return Ok(text),
            [other] => format!("A value is an array of {}.", other.kind()),
            _ => format!("A value is an array of {}, not of one string.", values.len()),
        },
        Json::String(_) => "A value is a bare string.".to_owned(),
        other => format!("A value is {}.", other.kind()),
    };
    Err(FORM.broken().saying(NOT_IN_CORRECT_FORMAT).because(because))
}

fn transitive_keys(value: Option<&Json>) -> Result<Vec<&str>, Finding> {
    match value {
        None => Ok(Vec::new()),
        Some(value) => value.as_texts().ok_or_else(|| TRANSITIVE_FORM.broken().because(format!("They are {}.", what(value)))),
    }
}

fn what(value: &Json) -> &'static str {
    if matches!(value, Json::Array(_)) { "an array with something else than strings in it" } else { value.kind() }
}

/// The flattened claims: `…/principal_tags/Key`, and `…/transitive_tag_keys`.
struct Flattened<'a> {
    tags: Vec<(&'a str, &'a Json)>,
    transitive: Option<&'a Json>,
}

impl<'a> Flattened<'a> {
    fn of(claims: &'a Object) -> Option<Self> {
        let (mut tags, mut transitive) = (Vec::new(), None);
        for (name, value) in claims.members() {
            let Some(rest) = name.strip_prefix(TAGS_CLAIM) else { continue };
            if let Some(key) = rest.strip_prefix("/principal_tags/") {
                tags.push((key, value));
            } else if rest == "/transitive_tag_keys" {
                transitive = Some(value);
            }
        }
        (!tags.is_empty() || transitive.is_some()).then_some(Self { tags, transitive })
    }

    fn tags(self) -> Result<Texts<'a>, Finding> {
        let texts = self.tags.into_iter().map(|(key, value)| match value {
            Json::String(text) => Ok((key, text.as_str())),
            other => Err(FLATTENED_FORM.broken().because(format!("A value is {}.", other.kind()))),
        });
        Ok((texts.collect::<Result<Vec<_>, Finding>>()?, transitive_keys(self.transitive)?))
    }
}

/// The whole set, within AWS's limits.
fn set((tags, transitive): Texts<'_>) -> Result<Option<SessionTags>, Finding> {
    let limit = |violation: Violation| LIMITS.broken().because(format!("Here {violation}."));
    if tags.is_empty() && transitive.is_empty() {
        return Err(UNKNOWN_FORM.broken().because("There is no tag in it."));
    }
    let typed = tags.iter().map(|(key, value)| {
        let key = TagKey::try_from((*key).to_owned()).map_err(limit)?;
        Ok((key, TagValue::try_from((*value).to_owned()).map_err(limit)?))
    });
    let typed = typed.collect::<Result<Vec<_>, Finding>>()?;
    // The tags on their own first, so that what is said of the transitive keys is about them.
    SessionTags::new(typed.clone(), Vec::new()).map_err(limit)?;
    let keys = transitive.iter().map(|name| transitive_key(name, &typed)).collect::<Result<Vec<_>, Finding>>()?;
    SessionTags::new(typed, keys).map(Some).map_err(|_| TRANSITIVE_SPELLING.broken())
}

/// The key of the tag that a transitive key names.
fn transitive_key(name: &str, tags: &[(TagKey, TagValue)]) -> Result<TagKey, Finding> {
    let key = TagKey::try_from(name.to_owned()).map_err(|_| TRANSITIVE_WITHOUT_TAG.broken())?;
    match tags.iter().find(|(tag, _)| tag.is_same(&key)) {
        Some((tag, _)) if *tag == key => Ok(key),
        Some(_) => Err(TRANSITIVE_SPELLING.broken()),
        None => Err(TRANSITIVE_WITHOUT_TAG.broken()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `key=value` of each tag, `|`, the transitive keys; or the rule.
    fn read(claims: &str) -> Result<Option<String>, &'static Rule> {
        let claims = claims.replace("TAGS", TAGS_CLAIM);
        let claims = Json::parse(claims.as_bytes()).unwrap().as_object().unwrap().clone();
        let write = |tags: SessionTags| {
            let pairs: Vec<String> = tags.tags().iter().map(|(key, value)| format!("{key}={}", value.as_str())).collect();
            let keys: Vec<&str> = tags.transitive().iter().map(TagKey::as_str).collect();
            format!("{}|{}", pairs.join(","), keys.join(","))
        };
        session_tags(&claims).map(|tags| tags.map(write)).map_err(|finding| finding.rule)
    }

    fn nested(tags: &str) -> String {
        format!(r#"{{"TAGS":{{"principal_tags":{{{tags}}}}}}}"#)
    }

    #[test]
    fn tags_are_read_in_both_forms() {
        for (claims, tags) in [
            (r#"{"TAGS":{"principal_tags":{"a":["1"],"b":[""]},"transitive_tag_keys":["a"]}}"#, "a=1,b=|a"),
            (r#"{"TAGS":{"principal_tags":{"a":["1"]}}}"#, "a=1|"),
            (r#"{"TAGS":{"principal_tags":{"a":["1"]},"transitive_tag_keys":[]}}"#, "a=1|"),
            (r#"{"TAGS":7,"TAGS":{"principal_tags":{"a":["1"]}}}"#, "a=1|"),
            (r#"{"TAGS":{"principal_tags":7,"principal_tags":{"a":["1"]}}}"#, "a=1|"),
            (r#"{"TAGS/principal_tags/a":"1","TAGS/principal_tags/b/c":"","TAGS/transitive_tag_keys":["b/c"]}"#, "a=1,b/c=|b/c"),
            (r#"{"TAGS/principal_tags/a":"1"}"#, "a=1|"),
            (r#"{"TAGS/principal_tags/a":"1","TAGS/principal_tags/a":"2"}"#, "a=2|"),
        ] {
            assert_eq!(read(claims), Ok(Some(tags.to_owned())), "{claims}");
        }
    }

    #[test]
    fn custom_claims_are_not_tags() {
        for claims in ["{}", r#"{"a":"1","principal_tags":{"a":["1"]},"TAGS_":{},"TAGS/":{},"TAGS/principal_tags":{"a":["1"]}}"#] {
            assert_eq!(read(claims), Ok(None), "{claims}");
        }
    }

    #[test]
    fn each_value_is_an_array_of_exactly_one_string() {
        for bad in [
            r#""a":"1""#,
            r#""a":[]"#,
            r#""a":["1","2"]"#,
            r#""a":[1]"#,
            r#""a":[null]"#,
            r#""a":[["1"]]"#,
            r#""a":1"#,
            r#""a":null"#,
            r#""a":{"a":"1"}"#,
            r#""b":["1"],"a":true"#,
        ] {
            assert_eq!(read(&nested(bad)), Err(&FORM), "{bad}");
        }
        let claims = Json::parse(nested(r#""a":"1""#).replace("TAGS", TAGS_CLAIM).as_bytes()).unwrap().as_object().unwrap().clone();
        assert_eq!(session_tags(&claims).unwrap_err().message.as_deref(), Some("principal_tags passed in claim is not in correct format."));
    }

    #[test]
    fn what_is_not_of_either_form_is_refused() {
        for (claims, rule) in [
            (r#"{"TAGS":"a=1"}"#, &FORM),
            (r#"{"TAGS":[]}"#, &FORM),
            (r#"{"TAGS":{"principal_tags":[]}}"#, &FORM),
            (r#"{"TAGS":{"principal_tags":"a"}}"#, &FORM),
            (r#"{"TAGS":{"principal_tags":null}}"#, &FORM),
            (r#"{"TAGS":null}"#, &UNKNOWN_FORM),
            (r#"{"TAGS":{}}"#, &UNKNOWN_FORM),
            (r#"{"TAGS":{"principal_tags":{}}}"#, &UNKNOWN_FORM),
            (r#"{"TAGS":{"a":["1"]}}"#, &UNKNOWN_FORM),
            (r#"{"TAGS":{"principal_tags":{"a":["1"]},"transitive_tags":["a"]}}"#, &UNKNOWN_FORM),
            (r#"{"TAGS":{"principal_tags":{"a":["1"]},"transitive_tag_keys":"a"}}"#, &TRANSITIVE_FORM),
            (r#"{"TAGS":{"principal_tags":{"a":["1"]},"transitive_tag_keys":null}}"#, &TRANSITIVE_FORM),
            (r#"{"TAGS":{"principal_tags":{"a":["1"]},"transitive_tag_keys":[1]}}"#, &TRANSITIVE_FORM),
            (r#"{"TAGS":{"principal_tags":{"a":["1"],"a":["1"]}}}"#, &REPEATED_KEY),
            (r#"{"TAGS/principal_tags/a":["1"]}"#, &FLATTENED_FORM),
            (r#"{"TAGS/principal_tags/a":1}"#, &FLATTENED_FORM),
            (r#"{"TAGS/principal_tags/a":"1","TAGS/transitive_tag_keys":"a"}"#, &TRANSITIVE_FORM),
            (r#"{"TAGS/transitive_tag_keys":[]}"#, &UNKNOWN_FORM),
            (r#"{"TAGS":{"principal_tags":{"a":["1"]}},"TAGS/principal_tags/b":"1"}"#, &BOTH_FORMS),
            (r#"{"TAGS":null,"TAGS/transitive_tag_keys":[]}"#, &BOTH_FORMS),
        ] {
            assert_eq!(read(claims), Err(rule), "{claims}");
        }
    }

    #[test]
    fn the_limits_are_those_of_aws() {
        let many = |count: usize| (0..count).map(|n| format!(r#""k{n}":["v"]"#)).collect::<Vec<_>>().join(",");
        for good in [many(50), format!(r#""{}":["{}"]"#, "k".repeat(128), "v".repeat(256)), r#""é/ ":["漢 ½"]"#.to_owned()] {
            assert!(read(&nested(&good)).is_ok_and(|tags| tags.is_some()), "{good}");
        }
        for bad in [
            many(51),
            r#""":["v"]"#.to_owned(),
            format!(r#""{}":["v"]"#, "k".repeat(129)),
            format!(r#""k":["{}"]"#, "v".repeat(257)),
            r#""k*":["v"]"#.to_owned(),
            r#""k":["v,w"]"#.to_owned(),
            r#""k":["a\u0000"]"#.to_owned(),
            r#""aws:k":["v"]"#.to_owned(),
            r#""AWS:k":["v"]"#.to_owned(),
            r#""k":["aWs:v"]"#.to_owned(),
            r#""key":["v"],"KEY":["v"]"#.to_owned(),
        ] {
            assert_eq!(read(&nested(&bad)), Err(&LIMITS), "{bad}");
        }
        assert_eq!(read(r#"{"TAGS/principal_tags/":"v"}"#), Err(&LIMITS));
        assert_eq!(read(r#"{"TAGS/principal_tags/k":"v","TAGS/principal_tags/K":"v"}"#), Err(&LIMITS));
        let finding =
            session_tags(&Json::parse(nested(&many(51)).replace("TAGS", TAGS_CLAIM).as_bytes()).unwrap().as_object().unwrap().clone());
        assert!(!finding.unwrap_err().rule.code_recorded);
    }

    #[test]
    fn every_transitive_key_names_a_supplied_tag() {
        let with = |keys: &str| format!(r#"{{"TAGS":{{"principal_tags":{{"team":["a"]}},"transitive_tag_keys":{keys}}}}}"#);
        assert!(read(&with(r#"["team"]"#)).is_ok());
        for (keys, rule) in [
            (r#"["other"]"#, &TRANSITIVE_WITHOUT_TAG),
            (r#"["team","other"]"#, &TRANSITIVE_WITHOUT_TAG),
            (r#"[""]"#, &TRANSITIVE_WITHOUT_TAG),
            (r#"["aws:team"]"#, &TRANSITIVE_WITHOUT_TAG),
            (r#"["Team"]"#, &TRANSITIVE_SPELLING),
            (r#"["team","team"]"#, &TRANSITIVE_SPELLING),
        ] {
            assert_eq!(read(&with(keys)), Err(rule), "{keys}");
        }
        assert_eq!(read(r#"{"TAGS/transitive_tag_keys":["a"]}"#), Err(&TRANSITIVE_WITHOUT_TAG));
        assert_eq!(read(r#"{"TAGS":{"principal_tags":{},"transitive_tag_keys":["a"]}}"#), Err(&TRANSITIVE_WITHOUT_TAG));
    }
}
