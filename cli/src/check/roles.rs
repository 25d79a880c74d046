//! The claim `https://aws.amazon.com/roles`: which roles the token may be used for.

use agentkeys_edge_broker::aws::{ROLES_CLAIM, RoleArn};

use super::json::{Json, Object};
use super::rule::{Basis, Finding, Rule};

const FORM: Rule = Rule::new(
    "roles-form",
    Basis::Seen,
    "The roles claim is an array of role ARNs, or one string with ; between them.",
    "Write the roles as an array of exact role ARNs, or leave the claim out.",
);

const NONE_VALID: Rule = Rule::new(
    "roles-without-a-valid-arn",
    Basis::Seen,
    "The roles claim names at least one exact role ARN, without wildcards.",
    "Write each role as its exact ARN, arn:aws:iam::<12 digits>:role/<path and name>, or leave the claim out.",
);

const PART_INVALID: Rule = Rule::new(
    "roles-string-with-an-invalid-part",
    Basis::NotRecorded,
    "A roles claim in one string has nothing but role ARNs between its semicolons.",
    "Remove what is not a role ARN, an empty part too, or write the roles as an array.",
);

// That it is refused, and before the trust policy is read, was seen; the code was not recorded. AccessDenied is what
// the trust policy answers, so this is taken for what every other refusal of the token is.
const NOT_LISTED: Rule = Rule::new(
    "role-not-listed",
    Basis::Seen,
    "Where the token has a roles claim, the role asked for is in it.",
    "Ask for a role that the token lists, or have the issuer list this one.",
)
.with_unrecorded_code();

/// The roles that a token lists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Listed {
    pub(crate) roles: Vec<RoleArn>,
    /// The array's entries that STS ignores.
    pub(crate) ignored: usize,
}

/// The roles that the token lists; `None` where it has no such claim, and any role may be asked for.
pub(crate) fn listed(claims: &Object) -> Result<Option<Listed>, Finding> {
    let arn = |text: &str| RoleArn::try_from(text.trim_matches([' ', '\t', '\r', '\n']).to_owned()).ok();
    let (parts, in_array) = match claims.get(ROLES_CLAIM) {
        None | Some(Json::Null) => return Ok(None),
        Some(Json::Array(values)) => (values.iter().map(|value| value.as_str().and_then(arn)).collect::<Vec<_>>(), true),
        Some(Json::String(text)) => (text.split(';').map(arn).collect(), false),
        Some(other) => return Err(FORM.broken().because(format!("The claim is {}.", other.kind()))),
    };
    let ignored = parts.iter().filter(|part| part.is_none()).count();
    let roles: Vec<RoleArn> = parts.into_iter().flatten().collect();
    if roles.is_empty() {
        return Err(NONE_VALID.broken());
    }
    if ignored > 0 && !in_array {
        return Err(PART_INVALID.broken().because(format!("{ignored} of its parts are not role ARNs.")));
    }
    Ok(Some(Listed { roles, ignored }))
}

/// Whether the role asked for is in the list.
pub(crate) fn lists(listed: &Listed, role: &RoleArn) -> Result<(), Finding> {
    if listed.roles.contains(role) {
        Ok(())
    } else {
        Err(NOT_LISTED.broken().because(format!("It lists {} and not {role}.", count(listed))))
    }
}

fn count(listed: &Listed) -> String {
    if listed.roles.len() == 1 { "one role".to_owned() } else { format!("{} roles", listed.roles.len()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: &str = "arn:aws:iam::123456789012:role/a";
    const B: &str = "arn:aws:iam::123456789012:role/path/b";

    fn read(value: &str) -> Result<Option<(Vec<String>, usize)>, &'static Rule> {
        let text = format!(r#"{{"{ROLES_CLAIM}":{value}}}"#);
        let claims = Json::parse(text.as_bytes()).unwrap().as_object().unwrap().clone();
        let names = |listed: Listed| (listed.roles.into_iter().map(String::from).collect(), listed.ignored);
        listed(&claims).map(|found| found.map(names)).map_err(|finding| finding.rule)
    }

    #[test]
    fn the_list_is_an_array_or_one_string_with_semicolons() {
        let both = || vec![A.to_owned(), B.to_owned()];
        for (value, found) in [
            (format!(r#"["{A}"]"#), Some((vec![A.to_owned()], 0))),
            (format!(r#"["{A}","{B}"]"#), Some((both(), 0))),
            (format!(r#"[" {A} ","\t{B}\n"]"#), Some((both(), 0))),
            (format!(r#"["{A}","nonsense",7,null,"","{A}*","{B}"]"#), Some((both(), 5))),
            (format!(r#"["{A};{B}","{B}"]"#), Some((vec![B.to_owned()], 1))),
            (format!(r#""{A}""#), Some((vec![A.to_owned()], 0))),
            (format!(r#""{A};{B}""#), Some((both(), 0))),
            (format!(r#"" {A} ; {B} ""#), Some((both(), 0))),
            ("null".to_owned(), None),
        ] {
            assert_eq!(read(&value), Ok(found), "{value}");
        }
        assert_eq!(listed(&Object::default()), Ok(None));
    }

    #[test]
    fn a_list_without_a_valid_arn_or_of_another_form_is_refused() {
        for (value, rule) in [
            ("[]".to_owned(), &NONE_VALID),
            (r#"[""]"#.to_owned(), &NONE_VALID),
            (r#"["agent"]"#.to_owned(), &NONE_VALID),
            (r#"["arn:aws:iam::123456789012:role/*"]"#.to_owned(), &NONE_VALID),
            (r#"["*"]"#.to_owned(), &NONE_VALID),
            ("[null]".to_owned(), &NONE_VALID),
            (r#""""#.to_owned(), &NONE_VALID),
            (r#"";""#.to_owned(), &NONE_VALID),
            (r#""agent""#.to_owned(), &NONE_VALID),
            (format!(r#""{A};""#), &PART_INVALID),
            (format!(r#""{A};agent""#), &PART_INVALID),
            ("7".to_owned(), &FORM),
            ("true".to_owned(), &FORM),
            (format!(r#"{{"role":"{A}"}}"#), &FORM),
        ] {
            assert_eq!(read(&value), Err(rule), "{value}");
        }
    }

    #[test]
    fn the_role_asked_for_is_in_the_list() {
        let role = |text: &str| RoleArn::try_from(text.to_owned()).unwrap();
        let listed = Listed { roles: vec![role(A), role(B)], ignored: 0 };
        assert_eq!(lists(&listed, &role(B)), Ok(()));
        for other in ["arn:aws:iam::123456789012:role/A", "arn:aws:iam::123456789012:role/b", "arn:aws:iam::210987654321:role/a"] {
            assert_eq!(lists(&listed, &role(other)).unwrap_err().rule, &NOT_LISTED, "{other}");
        }
    }
}
