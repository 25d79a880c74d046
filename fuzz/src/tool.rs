//! The tool's judgement. `check_token`: an input is lines: header and claims as JSON, and then what is not signed by the key;
//! or anything else, which is a token by itself. `check_keys`: an input is a key set, for a token that is good.

use std::sync::LazyLock;

use agentkeys_edge_broker::aws::RoleArn;
use agentkeys_edge_broker::encoding::{base64url, from_base64url};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use serde_json::{Value, json};

use crate::check::{Expectations, Verdict, reports, verdict_on};
use crate::said::repeated;
use crate::world::{NOW, at};

/// The example of RFC 7515 §A.3.1: nobody's key.
const X: &str = "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU";
const Y: &str = "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0";
const D: &str = "jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI";
const ISSUER: &str = "https://keys.example.com";
const ROLE: &str = "arn:aws:iam::123456789012:role/agent";
/// The claims of a token that STS takes.
const CLAIMS: &str = r#"{"iss":"https://keys.example.com","sub":"agentkeys:agent:0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed","aud":"sts.amazonaws.com","iat":1800000000,"exp":1800000300,"https://aws.amazon.com/tags":{"principal_tags":{"agentkeys_user_wallet":["0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed"]},"transitive_tag_keys":["agentkeys_user_wallet"]}}"#;

static KEY: LazyLock<EcdsaKeyPair> = LazyLock::new(|| {
    let bytes = |text| from_base64url(text).expect("base64url");
    let point = [vec![4], bytes(X), bytes(Y)].concat();
    EcdsaKeyPair::from_private_key_and_public_key(&ECDSA_P256_SHA256_FIXED_SIGNING, &bytes(D), &point).expect("a pair")
});

static EXPECTED: LazyLock<Expectations> = LazyLock::new(|| Expectations {
    issuer: Some(ISSUER.to_owned()),
    audiences: vec!["sts.amazonaws.com".to_owned(), "b".to_owned()],
    role: RoleArn::try_from(ROLE.to_owned()).ok(),
});

fn key_set() -> Vec<u8> {
    json!({"keys": [{"kty": "EC", "crv": "P-256", "x": X, "y": Y, "kid": "k1", "alg": "ES256", "use": "sig"}]}).to_string().into_bytes()
}

/// Header and claims as they are written, signed by the key of the set.
fn signed(header: &str, claims: &str) -> String {
    let input = format!("{}.{}", base64url(header.as_bytes()), base64url(claims.as_bytes()));
    let signature = KEY.sign(&SystemRandom::new(), input.as_bytes()).expect("a signature");
    format!("{input}.{}", base64url(signature.as_ref()))
}

/// A verdict is one that can be read, repeats no token, and accepts what the key has signed and the rules allow, alone.
pub fn check_token(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    if let Some((header, claims)) = text.split_once('\n') {
        let token = signed(header, claims);
        let verdict = verdict_on(&token, &key_set(), &EXPECTED, at(NOW));
        is_plain(&verdict, &token);
        if verdict.is_accepted() {
            accepted(header, claims);
            for other in forged(&token) {
                assert!(!verdict_on(&other, &key_set(), &EXPECTED, at(NOW)).is_accepted(), "{other}");
            }
        }
    } else {
        let verdict = verdict_on(&text, &key_set(), &EXPECTED, at(NOW));
        is_plain(&verdict, &text);
        assert!(!verdict.is_accepted(), "nobody has signed it");
    }
}

/// Another signature, and another payload under the same one.
fn forged(token: &str) -> [String; 3] {
    let parts: Vec<&str> = token.split('.').collect();
    let [header, claims, signature] = parts[..] else { unreachable!("a token has three parts") };
    let mut bytes = from_base64url(signature).expect("base64url");
    bytes[40] ^= 1;
    let mut payload = from_base64url(claims).expect("base64url");
    payload.push(b' ');
    [
        format!("{header}.{claims}.{}", base64url(&bytes)),
        format!("{header}.{}.{signature}", base64url(&payload)),
        format!("{header}.{claims}."),
    ]
}

