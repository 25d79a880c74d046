//! Signing keys: good secrets of both kinds, and secrets broken one way at a time. What is published, and under which name.

use agentkeys_edge_broker::encoding::{base64url, from_base64url};
use agentkeys_edge_broker::keys::{Alg, BrokenKey, PrivateKey};
use jwt_compact::jwk::JsonWebKey;
use rsa::sha2::Sha256;
use serde_json::{Value, json};

use crate::support::keys::{EC, OTHER_EC, Pair, RSA, key};
use crate::support::{json, members};

const PRIVATE_MEMBERS: [&str; 6] = ["d", "p", "q", "dp", "dq", "qi"];

fn refusal(secret: &str) -> String {
    PrivateKey::parse(secret).expect_err("a broken secret").to_string()
}

fn published(key: &PrivateKey) -> Value {
    serde_json::to_value(key.public()).unwrap()
}

#[test]
fn a_good_key_of_either_kind_is_published_with_its_public_members_alone() {
    for (pair, alg, public) in [(&*EC, Alg::Es256, &["crv", "kty", "x", "y"][..]), (&*RSA, Alg::Rs256, &["e", "kty", "n"])] {
        let key = key(&pair.jwk().to_string());
        let published = published(&key);
        let mut expected = [public, &["alg", "kid", "use"]].concat();
        expected.sort_unstable();
        assert_eq!(members(&published), expected);
        for name in public {
            assert_eq!(published[name], pair.jwk()[name]);
        }
        assert_eq!((published["alg"].as_str(), published["use"].as_str()), (Some(alg.as_str()), Some("sig")));
        assert_eq!((key.alg(), key.not_before().seconds()), (alg, 0));
    }
}

#[test]
fn the_kid_is_the_rfc_7638_thumbprint_that_another_implementation_computes() {
    for pair in [&*EC, &*OTHER_EC, &*RSA] {
        let jwk: JsonWebKey<'_> = serde_json::from_value(pair.jwk()).unwrap();
        assert_eq!(key(&pair.jwk().to_string()).public().kid(), base64url(&jwk.thumbprint::<Sha256>()));
    }
    assert_ne!(key(&EC.jwk().to_string()).public().kid(), key(&OTHER_EC.jwk().to_string()).public().kid());
}

#[test]
fn members_that_agree_with_the_key_may_stand_beside_it() {
    for pair in [&*EC, &*RSA] {
        let plain = key(&pair.jwk().to_string());
        let more = json!({
            "alg": plain.alg().as_str(), "use": "sig", "kid": plain.public().kid(), "key_ops": ["sign"], "ext": true, "nbf": 1_790_000_000,
            "x5c": [pair.certificate()],
        });
        for (name, value) in more.as_object().unwrap() {
            assert!(PrivateKey::parse(&pair.jwk_with(&json!({name: value}))).is_ok(), "{name}");
        }
        let all = key(&pair.jwk_with(&more));
        assert_eq!(all.public().kid(), plain.public().kid());
        assert_eq!(all.not_before().seconds(), 1_790_000_000);
        assert_eq!(published(&all)["x5c"], more["x5c"]);
        assert_eq!(members(&published(&all)).len(), members(&published(&plain)).len() + 1, "x5c and nothing else");
    }
    assert!(PrivateKey::parse(&format!("\n {}\r\n", EC.jwk())).is_ok(), "as a file with a last line has it");
}

#[test]
fn what_is_imported_is_the_key_alone_and_what_is_shown_is_not_the_key() {
    for pair in [&*EC, &*RSA] {
        let key = key(&pair.jwk_with(&json!({"ext": true, "key_ops": ["sign"], "nbf": 5, "x5c": [pair.certificate()]})));
        assert_eq!(json(key.expose_import()), pair.jwk());
        let shown = format!("{key:?} {}", published(&key));
        for member in PRIVATE_MEMBERS {
            if let Some(secret) = pair.jwk()[member].as_str() {
                assert!(!shown.contains(secret), "{member} is shown");
            }
        }
    }
}

