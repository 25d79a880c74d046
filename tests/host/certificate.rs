//! `x5c`: the certificate of a key, for relying parties that read keys from certificates only. Made by another
//! implementation, held against the key, and broken one way at a time.

use std::sync::LazyLock;

use agentkeys_edge_broker::encoding::from_base64url;
use agentkeys_edge_broker::keys::PrivateKey;
use base64ct::{Base64, Encoding};
use proptest::prelude::*;
use serde_json::{Value, json};
use x509_cert::certificate::Version;

use crate::support::keys::{EC, OTHER_EC, OTHER_RSA, Pair, RSA};

const NAME: &str = "CN=signing key";

fn parse(pair: &Pair, x5c: &Value) -> Result<PrivateKey, String> {
    PrivateKey::parse(&pair.jwk_with(&json!({"x5c": x5c}))).map_err(|broken| broken.to_string())
}

fn accepts(pair: &Pair, der: &[u8]) -> bool {
    parse(pair, &json!([Base64::encode_string(der)])).is_ok()
}

/// The position of the one occurrence of some bytes.
fn find(der: &[u8], bytes: &[u8]) -> usize {
    let found: Vec<usize> = (0..=der.len() - bytes.len()).filter(|start| der[*start..].starts_with(bytes)).collect();
    assert_eq!(found.len(), 1, "{found:?}");
    found[0]
}

#[test]
fn a_key_s_own_certificate_is_taken_and_published() {
    for pair in [&*EC, &*RSA] {
        let key = parse(pair, &json!([pair.certificate()])).unwrap();
        assert_eq!(serde_json::to_value(key.public()).unwrap()["x5c"], json!([pair.certificate()]));
        assert!(accepts(pair, &pair.certificate_der("O=Example,CN=a", "O=Example,CN=a", Version::V3)));
        assert!(accepts(pair, &pair.certificate_der(NAME, NAME, Version::V1)), "version 1 leaves the version out");
    }
}

#[test]
fn a_certificate_broken_in_one_way_is_refused() {
    for (pair, other, other_kind) in [(&*EC, &*OTHER_EC, &*RSA), (&*RSA, &*OTHER_RSA, &*EC)] {
        let der = pair.certificate_der(NAME, NAME, Version::V3);
        let encoded = pair.certificate();
        let changed = |change: fn(&mut Vec<u8>)| {
            let mut der = der.clone();
            change(&mut der);
            json!([Base64::encode_string(&der)])
        };
        for (name, x5c) in [
            ("no certificate", json!([])),
            ("of another key", json!([other.certificate()])),
            ("of another kind of key", json!([other_kind.certificate()])),
            ("twice the same", json!([encoded, encoded])),
            ("a chain", json!([encoded, other.certificate()])),
            ("issued by another", json!([Base64::encode_string(&pair.certificate_der("CN=ca", NAME, Version::V3))])),
            ("not base64", json!(["*"])),
            ("empty", json!([""])),
            ("PEM", json!([format!("-----BEGIN CERTIFICATE-----\n{encoded}\n-----END CERTIFICATE-----")])),
            ("in lines", json!([format!("{}\n{}", &encoded[..64], &encoded[64..])])),
            ("not DER", json!([Base64::encode_string(b"not DER")])),
            ("cut short", changed(|der| der.truncate(der.len() - 1))),
            ("with a byte after it", changed(|der| der.push(0))),
            ("not a sequence", changed(|der| der[0] = 0x31)),
            ("a length that lies", changed(|der| der[3] ^= 1)),
        ] {
            let message = parse(pair, &x5c).expect_err(name);
            assert!(message.starts_with("x5c is"), "{name}: {message}");
        }
        for (name, x5c) in [("a text", json!(encoded)), ("numbers", json!([1])), ("null in the list", json!([null]))] {
            let message = parse(pair, &x5c).expect_err(name);
            assert!(message.contains("not a private JWK"), "{name}: {message}");
        }
    }
}

#[test]
fn the_same_bytes_in_url_safe_or_unpadded_base64_are_refused() {
    for pair in [&*EC, &*RSA] {
        // Of many certificates some have a character that the two alphabets write differently, and some need padding.
        let names = (0..64).map(|n: usize| format!("CN={}", "a".repeat(n + 1)));
        let encoded: Vec<String> = names.map(|name| Base64::encode_string(&pair.certificate_der(&name, &name, Version::V3))).collect();
        let different = encoded.iter().find(|text| text.contains(['+', '/'])).unwrap();
        assert!(parse(pair, &json!([different])).is_ok());
        assert!(parse(pair, &json!([different.replace('+', "-").replace('/', "_")])).is_err());
        let padded = encoded.iter().find(|text| text.ends_with('=')).unwrap();
        assert!(parse(pair, &json!([padded])).is_ok());
        assert!(parse(pair, &json!([padded.trim_end_matches('=')])).is_err());
    }
}

#[test]
fn the_public_key_and_its_algorithm_are_compared_bit_by_bit() {
    let der = EC.certificate_der(NAME, NAME, Version::V3);
    let point = from_base64url(EC.jwk()["x"].as_str().unwrap()).unwrap();
    let x = find(&der, &point);
    // 1.2.840.10045.3.1.7, the curve, and 1.2.840.10045.2.1, the kind of key.
    let curve = find(&der, &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07]);
    let kind = find(&der, &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01]);
    for (name, position) in [("x", x), ("y", x + 32), ("the form of the point", x - 1), ("curve", curve + 7), ("kind", kind + 6)] {
        let mut changed = der.clone();
        changed[position] ^= 1;
        assert!(!accepts(&EC, &changed), "{name}");
    }
    let der = RSA.certificate_der(NAME, NAME, Version::V3);
    let modulus = find(&der, &from_base64url(RSA.jwk()["n"].as_str().unwrap()).unwrap());
    for (name, position) in [("n", modulus), ("the last byte of n", modulus + 255), ("e", modulus + 258)] {
        let mut changed = der.clone();
        changed[position] ^= 2;
        assert!(!accepts(&RSA, &changed), "{name}");
    }
    // What does not bind the certificate to the key is the relying party's to judge.
    let mut other_signature = EC.certificate_der(NAME, NAME, Version::V3);
    *other_signature.last_mut().unwrap() ^= 1;
    assert!(accepts(&EC, &other_signature));
}

static OF_EC: LazyLock<Vec<u8>> = LazyLock::new(|| EC.certificate_der(NAME, NAME, Version::V3));
static OF_RSA: LazyLock<Vec<u8>> = LazyLock::new(|| RSA.certificate_der(NAME, NAME, Version::V3));

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever the bytes are, the answer is yes or no; and never yes to a certificate whose key differs.
    #[test]
    fn damaged_certificates_are_read_to_an_answer(position in any::<prop::sample::Index>(), bit in 0_u32..8, cut in any::<bool>(), rsa: bool) {
        let (pair, other, mut der) =
            if rsa { (&*RSA, &*OTHER_RSA, OF_RSA.clone()) } else { (&*EC, &*OTHER_EC, OF_EC.clone()) };
        let position = position.index(der.len());
        if cut {
            der.truncate(position);
            prop_assert!(!accepts(pair, &der));
        } else {
            der[position] ^= 1 << bit;
        }
        prop_assert!(!accepts(other, &der));
    }

    #[test]
    fn any_bytes_are_no_certificate(der in proptest::collection::vec(any::<u8>(), 0..300)) {
        prop_assert!(!accepts(&EC, &der));
    }
}
