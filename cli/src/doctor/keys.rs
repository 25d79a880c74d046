//! The key set as a whole: how many keys, their names, whether each can be used, and whether the next one is there.

use std::collections::{BTreeMap, BTreeSet};

use agentkeys_edge_broker::aws::KEYS_OF_ONE_TYPE_MAX;
use serde_json::{Map, Value};

use super::key::Key;
use super::outcome::{Check, Fault};
use crate::check::Alg;

/// The published keys, at least one.
pub(super) struct Keys<'a>(Vec<Key<'a>>);

/// The names of the checks that need a key.
pub(super) const IDS: [&str; 11] = [
    "key-count",
    "key-private",
    "key-form",
    "key-size",
    "key-kid",
    "key-kid-unique",
    "key-use",
    "key-ops",
    "key-alg",
    "key-x5c",
    "rotation",
];

/// The keys of a document, where it is a key set with at least one.
pub(super) fn read<'a>(document: &'a Map<String, Value>, checks: &mut Vec<Check>) -> Option<Keys<'a>> {
    let keys = document.get("keys").and_then(Value::as_array).map(|keys| keys.iter().map(Value::as_object).collect::<Option<Vec<_>>>());
    let verdict = match keys {
        Some(Some(keys)) if keys.is_empty() => Err("The key set is empty: STS finds no key, and refuses every token."),
        Some(Some(keys)) => Ok(keys),
        _ => Err("The key set is not an object whose member keys is an array of objects."),
    };
    match verdict {
        Ok(keys) => {
            checks.push(Check::pass("keys", format!("It is a key set; keys in it: {}.", keys.len())));
            Some(Keys(keys.into_iter().zip(1..).map(|(jwk, place)| Key { place, jwk }).collect()))
        }
        Err(why) => {
            checks.push(Check::fail("keys", why, "Give the worker a key (edge-broker keygen), and look at /readyz."));
            checks.extend(IDS.map(|id| Check::skip(id, "There is no key set.")));
            None
        }
    }
}

impl<'a> Keys<'a> {
    /// The kids that are there.
    pub(super) fn kids(&self) -> BTreeSet<&str> {
        self.0.iter().filter_map(Key::kid).collect()
    }

    /// The algorithms of the keys, each once.
    pub(super) fn algs(&self) -> Vec<Alg> {
        let of = |alg: &Alg| self.0.iter().any(|key| key.alg() == Some(*alg));
        Alg::ALL.into_iter().filter(of).collect()
    }

    /// What is wrong with the keys, and with the set.
    pub(super) fn checks(&self) -> Vec<Check> {
        vec![
            Check::of("key-count", self.count()),
            Check::of("key-private", self.all("No key has a private member.", |key| !key.has_private_member(), |keys| {
                Fault::fail(
                    format!("PRIVATE KEY PUBLISHED: {keys} has a private member. Whoever has read the key set signs as this issuer: this key is public now."),
                    "Rotate at once: put a new key into the slot, deploy, and do not wait for the day's notice. Then find out who wrote the key set.",
                )
            })),
            Check::of("key-form", self.all("Every key is an RSA or EC key that STS can use.", Key::is_well_formed, |keys| {
                Fault::fail(
                    format!("{keys} is not an RSA key (n, e) or an EC key on P-256, P-384 or P-521 (crv, x, y) with numbers in full length."),
                    "Publish the key as edge-broker keygen makes it, and leave keys of other kinds out.",
                )
            })),
            Check::of("key-size", self.all("Every RSA key has at least 2048 bits.", |key| !key.is_small(), |keys| {
                Fault::fail(format!("{keys} is an RSA key of less than 2048 bits."), "Replace it: edge-broker keygen --alg RS256.")
            })),
            Check::of("key-kid", self.kid()),
            Check::of("key-kid-unique", self.unique()),
            Check::of("key-use", self.all("Every key is for signatures.", Key::is_for_signatures, |keys| {
                Fault::fail(format!("{keys} has a use other than sig: STS does not use it."), "Publish it with \"use\":\"sig\".")
            })),
            Check::of("key-ops", self.all("No key has key_ops.", |key| !key.has_key_ops(), |keys| {
                Fault::fail(
                    format!("{keys} has key_ops: STS was seen to use no key that has it, even with [\"verify\"]."),
                    "Take key_ops out of the published key; exported Web Crypto keys have it.",
                )
            })),
            Check::of("key-alg", self.all("Every alg is that of its key.", Key::alg_fits, |keys| {
                Fault::fail(
                    format!("{keys} has an alg that is not that of its kind or curve, or that STS does not verify."),
                    "Publish ES256 with P-256, ES384 with P-384, ES512 with P-521, RS256 with RSA.",
                )
            })),
            Check::of("key-x5c", self.all("Every x5c, if any, is of its key.", Key::x5c_agrees, |keys| {
                Fault::fail(
                    format!("{keys} has an x5c that does not start with the certificate of this key: STS does not use it."),
                    "Make key and certificate together (edge-broker keygen --x5c), or publish no x5c.",
                )
            })),
            Check::of("rotation", self.rotation()),
        ]
    }