/// One change to a good JWK, and a word of the message it must lead to.
type Change = (&'static str, fn(&mut Value), &'static str);

fn without(jwk: &mut Value, member: &str) {
    jwk.as_object_mut().unwrap().remove(member).unwrap();
}

/// The bytes of a member, changed.
fn rewrite(jwk: &mut Value, member: &str, change: impl FnOnce(&mut Vec<u8>)) {
    let mut bytes = from_base64url(jwk[member].as_str().unwrap()).unwrap();
    change(&mut bytes);
    jwk[member] = json!(base64url(&bytes));
}

const EITHER: &[Change] = &[
    ("no kty", |jwk| without(jwk, "kty"), "kty"),
    ("kty in lower case", |jwk| jwk["kty"] = json!(jwk["kty"].as_str().unwrap().to_lowercase()), "kty"),
    ("kty oct", |jwk| jwk["kty"] = json!("oct"), "kty"),
    ("kty OKP", |jwk| jwk["kty"] = json!("OKP"), "kty"),
    ("kty a number", |jwk| jwk["kty"] = json!(1), "not a private JWK"),
    ("nbf misspelt", |jwk| jwk["nfb"] = json!(1_790_000_000), "not a private JWK"),
    ("exp, which is not a member here", |jwk| jwk["exp"] = json!(1_790_000_000), "not a private JWK"),
    ("nbf as text", |jwk| jwk["nbf"] = json!("1790000000"), "not a private JWK"),
    ("nbf negative", |jwk| jwk["nbf"] = json!(-1), "not a private JWK"),
    ("nbf with a fraction", |jwk| jwk["nbf"] = json!(1.5), "not a private JWK"),
    ("nbf as a whole fraction", |jwk| jwk["nbf"] = json!(1_790_000_000.0), "not a private JWK"),
    ("nbf in milliseconds beyond 2^53", |jwk| jwk["nbf"] = json!(1_u64 << 53), "not a private JWK"),
    ("nbf null", |jwk| jwk["nbf"] = Value::Null, "not a private JWK"),
    ("kid null", |jwk| jwk["kid"] = Value::Null, "not a private JWK"),
    ("x5c null", |jwk| jwk["x5c"] = Value::Null, "not a private JWK"),
    ("ext as text", |jwk| jwk["ext"] = json!("true"), "not a private JWK"),
    ("use enc", |jwk| jwk["use"] = json!("enc"), "use"),
    ("use empty", |jwk| jwk["use"] = json!(""), "use"),
    ("key_ops without sign", |jwk| jwk["key_ops"] = json!(["verify"]), "key_ops"),
    ("key_ops empty", |jwk| jwk["key_ops"] = json!([]), "key_ops"),
    ("key_ops a text", |jwk| jwk["key_ops"] = json!("sign"), "not a private JWK"),
    ("kid of another", |jwk| jwk["kid"] = json!("NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"), "kid"),
    ("kid a name", |jwk| jwk["kid"] = json!("2026-09"), "kid"),
    ("kid empty", |jwk| jwk["kid"] = json!(""), "kid"),
    ("alg none", |jwk| jwk["alg"] = json!("none"), "alg"),
    ("alg HS256", |jwk| jwk["alg"] = json!("HS256"), "alg"),
    ("alg in lower case", |jwk| jwk["alg"] = json!("es256"), "alg"),
    ("alg PS256", |jwk| jwk["alg"] = json!("PS256"), "alg"),
];

