//! Signing keys. `key_secret`: an input is a secret. `certificate`: an input is a certificate, as DER, for a key that is there.

use agentkeys_edge_broker::encoding::from_base64url;
use agentkeys_edge_broker::keys::{KeyRing, PrivateKey, RingKey};
use base64ct::{Base64, Encoding};
use serde_json::{Value, json};

use crate::said::{repeated, says_nothing_of};
use crate::sessions::with_member;

/// Members of a published key (RFC 7517 §4, RFC 7518 §6).
const PUBLIC: [&str; 9] = ["kty", "crv", "x", "y", "n", "e", "kid", "alg", "use"];
const PRIVATE: [&str; 6] = ["d", "p", "q", "dp", "dq", "qi"];

/// A secret that is read is published without anything private, shows nothing of it, and is imported as it was.
pub fn key_secret(input: &[u8]) {
    let Ok(secret) = core::str::from_utf8(input) else { return };
    let key = match PrivateKey::parse(secret) {
        Ok(key) => key,
        Err(broken) => return says_nothing_of(&broken.to_string(), input),
    };
    let sent: Value = serde_json::from_str(secret).expect("what was read is JSON");
    let published = serde_json::to_value(key.public()).expect("a published key always serialises");
    let members = published.as_object().expect("an object");
    assert!(members.keys().all(|name| PUBLIC.contains(&name.as_str()) || name == "x5c"), "{published}");
    for name in ["x", "y", "n", "e", "x5c"] {
        assert_eq!(members.get(name), sent.get(name), "{name}");
    }
    assert_eq!((&published["use"], published["kid"].as_str()), (&json!("sig"), Some(key.public().kid())));
    // No private number, from a length on that is none by chance, is in what is published or shown.
    let shown = format!("{published} {key:?}");
    for name in PRIVATE {
        let private = sent[name].as_str().unwrap_or_default();
        let is_public =
            PUBLIC.iter().any(|public| sent[*public].as_str().is_some_and(|text| text.contains(private) || private.contains(text)));
        if private.len() >= 20 && !is_public && sent.get("x5c").is_none() {
            assert_eq!(repeated(&shown, private.as_bytes(), private.len()), None, "{name}");
        }
    }
    // What is imported is the same key, and has the key's own numbers alone.
    let import = key.expose_import();
    let again = PrivateKey::parse(import).expect("what is imported is a key");
    assert_eq!((again.public().kid(), again.alg(), again.expose_import()), (key.public().kid(), key.alg(), import));
    let imported: Value = serde_json::from_str(import).expect("JSON");
    assert!(imported.as_object().expect("an object").iter().all(|(name, value)| sent.get(name) == Some(value)), "{import}");
    for extra in [r#""secret":"x""#, r#""kty":"EC""#, r#""k":"AA""#] {
        assert!(PrivateKey::parse(&with_member(secret, extra)).is_err(), "{extra}");
    }
    // It signs from its time on, and not before.
    let starts = key.not_before();
    let ring = KeyRing::new(vec![RingKey { secret: "SIGNING_KEY_A".to_owned(), public: key.public().clone(), not_before: starts }]);
    assert!(ring.signer(Some(key.alg()), starts).is_some() && ring.published().len() == 1);
    let before = starts.seconds().checked_sub(1).map(crate::world::at);
    assert!(before.is_none_or(|before| ring.signer(None, before).is_none()));
}

/// The key of RFC 7517 §A.1 and one of RSA, whose private halves are not there: the numbers stand for them.
const EC: &str = r#"{"kty":"EC","crv":"P-256","x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4","y":"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM","d":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE"}"#;
const RSA: &str = r#"{"kty":"RSA","n":"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw","e":"AQAB","d":"AQ","p":"AQ","q":"AQ","dp":"AQ","dq":"AQ","qi":"AQ"}"#;

/// A certificate is taken where the key's numbers stand in it, and published as it is.
pub fn certificate(input: &[u8]) {
    let certificate = Base64::encode_string(input);
    let is_in = |number: &str| {
        let number = from_base64url(number).expect("a number");
        input.windows(number.len()).any(|part| part == number)
    };
    for (jwk, numbers) in [(EC, ["x", "y"]), (RSA, ["n", "e"])] {
        let mut secret: Value = serde_json::from_str(jwk).expect("JSON");
        secret["x5c"] = json!([certificate]);
        if let Ok(key) = PrivateKey::parse(&secret.to_string()) {
            assert!(numbers.iter().all(|name| is_in(secret[*name].as_str().expect("a number"))));
            let published = serde_json::to_value(key.public()).expect("a published key always serialises");
            assert_eq!(published["x5c"], secret["x5c"]);
            // Longer, shorter or twice it is not one certificate.
            for other in [json!([]), json!([certificate, certificate]), json!([Base64::encode_string(&[input, &[0]].concat())])] {
                secret["x5c"] = other;
                assert!(PrivateKey::parse(&secret.to_string()).is_err());
            }
        }
    }
}