    /// Passes if this holds for every key, else the fault of the keys it does not hold for.
    fn all(
        &self,
        good: &'static str,
        holds: impl Fn(&Key<'a>) -> bool,
        fault: impl FnOnce(String) -> Fault,
    ) -> Result<&'static str, Fault> {
        let places: Vec<usize> = self.0.iter().filter(|key| !holds(key)).map(|key| key.place).collect();
        if places.is_empty() { Ok(good) } else { Err(fault(named(&places))) }
    }

    fn count(&self) -> Result<&'static str, Fault> {
        for kty in ["EC", "RSA"] {
            let count = self.0.iter().filter(|key| key.kty() == Some(kty)).count();
            if count > KEYS_OF_ONE_TYPE_MAX {
                return Err(Fault::fail(
                    format!("{count} keys are of type {kty}: with more than 100 of a type STS refuses every token of that type."),
                    "Publish the key that signs, the next one, and old ones until their last token has expired.",
                ));
            }
        }
        Ok("No more than 100 keys are of one type.")
    }

    fn kid(&self) -> Result<&'static str, Fault> {
        self.all(
            "Every key has a kid.",
            |key| key.kid().is_some(),
            |keys| Fault::fail(format!("{keys} has no kid: STS ignores it."), "Publish each key with its RFC 7638 thumbprint as kid."),
        )?;
        let is_named = |key: &Key<'a>| key.thumbprint().is_none_or(|thumbprint| key.kid() == Some(&thumbprint));
        self.all("Every kid is the RFC 7638 thumbprint of its key.", is_named, |keys| {
            Fault::fail(
                format!("{keys} has a kid that is not its RFC 7638 thumbprint: name and key may have been mixed up, and two keys may share a name."),
                "Publish the thumbprint as kid, and sign with the same kid in the header.",
            )
        })
    }

    fn unique(&self) -> Result<&'static str, Fault> {
        let mut places: BTreeMap<&str, usize> = BTreeMap::new();
        for key in &self.0 {
            if let Some(earlier) = key.kid().and_then(|kid| places.insert(kid, key.place)) {
                return Err(Fault::fail(
                    format!("Keys {earlier} and {} have one kid: STS uses the last of them alone.", key.place),
                    "Publish each key once, under a kid of its own.",
                ));
            }
        }
        Ok("No kid stands twice.")
    }

    /// From outside the next key can be seen, and not when it signs: `/readyz` and the operator know that.
    fn rotation(&self) -> Result<String, Fault> {
        let alone: Vec<&str> = self
            .algs()
            .into_iter()
            .filter(|alg| self.0.iter().filter(|key| key.alg() == Some(*alg)).count() == 1)
            .map(Alg::as_str)
            .collect();
        if alone.is_empty() {
            return Ok(format!("Keys published: {}, more than one for each algorithm.", self.0.len()));
        }
        Err(Fault::warn(
            format!(
                "{} has one key: a leak of it cannot be answered without a gap, since STS may not know a new key for a day.",
                alone.join(", ")
            ),
            "Put the next key into the other slot: edge-broker keygen --activate-in 24h (docs/operations.md).",
        ))
    }
}

/// `key 2` or `keys 1, 3`; of many the first ones.
fn named(places: &[usize]) -> String {
    let shown: Vec<String> = places.iter().take(5).map(ToString::to_string).collect();
    let more = if places.len() > 5 { " and more" } else { "" };
    format!("{} {}{more}", if places.len() == 1 { "Key" } else { "Each of keys" }, shown.join(", "))
}
