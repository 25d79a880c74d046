//! The key set (RFC 7517 §5): which of its keys STS can use, and which one a token's signature is held against.

use agentkeys_edge_broker::aws::KEYS_OF_ONE_TYPE_MAX;

use super::jose::{Alg, KeyType};
use super::json::Json;
use super::jwk::{Entry, PublicKey, State};
use super::rule::{Basis, Finding, Rule};

const NO_KEY_SET: Rule = Rule::new(
    "key-set-form",
    Basis::Doc,
    "The key set is a JSON object whose member keys is an array of at least one key.",
    "Publish {\"keys\": […]} with the issuer's public keys at its jwks_uri.",
);

const STRANGE_ENTRY: Rule = Rule::new(
    "key-set-strange-entry",
    Basis::NotRecorded,
    "Every entry of the key set is an object.",
    "Take out of keys what is not a JSON object.",
);

const TOO_MANY: Rule = Rule::new(
    "key-set-too-large",
    Basis::DocAndSeen,
    "A key set has at most 100 keys of the token's own key type, all of them counted.",
    "Publish fewer keys: the one that signs, the next one, and old ones until their last token has expired.",
);

const UNKNOWN_KID: Rule = Rule::new(
    "key-unknown",
    Basis::Seen,
    "The token's kid is that of a key in the set.",
    "Publish the key under this kid, at least 24 hours before it signs; a key without a kid is ignored.",
);

const UNUSABLE: Rule = Rule::new(
    "key-unusable",
    Basis::Seen,
    "The key of the token's kid (the last one where it is repeated) is usable: n and e, or crv, x and y; use absent or sig; no key_ops; \
     x5c, if present, of the same key.",
    "Publish the key with kty, n and e (or crv, x and y), kid, alg and use sig, and nothing else.",
);

const DOUBTFUL: Rule = Rule::new(
    "key-doubtful",
    Basis::NotRecorded,
    "The key is of a form that STS was seen to use.",
    "Publish an RSA key of at least 2048 bits or a key on P-256, P-384 or P-521, with kty, n and e (or crv, x and y), kid, alg and use sig, \
     and nothing else.",
);

const OTHER_TYPE: Rule = Rule::new(
    "key-of-another-type",
    Basis::Seen,
    "The key of the token's kid is of the token's own key type: RSA for RS*, EC for ES*.",
    "Give each key a kid of its own, and sign with the algorithm of the key that is named.",
);

const OTHER_CURVE: Rule = Rule::new(
    "key-on-another-curve",
    Basis::NotRecorded,
    "ES256 goes with P-256, ES384 with P-384, ES512 with P-521.",
    "Sign with the algorithm of the key's curve.",
);

const NO_CANDIDATE: Rule = Rule::new(
    "kid-absent-and-no-candidate",
    Basis::Seen,
    "A token without kid works only where exactly one usable key of its key type is published; here there is none.",
    "Put the kid of the signing key into the header, and publish that key.",
);

const SEVERAL_CANDIDATES: Rule = Rule::new(
    "kid-absent-and-several-candidates",
    Basis::Seen,
    "A token without kid works only where exactly one usable key of its key type is published.",
    "Put the kid of the signing key into the header.",
);

const DOUBTFUL_CANDIDATES: Rule = Rule::new(
    "kid-absent-and-doubtful-candidates",
    Basis::NotRecorded,
    "A token without kid works only where exactly one usable key of its key type is published, and none of which that is in doubt.",
    "Put the kid of the signing key into the header.",
);

/// STS's words where it finds no key, blanks and all.
const NO_KEY: &str = "Couldn't retrieve verification key from your identity provider,  please reference AssumeRoleWithWebIdentity documentation for requirements";

/// A published key set.
pub(crate) struct KeySet {
    entries: Vec<Entry>,
    has_strange_entry: bool,
}

/// A rule of the key set is broken and STS finds no key.
pub(crate) fn no_key_set(because: &'static str) -> Finding {
    NO_KEY_SET.broken().saying(NO_KEY).because(because)
}

impl KeySet {
    /// Reads a key set. What is wrong with a single key stays with that key.
    pub(crate) fn parse(text: &[u8]) -> Result<Self, Finding> {
        Self::of(&Json::parse(text).ok_or_else(|| no_key_set("It is not JSON."))?)
    }

