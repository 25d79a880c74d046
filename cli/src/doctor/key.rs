//! One published key (RFC 7517 §4, RFC 7518 §6): its kind, its name, what it may be used for, and that it is public only.

use agentkeys_edge_broker::encoding::{base64url, from_base64url};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use crate::check::{Alg, KeySet};

/// The members that only a private key has (RFC 7518 §6.2.2, §6.3.2, §6.4.1).
const PRIVATE: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];
/// STS has been seen with keys of this size and more; smaller ones nobody should trust.
const MODULUS_BITS_MIN: usize = 2_048;

/// A key of the set, by its place in it, from 1.
pub(super) struct Key<'a> {
    pub(super) place: usize,
    pub(super) jwk: &'a Map<String, Value>,
}

impl<'a> Key<'a> {
    fn text(&self, member: &str) -> Option<&'a str> {
        self.jwk.get(member).and_then(Value::as_str)
    }

    pub(super) fn kty(&self) -> Option<&'a str> {
        self.text("kty")
    }

    pub(super) fn kid(&self) -> Option<&'a str> {
        self.text("kid")
    }

    /// The members that make the key, in the order of RFC 7638 §3.2; `None` where it is of no kind that STS verifies with.
    fn required(&self) -> Option<&'static [&'static str]> {
        match self.kty()? {
            "EC" => Some(&["crv", "kty", "x", "y"]),
            "RSA" => Some(&["e", "kty", "n"]),
            _ => None,
        }
    }

    /// The RFC 7638 thumbprint with SHA-256.
    pub(super) fn thumbprint(&self) -> Option<String> {
        let members: Vec<String> =
            self.required()?.iter().map(|name| Some(format!("\"{name}\":{}", json!(self.text(name)?)))).collect::<Option<_>>()?;
        Some(base64url(&Sha256::digest(format!("{{{}}}", members.join(",")))))
    }

    /// The algorithm of its curve; RS256 for an RSA key, whose own `alg` may name another hash.
    pub(super) fn alg(&self) -> Option<Alg> {
        match (self.kty()?, self.text("crv"), self.text("alg").and_then(Alg::named)) {
            ("EC", Some("P-256"), _) => Some(Alg::Es256),
            ("EC", Some("P-384"), _) => Some(Alg::Es384),
            ("EC", Some("P-521"), _) => Some(Alg::Es512),
            ("RSA", _, Some(alg @ (Alg::Rs256 | Alg::Rs384 | Alg::Rs512))) => Some(alg),
            ("RSA", ..) => Some(Alg::Rs256),
            _ => None,
        }
    }

    /// Whether `alg` is that of the key's kind and curve, or absent.
    pub(super) fn alg_fits(&self) -> bool {
        self.jwk.get("alg").is_none_or(|alg| alg.as_str().and_then(Alg::named).is_some_and(|alg| Some(alg) == self.alg()))
    }

    /// `d`, `p`, `q` and the like, of which none may ever be seen.
    pub(super) fn has_private_member(&self) -> bool {
        PRIVATE.iter().any(|member| self.jwk.contains_key(*member))
    }

    pub(super) fn is_for_signatures(&self) -> bool {
        self.jwk.get("use").is_none_or(|usage| usage.as_str() == Some("sig"))
    }

    pub(super) fn has_key_ops(&self) -> bool {
        self.jwk.contains_key("key_ops")
    }

    /// Whether an RSA key has fewer bits than it should.
    pub(super) fn is_small(&self) -> bool {
        let modulus = if self.kty() == Some("RSA") { self.text("n").and_then(from_base64url) } else { None };
        modulus.is_some_and(|modulus| {
            let zeros = modulus.first().map_or(0, |first| first.leading_zeros());
            modulus.len().saturating_mul(8).saturating_sub(usize::try_from(zeros).unwrap_or(0)) < MODULUS_BITS_MIN
        })
    }

    /// Whether its numbers are such as STS verifies with, whatever else is said of the key. An RSA key's size is judged elsewhere.
    pub(super) fn is_well_formed(&self) -> bool {
        self.is_small() || self.is_taken(&[])
    }

    /// Whether `x5c`, if there is one, is of this very key.
    pub(super) fn x5c_agrees(&self) -> bool {
        !self.jwk.contains_key("x5c") || !self.is_well_formed() || self.is_small() || self.is_taken(&["x5c"])
    }

    /// Whether the rules of `check` take the bare key with these members.
    fn is_taken(&self, with: &[&str]) -> bool {
        let (Some(required), Some(alg)) = (self.required(), self.alg()) else { return false };
        let mut bare: Map<String, Value> =
            required.iter().chain(with).filter_map(|name| Some(((*name).to_owned(), self.jwk.get(*name)?.clone()))).collect();
        bare.insert("kid".to_owned(), json!("bare"));
        KeySet::parse(json!({ "keys": [bare] }).to_string().as_bytes()).is_ok_and(|set| set.key_for(alg, Some("bare")).is_ok())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn jwk(value: &Value) -> Map<String, Value> {
        value.as_object().cloned().unwrap()
    }

    #[test]
    fn the_thumbprint_is_that_of_rfc_7638_section_3_1() {
        let n = "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw";
        let jwk = jwk(&json!({ "kty": "RSA", "n": n, "e": "AQAB", "alg": "RS256", "kid": "2011-04-29" }));
        let key = Key { place: 1, jwk: &jwk };
        assert_eq!(key.thumbprint().as_deref(), Some("NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"));
        assert!(key.is_well_formed() && key.alg_fits() && !key.is_small() && key.x5c_agrees());
    }

    #[test]
    fn a_key_of_another_kind_has_no_name_and_no_algorithm() {
        for value in [json!({}), json!({ "kty": "OKP", "crv": "Ed25519", "x": "AA" }), json!({ "kty": "EC" }), json!({ "kty": 7 })] {
            let jwk = jwk(&value);
            let key = Key { place: 1, jwk: &jwk };
            assert!(key.thumbprint().is_none() && key.alg().is_none() && !key.is_well_formed());
        }
    }

    #[test]
    fn an_algorithm_fits_its_own_curve_only() {
        let fits = |value: Value| {
            let jwk = jwk(&value);
            Key { place: 1, jwk: &jwk }.alg_fits()
        };
        assert!(fits(json!({ "kty": "EC", "crv": "P-256" })));
        assert!(fits(json!({ "kty": "EC", "crv": "P-384", "alg": "ES384" })));
        assert!(fits(json!({ "kty": "RSA", "alg": "RS512" })));
        for (kty, alg) in
            [("EC", json!("ES384")), ("EC", json!("RS256")), ("RSA", json!("ES256")), ("RSA", json!("PS256")), ("EC", json!(null))]
        {
            assert!(!fits(json!({ "kty": kty, "crv": "P-256", "alg": alg })), "{kty} {alg}");
        }
    }
}
