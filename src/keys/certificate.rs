//! `x5c` (RFC 7517 §4.7): one self-signed certificate, held against the key it is published with.
//!
//! Only what binds it to the key is read (RFC 5280 §4.1): issuer, subject and the public key. Validity and extensions
//! are the relying party's to judge.

use base64ct::{Base64, Encoding};
use der::asn1::{AnyRef, BitStringRef, ObjectIdentifier, UintRef};
use der::{Decode, Reader, SliceReader, Tag, TagNumber};

use super::PublicKey;
use crate::encoding::from_base64url;

const EC_PUBLIC_KEY: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
const P256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");
const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");

/// Whether the chain is one self-signed certificate of this key.
pub(super) fn certifies(chain: &[String], key: &PublicKey) -> bool {
    let [certificate] = chain else { return false };
    let Ok(der) = Base64::decode_vec(certificate) else { return false };
    public_key_info(&der).is_ok_and(|info| info.is_some_and(|info| is_key(info, key).unwrap_or(false)))
}

/// The `SubjectPublicKeyInfo` of a certificate whose issuer is its subject.
fn public_key_info(der: &[u8]) -> der::Result<Option<AnyRef<'_>>> {
    AnyRef::from_der(der)?.sequence(|certificate| {
        let to_be_signed = AnyRef::decode(certificate)?;
        let _signature_algorithm = AnyRef::decode(certificate)?;
        let _signature = BitStringRef::decode(certificate)?;
        to_be_signed.sequence(|fields| {
            let version_or_serial_number = AnyRef::decode(fields)?;
            if version_or_serial_number.header().tag() == (Tag::ContextSpecific { constructed: true, number: TagNumber(0) }) {
                let _serial_number = AnyRef::decode(fields)?;
            }
            let _signature_algorithm = AnyRef::decode(fields)?;
            let issuer = AnyRef::decode(fields)?;
            let _validity = AnyRef::decode(fields)?;
            let subject = AnyRef::decode(fields)?;
            let info = AnyRef::decode(fields)?;
            while !fields.is_finished() {
                AnyRef::decode(fields)?;
            }
            Ok((issuer == subject).then_some(info))
        })
    })
}

/// Whether a `SubjectPublicKeyInfo` is this key.
fn is_key(info: AnyRef<'_>, key: &PublicKey) -> der::Result<bool> {
    info.sequence(|fields| {
        let algorithm = AnyRef::decode(fields)?;
        let bits = BitStringRef::decode(fields)?;
        let Some(bytes) = bits.as_bytes() else { return Ok(false) };
        algorithm.sequence(|fields| {
            let algorithm = ObjectIdentifier::decode(fields)?;
            let parameters = AnyRef::decode(fields)?;
            match key {
                PublicKey::P256 { x, y } => {
                    Ok(algorithm == EC_PUBLIC_KEY && parameters.decode_as::<ObjectIdentifier>()? == P256 && is_point(bytes, x, y))
                }
                PublicKey::Rsa { n, e } => Ok(algorithm == RSA && parameters.is_null() && is_rsa(bytes, n, e)?),
            }
        })
    })
}

/// SEC 1 §2.3.3: an uncompressed point, `04 ‖ x ‖ y`.
fn is_point(bytes: &[u8], x: &str, y: &str) -> bool {
    let point = from_base64url(x).zip(from_base64url(y)).map(|(x, y)| [&[4], x.as_slice(), y.as_slice()].concat());
    point.is_some_and(|point| point == bytes)
}

/// RFC 8017 §A.1.1: `SEQUENCE { modulus, publicExponent }`.
fn is_rsa(bytes: &[u8], n: &str, e: &str) -> der::Result<bool> {
    let mut reader = SliceReader::new(bytes)?;
    let key = AnyRef::decode(&mut reader)?;
    let (modulus, exponent) = key.sequence(|fields| Ok::<_, der::Error>((UintRef::decode(fields)?, UintRef::decode(fields)?)))?;
    let same = |number: UintRef<'_>, text: &str| from_base64url(text).is_some_and(|bytes| bytes == number.as_bytes());
    Ok(reader.is_finished() && same(modulus, n) && same(exponent, e))
}
