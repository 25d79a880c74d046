//! The claim `https://aws.amazon.com/source_identity`.

use agentkeys_edge_broker::aws::{SOURCE_IDENTITY_CLAIM, SourceIdentity};

use super::json::{Json, Object};
use super::rule::{Basis, Finding, Rule};

const FORM: Rule = Rule::new(
    "source-identity-form",
    Basis::Doc,
    "The source identity is a string of 2 to 64 letters, digits and _ + = , . @ -, not starting with aws:.",
    "Send a source identity of that form, or none.",
);

const NULL: Rule = Rule::new(
    "source-identity-null",
    Basis::NotRecorded,
    "The source identity, where its claim is present, is a string.",
    "Leave the claim out where there is no source identity.",
);

/// The source identity, if the token has one.
pub(crate) fn source_identity(claims: &Object) -> Result<Option<SourceIdentity>, Finding> {
    match claims.get(SOURCE_IDENTITY_CLAIM) {
        None => Ok(None),
        Some(Json::Null) => Err(NULL.broken().because("The claim is null.")),
        Some(Json::String(text)) => {
            SourceIdentity::try_from(text.clone()).map(Some).map_err(|violation| FORM.broken().because(format!("Here {violation}.")))
        }
        Some(other) => Err(FORM.broken().because(format!("The claim is {}.", other.kind()))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(value: &str) -> Result<Option<SourceIdentity>, &'static Rule> {
        let text = format!(r#"{{"{SOURCE_IDENTITY_CLAIM}":{value}}}"#);
        let claims = Json::parse(text.as_bytes()).unwrap().as_object().unwrap().clone();
        source_identity(&claims).map_err(|finding| finding.rule)
    }

    #[test]
    fn a_source_identity_is_a_string_of_2_to_64_name_characters() {
        assert_eq!(source_identity(&Object::default()), Ok(None));
        for good in ["ab", "agent-7@example.com", "a_b+c=d,e.f", &"a".repeat(64)] {
            assert_eq!(read(&format!("\"{good}\"")).unwrap().unwrap().as_str(), good);
        }
        for bad in [
            "\"\"",
            "\"a\"",
            "\"a b\"",
            "\"a/b\"",
            "\"aws:x\"",
            "\"AWS:x\"",
            "\"é\\u00e9\"",
            "7",
            "[\"ab\"]",
            "{}",
            "false",
            &format!("\"{}\"", "a".repeat(65)),
        ] {
            assert_eq!(read(bad), Err(&FORM), "{bad}");
        }
        assert_eq!(read("null"), Err(&NULL));
    }
}