/// Both reports can be read: JSON is JSON, text is lines without anything that a terminal acts on, and no token is in either.
fn is_plain(verdict: &Verdict, token: &str) {
    let (json, text) = reports(verdict);
    let report: Value = serde_json::from_str(&json).expect("a report is JSON");
    let word = if verdict.is_accepted() { "accepted" } else { "refused" };
    assert!(report["verdict"] == word && text.starts_with(&format!("{word}: ")), "{text}");
    assert_eq!(report["error"].is_null(), verdict.is_accepted());
    assert!(text.lines().all(|line| !line.is_empty()) && text.ends_with('\n'), "{text:?}");
    let acts = |character: char| character != '\n' && (character.is_control() || is_invisible(character));
    assert!(!text.contains(acts), "{text:?}");
    if let Some((_, signature)) = token.rsplit_once('.').filter(|(_, signature)| signature.len() > 40) {
        for said in [&json, &text] {
            assert_eq!(repeated(said, signature.as_bytes(), 40), None);
        }
    }
}

/// Characters that turn or break a line for whoever reads it: directional formatting (Unicode UAX #9) and line separators.
fn is_invisible(character: char) -> bool {
    matches!(character, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{61c}')
}

/// What STS's own rules say of a token that is accepted, by another reader.
fn accepted(header: &str, claims: &str) {
    let read = |text: &str| serde_json::from_str::<Value>(text).expect("what was accepted is JSON");
    let (header, claims) = (read(header), read(claims));
    assert!(header["alg"] == "ES256" && header.get("crit").is_none() && (header.get("kid").is_none() || header["kid"] == "k1"));
    assert_eq!(claims["iss"], ISSUER);
    let aud = claims.get("azp").unwrap_or(&claims["aud"]);
    let aud = aud.as_array().map_or(aud, |list| &list[0]);
    assert!(*aud == "sts.amazonaws.com" || *aud == "b", "{aud}");
    assert!(!claims["sub"].is_null());
    let time = |name: &str| claims[name].as_i64().or_else(|| claims[name].as_str()?.parse().ok());
    let now = i64::try_from(NOW).expect("a time");
    assert!(time("exp").is_none_or(|exp| exp > now - 300) && time("iat").is_none_or(|iat| iat < now + 300));
    if let Some(nested) = claims.get("https://aws.amazon.com/tags") {
        let tags = nested["principal_tags"].as_object().expect("an object");
        assert!((1..=50).contains(&tags.len()));
        for (key, value) in tags {
            let value = value[0].as_str().expect("an array of one text");
            assert!((1..=128).contains(&key.chars().count()) && value.chars().count() <= 256);
            assert!(![key.as_str(), value].iter().any(|text| text.to_ascii_lowercase().starts_with("aws:")));
        }
        for name in nested["transitive_tag_keys"].as_array().into_iter().flatten() {
            assert!(tags.contains_key(name.as_str().expect("a text")));
        }
    }
    if let Some(roles) = claims.get("https://aws.amazon.com/roles").filter(|roles| !roles.is_null()) {
        assert!(roles.to_string().contains(ROLE), "{roles}");
    }
}

/// A key set that a good token passes by has the key that signed it, for signing, and not its private half.
pub fn check_keys(input: &[u8]) {
    static GOOD: LazyLock<[String; 2]> =
        LazyLock::new(|| [r#"{"alg":"ES256","kid":"k1","typ":"JWT"}"#, r#"{"alg":"ES256"}"#].map(|header| signed(header, CLAIMS)));
    for token in &*GOOD {
        let verdict = verdict_on(token, input, &EXPECTED, at(NOW));
        is_plain(&verdict, token);
        if verdict.is_accepted() {
            let set: Value = serde_json::from_slice(input).expect("what was accepted is JSON");
            let is_it = |key: &Value| key["x"] == X && key["y"] == Y && key["crv"] == "P-256" && key["kty"] == "EC";
            let is_for_it = |key: &Value| {
                key.get("d").is_none()
                    && key.get("key_ops").is_none()
                    && key.get("use").is_none_or(|usage| usage == "sig")
                    && key["kid"].is_string()
            };
            assert!(set["keys"].as_array().expect("a list").iter().any(|key| is_it(key) && is_for_it(key)), "{set}");
        }
    }
    // With nothing but the input for a token, nobody has signed anything.
    let text = String::from_utf8_lossy(input);
    assert!(!verdict_on(&text, &key_set(), &EXPECTED, at(NOW)).is_accepted());
}
