//! Key pairs, and the private JWK of each (RFC 7517, RFC 7518 §6).

use agentkeys_edge_broker::encoding::base64url;
use agentkeys_edge_broker::keys::PublicKey;
use agentkeys_edge_broker::time::UnixTime;
use getrandom::SysRng;
use p256::elliptic_curve::Generate;
use p256::elliptic_curve::sec1::ToSec1Point;
use rsa::pkcs1::der::Decode;
use rsa::pkcs1::{EncodeRsaPrivateKey, RsaPrivateKeyRef, UintRef};
use serde::Serialize;

use crate::error::Error;

/// What kind of key to make.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// EC P-256, for ES256.
    P256,
    /// RSA with the exponent 65537, for RS256.
    Rsa {
        /// The size of the modulus.
        bits: usize,
    },
}

/// A fresh key pair.
pub(super) enum KeyPair {
    P256(p256::SecretKey),
    Rsa(Box<rsa::PrivateKey>),
}

/// A private JWK in the order in which people read one.
#[derive(Serialize)]
struct PrivateJwk<'a> {
    #[serde(flatten)]
    parameters: Parameters,
    alg: &'static str,
    kid: &'a str,
    nbf: UnixTime,
    #[serde(skip_serializing_if = "Option::is_none")]
    x5c: Option<[String; 1]>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Parameters {
    P256 { kty: &'static str, crv: &'static str, x: String, y: String, d: String },
    Rsa { kty: &'static str, n: String, e: String, d: String, p: String, q: String, dp: String, dq: String, qi: String },
}

impl KeyPair {
    /// A key pair of the operating system's randomness.
    pub(super) fn generate(kind: Kind) -> Result<Self, Error> {
        match kind {
            Kind::P256 => p256::SecretKey::try_generate_from_rng(&mut SysRng).map(Self::P256).map_err(|_| no_randomness()),
            Kind::Rsa { bits } => rsa::PrivateKey::new(&mut SysRng, bits).map(|key| Self::Rsa(Box::new(key))).map_err(|_| no_randomness()),
        }
    }

    /// The text of a secret: one line of JSON.
    pub(super) fn secret(&self, not_before: UnixTime, x5c: Option<String>) -> Result<String, Error> {
        let (parameters, public) = self.parameters().ok_or_else(unwritable)?;
        let kid = public.thumbprint();
        let jwk = PrivateJwk { parameters, alg: public.alg().as_str(), kid: &kid, nbf: not_before, x5c: x5c.map(|one| [one]) };
        serde_json::to_string(&jwk).map_err(|_| unwritable())
    }

    #[allow(clippy::many_single_char_names, reason = "the names of RFC 7518 §6")]
    fn parameters(&self) -> Option<(Parameters, PublicKey)> {
        match self {
            Self::P256(key) => {
                let point = key.public_key().to_sec1_point(false);
                let (x, y, d) = (base64url(point.x()?), base64url(point.y()?), base64url(&key.to_bytes()));
                let public = PublicKey::p256(x.clone(), y.clone())?;
                Some((Parameters::P256 { kty: "EC", crv: "P-256", x, y, d }, public))
            }
            Self::Rsa(key) => {
                let document = key.to_pkcs1_der().ok()?;
                let key = RsaPrivateKeyRef::from_der(document.as_bytes()).ok()?;
                // RFC 7518 §6.3: Base64urlUInt, the fewest bytes; DER's integers without their sign.
                let number = |number: UintRef<'_>| base64url(number.as_bytes());
                let (n, e) = (number(key.modulus), number(key.public_exponent));
                let public = PublicKey::rsa(n.clone(), e.clone())?;
                let (d, p, q) = (number(key.private_exponent), number(key.prime1), number(key.prime2));
                let (dp, dq, qi) = (number(key.exponent1), number(key.exponent2), number(key.coefficient));
                Some((Parameters::Rsa { kty: "RSA", n, e, d, p, q, dp, dq, qi }, public))
            }
        }
    }
}

fn no_randomness() -> Error {
    Error::outside("the operating system gave no randomness for a key; nothing was printed")
}

fn unwritable() -> Error {
    Error::input("the key that was made cannot be written as a JWK; nothing was printed")
}