    fn of(document: &Json) -> Result<Self, Finding> {
        let keys = document.as_object().and_then(|document| document.get("keys")).and_then(Json::as_array);
        let keys = keys.ok_or_else(|| no_key_set("It is not an object with an array keys."))?;
        if keys.is_empty() {
            return Err(no_key_set("There is no key in it."));
        }
        let entries: Vec<Entry> = keys.iter().filter_map(Json::as_object).map(Entry::of).collect();
        Ok(Self { has_strange_entry: entries.len() != keys.len(), entries })
    }

    /// The key that a token of this algorithm and `kid` is verified with.
    pub(crate) fn key_for(&self, alg: Alg, kid: Option<&str>) -> Result<&PublicKey, Finding> {
        let kty = alg.key_type();
        let count = self.entries.iter().filter(|entry| entry.kty == Some(kty)).count();
        if count > KEYS_OF_ONE_TYPE_MAX {
            return Err(TOO_MANY.broken().saying(NO_KEY).because(format!("It has {count} keys of type {}.", kty.as_str())));
        }
        if self.has_strange_entry {
            return Err(STRANGE_ENTRY.broken());
        }
        let key = match kid {
            Some(kid) => self.named(kid, kty)?,
            None => self.only_candidate(kty)?,
        };
        match key {
            PublicKey::Ec { curve, .. } if curve.alg() != alg => {
                Err(OTHER_CURVE.broken().because(format!("The token is {alg}, the key is for {}.", curve.alg())))
            }
            key => Ok(key),
        }
    }

    /// The last key of this name.
    fn named(&self, kid: &str, kty: KeyType) -> Result<&PublicKey, Finding> {
        let mut named = self.entries.iter().filter(|entry| entry.kid.as_deref() == Some(kid));
        let Some(last) = named.next_back() else { return Err(UNKNOWN_KID.broken().saying(NO_KEY).because(self.because_unknown())) };
        match &last.state {
            _ if last.kty != Some(kty) => Err(OTHER_TYPE.broken()),
            State::Usable(key) => Ok(key),
            State::Doubtful(because) => Err(DOUBTFUL.broken().because(*because)),
            // That an unusable key hides an earlier usable one of its name is the reading of "the last one wins".
            State::Unusable(because) if named.any(Entry::is_usable) => {
                Err(DOUBTFUL.broken().because(format!("Its kid is repeated, and of the last one: {because}")))
            }
            State::Unusable(because) => Err(UNUSABLE.broken().because(*because)),
        }
    }

    fn because_unknown(&self) -> String {
        let kids: Vec<String> =
            self.entries.iter().filter_map(|entry| entry.kid.as_deref()).take(8).map(|kid| format!("{kid:?}")).collect();
        if kids.is_empty() { "No key of the set has a kid.".to_owned() } else { format!("The set has {}.", kids.join(", ")) }
    }

    /// The one usable key of this type, where the token names none.
    fn only_candidate(&self, kty: KeyType) -> Result<&PublicKey, Finding> {
        let of_type = || self.entries.iter().enumerate().filter(|(_, entry)| entry.kty == Some(kty) && entry.kid.is_some());
        // A repeated kid makes a usable key one that counts perhaps: its last namesake wins.
        let (counting, hidden): (Vec<_>, Vec<_>) =
            of_type().filter(|(_, entry)| entry.is_usable()).partition(|(at, entry)| !self.is_hidden(*at, entry));
        let in_doubt = hidden.len().saturating_add(of_type().filter(|(_, entry)| matches!(entry.state, State::Doubtful(_))).count());
        let [(_, only)] = counting.as_slice() else {
            return Err(match (counting.len(), in_doubt) {
                (0, 0) => NO_CANDIDATE.broken().saying(NO_KEY),
                (0, _) => DOUBTFUL_CANDIDATES.broken(),
                (several, _) => SEVERAL_CANDIDATES.broken().because(format!("There are {several}.")),
            });
        };
        match &only.state {
            State::Usable(key) if in_doubt == 0 => Ok(key),
            _ => Err(DOUBTFUL_CANDIDATES.broken()),
        }
    }

    fn is_hidden(&self, at: usize, entry: &Entry) -> bool {
        self.entries.iter().skip(at.saturating_add(1)).any(|later| later.kid == entry.kid)
    }
}

