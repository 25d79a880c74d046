//! `x5c` (RFC 7517 §4.7): the public key of the first certificate, held against the key it stands beside.

use agentkeys_edge_broker::encoding::from_base64url;
use base64ct::{Base64, Encoding};
use x509_cert::Certificate;
use x509_cert::der::asn1::{ObjectIdentifier, UintRef};
use x509_cert::der::{Decode, Reader, SliceReader};

use super::json::Json;
use super::keys::{Curve, PublicKey};

const EC_PUBLIC_KEY: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");

/// Whether the first certificate of the chain is of this key; `None` where it cannot be read.
pub(super) fn agrees(x5c: &Json, key: &PublicKey) -> Option<bool> {
    let [Json::String(first), ..] = x5c.as_array()? else { return None };
    let der = Base64::decode_vec(first).ok()?;
    let certificate = Certificate::from_der(&der).ok()?;
    let info = certificate.tbs_certificate().subject_public_key_info();
    let bits = info.subject_public_key.as_bytes()?;
    Some(match key {
        PublicKey::Ec { curve, x, y } => {
            let named = info.algorithm.parameters.as_ref().and_then(|any| any.decode_as::<ObjectIdentifier>().ok());
            // SEC 1 §2.3.3: an uncompressed point, 04 ‖ x ‖ y.
            info.algorithm.oid == EC_PUBLIC_KEY && named == Some(oid(*curve)) && bits == [&[4], x.as_slice(), y.as_slice()].concat()
        }
        PublicKey::Rsa { n, e } => {
            info.algorithm.oid == RSA && rsa(bits).is_some_and(|(modulus, exponent)| (&modulus, &exponent) == (n, e))
        }
    })
}

fn oid(curve: Curve) -> ObjectIdentifier {
    match curve {
        Curve::P256 => ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7"),
        Curve::P384 => ObjectIdentifier::new_unwrap("1.3.132.0.34"),
        Curve::P521 => ObjectIdentifier::new_unwrap("1.3.132.0.35"),
    }
}

/// RFC 8017 §A.1.1: `SEQUENCE { modulus, publicExponent }`, as bytes without leading zeroes.
fn rsa(der: &[u8]) -> Option<(Vec<u8>, Vec<u8>)> {
    let mut reader = SliceReader::new(der).ok()?;
    let pair = reader.sequence(|fields| Ok::<_, x509_cert::der::Error>((UintRef::decode(fields)?, UintRef::decode(fields)?))).ok()?;
    reader.is_finished().then(|| (pair.0.as_bytes().to_vec(), pair.1.as_bytes().to_vec()))
}

/// The bytes of a member in base64url.
pub(super) fn bytes(value: Option<&Json>) -> Option<Vec<u8>> {
    value.and_then(Json::as_str).and_then(from_base64url)
}
