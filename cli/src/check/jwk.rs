//! One entry of a key set (RFC 7517 §4): the key it holds, and whether STS can use it.

use super::jose::{Alg, KeyType};
use super::json::{Json, Object};
use super::x5c;

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
pub(super) enum State {
    Usable(PublicKey),
    /// Not recorded: for a verdict on this key it is unusable, for one that needs it to be out of the way it is there.
    Doubtful(&'static str),
    Unusable(&'static str),
}

/// One entry of the set.
pub(super) struct Entry {
    /// `kty`, whatever it says.
    pub(super) kty: Option<KeyType>,
    /// A JWK without `kid` is ignored, but counted.
    pub(super) kid: Option<String>,
    pub(super) state: State,
}

impl Entry {
    /// Reads an entry: whatever it says, it is one.
    pub(super) fn of(jwk: &Object) -> Self {
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

    pub(super) fn is_usable(&self) -> bool {
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
