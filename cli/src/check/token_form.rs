//! The form of the token itself: its length, its three parts, its header, its claims, and the ones that must be there.

use agentkeys_edge_broker::aws::TOKEN_CHARACTERS;

use super::jose::{JoseError, Jws};
use super::json::{Json, Object};
use super::rule::{Basis, Code, Finding, Rule};

const LENGTH: Rule = Rule::new(
    "token-length",
    Basis::Doc,
    "A token has 4 to 20,000 characters.",
    "Send the whole token and nothing else; where it is too long, send fewer tags, roles and claims.",
)
.with_code(Code::Validation);

const FORM: Rule = Rule::new(
    "token-form",
    Basis::Seen,
    "A token is a signed JWT in compact form: a header object and a claims object in base64url, and a signature, between two dots.",
    "Send the token as its issuer made it: an ID token, neither encrypted nor opaque, without padding, blanks or line breaks.",
);

const ALGORITHM: Rule = Rule::new(
    "token-algorithm",
    Basis::DocAndSeen,
    "A token is signed with RS256, RS384, RS512, ES256, ES384 or ES512.",
    "Sign with ES256 or RS256, and name it in the header's alg.",
);

const KID: Rule = Rule::new(
    "token-kid-form",
    Basis::NotRecorded,
    "The header's kid, where there is one, is a string.",
    "Write the kid as a string, the same as in the key set.",
);

const CRITICAL: Rule = Rule::new(
    "token-critical-extension",
    Basis::NotRecorded,
    "The header has no crit: a verifier refuses extensions that it does not understand (RFC 7515, 4.1.11).",
    "Leave crit and what it names out of the header.",
);

const REQUIRED: Rule = Rule::new(
    "claim-missing",
    Basis::Seen,
    "The claims iss, sub, aud, iat and exp must be present.",
    "Have the issuer put all of iss, sub, aud, iat and exp into its tokens.",
);

/// STS's words for what it cannot read as a JWT, as the public record has them.
const NOT_A_JWT: &str = "The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)";

/// 4 to 20,000 characters. The first check of all: it is made by the API before STS reads anything.
pub(crate) fn length(token: &str) -> Result<(), Finding> {
    let characters = token.chars().count();
    if TOKEN_CHARACTERS.contains(&characters) {
        return Ok(());
    }
    let limit = if characters < *TOKEN_CHARACTERS.start() {
        format!("greater than or equal to {}", TOKEN_CHARACTERS.start())
    } else {
        format!("less than or equal to {}", TOKEN_CHARACTERS.end())
    };
    let message =
        format!("1 validation error detected: Value at 'webIdentityToken' failed to satisfy constraint: Member must have length {limit}");
    Err(LENGTH.broken().said_to_say(message).because(format!("It has {characters} characters.")))
}

/// The compact form and the header.
pub(crate) fn parts(token: &str) -> Result<Jws, Finding> {
    Jws::parse(token).map_err(|error| match error {
        JoseError::Parts => FORM.broken().said_to_say(NOT_A_JWT).because("It does not have three parts between two dots."),
        JoseError::Encoding(part) => {
            FORM.broken().said_to_say(NOT_A_JWT).because(format!("Its {part} is not base64url without padding, in canonical form."))
        }
        JoseError::Header => FORM.broken().said_to_say(NOT_A_JWT).because("Its header is not a JSON object."),
        JoseError::Algorithm => ALGORITHM.broken(),
        JoseError::Kid => KID.broken(),
        JoseError::Critical => CRITICAL.broken(),
    })
}

/// The claims: a JSON object.
pub(crate) fn claims(payload: &[u8]) -> Result<Object, Finding> {
    match Json::parse(payload) {
        Some(Json::Object(claims)) => Ok(claims),
        _ => Err(FORM.broken().said_to_say(NOT_A_JWT).because("Its payload is not a JSON object.")),
    }
}

/// A claim that no token can be without.
pub(crate) fn required<'a>(claims: &'a Object, name: &'static str) -> Result<&'a Json, Finding> {
    claims.get(name).ok_or_else(|| REQUIRED.broken().saying(format!("Missing a required claim: {name}")))
}

#[cfg(test)]
mod tests {
    use agentkeys_edge_broker::encoding::base64url;

    use super::*;

    #[test]
    fn a_token_has_4_to_20000_characters() {
        for good in [4, 5, 19_999, 20_000] {
            assert_eq!(length(&"a".repeat(good)), Ok(()), "{good}");
        }
        assert_eq!(length(&"é".repeat(20_000)), Ok(()), "characters, not bytes");
        for (bad, words) in [
            (0, "greater than or equal to 4"),
            (3, "greater than or equal to 4"),
            (20_001, "less than or equal to 20000"),
            (100_000, "less than or equal to 20000"),
        ] {
            let finding = length(&"a".repeat(bad)).unwrap_err();
            assert_eq!(finding.rule.code, Code::Validation, "{bad}");
            assert!(finding.message.unwrap().ends_with(words), "{bad}");
        }
    }

    #[test]
    fn what_is_wrong_with_the_parts_has_its_rule() {
        let token = |header: &str| format!("{}.{}.{}", base64url(header.as_bytes()), base64url(b"{}"), base64url(b"s"));
        assert!(parts(&token(r#"{"alg":"RS384","kid":"a"}"#)).is_ok());
        for (bad, rule) in [
            ("aaaa".to_owned(), "token-form"),
            ("a.b.c.d.e".to_owned(), "token-form"),
            (token("[]"), "token-form"),
            (format!("{}=", token(r#"{"alg":"ES256"}"#)), "token-form"),
            (token(r#"{"alg":"none"}"#), "token-algorithm"),
            (token(r#"{"alg":"HS256"}"#), "token-algorithm"),
            (token(r#"{"alg":"ES256","kid":7}"#), "token-kid-form"),
            (token(r#"{"alg":"ES256","crit":["exp"]}"#), "token-critical-extension"),
        ] {
            let finding = parts(&bad).err().unwrap();
            assert_eq!((finding.rule.id, finding.rule.code), (rule, Code::InvalidIdentityToken), "{bad}");
        }
    }

    #[test]
    fn the_claims_are_an_object() {
        assert!(claims(b"{}").is_ok());
        for bad in [&b""[..], b"[]", b"null", b"\"{}\"", b"{", b"{}{}", b"{\"a\":\"\xff\"}"] {
            assert_eq!(claims(bad).unwrap_err().rule, &FORM);
        }
    }

    #[test]
    fn a_missing_claim_is_named() {
        let object = claims(br#"{"sub":null}"#).unwrap();
        assert_eq!(required(&object, "sub"), Ok(&Json::Null));
        let finding = required(&object, "iat").unwrap_err();
        assert_eq!((finding.rule, finding.message.as_deref()), (&REQUIRED, Some("Missing a required claim: iat")));
    }
}
