//! The key set: which keys STS can use, and which one it takes.

use serde_json::{Value, json};

use crate::case::{Case, INVALID, case};
use crate::keys::{P256, P256_OTHER, P384, P521, RSA, RSA_OTHER};

fn with(mut jwk: Value, member: &str, value: Value) -> Value {
    jwk[member] = value;
    jwk
}

fn without_kid(mut jwk: Value) -> Value {
    jwk.as_object_mut().unwrap().remove("kid");
    jwk
}

fn kidless(name: &str) -> Case {
    case(name).without_header("kid")
}

#[test]
fn the_kid_names_the_key() {
    case("among others").keys([P256_OTHER.jwk("k0"), P256.jwk("k1"), RSA.jwk("k2"), P384.jwk("k3")]).is_accepted();
    case("an unknown kid").header("kid", json!("k9")).is_refused(INVALID, "key-unknown");
    case("a kid in another case").header("kid", json!("K1")).is_refused(INVALID, "key-unknown");
    case("an empty kid").header("kid", json!("")).is_refused(INVALID, "key-unknown");
    case("an empty kid of both").header("kid", json!("")).keys([P256.jwk("")]).is_accepted();
    case("a kid of another type").keys([P256.jwk("k0"), RSA.jwk("k1")]).is_refused(INVALID, "key-of-another-type");
    case("RS256 by an EC key").header("alg", json!("RS256")).is_refused(INVALID, "key-of-another-type");
}

#[test]
fn of_a_repeated_kid_the_last_one_wins() {
    case("the last one good").keys([P256_OTHER.jwk("k1"), P256.jwk("k1")]).is_accepted();
    case("the last one another").keys([P256.jwk("k1"), P256_OTHER.jwk("k1")]).is_refused(INVALID, "signature");
    case("the last one of another type").keys([P256.jwk("k1"), RSA.jwk("k1")]).is_refused(INVALID, "key-of-another-type");
    case("the first one unusable").keys([with(P256.jwk("k1"), "use", json!("enc")), P256.jwk("k1")]).is_accepted();
    case("the last one unusable").keys([P256.jwk("k1"), with(P256.jwk("k1"), "use", json!("enc"))]).is_doubtful(INVALID, "key-doubtful");
}

#[test]
fn a_jwk_without_kid_is_ignored() {
    case("named by the token").keys([without_kid(P256.jwk("k1"))]).is_refused(INVALID, "key-unknown");
    kidless("the only one").keys([without_kid(P256.jwk("k1"))]).is_refused(INVALID, "kid-absent-and-no-candidate");
    kidless("beside the only candidate").keys([without_kid(P256_OTHER.jwk("k0")), P256.jwk("k1")]).is_accepted_with(&["no-kid"]);
}

#[test]
fn a_token_without_kid_works_with_exactly_one_candidate() {
    kidless("one key").is_accepted_with(&["no-kid"]);
    kidless("one of its type").keys([RSA.jwk("k0"), P256.jwk("k1"), RSA_OTHER.jwk("k2")]).is_accepted_with(&["no-kid"]);
    case("one RSA key")
        .signed_with(&RSA, "RS384")
        .without_header("kid")
        .keys([P256.jwk("k0"), RSA.jwk("k1")])
        .is_accepted_with(&["no-kid"]);
    kidless("another is for encryption")
        .keys([with(P256_OTHER.jwk("k0"), "use", json!("enc")), P256.jwk("k1")])
        .is_accepted_with(&["no-kid"]);
    kidless("another has key_ops")
        .keys([with(P256_OTHER.jwk("k0"), "key_ops", json!(["verify"])), P256.jwk("k1")])
        .is_accepted_with(&["no-kid"]);
    kidless("two").keys([P256_OTHER.jwk("k0"), P256.jwk("k1")]).is_refused(INVALID, "kid-absent-and-several-candidates");
    kidless("two curves").keys([P384.jwk("k0"), P256.jwk("k1")]).is_refused(INVALID, "kid-absent-and-several-candidates");
    kidless("none of its type").keys([RSA.jwk("k0")]).is_refused(INVALID, "kid-absent-and-no-candidate");
    kidless("the only one is for encryption").jwk_member("use", json!("enc")).is_refused(INVALID, "kid-absent-and-no-candidate");
    kidless("one and another key signed").keys([P256_OTHER.jwk("k0")]).is_refused(INVALID, "signature");
    let empty = with(P256_OTHER.jwk("k0"), "key_ops", json!([]));
    kidless("another has empty key_ops").keys([empty, P256.jwk("k1")]).is_doubtful(INVALID, "kid-absent-and-doubtful-candidates");
    kidless("one kid twice").keys([P256_OTHER.jwk("k1"), P256.jwk("k1")]).is_doubtful(INVALID, "kid-absent-and-doubtful-candidates");
}

#[test]
fn use_is_absent_or_sig_and_key_ops_is_absent() {
    for (member, value) in [
        ("use", json!("sig")),
        ("alg", json!("ES256")),
        ("alg", json!("ES512")),
        ("alg", json!("RS256")),
        ("alg", json!("ECDH-ES")),
        ("alg", Value::Null),
        ("ext", json!(true)),
        ("custom", json!({"a": [1]})),
        ("x5t", json!("AA")),
    ] {
        case(format!("{member} {value}")).jwk_member(member, value).is_accepted();
    }
    for (member, value) in [
        ("use", json!("enc")),
        ("use", json!("SIG")),
        ("use", json!("")),
        ("key_ops", json!(["verify"])),
        ("key_ops", json!(["sign"])),
        ("key_ops", json!(["sign", "verify"])),
        ("key_ops", json!("verify")),
    ] {
        case(format!("{member} {value}")).jwk_member(member, value).is_refused(INVALID, "key-unusable");
    }
    for (member, value) in [("use", Value::Null), ("key_ops", json!([])), ("key_ops", Value::Null), ("d", json!("AQ"))] {
        case(format!("{member} {value}")).jwk_member(member, value).is_doubtful(INVALID, "key-doubtful");
    }
}

