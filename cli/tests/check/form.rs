//! The token's form, its header, its algorithm and its signature.

use agentkeys_edge_broker::encoding::base64url;
use serde_json::{Value, json};

use crate::case::{INVALID, NOW, case};
use crate::keys::{P256, P256_OTHER, P384, P521, RSA, RSA_OTHER};

#[test]
fn the_six_algorithms_are_accepted() {
    for (key, alg) in
        [(&P256, "ES256"), (&P384, "ES384"), (&P521, "ES512"), (&RSA, "RS256"), (&RSA, "RS384"), (&RSA, "RS512"), (&RSA_OTHER, "RS256")]
    {
        case(alg).signed_with(key, alg).is_accepted();
    }
}

#[test]
fn every_other_algorithm_is_refused() {
    for alg in
        ["none", "None", "", "HS256", "HS384", "HS512", "EdDSA", "Ed25519", "PS256", "PS384", "PS512", "ES256K", "es256", "RS1", "RSA-OAEP"]
    {
        case(format!("alg {alg}")).header("alg", json!(alg)).is_refused(INVALID, "token-algorithm");
    }
    case("PS256, signed so").signed_with(&RSA, "PS256").is_refused(INVALID, "token-algorithm");
    case("alg none without a signature").header("alg", json!("none")).signature(Vec::new()).is_refused(INVALID, "token-algorithm");
    for alg in [Value::Null, json!(256), json!(["ES256"])] {
        case(format!("alg {alg}")).header("alg", alg).is_refused(INVALID, "token-algorithm");
    }
    case("no alg").without_header("alg").is_refused(INVALID, "token-algorithm");
}

#[test]
fn a_token_has_4_to_20000_characters() {
    for (length, token) in [(0, String::new()), (1, "a".to_owned()), (3, "a.b".to_owned()), (20_001, "a".repeat(20_001))] {
        case(format!("{length} characters")).token(token).is_refused("ValidationError", "token-length");
    }
    case("4 characters").token("a.b.").is_refused(INVALID, "token-form");
    case("20000 characters of nothing").token("a".repeat(20_000)).is_refused(INVALID, "token-form");

    // A good token of exactly the greatest length, and one of a character more. Base64url has no length of 4n + 1, so
    // that header and payload are both padded.
    let padded = |length: usize| {
        let of = |header: usize, payload: usize| {
            case(format!("a good one of {length} characters"))
                .header("typ", json!("J".repeat(header)))
                .claim("padding", json!("p".repeat(payload)))
        };
        let about = 10_000 + (length - of(0, 10_000).text().len()) * 3 / 4;
        let candidates = (0..4).flat_map(|header| (about - 6..=about).map(move |payload| (header, payload)));
        candidates.map(|(header, payload)| of(header, payload)).find(|case| case.text().len() == length).unwrap()
    };
    padded(20_000).is_accepted();
    padded(20_001).is_refused("ValidationError", "token-length");
}

#[test]
fn a_token_is_three_parts_of_canonical_base64url() {
    let good = case("good").text();
    let [header, payload, signature] = good.split('.').collect::<Vec<_>>()[..] else { panic!("three parts") };
    case("as it is").token(&good).is_accepted();
    case("with a line end").token(format!("{good}\n")).is_accepted();
    case("with a line end of Windows").token(format!("{good}\r\n")).is_accepted();
    for (name, token) in [
        ("an opaque token", "opaque-access-token".to_owned()),
        ("two parts", format!("{header}.{payload}")),
        ("four parts", format!("{good}.{signature}")),
        ("five parts, as an encrypted one", format!("{good}.{signature}.{signature}")),
        ("an empty header", format!(".{payload}.{signature}")),
        ("padding in the header", format!("{header}=.{payload}.{signature}")),
        ("padding in the payload", format!("{header}.{payload}=.{signature}")),
        ("padding after the signature", format!("{good}==")),
        ("a blank before", format!(" {good}")),
        ("a blank after", format!("{good} ")),
        ("a line break inside", format!("{header}.{payload}.\n{signature}")),
        ("the alphabet of base64", format!("{header}.{payload}.+/+/{}", &signature[4..])),
        ("with Bearer", format!("Bearer {good}")),
        ("quoted", format!("\"{good}\"")),
        ("a letter beyond ASCII", format!("{good}é")),
    ] {
        case(name).token(token).is_refused(INVALID, "token-form");
    }
    let last = if signature.ends_with('A') { "B" } else { "A" };
    let mut stray_bits = good.clone();
    stray_bits.pop();
    // The last of 86 characters has four bits that say nothing and are zero.
    case("stray bits at the end").token(format!("{stray_bits}{}", if last == "A" { "B" } else { "C" })).is_refused(INVALID, "token-form");
}