const EC_ONLY: &[Change] = &[
    ("no crv", |jwk| without(jwk, "crv"), "an EC key has"),
    ("no x", |jwk| without(jwk, "x"), "an EC key has"),
    ("no y", |jwk| without(jwk, "y"), "an EC key has"),
    ("no d: a public key", |jwk| without(jwk, "d"), "an EC key has"),
    ("crv P-384", |jwk| jwk["crv"] = json!("P-384"), "an EC key has"),
    ("crv secp256k1", |jwk| jwk["crv"] = json!("secp256k1"), "an EC key has"),
    ("crv in lower case", |jwk| jwk["crv"] = json!("p-256"), "an EC key has"),
    ("alg RS256", |jwk| jwk["alg"] = json!("RS256"), "alg"),
    ("alg ES384", |jwk| jwk["alg"] = json!("ES384"), "alg"),
    ("x padded", |jwk| jwk["x"] = json!(format!("{}=", jwk["x"].as_str().unwrap())), "an EC key has"),
    ("x in the other base64", |jwk| jwk["x"] = json!(format!("+/{}", "A".repeat(41))), "an EC key has"),
    ("x empty", |jwk| jwk["x"] = json!(""), "an EC key has"),
    ("x a number", |jwk| jwk["x"] = json!(7), "not a private JWK"),
    ("x one byte short", |jwk| rewrite(jwk, "x", |bytes| bytes.truncate(31)), "an EC key has"),
    ("y one byte long", |jwk| rewrite(jwk, "y", |bytes| bytes.insert(0, 0)), "an EC key has"),
    ("d one byte short", |jwk| rewrite(jwk, "d", |bytes| bytes.truncate(31)), "an EC key has"),
    ("d one byte long", |jwk| rewrite(jwk, "d", |bytes| bytes.insert(0, 0)), "an EC key has"),
    ("d not base64url", |jwk| jwk["d"] = json!("*".repeat(43)), "an EC key has"),
    ("d null", |jwk| jwk["d"] = Value::Null, "not a private JWK"),
    ("n of an RSA key", |jwk| jwk["n"] = RSA.jwk()["n"].clone(), "an EC key has"),
    ("q of an RSA key", |jwk| jwk["q"] = RSA.jwk()["q"].clone(), "an EC key has"),
    ("qi of an RSA key", |jwk| jwk["qi"] = RSA.jwk()["qi"].clone(), "an EC key has"),
    ("the members of an RSA key", |jwk| jwk["kty"] = json!("RSA"), "an RSA key has"),
];

const RSA_ONLY: &[Change] = &[
    ("no n", |jwk| without(jwk, "n"), "an RSA key has"),
    ("no e", |jwk| without(jwk, "e"), "an RSA key has"),
    ("no d: a public key", |jwk| without(jwk, "d"), "an RSA key has"),
    ("no p", |jwk| without(jwk, "p"), "an RSA key has"),
    ("no q", |jwk| without(jwk, "q"), "an RSA key has"),
    ("no dp", |jwk| without(jwk, "dp"), "an RSA key has"),
    ("no dq", |jwk| without(jwk, "dq"), "an RSA key has"),
    ("no qi", |jwk| without(jwk, "qi"), "an RSA key has"),
    ("three primes", |jwk| jwk["oth"] = json!([]), "not a private JWK"),
    ("crv of an EC key", |jwk| jwk["crv"] = json!("P-256"), "an RSA key has"),
    ("y of an EC key", |jwk| jwk["y"] = EC.jwk()["y"].clone(), "an RSA key has"),
    ("alg ES256", |jwk| jwk["alg"] = json!("ES256"), "alg"),
    ("alg RS512", |jwk| jwk["alg"] = json!("RS512"), "alg"),
    ("n padded with zeroes", |jwk| rewrite(jwk, "n", |bytes| bytes.insert(0, 0)), "an RSA key has"),
    ("n even", |jwk| rewrite(jwk, "n", |bytes| *bytes.last_mut().unwrap() &= 0xfe), "an RSA key has"),
    ("n of 2047 bits", |jwk| rewrite(jwk, "n", |bytes| bytes[0] &= 0x7f), "an RSA key has"),
    ("n of 8200 bits", |jwk| rewrite(jwk, "n", |bytes| bytes.resize(1_025, 1)), "an RSA key has"),
    ("n in the other base64", |jwk| jwk["n"] = json!(format!("{}+/", jwk["n"].as_str().unwrap())), "an RSA key has"),
    ("e 1", |jwk| jwk["e"] = json!("AQ"), "an RSA key has"),
    ("e even", |jwk| jwk["e"] = json!("AQAA"), "an RSA key has"),
    ("e empty", |jwk| jwk["e"] = json!(""), "an RSA key has"),
    ("e a number", |jwk| jwk["e"] = json!(65_537), "not a private JWK"),
    ("d empty", |jwk| jwk["d"] = json!(""), "an RSA key has"),
    ("qi padded", |jwk| jwk["qi"] = json!("AQ=="), "an RSA key has"),
    ("the members of an EC key", |jwk| jwk["kty"] = json!("EC"), "an EC key has"),
];

