//! Signatures in JOSE form (RFC 7518 §3.3, §3.4), verified by AWS-LC.

use aws_lc_rs::signature::{self, RsaPublicKeyComponents, UnparsedPublicKey};

use super::jose::{Alg, Jws};
use super::jwk::PublicKey;
use super::rule::{Basis, Finding, Rule};

const SIGNATURE: Rule = Rule::new(
    "signature",
    Basis::DocAndSeen,
    "The signature is the key's over the token's header and payload as they stand, in JOSE form: r and s at full length for ES*.",
    "Publish the key that signed under the token's kid, sign header and payload as they are sent, and write an ES* signature as r and s, not as DER.",
);

/// The signature over the token is the key's.
pub(crate) fn signed_by(jws: &Jws, key: &PublicKey) -> Result<(), Finding> {
    if verifies(jws.alg, key, jws.signing_input.as_bytes(), &jws.signature) { Ok(()) } else { Err(SIGNATURE.broken()) }
}

/// Whether a signature verifies. The algorithm is the token's, never the key's `alg`; a key of another type or curve never
/// verifies. An ECDSA signature is `r ‖ s` at the curve's length with both in range, an RSA one as long as the modulus.
pub(crate) fn verifies(alg: Alg, key: &PublicKey, message: &[u8], bytes: &[u8]) -> bool {
    match key {
        PublicKey::Rsa { n, e } => {
            let scheme = match alg {
                Alg::Rs256 => &signature::RSA_PKCS1_2048_8192_SHA256,
                Alg::Rs384 => &signature::RSA_PKCS1_2048_8192_SHA384,
                Alg::Rs512 => &signature::RSA_PKCS1_2048_8192_SHA512,
                Alg::Es256 | Alg::Es384 | Alg::Es512 => return false,
            };
            RsaPublicKeyComponents { n, e }.verify(scheme, message, bytes).is_ok()
        }
        PublicKey::Ec { curve, x, y } => {
            let scheme = match (alg, curve.alg()) {
                (Alg::Es256, Alg::Es256) => &signature::ECDSA_P256_SHA256_FIXED,
                (Alg::Es384, Alg::Es384) => &signature::ECDSA_P384_SHA384_FIXED,
                (Alg::Es512, Alg::Es512) => &signature::ECDSA_P521_SHA512_FIXED,
                _ => return false,
            };
            let point = [&[4], x.as_slice(), y.as_slice()].concat();
            UnparsedPublicKey::new(scheme, point).verify(message, bytes).is_ok()
        }
    }
}

#[cfg(test)]
mod tests {
    use agentkeys_edge_broker::encoding::from_base64url;
    use aws_lc_rs::rand::SystemRandom;
    use aws_lc_rs::rsa::{KeyPair as RsaKeyPair, KeySize};
    use aws_lc_rs::signature::{EcdsaKeyPair, EcdsaSigningAlgorithm, KeyPair, RsaEncoding};

    use super::*;
    use crate::check::jwk::Curve;
    use crate::check::x5c;

    const MESSAGE: &[u8] = b"header.payload";

    fn ec(curve: Curve, algorithm: &'static EcdsaSigningAlgorithm) -> (PublicKey, Vec<u8>) {
        let pair = EcdsaKeyPair::generate(algorithm).unwrap();
        let point = &pair.public_key().as_ref()[1..];
        let (x, y) = point.split_at(point.len() / 2);
        let signed = pair.sign(&SystemRandom::new(), MESSAGE).unwrap().as_ref().to_vec();
        (PublicKey::Ec { curve, x: x.to_vec(), y: y.to_vec() }, signed)
    }

    fn rsa(pair: &RsaKeyPair, encoding: &'static dyn RsaEncoding) -> (PublicKey, Vec<u8>) {
        let mut signed = vec![0; pair.public_modulus_len()];
        pair.sign(encoding, &SystemRandom::new(), MESSAGE, &mut signed).unwrap();
        let (n, e) = x5c::rsa(pair.public_key().as_ref()).unwrap();
        (PublicKey::Rsa { n, e }, signed)
    }

