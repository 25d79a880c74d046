//! Signing keys, made once a run: no private key is kept in the repository. JWKs and certificates as `keygen` writes them.

use std::str::FromStr;
use std::sync::LazyLock;
use std::time::Duration;

use agentkeys_edge_broker::encoding::base64url;
use agentkeys_edge_broker::keys::PrivateKey;
use base64ct::{Base64, Encoding};
use p256::ecdsa::signature::{SignatureEncoding, Signer};
use rand_core::OsRng;
use rsa::RsaPrivateKey;
use rsa::traits::{PrivateKeyParts, PublicKeyParts};
use serde_json::{Value, json};
use x509_cert::Certificate;
use x509_cert::certificate::{TbsCertificate, Version};
use x509_cert::der::asn1::{BitString, Null, ObjectIdentifier, UtcTime};
use x509_cert::der::{Any, Encode};
use x509_cert::name::Name;
use x509_cert::serial_number::SerialNumber;
use x509_cert::spki::{AlgorithmIdentifierOwned, SubjectPublicKeyInfoOwned};
use x509_cert::time::{Time, Validity};

const ECDSA_WITH_SHA256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.4.3.2");
const RSA_WITH_SHA256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.11");

/// A key pair as its library holds it.
pub(crate) enum Pair {
    Ec(p256::ecdsa::SigningKey),
    Rsa(Box<RsaPrivateKey>),
}

impl Pair {
    pub(crate) fn ec() -> Self {
        Self::Ec(p256::ecdsa::SigningKey::random(&mut OsRng))
    }

    pub(crate) fn rsa(bits: usize) -> Self {
        Self::Rsa(Box::new(RsaPrivateKey::new(&mut OsRng, bits).unwrap()))
    }

    /// The private JWK: the key's own members and no others.
    pub(crate) fn jwk(&self) -> Value {
        match self {
            Self::Ec(key) => {
                let point = key.verifying_key().to_encoded_point(false);
                json!({
                    "kty": "EC", "crv": "P-256",
                    "x": base64url(point.x().unwrap()), "y": base64url(point.y().unwrap()), "d": base64url(&key.to_bytes()),
                })
            }
            Self::Rsa(key) => {
                let number = |number: &rsa::BigUint| base64url(&number.to_bytes_be());
                json!({
                    "kty": "RSA", "n": number(key.n()), "e": number(key.e()), "d": number(key.d()),
                    "p": number(&key.primes()[0]), "q": number(&key.primes()[1]),
                    "dp": number(key.dp().unwrap()), "dq": number(key.dq().unwrap()), "qi": number(&key.crt_coefficient().unwrap()),
                })
            }
        }
    }

    /// The private JWK with more members.
    pub(crate) fn jwk_with(&self, more: &Value) -> String {
        let mut jwk = self.jwk();
        jwk.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        jwk.to_string()
    }

    /// The key's own certificate in padded base64.
    pub(crate) fn certificate(&self) -> String {
        Base64::encode_string(&self.certificate_der("CN=signing key", "CN=signing key", Version::V3))
    }

    /// A certificate of this key, signed by it, whatever it says of its issuer.
    pub(crate) fn certificate_der(&self, issuer: &str, subject: &str, version: Version) -> Vec<u8> {
        let time = |seconds| Time::UtcTime(UtcTime::from_unix_duration(Duration::from_secs(seconds)).unwrap());
        let (signature_algorithm, public) = match self {
            Self::Ec(key) => {
                let algorithm = AlgorithmIdentifierOwned { oid: ECDSA_WITH_SHA256, parameters: None };
                (algorithm, SubjectPublicKeyInfoOwned::from_key(p256::PublicKey::from(key.verifying_key())).unwrap())
            }
            Self::Rsa(key) => {
                let algorithm = AlgorithmIdentifierOwned { oid: RSA_WITH_SHA256, parameters: Some(Any::from(Null)) };
                (algorithm, SubjectPublicKeyInfoOwned::from_key(key.to_public_key()).unwrap())
            }
        };
        let tbs_certificate = TbsCertificate {
            version,
            serial_number: SerialNumber::new(&[7; 16]).unwrap(),
            signature: signature_algorithm.clone(),
            issuer: Name::from_str(issuer).unwrap(),
            validity: Validity { not_before: time(1_700_000_000), not_after: time(2_000_000_000) },
            subject: Name::from_str(subject).unwrap(),
            subject_public_key_info: public,
            issuer_unique_id: None,
            subject_unique_id: None,
            extensions: None,
        };
        let to_be_signed = tbs_certificate.to_der().unwrap();
        let signature = match self {
            Self::Ec(key) => Signer::<p256::ecdsa::DerSignature>::sign(key, &to_be_signed).as_bytes().to_vec(),
            Self::Rsa(key) => rsa::pkcs1v15::SigningKey::<rsa::sha2::Sha256>::new((**key).clone()).sign(&to_be_signed).to_vec(),
        };
        Certificate { tbs_certificate, signature_algorithm, signature: BitString::from_bytes(&signature).unwrap() }.to_der().unwrap()
    }
}

pub(crate) static EC: LazyLock<Pair> = LazyLock::new(Pair::ec);
pub(crate) static OTHER_EC: LazyLock<Pair> = LazyLock::new(Pair::ec);
pub(crate) static RSA: LazyLock<Pair> = LazyLock::new(|| Pair::rsa(2_048));
pub(crate) static OTHER_RSA: LazyLock<Pair> = LazyLock::new(|| Pair::rsa(2_048));

/// The key of a secret that is known to be right.
pub(crate) fn key(secret: &str) -> PrivateKey {
    PrivateKey::parse(secret).unwrap()
}
