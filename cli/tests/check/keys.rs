//! Keys that sign in the six algorithms, made once a run, and their JWKs.

use std::sync::LazyLock;

use agentkeys_edge_broker::encoding::base64url;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair as RsaKeyPair, KeySize};
use aws_lc_rs::signature::{self, EcdsaKeyPair, EcdsaSigningAlgorithm, KeyPair, RsaEncoding};
use serde_json::{Value, json};
use x509_cert::der::asn1::UintRef;
use x509_cert::der::{Decode, Reader, SliceReader};

/// A key pair.
pub(crate) enum Key {
    Ec { crv: &'static str, pair: EcdsaKeyPair },
    Rsa(Box<RsaKeyPair>),
}

pub(crate) static P256: LazyLock<Key> = LazyLock::new(|| ec("P-256", &signature::ECDSA_P256_SHA256_FIXED_SIGNING));
pub(crate) static P256_OTHER: LazyLock<Key> = LazyLock::new(|| ec("P-256", &signature::ECDSA_P256_SHA256_FIXED_SIGNING));
pub(crate) static P384: LazyLock<Key> = LazyLock::new(|| ec("P-384", &signature::ECDSA_P384_SHA384_FIXED_SIGNING));
pub(crate) static P521: LazyLock<Key> = LazyLock::new(|| ec("P-521", &signature::ECDSA_P521_SHA512_FIXED_SIGNING));
pub(crate) static RSA: LazyLock<Key> = LazyLock::new(|| Key::Rsa(Box::new(RsaKeyPair::generate(KeySize::Rsa2048).unwrap())));
pub(crate) static RSA_OTHER: LazyLock<Key> = LazyLock::new(|| Key::Rsa(Box::new(RsaKeyPair::generate(KeySize::Rsa3072).unwrap())));

fn ec(crv: &'static str, algorithm: &'static EcdsaSigningAlgorithm) -> Key {
    Key::Ec { crv, pair: EcdsaKeyPair::generate(algorithm).unwrap() }
}

impl Key {
    /// The public parameters, and this kid.
    pub(crate) fn jwk(&self, kid: &str) -> Value {
        match self {
            Self::Ec { crv, pair } => {
                let point = &pair.public_key().as_ref()[1..];
                let (x, y) = point.split_at(point.len() / 2);
                json!({"kty": "EC", "crv": crv, "x": base64url(x), "y": base64url(y), "kid": kid})
            }
            Self::Rsa(pair) => {
                let mut reader = SliceReader::new(pair.public_key().as_ref()).unwrap();
                let number = |reader: &mut SliceReader<'_>| UintRef::decode(reader).map(|number| base64url(number.as_bytes()));
                let (n, e) = reader.sequence(|fields| Ok::<_, x509_cert::der::Error>((number(fields)?, number(fields)?))).unwrap();
                json!({"kty": "RSA", "n": n, "e": e, "kid": kid})
            }
        }
    }

    /// The signature in JOSE form. An RSA key goes by the algorithm, an EC key has its own.
    pub(crate) fn sign(&self, alg: &str, message: &[u8]) -> Vec<u8> {
        let random = SystemRandom::new();
        match self {
            Self::Ec { pair, .. } => pair.sign(&random, message).unwrap().as_ref().to_vec(),
            Self::Rsa(pair) => {
                let encoding: &dyn RsaEncoding = match alg {
                    "RS384" => &signature::RSA_PKCS1_SHA384,
                    "RS512" => &signature::RSA_PKCS1_SHA512,
                    "PS256" => &signature::RSA_PSS_SHA256,
                    _ => &signature::RSA_PKCS1_SHA256,
                };
                let mut bytes = vec![0; pair.public_modulus_len()];
                pair.sign(encoding, &random, message, &mut bytes).unwrap();
                bytes
            }
        }
    }

    /// A self-signed certificate of this key, as `x5c` has it.
    pub(crate) fn certificate(&self) -> String {
        use base64ct::{Base64, Encoding};
        let pkcs8 = match self {
            Self::Ec { pair, .. } => pair.to_pkcs8v1().unwrap().as_ref().to_vec(),
            Self::Rsa(pair) => {
                aws_lc_rs::encoding::AsDer::<aws_lc_rs::encoding::Pkcs8V1Der<'_>>::as_der(pair.as_ref()).unwrap().as_ref().to_vec()
            }
        };
        let signer = rcgen::KeyPair::try_from(pkcs8).unwrap();
        let parameters = rcgen::CertificateParams::new(["keys.example.com".to_owned()]).unwrap();
        Base64::encode_string(parameters.self_signed(&signer).unwrap().der())
    }
}
