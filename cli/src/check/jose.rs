//! The compact form of a signed token (RFC 7515 §7.1, §5.2), read strictly: three parts, canonical base64url without
//! padding, a header that is an object, one of the six algorithms that STS verifies, no critical extension.
//!
//! Nothing here knows AWS's codes: what is wrong is a [`JoseError`], and the rules say what STS makes of it.

use core::fmt;

use agentkeys_edge_broker::encoding::from_base64url;

use super::json::{Json, Object};

/// A signature algorithm (RFC 7518 §3.1). A type, never a text taken from a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Alg {
    Rs256,
    Rs384,
    Rs512,
    Es256,
    Es384,
    Es512,
}

/// A key type (RFC 7518 §6.1), of those whose signatures STS verifies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum KeyType {
    Rsa,
    Ec,
}

impl Alg {
    pub(crate) const ALL: [Self; 6] = [Self::Rs256, Self::Rs384, Self::Rs512, Self::Es256, Self::Es384, Self::Es512];

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Rs256 => "RS256",
            Self::Rs384 => "RS384",
            Self::Rs512 => "RS512",
            Self::Es256 => "ES256",
            Self::Es384 => "ES384",
            Self::Es512 => "ES512",
        }
    }

    /// The algorithm of this name, in this very case.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|alg| alg.as_str() == name)
    }

    pub(crate) fn key_type(self) -> KeyType {
        match self {
            Self::Rs256 | Self::Rs384 | Self::Rs512 => KeyType::Rsa,
            Self::Es256 | Self::Es384 | Self::Es512 => KeyType::Ec,
        }
    }
}

impl KeyType {
    /// The name in `kty`.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Rsa => "RSA",
            Self::Ec => "EC",
        }
    }
}

