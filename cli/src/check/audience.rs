//! `aud` and `azp`: which client ID the token is for, and whether it is registered.

use super::json::{Json, Object};
use super::rule::{Basis, Finding, Rule};

const FORM: Rule = Rule::new(
    "audience-form",
    Basis::Seen,
    "aud is a string or an array of one string.",
    "Write aud as one string, the client ID that is registered with IAM.",
);

const SEVERAL: Rule = Rule::new(
    "audience-several-without-azp",
    Basis::Seen,
    "A token with more than one audience has azp, which alone is matched.",
    "Send one audience, or name in azp the client ID that is registered with IAM.",
);

const AZP_FORM: Rule = Rule::new(
    "azp-form",
    Basis::NotRecorded,
    "azp, where it is present, is a string, and aud still is a string or an array of strings that is not empty.",
    "Write azp as one string, the client ID that is registered with IAM, or leave it out and send one audience.",
);

const REGISTERED: Rule = Rule::new(
    "audience-not-registered",
    Basis::Seen,
    "The audience (azp where it is present, else aud) is one of the client IDs that are registered with the IAM OIDC provider.",
    "Register this client ID with the IAM OIDC provider, or ask the issuer for the audience that is registered (for AWS: sts.amazonaws.com).",
);

/// The one client ID that STS matches: `azp` where it is present, else the one audience.
pub(crate) fn client_id<'a>(aud: &'a Json, claims: &'a Object) -> Result<&'a str, Finding> {
    let azp = match claims.get("azp") {
        None => None,
        Some(Json::String(azp)) => Some(azp.as_str()),
        Some(other) => return Err(AZP_FORM.broken().because(format!("azp is {}.", other.kind()))),
    };
    let audiences = match aud {
        Json::String(one) => Some(vec![one.as_str()]),
        other => other.as_texts().filter(|texts| !texts.is_empty()),
    };
    match (azp, audiences.as_deref()) {
        (Some(azp), Some(_)) => Ok(azp),
        (Some(_), None) => Err(AZP_FORM.broken().because(format!("aud is {}.", form_of(aud)))),
        (None, Some([one])) => Ok(one),
        (None, Some(several)) => Err(SEVERAL.broken().because(format!("It has {} audiences and no azp.", several.len()))),
        (None, None) => Err(FORM.broken().because(format!("aud is {}.", form_of(aud)))),
    }
}

fn form_of(aud: &Json) -> &'static str {
    match aud {
        Json::Array(values) if values.is_empty() => "an empty array",
        Json::Array(_) => "an array with something else than strings in it",
        other => other.kind(),
    }
}

/// Whether the client ID is one of the registered ones, byte for byte.
pub(crate) fn registered(client_id: &str, registered: &[String]) -> Result<(), Finding> {
    if registered.iter().any(|one| one == client_id) {
        return Ok(());
    }
    Err(REGISTERED
        .broken()
        .said_to_say("Incorrect token audience")
        .because(format!("It is for {client_id:?}, which is not among those given.")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule_or_id(text: &str) -> Result<String, &'static Rule> {
        let claims = Json::parse(text.as_bytes()).unwrap().as_object().unwrap().clone();
        client_id(claims.get("aud").unwrap(), &claims).map(str::to_owned).map_err(|finding| finding.rule)
    }

    #[test]
    fn the_client_id_is_azp_or_the_one_audience() {
        for (claims, id) in [
            (r#"{"aud":"a"}"#, "a"),
            (r#"{"aud":["a"]}"#, "a"),
            (r#"{"aud":""}"#, ""),
            (r#"{"aud":"a","azp":"b"}"#, "b"),
            (r#"{"aud":["a"],"azp":"b"}"#, "b"),
            (r#"{"aud":["a","b"],"azp":"b"}"#, "b"),
            (r#"{"aud":["a","b"],"azp":"c"}"#, "c"),
            (r#"{"aud":["a","b"],"aud":"c"}"#, "c"),
        ] {
            assert_eq!(rule_or_id(claims), Ok(id.to_owned()), "{claims}");
        }
        for (claims, rule) in [
            (r#"{"aud":["a","b"]}"#, &SEVERAL),
            (r#"{"aud":["a","a"]}"#, &SEVERAL),
            (r#"{"aud":[]}"#, &FORM),
            (r#"{"aud":[1]}"#, &FORM),
            (r#"{"aud":["a",null]}"#, &FORM),
            (r#"{"aud":1}"#, &FORM),
            (r#"{"aud":null}"#, &FORM),
            (r#"{"aud":{"a":"a"}}"#, &FORM),
            (r#"{"aud":"a","azp":null}"#, &AZP_FORM),
            (r#"{"aud":"a","azp":["a"]}"#, &AZP_FORM),
            (r#"{"aud":[],"azp":"a"}"#, &AZP_FORM),
            (r#"{"aud":null,"azp":"a"}"#, &AZP_FORM),
        ] {
            assert_eq!(rule_or_id(claims), Err(rule), "{claims}");
        }
    }

    #[test]
    fn the_client_id_is_registered_byte_for_byte() {
        let list = ["sts.amazonaws.com".to_owned(), "second".to_owned()];
        for good in ["sts.amazonaws.com", "second"] {
            assert_eq!(registered(good, &list), Ok(()), "{good}");
        }
        for bad in ["", "STS.amazonaws.com", "sts.amazonaws.com ", "sts.amazonaws.com/", "sts.amazon.com", "secon"] {
            let finding = registered(bad, &list).unwrap_err();
            assert_eq!((finding.rule, finding.message.as_deref()), (&REGISTERED, Some("Incorrect token audience")), "{bad}");
        }
        assert!(registered("sts.amazonaws.com", &[]).is_err());
    }
}
