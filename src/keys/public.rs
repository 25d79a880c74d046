//! A public key as it is published (RFC 7517, RFC 7518 §6) and its name (RFC 7638).

use serde::Serialize;
use sha2::{Digest, Sha256};

use super::Alg;
use crate::encoding::{base64url, from_base64url};

/// The public half of a signing key, well formed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PublicKey {
    /// A point of P-256: 32 bytes each in base64url.
    P256 {
        /// The x coordinate.
        x: String,
        /// The y coordinate.
        y: String,
    },
    /// An RSA key: modulus of 2048 to 8192 bits and exponent, in base64url without leading zeroes.
    Rsa {
        /// The modulus.
        n: String,
        /// The exponent.
        e: String,
    },
}

/// The most bytes of an RSA modulus; larger ones make every signature slow and every token long.
const MODULUS_BYTES_MAX: usize = 1024;
const MODULUS_BYTES_MIN: usize = 256;

impl PublicKey {
    /// A point of P-256, if the coordinates have its size. That it lies on the curve is for the importer to see.
    #[must_use]
    pub fn p256(x: String, y: String) -> Option<Self> {
        let fits = |coordinate: &str| from_base64url(coordinate).is_some_and(|bytes| bytes.len() == 32);
        (fits(&x) && fits(&y)).then_some(Self::P256 { x, y })
    }

    /// An RSA key of 2048 to 8192 bits with an odd exponent from 3 to 2^32 − 1.
    #[must_use]
    pub fn rsa(n: String, e: String) -> Option<Self> {
        let unsigned = |text: &str| from_base64url(text).filter(|bytes| bytes.first().is_some_and(|first| *first != 0));
        let odd = |bytes: &[u8]| bytes.last().is_some_and(|last| last & 1 == 1);
        let (modulus, exponent) = (unsigned(&n)?, unsigned(&e)?);
        let full = modulus.len() > MODULUS_BYTES_MIN
            || (modulus.len() == MODULUS_BYTES_MIN && modulus.first().is_some_and(|first| first & 0x80 != 0));
        let fits = full && modulus.len() <= MODULUS_BYTES_MAX && odd(&modulus) && exponent.len() <= 4 && odd(&exponent) && exponent != [1];
        fits.then_some(Self::Rsa { n, e })
    }

    /// The algorithm it verifies.
    #[must_use]
    pub fn alg(&self) -> Alg {
        match self {
            Self::P256 { .. } => Alg::Es256,
            Self::Rsa { .. } => Alg::Rs256,
        }
    }

    /// The RFC 7638 thumbprint with SHA-256, in base64url: the `kid`.
    #[must_use]
    pub fn thumbprint(&self) -> String {
        // §3.2: the required members only, in lexicographic order, without white space.
        let canonical = match self {
            Self::P256 { x, y } => format!(r#"{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}"#),
            Self::Rsa { n, e } => format!(r#"{{"e":"{e}","kty":"RSA","n":"{n}"}}"#),
        };
        base64url(&Sha256::digest(canonical.as_bytes()))
    }
}

/// An entry of the key set: `kty crv x y` or `kty n e`, then `kid`, `alg`, `use`, and `x5c` where there is one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PublicJwk {
    #[serde(flatten)]
    parameters: Parameters,
    kid: String,
    alg: Alg,
    #[serde(rename = "use")]
    usage: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    x5c: Option<Vec<String>>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
enum Parameters {
    P256 { kty: &'static str, crv: &'static str, x: String, y: String },
    Rsa { kty: &'static str, n: String, e: String },
}

impl PublicJwk {
    /// The entry of a key.
    #[must_use]
    pub fn new(key: &PublicKey, x5c: Option<Vec<String>>) -> Self {
        let parameters = match key.clone() {
            PublicKey::P256 { x, y } => Parameters::P256 { kty: "EC", crv: "P-256", x, y },
            PublicKey::Rsa { n, e } => Parameters::Rsa { kty: "RSA", n, e },
        };
        Self { parameters, kid: key.thumbprint(), alg: key.alg(), usage: "sig", x5c }
    }

    /// The thumbprint.
    #[must_use]
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// The algorithm.
    #[must_use]
    pub fn alg(&self) -> Alg {
        self.alg
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_thumbprint_is_that_of_rfc_7638_section_3_1() {
        let n = "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw";
        let key = PublicKey::rsa(n.to_owned(), "AQAB".to_owned()).unwrap();
        assert_eq!(key.thumbprint(), "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
    }

    #[test]
    fn a_point_has_two_coordinates_of_32_bytes() {
        let coordinate = base64url(&[1; 32]);
        assert!(PublicKey::p256(coordinate.clone(), coordinate.clone()).is_some());
        for bad in [String::new(), base64url(&[1; 31]), base64url(&[1; 33]), format!("{coordinate}="), "*".repeat(43)] {
            assert!(PublicKey::p256(coordinate.clone(), bad.clone()).is_none(), "{bad}");
            assert!(PublicKey::p256(bad.clone(), coordinate.clone()).is_none(), "{bad}");
        }
    }

    #[test]
    fn an_rsa_key_has_2048_to_8192_bits_and_an_odd_exponent() {
        let modulus = |length: usize, first: u8, last: u8| {
            let mut bytes = vec![0xa5; length];
            bytes[0] = first;
            bytes[length - 1] = last;
            base64url(&bytes)
        };
        let fits = |n: String, e: &str| PublicKey::rsa(n, e.to_owned()).is_some();
        assert!(fits(modulus(256, 0x80, 1), "AQAB"));
        assert!(fits(modulus(1024, 0x80, 1), "Aw"));
        assert!(!fits(modulus(256, 0x7f, 1), "AQAB"), "2047 bits");
        assert!(!fits(modulus(128, 0x80, 1), "AQAB"), "1024 bits");
        assert!(!fits(modulus(1025, 0x80, 1), "AQAB"), "8200 bits");
        assert!(!fits(modulus(257, 0, 1), "AQAB"), "leading zero");
        assert!(!fits(modulus(256, 0x80, 2), "AQAB"), "even modulus");
        for exponent in ["", "AQ", "Ag", "AAEAAQ", "AQAAAAE"] {
            assert!(!fits(modulus(256, 0x80, 1), exponent), "exponent {exponent:?}");
        }
    }
}
