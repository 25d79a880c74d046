//! `sub`: who the token is about. STS takes nearly anything.

use super::json::Json;
use super::rule::{Basis, Code, Finding, Rule};

const NULL: Rule = Rule::new(
    "subject-null",
    Basis::Seen,
    "sub is not null: STS fails on it instead of refusing it.",
    "Put the subject's identifier into sub, a string of 6 to 255 characters.",
)
.with_code(Code::InternalFailure);

const FORM: Rule = Rule::new(
    "subject-form",
    Basis::NotRecorded,
    "sub is a string, or a number, which becomes one.",
    "Write sub as a string of 6 to 255 characters.",
);

/// The subject as STS has it.
pub(crate) fn subject(sub: &Json) -> Result<String, Finding> {
    match sub {
        Json::String(text) => Ok(text.clone()),
        Json::Integer(number) => Ok(number.to_string()),
        Json::Float(number) => Ok(number.to_string()),
        Json::Null => Err(NULL.broken()),
        other => Err(FORM.broken().because(format!("sub is {}.", other.kind()))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subject_is_any_text_or_a_number() {
        let long = format!("\"{}\"", "a".repeat(256));
        for (text, sub) in [
            ("\"agentkeys:agent:0x\"", "agentkeys:agent:0x"),
            ("\"\"", ""),
            ("\"a\"", "a"),
            ("12345678", "12345678"),
            ("-1", "-1"),
            ("1.5", "1.5"),
        ] {
            assert_eq!(subject(&Json::parse(text.as_bytes()).unwrap()), Ok(sub.to_owned()), "{text}");
        }
        assert!(subject(&Json::parse(long.as_bytes()).unwrap()).is_ok());
    }

    #[test]
    fn null_is_a_failure_of_sts_and_the_rest_is_refused() {
        for (text, rule, code) in [
            ("null", &NULL, Code::InternalFailure),
            ("true", &FORM, Code::InvalidIdentityToken),
            ("[\"a\"]", &FORM, Code::InvalidIdentityToken),
            ("{}", &FORM, Code::InvalidIdentityToken),
        ] {
            let finding = subject(&Json::parse(text.as_bytes()).unwrap()).unwrap_err();
            assert_eq!((finding.rule, finding.rule.code), (rule, code), "{text}");
        }
    }
}
