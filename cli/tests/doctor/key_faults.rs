//! Faults of the key set. They are planted in the second key, which signs nothing, so that the token is judged all the same.

use agentkeys_edge_broker::encoding::base64url;
use base64ct::{Base64, Encoding};
use serde_json::{Value, json};

use crate::issuer::{Issuer, named, public_jwk};
use crate::{CANARY, finds};

/// An issuer whose second key has this done to it.
fn with_second(edit: impl Fn(&mut Value) + Send + Sync + 'static) -> Issuer {
    Issuer::new().with_key_set(move |document| edit(&mut document["keys"][1]))
}

/// A key with these coordinates, which need not be a point.
fn key(seed: u8) -> Value {
    named(json!({ "kty": "EC", "crv": "P-256", "x": base64url(&[seed; 32]), "y": base64url(&[1; 32]), "alg": "ES256", "use": "sig" }))
}

fn rsa(bytes: usize, seed: u8) -> Value {
    let mut modulus = vec![seed | 1; bytes];
    modulus[0] = 0x80;
    named(json!({ "kty": "RSA", "n": base64url(&modulus), "e": "AQAB", "alg": "RS256", "use": "sig" }))
}

#[test]
fn a_private_member() {
    for member in ["d", "p", "q", "dp", "dq", "qi", "k"] {
        let said = finds(with_second(move |key| key[member] = CANARY.into()), &[("key-private", "fail")]);
        assert!(said.why("key-private").contains("Key 2"), "{said:?}");
    }
}

#[test]
fn a_kid_that_is_not_the_thumbprint() {
    finds(with_second(|key| key["kid"] = CANARY.into()), &[("key-kid", "fail")]);
}

#[test]
fn no_kid() {
    finds(with_second(|key| drop(key.as_object_mut().unwrap().remove("kid"))), &[("key-kid", "fail")]);
}

#[test]
fn a_key_twice() {
    finds(
        Issuer::new().with_key_set(|document| document["keys"].as_array_mut().unwrap().push(public_jwk(2))),
        &[("key-kid-unique", "fail")],
    );
}

#[test]
fn key_ops() {
    for operations in [json!(["verify"]), json!([])] {
        finds(with_second(move |key| key["key_ops"] = operations.clone()), &[("key-ops", "fail")]);
    }
}

#[test]
fn a_use_that_is_not_sig() {
    finds(with_second(|key| key["use"] = "enc".into()), &[("key-use", "fail")]);
}

#[test]
fn an_alg_of_another_kind() {
    for alg in ["RS256", "ES384", "EdDSA", CANARY] {
        finds(with_second(move |key| key["alg"] = alg.into()), &[("key-alg", "fail")]);
    }
}

#[test]
fn a_key_that_is_not_well_formed() {
    finds(
        with_second(|key| {
            key["y"] = base64url(&[1; 31]).into();
            *key = named(key.clone());
        }),
        &[("key-form", "fail")],
    );
}

#[test]
fn an_rsa_key_of_1024_bits() {
    let add = |document: &mut Value| document["keys"].as_array_mut().unwrap().extend([rsa(128, 3), rsa(256, 5)]);
    let announced = |document: &mut Value| document["id_token_signing_alg_values_supported"] = json!(["ES256", "RS256"]);
    finds(Issuer::new().with_key_set(add).with_discovery(announced), &[("key-size", "fail")]);
}

#[test]
fn rsa_keys_of_2048_bits_are_in_order() {
    let add = |document: &mut Value| document["keys"].as_array_mut().unwrap().extend([rsa(256, 3), rsa(256, 5)]);
    let announced = |document: &mut Value| document["id_token_signing_alg_values_supported"] = json!(["ES256", "RS256"]);
    finds(Issuer::new().with_key_set(add).with_discovery(announced), &[]);
}

#[test]
fn a_key_that_is_published_and_not_announced() {
    let said = finds(
        Issuer::new().with_key_set(|document| document["keys"].as_array_mut().unwrap().extend([rsa(256, 3), rsa(256, 5)])),
        &[("algorithms-published", "fail")],
    );
    assert!(said.why("algorithms-published").contains("RS256"), "{said:?}");
}

#[test]
fn an_x5c_of_another_key() {
    let other = rcgen::KeyPair::generate().unwrap();
    let certificate = rcgen::CertificateParams::default().self_signed(&other).unwrap();
    let der = Base64::encode_string(certificate.der());
    finds(with_second(move |key| key["x5c"] = json!([der])), &[("key-x5c", "fail")]);
    for broken in [json!([]), json!(["!"]), json!(CANARY)] {
        finds(with_second(move |key| key["x5c"] = broken.clone()), &[("key-x5c", "fail")]);
    }
}

#[test]
fn an_x5c_of_its_own_key_is_in_order() {
    let pair = rcgen::KeyPair::generate().unwrap();
    let certificate = rcgen::CertificateParams::default().self_signed(&pair).unwrap();
    let der = Base64::encode_string(certificate.der());
    // An uncompressed point: 04, x, y.
    let point = pair.public_key_raw().to_vec();
    finds(
        with_second(move |key| {
            *key = named(json!({
                "kty": "EC", "crv": "P-256", "x": base64url(&point[1..33]), "y": base64url(&point[33..]),
                "alg": "ES256", "use": "sig", "x5c": [der],
            }));
        }),
        &[],
    );
}

#[test]
fn an_empty_key_set() {
    let said = finds(Issuer::new().with_key_set(|document| document["keys"] = json!([])), &[("keys", "fail")]);
    assert!(said.skipped().contains(&"algorithms-published".to_owned()));
}

#[test]
fn a_key_set_that_is_none() {
    for document in [json!({}), json!({ "keys": {} }), json!({ "keys": ["a"] }), json!({ "keys": null })] {
        finds(Issuer::new().with_key_set(move |keys| *keys = document.clone()), &[("keys", "fail")]);
    }
}

#[test]
fn a_hundred_keys_and_one() {
    let with = |more: u8| Issuer::new().with_key_set(move |document| document["keys"].as_array_mut().unwrap().extend((0..more).map(key)));
    // Two are there already.
    finds(with(98), &[]);
    finds(with(99), &[("key-count", "fail"), ("token-signature", "fail")]);
}

#[test]
fn a_single_key() {
    finds(Issuer::new().with_key_set(|document| drop(document["keys"].as_array_mut().unwrap().pop())), &[("rotation", "warn")]);
}
