//! `x5c` (RFC 7517 §4.7): the public key of the first certificate, held against the key it stands beside.

use agentkeys_edge_broker::encoding::from_base64url;
use base64ct::{Base64, Encoding};
use x509_cert::Certificate;
use x509_cert::der::asn1::{ObjectIdentifier, UintRef};
use x509_cert::der::{Decode, Reader, SliceReader};

use super::json::Json;
use super::jwk::{Curve, PublicKey};

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
pub(super) fn rsa(der: &[u8]) -> Option<(Vec<u8>, Vec<u8>)> {
    let mut reader = SliceReader::new(der).ok()?;
    let pair = reader.sequence(|fields| Ok::<_, x509_cert::der::Error>((UintRef::decode(fields)?, UintRef::decode(fields)?))).ok()?;
    reader.is_finished().then(|| (pair.0.as_bytes().to_vec(), pair.1.as_bytes().to_vec()))
}

/// The bytes of a member in base64url.
pub(super) fn bytes(value: Option<&Json>) -> Option<Vec<u8>> {
    value.and_then(Json::as_str).and_then(from_base64url)
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::signature::{
        ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, EcdsaSigningAlgorithm, KeyPair,
    };

    use super::*;

    /// A key and its self-signed certificate.
    fn certified(curve: Curve, algorithm: &'static EcdsaSigningAlgorithm) -> (PublicKey, String) {
        let pair = EcdsaKeyPair::generate(algorithm).unwrap();
        let point = &pair.public_key().as_ref()[1..];
        let (x, y) = point.split_at(point.len() / 2);
        let pkcs8 = rcgen::KeyPair::try_from(pair.to_pkcs8v1().unwrap().as_ref()).unwrap();
        let certificate = rcgen::CertificateParams::new(["keys.example.com".to_owned()]).unwrap().self_signed(&pkcs8).unwrap();
        (PublicKey::Ec { curve, x: x.to_vec(), y: y.to_vec() }, Base64::encode_string(certificate.der()))
    }

    fn chain(certificates: &[&str]) -> Json {
        Json::Array(certificates.iter().map(|text| Json::String((*text).to_owned())).collect())
    }

    #[test]
    fn the_first_certificate_is_of_the_key() {
        let (key, certificate) = certified(Curve::P256, &ECDSA_P256_SHA256_FIXED_SIGNING);
        let (other_key, other) = certified(Curve::P256, &ECDSA_P256_SHA256_FIXED_SIGNING);
        let (p384, of_p384) = certified(Curve::P384, &ECDSA_P384_SHA384_FIXED_SIGNING);
        assert_eq!(agrees(&chain(&[&certificate]), &key), Some(true));
        assert_eq!(agrees(&chain(&[&certificate, &other]), &key), Some(true));
        assert_eq!(agrees(&chain(&[&of_p384]), &p384), Some(true));
        assert_eq!(agrees(&chain(&[&other, &certificate]), &key), Some(false));
        assert_eq!(agrees(&chain(&[&certificate]), &other_key), Some(false));
        assert_eq!(agrees(&chain(&[&of_p384]), &key), Some(false));
        assert_eq!(agrees(&chain(&[&certificate]), &PublicKey::Rsa { n: vec![1], e: vec![3] }), Some(false));
    }

    #[test]
    fn an_rsa_certificate_is_held_against_n_and_e() {
        let pair = aws_lc_rs::rsa::KeyPair::generate(aws_lc_rs::rsa::KeySize::Rsa2048).unwrap();
        let pkcs8 = aws_lc_rs::encoding::AsDer::<aws_lc_rs::encoding::Pkcs8V1Der<'_>>::as_der(&pair).unwrap();
        let signer = rcgen::KeyPair::try_from(pkcs8.as_ref()).unwrap();
        let certificate = rcgen::CertificateParams::new(["keys.example.com".to_owned()]).unwrap().self_signed(&signer).unwrap();
        let certificate = chain(&[&Base64::encode_string(certificate.der())]);
        let (n, e) = rsa(pair.public_key().as_ref()).unwrap();
        assert_eq!(e, [1, 0, 1]);
        assert_eq!(agrees(&certificate, &PublicKey::Rsa { n: n.clone(), e: e.clone() }), Some(true));
        assert_eq!(agrees(&certificate, &PublicKey::Rsa { n: n.clone(), e: vec![3] }), Some(false));
        assert_eq!(agrees(&certificate, &PublicKey::Rsa { n: [&[1], n.as_slice()].concat(), e }), Some(false));
    }

    #[test]
    fn what_is_no_certificate_agrees_with_nothing() {
        let (key, certificate) = certified(Curve::P256, &ECDSA_P256_SHA256_FIXED_SIGNING);
        let der = Base64::decode_vec(&certificate).unwrap();
        let longer = Base64::encode_string(&[der.as_slice(), &[0]].concat());
        let shorter = Base64::encode_string(&der[..der.len() - 1]);
        for bad in ["", "AAAA", "*", certificate.trim_end_matches('='), &longer, &shorter] {
            if bad != certificate {
                assert_eq!(agrees(&chain(&[bad]), &key), None, "{bad}");
            }
        }
        for bad in [Json::Null, Json::String(certificate), chain(&[]), Json::Array(vec![Json::Null])] {
            assert_eq!(agrees(&bad, &key), None, "{bad:?}");
        }
    }
}
