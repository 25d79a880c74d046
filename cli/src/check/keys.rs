//! The key set (RFC 7517 §5): which of its keys STS can use, and which one a token's signature is held against.

use agentkeys_edge_broker::aws::KEYS_OF_ONE_TYPE_MAX;

use super::jose::{Alg, KeyType};
use super::json::{Json, Object};
use super::rule::{Basis, Finding, Rule};
use super::x5c;

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

/// A curve that STS verifies on (RFC 7518 §6.2.1.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Curve {
    P256,
    P384,
    P521,
}

impl Curve {
    fn named(name: &str) -> Option<Self> {
        match name {
            "P-256" => Some(Self::P256),
            "P-384" => Some(Self::P384),
            "P-521" => Some(Self::P521),
            _ => None,
        }
    }

    /// The bytes of a coordinate (RFC 7518 §6.2.1.2).
    fn coordinate_bytes(self) -> usize {
        match self {
            Self::P256 => 32,
            Self::P384 => 48,
            Self::P521 => 66,
        }
    }

    /// The algorithm of the curve (RFC 7518 §3.4).
    pub(crate) fn alg(self) -> Alg {
        match self {
            Self::P256 => Alg::Es256,
            Self::P384 => Alg::Es384,
            Self::P521 => Alg::Es512,
        }
    }
}

/// A public key, its numbers as big-endian bytes.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum PublicKey {
    Rsa { n: Vec<u8>, e: Vec<u8> },
    Ec { curve: Curve, x: Vec<u8>, y: Vec<u8> },
}

/// Whether STS can use a key, and why not.
#[derive(Clone, PartialEq, Eq)]
enum State {
    Usable(PublicKey),
    /// Not recorded: for a verdict on this key it is unusable, for one that needs it to be out of the way it is there.
    Doubtful(&'static str),
    Unusable(&'static str),
}

/// One entry of the set.
struct Entry {
    /// `kty`, whatever it says.
    kty: Option<KeyType>,
    /// A JWK without `kid` is ignored, but counted.
    kid: Option<String>,
    state: State,
}

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

impl Entry {
    fn of(jwk: &Object) -> Self {
        let kty = match jwk.get("kty").and_then(Json::as_str) {
            Some("RSA") => Some(KeyType::Rsa),
            Some("EC") => Some(KeyType::Ec),
            _ => None,
        };
        let kid = jwk.get("kid").and_then(Json::as_str).map(str::to_owned);
        let state = match kty {
            Some(kty) => state(jwk, kty).unwrap_or_else(|state| state),
            None => State::Unusable("kty is neither RSA nor EC."),
        };
        Self { kty, kid, state }
    }

    fn is_usable(&self) -> bool {
        matches!(self.state, State::Usable(_))
    }
}

/// What a JWK is good for; the first thing that is wrong is the error.
fn state(jwk: &Object, kty: KeyType) -> Result<State, State> {
    usage(jwk)?;
    key_ops(jwk)?;
    let key = match kty {
        KeyType::Rsa => rsa(jwk)?,
        KeyType::Ec => ec(jwk)?,
    };
    certificate(jwk, &key)?;
    if ["d", "p", "q", "dp", "dq", "qi", "oth", "k"].iter().any(|member| jwk.has(member)) {
        return Err(State::Doubtful("It has a private member: that key is public now, replace it at once."));
    }
    Ok(State::Usable(key))
}

/// `use` is absent or `sig`.
fn usage(jwk: &Object) -> Result<(), State> {
    match jwk.get("use") {
        None => Ok(()),
        Some(Json::String(usage)) if usage == "sig" => Ok(()),
        Some(Json::Null) => Err(State::Doubtful("Its use is null.")),
        Some(_) => Err(State::Unusable("Its use is not sig.")),
    }
}

/// Any `key_ops` makes the key unusable; of an empty one that is not recorded.
fn key_ops(jwk: &Object) -> Result<(), State> {
    match jwk.get("key_ops") {
        None => Ok(()),
        Some(Json::Array(operations)) if operations.is_empty() => Err(State::Doubtful("Its key_ops is empty.")),
        Some(Json::Null) => Err(State::Doubtful("Its key_ops is null.")),
        Some(_) => Err(State::Unusable("It has key_ops.")),
    }
}

/// The bits below which an RSA key is a small one.
const MODULUS_BITS_MIN: usize = 2048;
/// The bits above which a verifier may have a limit of its own.
const MODULUS_BITS_MAX: usize = 8192;

/// RFC 7518 §6.3.1: `n` and `e` in base64url, without leading zeroes.
fn rsa(jwk: &Object) -> Result<PublicKey, State> {
    if !jwk.has("n") && !jwk.has("e") {
        return Err(State::Unusable("It has no n and no e: a certificate alone is not a key."));
    }
    let (Some(n), Some(e)) = (x5c::bytes(jwk.get("n")), x5c::bytes(jwk.get("e"))) else {
        return Err(State::Unusable("Its n and e are not both there in base64url without padding."));
    };
    if n.first() == Some(&0) || e.first() == Some(&0) {
        return Err(State::Doubtful("Its n or e starts with a zero byte."));
    }
    let bits = n.len().saturating_mul(8).saturating_sub(n.first().map_or(0, |first| first.leading_zeros()).try_into().unwrap_or(0));
    if bits < MODULUS_BITS_MIN {
        return Err(State::Doubtful("It is an RSA key of less than 2048 bits."));
    }
    if bits > MODULUS_BITS_MAX {
        return Err(State::Doubtful("It is an RSA key of more than 8192 bits."));
    }
    // An even exponent is no RSA exponent, 1 encrypts nothing, and beyond 32 bits verifiers have limits of their own.
    if e.last().is_none_or(|last| last & 1 == 0) || e == [1] || e.len() > 4 || n.last().is_none_or(|last| last & 1 == 0) {
        return Err(State::Doubtful("Its n or e is even, or e is 1 or has more than 32 bits."));
    }
    Ok(PublicKey::Rsa { n, e })
}

/// RFC 7518 §6.2.1: `crv`, and `x` and `y` in base64url at the curve's full length.
fn ec(jwk: &Object) -> Result<PublicKey, State> {
    if !jwk.has("x") && !jwk.has("y") {
        return Err(State::Unusable("It has no x and no y: a certificate alone is not a key."));
    }
    let Some(curve) = jwk.get("crv").and_then(Json::as_str) else { return Err(State::Unusable("It has no crv.")) };
    let Some(curve) = Curve::named(curve) else { return Err(State::Doubtful("Its crv is not P-256, P-384 or P-521.")) };
    let (Some(x), Some(y)) = (x5c::bytes(jwk.get("x")), x5c::bytes(jwk.get("y"))) else {
        return Err(State::Unusable("Its x and y are not both there in base64url without padding."));
    };
    if x.len() != curve.coordinate_bytes() || y.len() != curve.coordinate_bytes() {
        return Err(State::Doubtful("Its x or y is not of the curve's full length."));
    }
    Ok(PublicKey::Ec { curve, x, y })
}

/// `x5c`, if present, is of this very key.
fn certificate(jwk: &Object, key: &PublicKey) -> Result<(), State> {
    match jwk.get("x5c").map(|chain| x5c::agrees(chain, key)) {
        None | Some(Some(true)) => Ok(()),
        Some(Some(false)) => Err(State::Unusable("Its x5c is the certificate of another key.")),
        Some(None) => Err(State::Doubtful("Its x5c is not an array that starts with a certificate in padded base64.")),
    }
}
