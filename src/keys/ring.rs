//! The ring: every key that proved itself, and which of them signs.

use super::{Alg, PublicJwk};
use crate::time::UnixTime;

/// A key of the ring.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RingKey {
    /// The secret it came from.
    pub secret: String,
    /// The entry it is published as.
    pub public: PublicJwk,
    /// The time from which it signs.
    pub not_before: UnixTime,
}

/// The keys in the order of their secrets' names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KeyRing(Vec<RingKey>);

impl KeyRing {
    /// A ring of these keys.
    #[must_use]
    pub fn new(keys: Vec<RingKey>) -> Self {
        // Two or three as a rule: putting each into its place is less code than a sort.
        let mut ring: Vec<RingKey> = Vec::with_capacity(keys.len());
        for key in keys {
            let place = ring.iter().take_while(|known| known.secret <= key.secret).count();
            ring.insert(place, key);
        }
        Self(ring)
    }

    /// Every key, in the order of the secrets' names.
    #[must_use]
    pub fn keys(&self) -> &[RingKey] {
        &self.0
    }

    /// What is published: each key once, by secret name, ES256 before RS256.
    #[must_use]
    pub fn published(&self) -> Vec<&PublicJwk> {
        let mut published: Vec<&PublicJwk> = Vec::with_capacity(self.0.len());
        for key in self.algs().into_iter().flat_map(|alg| self.of(alg)) {
            if published.iter().all(|known| known.kid() != key.public.kid()) {
                published.push(&key.public);
            }
        }
        published
    }

    /// The algorithms of the published keys, ES256 first.
    #[must_use]
    pub fn algs(&self) -> Vec<Alg> {
        [Alg::Es256, Alg::Rs256].into_iter().filter(|alg| self.of(*alg).next().is_some()).collect()
    }

    /// The key that signs now: the newest due one of `alg`; where none is named, of ES256 if such a key is due, else of RS256.
    #[must_use]
    pub fn signer(&self, alg: Option<Alg>, now: UnixTime) -> Option<&RingKey> {
        // Of equal ones the first secret name wins: only a later `nbf` replaces what was found.
        let newest = |newest: Option<&'_ RingKey>, key: &RingKey| newest.is_none_or(|newest| key.not_before > newest.not_before);
        let due = |alg: Alg| {
            let candidates = self.of(alg).filter(|key| key.not_before <= now);
            candidates.fold(None, |found, key| if newest(found, key) { Some(key) } else { found })
        };
        match alg {
            Some(alg) => due(alg),
            None => due(Alg::Es256).or_else(|| due(Alg::Rs256)),
        }
    }

    fn of(&self, alg: Alg) -> impl Iterator<Item = &RingKey> {
        self.0.iter().filter(move |key| key.public.alg() == alg)
    }
}

#[cfg(test)]
mod tests {
    use super::super::PublicKey;
    use super::*;
    use crate::encoding::base64url;

    fn at(seconds: u64) -> UnixTime {
        UnixTime::try_from(seconds).unwrap()
    }

    fn ec(secret: &str, seed: u8, not_before: u64) -> RingKey {
        let coordinate = base64url(&[seed; 32]);
        let public = PublicJwk::new(&PublicKey::p256(coordinate.clone(), coordinate).unwrap(), None);
        RingKey { secret: secret.to_owned(), public, not_before: at(not_before) }
    }

    fn rsa(secret: &str, seed: u8, not_before: u64) -> RingKey {
        let mut modulus = [seed | 1; 256];
        modulus[0] = 0x80;
        let public = PublicJwk::new(&PublicKey::rsa(base64url(&modulus), "AQAB".to_owned()).unwrap(), None);
        RingKey { secret: secret.to_owned(), public, not_before: at(not_before) }
    }

    fn signer(ring: &KeyRing, alg: Option<Alg>, now: u64) -> Option<&str> {
        ring.signer(alg, at(now)).map(|key| key.secret.as_str())
    }

    #[test]
    fn the_newest_due_key_signs() {
        let ring = KeyRing::new(vec![ec("SIGNING_KEY_A", 1, 0), ec("SIGNING_KEY_B", 2, 100)]);
        assert_eq!(signer(&ring, None, 99), Some("SIGNING_KEY_A"));
        assert_eq!(signer(&ring, None, 100), Some("SIGNING_KEY_B"));
        assert_eq!(ring.published().len(), 2, "both are published all the time");
    }

    #[test]
    fn of_keys_equally_new_the_first_secret_name_signs() {
        let ring = KeyRing::new(vec![ec("SIGNING_KEY_B", 2, 5), ec("SIGNING_KEY_A", 1, 5)]);
        assert_eq!(signer(&ring, None, 5), Some("SIGNING_KEY_A"));
    }

    #[test]
    fn an_audience_without_an_algorithm_gets_es256_before_rs256() {
        let ring = KeyRing::new(vec![rsa("SIGNING_KEY_A", 1, 50), ec("SIGNING_KEY_B", 2, 10)]);
        assert_eq!(signer(&ring, None, 60), Some("SIGNING_KEY_B"));
        assert_eq!(signer(&ring, None, 9), None, "no key is due");
        assert_eq!(signer(&ring, Some(Alg::Rs256), 60), Some("SIGNING_KEY_A"));
        assert_eq!(signer(&ring, Some(Alg::Rs256), 49), None, "ES256 is no stand-in where RS256 is named");
        let waiting = KeyRing::new(vec![rsa("SIGNING_KEY_A", 1, 0), ec("SIGNING_KEY_B", 2, 100)]);
        assert_eq!(signer(&waiting, None, 50), Some("SIGNING_KEY_A"), "RS256 while no ES256 key is due");
    }

    #[test]
    fn the_same_key_twice_is_published_once() {
        let ring = KeyRing::new(vec![ec("SIGNING_KEY_A", 1, 0), ec("SIGNING_KEY_B", 1, 100), rsa("SIGNING_KEY_C", 1, 0)]);
        assert_eq!(ring.published().len(), 2);
        assert_eq!(ring.algs(), [Alg::Es256, Alg::Rs256]);
    }

    #[test]
    fn an_empty_ring_signs_nothing() {
        assert_eq!(signer(&KeyRing::default(), None, 100), None);
        assert!(KeyRing::default().algs().is_empty());
    }
}
