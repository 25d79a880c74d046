//! The self-signed certificate of a key, for `x5c` (RFC 7517 §4.7, RFC 5280).
//!
//! It binds nothing but the key to its own name: some relying parties read a public key from a certificate only.

use core::str::FromStr;
use core::time::Duration;

use agentkeys_edge_broker::encoding::lower_hex;
use agentkeys_edge_broker::time::UnixTime;
use base64ct::{Base64, Encoding};
use getrandom::SysRng;
use getrandom::rand_core::UnwrapErr;
use sha2::Sha256;
use x509_cert::builder::profile::BuilderProfile;
use x509_cert::builder::{Builder, CertificateBuilder};
use x509_cert::certificate::{Certificate, TbsCertificate};
use x509_cert::der::Encode;
use x509_cert::der::asn1::UtcTime;
use x509_cert::ext::pkix::{BasicConstraints, KeyUsage, KeyUsages};
use x509_cert::ext::{Extension, ToExtension};
use x509_cert::name::Name;
use x509_cert::serial_number::SerialNumber;
use x509_cert::spki::{SubjectPublicKeyInfo, SubjectPublicKeyInfoRef};
use x509_cert::time::{Time, Validity};

use super::jwk::KeyPair;
use crate::error::Error;

/// Ten years.
const VALID_SECONDS: u64 = 3_652 * 86_400;
/// RFC 5280 §4.1.2.2: positive, at most 20 bytes; 64 random bits or more are customary.
const SERIAL_BYTES: usize = 16;

/// The certificate in the padded base64 of its DER, as `x5c` has it.
pub(super) fn self_signed(pair: &KeyPair, now: UnixTime) -> Result<String, Error> {
    let mut serial = [0; SERIAL_BYTES];
    getrandom::fill(&mut serial).map_err(|_| unmakeable())?;
    let der = build(pair, now, &serial).and_then(|certificate| Ok(certificate.to_der()?)).map_err(|_| unmakeable())?;
    Ok(Base64::encode_string(&der))
}

fn unmakeable() -> Error {
    Error::input("no certificate of the key can be made on this machine; nothing was printed")
}

fn build(pair: &KeyPair, now: UnixTime, serial: &[u8]) -> x509_cert::builder::Result<Certificate> {
    let time = |time: UnixTime| UtcTime::from_unix_duration(Duration::from_secs(time.seconds())).map(Time::UtcTime);
    let validity = Validity::new(time(now)?, time(now.plus(VALID_SECONDS))?);
    let subject = Name::from_str(&format!("CN=edge-broker signing key {}", lower_hex(serial)))?;
    let serial = SerialNumber::new(serial)?;
    match pair {
        KeyPair::P256(key) => {
            let signer = p256::ecdsa::SigningKey::from(key);
            let info = SubjectPublicKeyInfo::from_key(signer.verifying_key())?;
            CertificateBuilder::new(SigningKey(subject), serial, validity, info)?.build::<_, p256::ecdsa::DerSignature>(&signer)
        }
        KeyPair::Rsa(key) => {
            let info = SubjectPublicKeyInfo::from_key(&key.to_public_key())?;
            let signer = rsa::pkcs1v15::SigningKey::<Sha256>::new(key.as_ref().clone());
            CertificateBuilder::new(SigningKey(subject), serial, validity, info)?
                .build_with_rng::<_, rsa::pkcs1v15::Signature, _>(&signer, &mut UnwrapErr(SysRng))
        }
    }
}

/// A certificate that is its own issuer, whose key signs and certifies nobody.
struct SigningKey(Name);

impl BuilderProfile for SigningKey {
    fn get_issuer(&self, subject: &Name) -> Name {
        subject.clone()
    }

    fn get_subject(&self) -> Name {
        self.0.clone()
    }

    fn build_extensions(
        &self,
        _: SubjectPublicKeyInfoRef<'_>,
        _: SubjectPublicKeyInfoRef<'_>,
        tbs: &TbsCertificate,
    ) -> x509_cert::builder::Result<Vec<Extension>> {
        let constraints = BasicConstraints { ca: false, path_len_constraint: None };
        let usage = KeyUsage(KeyUsages::DigitalSignature.into());
        Ok(vec![constraints.to_extension(tbs.subject(), &[])?, usage.to_extension(tbs.subject(), &[])?])
    }
}