#[test]
fn the_tokens_algorithm_chooses_the_hash() {
    for jwk_alg in ["RS256", "RS384", "RS512", "PS256", "ES256"] {
        for alg in ["RS256", "RS384", "RS512"] {
            case(format!("{alg} by a JWK of {jwk_alg}")).signed_with(&RSA, alg).jwk_member("alg", json!(jwk_alg)).is_accepted();
        }
    }
    for (key, alg) in [(&P256, "ES384"), (&P256, "ES512"), (&P384, "ES256"), (&P521, "ES384")] {
        case(format!("{alg} by a key of another curve")).signed_with(key, alg).is_doubtful(INVALID, "key-on-another-curve");
    }
}

#[test]
fn a_key_has_all_its_numbers_in_base64url() {
    for members in [&["x"][..], &["y"], &["x", "y"], &["crv"]] {
        case(format!("without {members:?}")).without_jwk_members(members).is_refused(INVALID, "key-unusable");
    }
    case("without kty").without_jwk_members(&["kty"]).is_refused(INVALID, "key-of-another-type");
    for members in [&["n"][..], &["e"], &["n", "e"]] {
        case(format!("without {members:?}")).signed_with(&RSA, "RS256").without_jwk_members(members).is_refused(INVALID, "key-unusable");
    }
    case("x with padding").jwk_member("x", json!(format!("{}=", P256.jwk("")["x"].as_str().unwrap()))).is_refused(INVALID, "key-unusable");
    case("x of another key").jwk_member("x", P256_OTHER.jwk("")["x"].clone()).is_refused(INVALID, "signature");
    case("n of another key").signed_with(&RSA, "RS256").jwk_member("n", RSA_OTHER.jwk("")["n"].clone()).is_refused(INVALID, "signature");
    case("another curve's name").jwk_member("crv", json!("secp256k1")).is_doubtful(INVALID, "key-doubtful");
    let n_1024 = agentkeys_edge_broker::encoding::base64url(&[0x81; 128]);
    case("1024 bits").signed_with(&RSA, "RS256").jwk_member("n", json!(n_1024)).is_doubtful(INVALID, "key-doubtful");
}

#[test]
fn x5c_agrees_with_the_key() {
    for (name, key, alg) in [("EC", &P256, "ES256"), ("P-384", &P384, "ES384"), ("RSA", &RSA, "RS256")] {
        let case = || case(name).signed_with(key, alg);
        case().jwk_member("x5c", json!([key.certificate()])).is_accepted();
        case().jwk_member("x5c", json!([key.certificate(), P256_OTHER.certificate()])).is_accepted();
        case().jwk_member("x5c", json!([P256_OTHER.certificate()])).is_refused(INVALID, "key-unusable");
        case().jwk_member("x5c", json!([RSA_OTHER.certificate()])).is_refused(INVALID, "key-unusable");
        case()
            .jwk_member("x5c", json!([key.certificate()]))
            .without_jwk_members(&["n", "e", "x", "y", "crv"])
            .is_refused(INVALID, "key-unusable");
        for x5c in [json!([]), json!(["nonsense"]), json!(key.certificate()), Value::Null, json!([7])] {
            case().jwk_member("x5c", x5c).is_doubtful(INVALID, "key-doubtful");
        }
    }
}

#[test]
fn of_the_tokens_type_at_most_100_keys_are_published() {
    let many = |count: usize| (2..=count).map(|n| P256_OTHER.jwk(&format!("k{n}"))).chain([P256.jwk("k1")]).collect::<Vec<_>>();
    case("100 keys").keys(many(100)).is_accepted();
    case("101 keys").keys(many(101)).is_refused(INVALID, "key-set-too-large");
    case("101 keys and no kid").without_header("kid").keys(many(101)).is_refused(INVALID, "key-set-too-large");
    case("100 keys and many of the other type").keys([many(100), vec![RSA.jwk("r"); 150]].concat()).is_accepted();
    let others = [(2..=102).map(|n| P256_OTHER.jwk(&format!("k{n}"))).collect::<Vec<_>>(), vec![RSA.jwk("k1")]].concat();
    case("the other type goes on").signed_with(&RSA, "RS256").keys(others).is_accepted();
    let ignored = without_kid(P256_OTHER.jwk(""));
    case("an ignored one counts").keys([many(100), vec![ignored]].concat()).is_refused(INVALID, "key-set-too-large");
    let for_encryption = with(P256_OTHER.jwk("e"), "use", json!("enc"));
    case("an unusable one counts").keys([many(100), vec![for_encryption]].concat()).is_refused(INVALID, "key-set-too-large");
}

#[test]
fn a_key_set_is_an_object_with_at_least_one_key() {
    for document in [
        json!({}),
        json!([]),
        json!(null),
        json!({"keys": []}),
        json!({"keys": {}}),
        json!({"keys": P256.jwk("k1")}),
        json!([P256.jwk("k1")]),
    ] {
        case(format!("key set {document}")).key_set(document).is_refused(INVALID, "key-set-form");
    }
    case("other members").key_set(json!({"keys": [P256.jwk("k1")], "other": 1})).is_accepted();
    case("keys of other types")
        .keys([json!({"kty": "OKP", "crv": "Ed25519", "x": "AA", "kid": "o"}), json!({}), P256.jwk("k1")])
        .is_accepted();
    case("an entry that is no object").keys([json!("k0"), P256.jwk("k1")]).is_doubtful(INVALID, "key-set-strange-entry");
}
