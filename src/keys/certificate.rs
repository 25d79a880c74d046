//! `x5c` (RFC 7517 §4.7): one self-signed certificate, held against the key it is published with.
//!
//! Only what binds it to the key is read (RFC 5280 §4.1): issuer, subject and the public key. Validity and extensions
//! are the relying party's to judge.

use base64ct::{Base64, Encoding};
use der::asn1::AnyRef;
use der::{Decode, Reader, Tag, TagNumber, Tagged};

use super::PublicKey;
use crate::encoding::from_base64url;

/// The fields of the algorithm `id-ecPublicKey` with the curve `secp256r1` (RFC 5480 §2.1.1).
const P256: &[u8] = b"\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07";
/// The fields of the algorithm `rsaEncryption`, whose parameters are NULL (RFC 8017 §A.1).
const RSA: &[u8] = b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01\x05\x00";
/// The version of a certificate; the first version leaves it out.
const VERSION: Tag = Tag::ContextSpecific { constructed: true, number: TagNumber(0) };

/// Whether the chain is one self-signed certificate of this key.
pub(super) fn certifies(chain: &[String], key: &PublicKey) -> bool {
    let [certificate] = chain else { return false };
    let Ok(der) = Base64::decode_vec(certificate) else { return false };
    public_key_info(&der).and_then(|info| is_key(info, key)).unwrap_or(false)
}

/// The `SubjectPublicKeyInfo` of a certificate whose issuer is its subject.
fn public_key_info(der: &[u8]) -> Option<AnyRef<'_>> {
    let certificate = fields(AnyRef::from_der(der).ok()?)?;
    let [to_be_signed, _signature_algorithm, signature] = *certificate.as_slice() else { return None };
    let to_be_signed = fields(to_be_signed)?;
    let unversioned = match to_be_signed.as_slice() {
        [version, rest @ ..] if version.tag() == VERSION => rest,
        all => all,
    };
    let [_serial_number, _signature_algorithm, issuer, _validity, subject, info, ..] = *unversioned else { return None };
    (signature.tag() == Tag::BitString && issuer == subject).then_some(info)
}

/// Whether a `SubjectPublicKeyInfo` is this key.
fn is_key(info: AnyRef<'_>, key: &PublicKey) -> Option<bool> {
    let [algorithm, bits] = *fields(info)?.as_slice() else { return None };
    // A bit string starts with the number of bits that its last byte has too many.
    let [0, bytes @ ..] = bits.value() else { return None };
    let is_of = |kind| algorithm.tag() == Tag::Sequence && algorithm.value() == kind && bits.tag() == Tag::BitString;
    Some(match key {
        PublicKey::P256 { x, y } => is_of(P256) && bytes == point(x, y)?,
        PublicKey::Rsa { n, e } => {
            let [modulus, exponent] = *fields(AnyRef::from_der(bytes).ok()?)?.as_slice() else { return None };
            let is = |field: AnyRef<'_>, number: &str| Some(field.tag() == Tag::Integer && field.value() == integer(number)?);
            is_of(RSA) && is(modulus, n)? && is(exponent, e)?
        }
    })
}

/// The fields of a `SEQUENCE`.
fn fields(sequence: AnyRef<'_>) -> Option<Vec<AnyRef<'_>>> {
    let read = sequence.sequence(|reader| {
        let mut fields = Vec::new();
        while !reader.is_finished() {
            fields.push(AnyRef::decode(reader)?);
        }
        Ok::<_, der::Error>(fields)
    });
    read.ok()
}

/// SEC 1 §2.3.3: an uncompressed point, `04 ‖ x ‖ y`.
fn point(x: &str, y: &str) -> Option<Vec<u8>> {
    Some([&[4], from_base64url(x)?.as_slice(), from_base64url(y)?.as_slice()].concat())
}

/// X.690 §8.3: the content of a positive integer, whose first bit is its sign.
fn integer(number: &str) -> Option<Vec<u8>> {
    let bytes = from_base64url(number)?;
    let is_negative = bytes.first().is_some_and(|first| first & 0x80 != 0);
    Some(if is_negative { [&[0], bytes.as_slice()].concat() } else { bytes })
}