#[cfg(test)]
mod tests {
    use agentkeys_edge_broker::encoding::base64url;
    use serde_json::{Value, json};

    use super::*;

    /// A number of this many bytes that names the key it stands in.
    fn number(bytes: usize, name: u8) -> String {
        let mut number = vec![0x80 | name; bytes];
        *number.last_mut().unwrap() = 1;
        base64url(&number)
    }

    fn ec(kid: &str, name: u8) -> Value {
        json!({"kty": "EC", "crv": "P-256", "x": number(32, name), "y": number(32, name), "kid": kid})
    }

    fn rsa(kid: &str, name: u8) -> Value {
        json!({"kty": "RSA", "n": number(256, name), "e": "AQAB", "kid": kid})
    }

    /// The same JWK with a member set, or with `null` as the value of `Value::Null`.
    fn with(mut jwk: Value, member: &str, value: Value) -> Value {
        jwk[member] = value;
        jwk
    }

    fn without(mut jwk: Value, members: &[&str]) -> Value {
        for member in members {
            jwk.as_object_mut().unwrap().remove(*member);
        }
        jwk
    }

    /// The name of the key that is found, or the rule.
    fn find(keys: &[Value], alg: Alg, kid: Option<&str>) -> Result<u8, &'static str> {
        let set = KeySet::parse(json!({"keys": keys}).to_string().as_bytes()).ok().unwrap();
        let name = |number: &[u8]| number[0] & 0x7f;
        set.key_for(alg, kid)
            .map(|key| match key {
                PublicKey::Rsa { n, .. } => name(n),
                PublicKey::Ec { x, .. } => name(x),
            })
            .map_err(|finding| finding.rule.id)
    }

    #[test]
    fn a_key_set_is_an_object_with_an_array_of_at_least_one_key() {
        assert!(KeySet::parse(json!({"keys": [ec("a", 1)]}).to_string().as_bytes()).is_ok());
        for bad in ["", "[]", "{}", r#"{"keys":{}}"#, r#"{"keys":null}"#, r#"{"keys":[]}"#, r#"{"keys":[{}],"keys":[]}"#] {
            assert_eq!(KeySet::parse(bad.as_bytes()).err().map(|finding| finding.rule.id), Some("key-set-form"), "{bad}");
        }
        assert_eq!(find(&[ec("a", 1), json!("b")], Alg::Es256, Some("a")), Err("key-set-strange-entry"));
        assert_eq!(find(&[ec("a", 1), Value::Null], Alg::Es256, Some("a")), Err("key-set-strange-entry"));
    }

    #[test]
    fn the_kid_names_the_key_and_the_last_of_a_repeated_one_wins() {
        assert_eq!(find(&[ec("a", 1), ec("b", 2)], Alg::Es256, Some("a")), Ok(1));
        assert_eq!(find(&[ec("a", 1), ec("b", 2)], Alg::Es256, Some("b")), Ok(2));
        assert_eq!(find(&[ec("a", 1), ec("a", 2)], Alg::Es256, Some("a")), Ok(2));
        assert_eq!(find(&[with(ec("a", 1), "use", json!("enc")), ec("a", 2)], Alg::Es256, Some("a")), Ok(2));
        assert_eq!(find(&[ec("", 1)], Alg::Es256, Some("")), Ok(1));
        for kid in ["c", "", "A", "a "] {
            assert_eq!(find(&[ec("a", 1), ec("b", 2)], Alg::Es256, Some(kid)), Err("key-unknown"), "{kid}");
        }
        assert_eq!(find(&[ec("a", 1), rsa("a", 2)], Alg::Es256, Some("a")), Err("key-of-another-type"));
        assert_eq!(find(&[ec("a", 1), with(ec("a", 2), "use", json!("enc"))], Alg::Es256, Some("a")), Err("key-doubtful"));
    }

    #[test]
    fn a_jwk_without_kid_is_ignored() {
        for kid in [None, Some(json!(7)), Some(Value::Null)] {
            let jwk = kid.map_or_else(|| without(ec("a", 1), &["kid"]), |kid| with(ec("a", 1), "kid", kid));
            assert_eq!(find(std::slice::from_ref(&jwk), Alg::Es256, None), Err("kid-absent-and-no-candidate"));
            assert_eq!(find(&[jwk.clone(), ec("b", 2)], Alg::Es256, None), Ok(2));
            assert_eq!(find(&[jwk], Alg::Es256, Some("a")), Err("key-unknown"));
        }
    }

    #[test]
    fn a_token_without_kid_works_with_exactly_one_candidate() {
        assert_eq!(find(&[ec("a", 1), rsa("b", 2)], Alg::Es256, None), Ok(1));
        assert_eq!(find(&[ec("a", 1), rsa("b", 2)], Alg::Rs384, None), Ok(2));
        assert_eq!(find(&[ec("a", 1), with(ec("b", 2), "use", json!("enc"))], Alg::Es256, None), Ok(1));
        assert_eq!(find(&[ec("a", 1), with(ec("b", 2), "key_ops", json!(["verify"]))], Alg::Es256, None), Ok(1));
        assert_eq!(find(&[ec("a", 1), ec("b", 2)], Alg::Es256, None), Err("kid-absent-and-several-candidates"));
        assert_eq!(find(&[rsa("a", 1)], Alg::Es256, None), Err("kid-absent-and-no-candidate"));
        let p384 = json!({"kty": "EC", "crv": "P-384", "x": number(48, 3), "y": number(48, 3), "kid": "c"});
        assert_eq!(find(&[ec("a", 1), p384], Alg::Es256, None), Err("kid-absent-and-several-candidates"));
    }

    #[test]
    fn a_doubtful_key_is_neither_a_candidate_nor_out_of_the_way() {
        let doubtful = with(ec("b", 2), "key_ops", json!([]));
        assert_eq!(find(&[ec("a", 1), doubtful.clone()], Alg::Es256, Some("a")), Ok(1));
        assert_eq!(find(&[ec("a", 1), doubtful.clone()], Alg::Es256, Some("b")), Err("key-doubtful"));
        assert_eq!(find(&[ec("a", 1), doubtful.clone()], Alg::Es256, None), Err("kid-absent-and-doubtful-candidates"));
        assert_eq!(find(&[doubtful], Alg::Es256, None), Err("kid-absent-and-doubtful-candidates"));
        assert_eq!(find(&[ec("a", 1), ec("a", 2)], Alg::Es256, None), Err("kid-absent-and-doubtful-candidates"));
    }

    #[test]
    fn use_is_absent_or_sig_and_key_ops_is_absent() {
        for (member, value, outcome) in [
            ("use", json!("sig"), Ok(1)),
            ("use", json!("enc"), Err("key-unusable")),
            ("use", json!("SIG"), Err("key-unusable")),
            ("use", json!(["sig"]), Err("key-unusable")),
            ("use", Value::Null, Err("key-doubtful")),
            ("key_ops", json!(["verify"]), Err("key-unusable")),
            ("key_ops", json!(["sign", "verify"]), Err("key-unusable")),
            ("key_ops", json!("verify"), Err("key-unusable")),
            ("key_ops", json!([]), Err("key-doubtful")),
            ("key_ops", Value::Null, Err("key-doubtful")),
            ("ext", json!(true), Ok(1)),
            ("alg", json!("RS256"), Ok(1)),
            ("alg", json!("none"), Ok(1)),
            ("d", json!("AQ"), Err("key-doubtful")),
        ] {
            assert_eq!(find(&[with(ec("a", 1), member, value.clone())], Alg::Es256, Some("a")), outcome, "{member} {value}");
        }
    }

    #[test]
    fn an_rsa_key_has_n_and_e_of_at_least_2048_bits() {
        for alg in [Alg::Rs256, Alg::Rs384, Alg::Rs512] {
            assert_eq!(find(&[with(rsa("a", 1), "alg", json!("RS256"))], alg, Some("a")), Ok(1), "{alg}");
        }
        let small = |first: u8| {
            let mut bytes = vec![0xff; 256];
            bytes[0] = first;
            base64url(&bytes)
        };
        for (member, value, outcome) in [
            ("n", json!(number(1024, 1)), Ok(1)),
            ("e", json!("Aw"), Ok(1)),
            ("n", json!(number(128, 1)), Err("key-doubtful")),
            ("n", json!(small(0x7f)), Err("key-doubtful")),
            ("n", json!(number(1025, 1)), Err("key-doubtful")),
            ("n", json!(base64url(&[0, 0x81, 1])), Err("key-doubtful")),
            ("e", json!("AAEAAQ"), Err("key-doubtful")),
            ("e", json!("AQ"), Err("key-doubtful")),
            ("e", json!("Ag"), Err("key-doubtful")),
            ("e", json!("AQAAAAE"), Err("key-doubtful")),
            ("e", json!("AQAB="), Err("key-unusable")),
            ("e", json!(65_537), Err("key-unusable")),
            ("n", Value::Null, Err("key-unusable")),
        ] {
            assert_eq!(find(&[with(rsa("a", 1), member, value.clone())], Alg::Rs256, Some("a")), outcome, "{member} {value}");
        }
        assert_eq!(find(&[without(rsa("a", 1), &["e"])], Alg::Rs256, Some("a")), Err("key-unusable"));
        assert_eq!(find(&[with(without(rsa("a", 1), &["n", "e"]), "x5c", json!(["AAAA"]))], Alg::Rs256, Some("a")), Err("key-unusable"));
        assert_eq!(find(&[rsa("a", 1)], Alg::Es256, Some("a")), Err("key-of-another-type"));
    }

    #[test]
    fn an_ec_key_has_the_full_coordinates_of_the_curve_of_the_algorithm() {
        for (crv, bytes, alg) in [("P-256", 32, Alg::Es256), ("P-384", 48, Alg::Es384), ("P-521", 66, Alg::Es512)] {
            let key = |bytes| json!({"kty": "EC", "crv": crv, "x": number(bytes, 1), "y": number(bytes, 1), "kid": "a"});
            for asked in [Alg::Es256, Alg::Es384, Alg::Es512] {
                let outcome = if asked == alg { Ok(1) } else { Err("key-on-another-curve") };
                assert_eq!(find(&[key(bytes)], asked, Some("a")), outcome, "{crv} {asked}");
            }
            assert_eq!(find(&[key(bytes.saturating_sub(1))], alg, Some("a")), Err("key-doubtful"), "{crv}");
            assert_eq!(find(&[key(bytes.saturating_add(1))], alg, Some("a")), Err("key-doubtful"), "{crv}");
        }
        for (member, value, outcome) in [
            ("crv", json!("secp256k1"), "key-doubtful"),
            ("crv", json!("p-256"), "key-doubtful"),
            ("crv", Value::Null, "key-unusable"),
            ("x", json!("*"), "key-unusable"),
            ("y", Value::Null, "key-unusable"),
            ("kty", json!("ec"), "key-of-another-type"),
            ("kty", json!("OKP"), "key-of-another-type"),
        ] {
            assert_eq!(find(&[with(ec("a", 1), member, value.clone())], Alg::Es256, Some("a")), Err(outcome), "{member} {value}");
        }
        assert_eq!(find(&[with(without(ec("a", 1), &["x", "y"]), "x5c", json!(["AAAA"]))], Alg::Es256, Some("a")), Err("key-unusable"));
    }

    #[test]
    fn of_each_type_at_most_100_keys_are_published() {
        let many = |count: u8, key: fn(&str, u8) -> Value| (1..=count).map(|n| key(&format!("k{n}"), n)).collect::<Vec<_>>();
        assert_eq!(find(&many(100, ec), Alg::Es256, Some("k100")), Ok(100));
        assert_eq!(find(&many(101, ec), Alg::Es256, Some("k1")), Err("key-set-too-large"));
        let with_rsa = [many(101, ec), vec![rsa("r", 7)]].concat();
        assert_eq!(find(&with_rsa, Alg::Rs256, Some("r")), Ok(7));
        assert_eq!(find(&with_rsa, Alg::Es256, Some("k1")), Err("key-set-too-large"));
        let counted = [without(ec("a", 1), &["kid"]), with(ec("a", 1), "use", json!("enc")), json!({"kty": "EC"}), ec("k1", 1)];
        for extra in counted {
            assert_eq!(find(&[many(100, ec), vec![extra.clone()]].concat(), Alg::Es256, Some("k1")), Err("key-set-too-large"), "{extra}");
        }
        assert_eq!(find(&[many(100, ec), vec![json!({"kty": "OKP", "kid": "o"})]].concat(), Alg::Es256, Some("k1")), Ok(1));
    }
}