#[test]
fn a_secret_broken_in_one_way_is_refused_by_a_message_that_names_the_rule_and_not_the_content() {
    for (pair, changes) in [(&*EC, [EITHER, EC_ONLY].concat()), (&*RSA, [EITHER, RSA_ONLY].concat())] {
        for (name, change, word) in changes {
            let mut jwk = pair.jwk();
            change(&mut jwk);
            assert_ne!(jwk, pair.jwk(), "{name} changes nothing");
            let message = refusal(&jwk.to_string());
            assert!(message.contains(word), "{name}: {message}");
            let held = jwk.as_object().unwrap().values().filter_map(Value::as_str).filter(|text| text.len() > 16);
            for text in held {
                assert!(!message.contains(text), "{name}: {message}");
            }
        }
    }
}

#[test]
fn a_secret_that_is_no_json_object_is_refused() {
    let jwk = EC.jwk();
    let as_array: Vec<&Value> = ["kty", "crv", "x", "y"].iter().map(|name| &jwk[name]).collect();
    let in_order = json!([
        "EC", "P-256", jwk["x"], jwk["y"], null, null, jwk["d"], null, null, null, null, null, null, null, null, null, null, null, null
    ]);
    for (name, secret) in [
        ("nothing", String::new()),
        ("blanks", "  ".to_owned()),
        ("a PEM", "-----BEGIN PRIVATE KEY-----\nMIGHAgEAMBMGByqGSM49\n-----END PRIVATE KEY-----".to_owned()),
        ("null", "null".to_owned()),
        ("a text", jwk["d"].to_string()),
        ("a list of keys", json!([jwk]).to_string()),
        ("a list of members", json!(as_array).to_string()),
        ("a list of members in our own order", in_order.to_string()),
        ("a key set", json!({"keys": [jwk]}).to_string()),
        ("two keys", format!("{jwk}{jwk}")),
        ("a key cut short", jwk.to_string().trim_end_matches('}').to_owned()),
        ("a member twice", jwk.to_string().replacen("{\"crv\"", "{\"crv\":\"P-256\",\"crv\"", 1)),
        ("JSON in quotes", json!(jwk.to_string()).to_string()),
    ] {
        assert!(refusal(&secret).contains("not a private JWK"), "{name}: {}", refusal(&secret));
    }
    let with_blanks = |blanks: usize| format!("{}{}", EC.jwk(), " ".repeat(blanks));
    let fits = 16_384 - EC.jwk().to_string().len();
    assert!(PrivateKey::parse(&with_blanks(fits)).is_ok());
    assert!(refusal(&with_blanks(fits + 1)).contains("16384"));
}

#[test]
fn a_real_rsa_key_that_is_too_small_is_refused() {
    for bits in [1_024, 2_047] {
        assert!(refusal(&Pair::rsa(bits).jwk().to_string()).contains("2048"), "{bits}");
    }
}

#[test]
fn a_pair_whose_halves_do_not_belong_together_is_for_the_importer_to_refuse() {
    // The broker has no curve arithmetic: what it imports proves itself by a signature (see `readiness`).
    let mut jwk = EC.jwk();
    jwk["d"] = OTHER_EC.jwk()["d"].clone();
    let key = key(&jwk.to_string());
    let import: JsonWebKey<'_> = serde_json::from_str(key.expose_import()).unwrap();
    assert!(p256::ecdsa::SigningKey::try_from(&import).is_err());
    assert!(BrokenKey::NOT_A_PAIR.to_string().contains("keygen"));
}