    #[test]
    fn each_algorithm_verifies_its_own_signature_and_no_other() {
        let pair = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
        let signed = [
            (Alg::Es256, ec(Curve::P256, &signature::ECDSA_P256_SHA256_FIXED_SIGNING)),
            (Alg::Es384, ec(Curve::P384, &signature::ECDSA_P384_SHA384_FIXED_SIGNING)),
            (Alg::Es512, ec(Curve::P521, &signature::ECDSA_P521_SHA512_FIXED_SIGNING)),
            (Alg::Rs256, rsa(&pair, &signature::RSA_PKCS1_SHA256)),
            (Alg::Rs384, rsa(&pair, &signature::RSA_PKCS1_SHA384)),
            (Alg::Rs512, rsa(&pair, &signature::RSA_PKCS1_SHA512)),
        ];
        for (alg, (key, bytes)) in &signed {
            for asked in Alg::ALL {
                assert_eq!(verifies(asked, key, MESSAGE, bytes), asked == *alg, "{alg} asked for {asked}");
            }
            assert!(!verifies(*alg, key, b"header.payloae", bytes), "{alg}");
            for (other, (key, _)) in signed.iter().filter(|(other, _)| other != alg && other.key_type() != alg.key_type()) {
                assert!(!verifies(*alg, key, MESSAGE, bytes), "{alg} with the key of {other}");
            }
        }
    }

    #[test]
    fn a_signature_has_its_exact_length_and_its_numbers_are_in_range() {
        let (key, bytes) = ec(Curve::P256, &signature::ECDSA_P256_SHA256_FIXED_SIGNING);
        assert!(verifies(Alg::Es256, &key, MESSAGE, &bytes));
        let (r, s) = bytes.split_at(32);
        let zero = [0; 32];
        let order = from_base64url("_____wAAAAD__________7zm-q2nF56E87nKwvxjJVE").unwrap();
        for bad in [
            Vec::new(),
            vec![0; 64],
            [r, &zero].concat(),
            [&zero, s].concat(),
            [r, &order].concat(),
            [&order, s].concat(),
            [s, r].concat(),
            bytes[..63].to_vec(),
            [&bytes[..], &[0]].concat(),
            [&[0], r, &[0], s].concat(),
        ] {
            assert!(!verifies(Alg::Es256, &key, MESSAGE, &bad), "{bad:?}");
        }
        let pair = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
        let (key, bytes) = rsa(&pair, &signature::RSA_PKCS1_SHA256);
        for bad in [Vec::new(), vec![0; 256], bytes[1..].to_vec(), [&[0], &bytes[..]].concat(), [&bytes[..], &[0]].concat()] {
            assert!(!verifies(Alg::Rs256, &key, MESSAGE, &bad));
        }
    }

    #[test]
    fn a_signature_in_der_or_with_pss_does_not_verify() {
        let pair = EcdsaKeyPair::generate(&signature::ECDSA_P256_SHA256_ASN1_SIGNING).unwrap();
        let point = &pair.public_key().as_ref()[1..];
        let key = PublicKey::Ec { curve: Curve::P256, x: point[..32].to_vec(), y: point[32..].to_vec() };
        let der = pair.sign(&SystemRandom::new(), MESSAGE).unwrap();
        assert!(!verifies(Alg::Es256, &key, MESSAGE, der.as_ref()));
        let pair = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
        let (key, bytes) = rsa(&pair, &signature::RSA_PSS_SHA256);
        assert!(!verifies(Alg::Rs256, &key, MESSAGE, &bytes));
    }

    #[test]
    fn a_point_off_the_curve_verifies_nothing() {
        let (key, bytes) = ec(Curve::P256, &signature::ECDSA_P256_SHA256_FIXED_SIGNING);
        let PublicKey::Ec { curve, x, mut y } = key else { panic!("an EC key") };
        y[31] ^= 1;
        assert!(!verifies(Alg::Es256, &PublicKey::Ec { curve, x, y }, MESSAGE, &bytes));
        assert!(!verifies(Alg::Es256, &PublicKey::Ec { curve, x: vec![0; 32], y: vec![0; 32] }, MESSAGE, &bytes));
    }

    #[test]
    fn the_example_of_rfc_7515_appendix_a_3_verifies() {
        let coordinate = |text: &str| from_base64url(text).unwrap();
        let (x, y) = ("f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0");
        let key = PublicKey::Ec { curve: Curve::P256, x: coordinate(x), y: coordinate(y) };
        let jws = Jws::parse(
            "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.\
             DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q",
        );
        assert_eq!(signed_by(&jws.ok().unwrap(), &key), Ok(()));
    }
}