impl fmt::Display for Alg {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A signed token, taken apart and not verified.
pub(crate) struct Jws {
    pub(crate) alg: Alg,
    /// The name of the key that signed it, if it says so.
    pub(crate) kid: Option<String>,
    pub(crate) header: Object,
    pub(crate) payload: Vec<u8>,
    pub(crate) signature: Vec<u8>,
    /// `header.payload` as it was signed (RFC 7515 §5.2, step 8).
    pub(crate) signing_input: String,
}

/// Why a text is not a signed token in compact form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum JoseError {
    /// Not three parts between dots.
    Parts,
    /// A part is not base64url, or not the canonical one.
    Encoding(&'static str),
    /// The header is not a JSON object.
    Header,
    /// `alg` is absent, not a string, or not one of the six.
    Algorithm,
    /// `kid` is not a string.
    Kid,
    /// `crit` names extensions that must be understood.
    Critical,
}

impl Jws {
    /// Takes a token apart.
    ///
    /// # Errors
    /// The first thing that is wrong with it, from left to right.
    pub(crate) fn parse(token: &str) -> Result<Self, JoseError> {
        let (signing_input, signature) = token.rsplit_once('.').ok_or(JoseError::Parts)?;
        let (header, payload) = signing_input.split_once('.').ok_or(JoseError::Parts)?;
        if payload.contains('.') {
            return Err(JoseError::Parts);
        }
        let header = from_base64url(header).ok_or(JoseError::Encoding("header"))?;
        let Some(Json::Object(header)) = Json::parse(&header) else { return Err(JoseError::Header) };
        let payload = from_base64url(payload).ok_or(JoseError::Encoding("payload"))?;
        let alg = header.get("alg").and_then(Json::as_str).and_then(Alg::named).ok_or(JoseError::Algorithm)?;
        let signature = from_base64url(signature).ok_or(JoseError::Encoding("signature"))?;
        let kid = match header.get("kid") {
            None => None,
            Some(Json::String(kid)) => Some(kid.clone()),
            Some(_) => return Err(JoseError::Kid),
        };
        // RFC 7515 §4.1.11: a recipient refuses an extension it does not understand, and this one understands none.
        if header.has("crit") {
            return Err(JoseError::Critical);
        }
        Ok(Self { alg, kid, header, payload, signature, signing_input: signing_input.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use agentkeys_edge_broker::encoding::base64url;

    use super::*;

    fn token(header: &str) -> String {
        format!("{}.{}.{}", base64url(header.as_bytes()), base64url(b"{}"), base64url(b"signature"))
    }

    #[test]
    fn a_token_is_taken_apart() {
        let text = token(r#"{"alg":"ES256","kid":"a","typ":"JWT"}"#);
        let jws = Jws::parse(&text).ok().unwrap();
        assert_eq!((jws.alg, jws.kid.as_deref()), (Alg::Es256, Some("a")));
        assert_eq!((jws.payload.as_slice(), jws.signature.as_slice()), (&b"{}"[..], &b"signature"[..]));
        assert_eq!(Some(jws.signing_input.as_str()), text.rsplit_once('.').map(|(input, _)| input));
    }

    #[test]
    fn the_last_of_repeated_header_members_counts() {
        assert_eq!(Jws::parse(&token(r#"{"alg":"none","alg":"RS512"}"#)).ok().unwrap().alg, Alg::Rs512);
        assert_eq!(Jws::parse(&token(r#"{"alg":"RS512","alg":"none"}"#)).err(), Some(JoseError::Algorithm));
    }

    #[test]
    fn a_token_has_three_parts() {
        let good = token(r#"{"alg":"ES256"}"#);
        for bad in ["", ".", "a.b", "a.b.c.d", "....", &format!("{good}.")] {
            assert_eq!(Jws::parse(bad).err(), Some(JoseError::Parts), "{bad}");
        }
    }

    #[test]
    fn each_part_is_canonical_base64url() {
        let [header, payload, signature] = [&base64url(br#"{"alg":"ES256"}"#), &base64url(b"{}"), &base64url(b"s")];
        assert!(Jws::parse(&format!("{header}.{payload}.{signature}")).is_ok());
        for (bad, part) in [
            (format!("{header}=.{payload}.{signature}"), "header"),
            (format!(" {header}.{payload}.{signature}"), "header"),
            (format!("{header}.{payload}=.{signature}"), "payload"),
            (format!("{header}.{payload}.{signature}=="), "signature"),
            (format!("{header}.{payload}.cx"), "signature"),
            (format!("{header}.{payload}.+/8"), "signature"),
            (format!("{header}.{payload}.{signature}\n"), "signature"),
        ] {
            assert_eq!(Jws::parse(&bad).err(), Some(JoseError::Encoding(part)), "{bad}");
        }
    }

    #[test]
    fn the_algorithm_is_one_of_six_in_its_very_case() {
        for alg in Alg::ALL {
            assert_eq!(Jws::parse(&token(&format!(r#"{{"alg":"{alg}"}}"#))).ok().unwrap().alg, alg);
        }
        for bad in [
            r#"{"alg":"none"}"#,
            r#"{"alg":"HS256"}"#,
            r#"{"alg":"PS256"}"#,
            r#"{"alg":"EdDSA"}"#,
            r#"{"alg":"ES256K"}"#,
            r#"{"alg":"es256"}"#,
            r#"{"alg":"ES256 "}"#,
            r#"{"alg":["ES256"]}"#,
            r#"{"alg":null}"#,
            "{}",
        ] {
            assert_eq!(Jws::parse(&token(bad)).err(), Some(JoseError::Algorithm), "{bad}");
        }
    }

    #[test]
    fn the_header_is_an_object_without_critical_extensions_and_its_kid_is_a_string() {
        for (bad, error) in [
            ("[]", JoseError::Header),
            ("\"ES256\"", JoseError::Header),
            ("{\"alg\":\"ES256\"", JoseError::Header),
            (r#"{"alg":"ES256","kid":1}"#, JoseError::Kid),
            (r#"{"alg":"ES256","kid":null}"#, JoseError::Kid),
            (r#"{"alg":"ES256","crit":["b64"],"b64":false}"#, JoseError::Critical),
            (r#"{"alg":"ES256","crit":[]}"#, JoseError::Critical),
        ] {
            assert_eq!(Jws::parse(&token(bad)).err(), Some(error), "{bad}");
        }
    }
}