#[test]
fn header_and_payload_are_json_objects() {
    let signed = |header: &str, payload: &[u8]| {
        let input = format!("{}.{}", base64url(header.as_bytes()), base64url(payload));
        format!("{input}.{}", base64url(&P256.sign("ES256", input.as_bytes())))
    };
    let good = r#"{"alg":"ES256","kid":"k1"}"#;
    for header in ["", "[]", "null", r#""ES256""#, r#"{"alg":"ES256","kid":"k1""#, r#"{alg:"ES256",kid:"k1"}"#, "\u{feff}{}"] {
        case(format!("header {header}")).token(signed(header, b"{}")).is_refused(INVALID, "token-form");
    }
    for payload in [&b""[..], b"[]", b"null", b"7", b"\"{}\"", b"{", b"{}{}", b"{'iss':1}", b"{\"iss\":\"\xff\"}", b"\xef\xbb\xbf{}"] {
        case(format!("payload {payload:?}")).token(signed(good, payload)).is_refused(INVALID, "token-form");
    }
    let deep = format!("{}{}", "[".repeat(500), "]".repeat(500));
    case("a payload nested too deeply").token(signed(good, format!(r#"{{"a":{deep}}}"#).as_bytes())).is_refused(INVALID, "token-form");
}

#[test]
fn the_header_has_a_kid_that_is_a_string_and_no_critical_extensions() {
    for kid in [Value::Null, json!(1), json!(["k1"])] {
        case(format!("kid {kid}")).header("kid", kid).is_doubtful(INVALID, "token-kid-form");
    }
    for crit in [json!(["b64"]), json!([]), json!(["exp"]), Value::Null] {
        case(format!("crit {crit}")).header("crit", crit).is_doubtful(INVALID, "token-critical-extension");
    }
    for (member, value) in [
        ("typ", json!("at+jwt")),
        ("typ", json!(7)),
        ("cty", json!("JWT")),
        ("jku", json!("https://evil.example.com")),
        ("x5t", json!("AA")),
    ] {
        case(format!("header {member} {value}")).header(member, value).is_accepted();
    }
    case("a jwk in the header is not believed").signed_by(&P256_OTHER).header("jwk", P256_OTHER.jwk("k1")).is_refused(INVALID, "signature");
    case("no typ").without_header("typ").is_accepted();
    case("a repeated alg, the last one good")
        .header_text(r#"{"alg":"none","alg":"ES256","kid":"k1"}"#)
        .is_accepted_with(&["repeated-member"]);
    case("a repeated kid, the last one good")
        .header_text(r#"{"kid":"k0","alg":"ES256","kid":"k1"}"#)
        .is_accepted_with(&["repeated-member"]);
    case("a repeated kid, the last one bad").header_text(r#"{"kid":"k1","alg":"ES256","kid":"k0"}"#).is_refused(INVALID, "key-unknown");
}

#[test]
fn a_signature_is_the_keys_over_these_very_bytes() {
    case("another key's").signed_by(&P256_OTHER).is_refused(INVALID, "signature");
    case("another RSA key's").signed_with(&RSA, "RS256").signed_by(&RSA_OTHER).is_refused(INVALID, "signature");
    let good = case("good").text();
    let (input, signature) = good.rsplit_once('.').unwrap();
    let header = input.split('.').next().unwrap();
    let other_claims = base64url(case("other").claim("sub", json!("somebody else")).text().split('.').nth(1).unwrap().as_bytes());
    case("of other claims").token(format!("{header}.{other_claims}.{signature}")).refused_report();
    let later = case("later").claim("exp", json!(NOW + 301)).text();
    let later_claims = later.split('.').nth(1).unwrap();
    case("of a token with another exp").token(format!("{header}.{later_claims}.{signature}")).is_refused(INVALID, "signature");
    for (name, bytes) in [
        ("empty", Vec::new()),
        ("zeroes", vec![0; 64]),
        ("one byte short", P256.sign("ES256", input.as_bytes())[..63].to_vec()),
        ("one byte long", [&P256.sign("ES256", input.as_bytes())[..], &[0]].concat()),
        ("of P-384's length", [0; 96].to_vec()),
    ] {
        case(format!("a signature: {name}")).signature(bytes).is_refused(INVALID, "signature");
    }
    case("the hash of another algorithm")
        .signed_with(&RSA, "RS256")
        .signature(RSA.sign("RS512", input.as_bytes()))
        .is_refused(INVALID, "signature");
}
