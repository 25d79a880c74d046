//! One secret: a private JWK, parsed into a key that can be imported and published.

use core::fmt;

use serde::Serialize;

use super::certificate::certifies;
use super::{Alg, PublicJwk, PublicKey};
use crate::encoding::from_base64url;
use crate::json::{Object, Value};
use crate::time::UnixTime;

/// The most bytes of a secret: Workers' own limit is 5 KB.
const SECRET_BYTES_MAX: usize = 16_384;

/// A signing key as a secret holds it. `Debug` shows the public half only.
#[derive(Clone)]
pub struct PrivateKey {
    /// The public half.
    public: PublicJwk,
    /// The time from which it signs.
    not_before: UnixTime,
    /// The private JWK for Web Crypto's import: no member but the key's own parameters.
    import: String,
}

/// Why a secret is not a signing key. The text names the rule and never the content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct BrokenKey(&'static str);

impl fmt::Display for BrokenKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl core::error::Error for BrokenKey {}

impl BrokenKey {
    /// The importer or the test signature refused the pair.
    pub const NOT_A_PAIR: Self = Self("its private and public parts do not make one key pair; make a new one with edge-broker keygen");
}

/// The members of a private JWK that may stand in a secret.
struct Jwk {
    kty: Option<String>,
    crv: Option<String>,
    x: Option<String>,
    y: Option<String>,
    n: Option<String>,
    e: Option<String>,
    d: Option<String>,
    p: Option<String>,
    q: Option<String>,
    dp: Option<String>,
    dq: Option<String>,
    qi: Option<String>,
    alg: Option<String>,
    kid: Option<String>,
    usage: Option<String>,
    key_ops: Option<Vec<String>>,
    not_before: Option<UnixTime>,
    x5c: Option<Vec<String>>,
}

/// The members that Web Crypto imports.
#[derive(Serialize)]
#[serde(untagged)]
enum Import<'a> {
    P256 { kty: &'a str, crv: &'a str, x: &'a str, y: &'a str, d: &'a str },
    Rsa { kty: &'a str, n: &'a str, e: &'a str, d: &'a str, p: &'a str, q: &'a str, dp: &'a str, dq: &'a str, qi: &'a str },
}

const NOT_A_JWK: BrokenKey =
    BrokenKey("is not a private JWK: a JSON object of the members that edge-broker keygen writes, each a text, nbf a Unix time");

impl PrivateKey {
    /// Reads a secret's text.
    ///
    /// # Errors
    /// What is wrong with it, one rule at a time.
    pub fn parse(secret: &str) -> Result<Self, BrokenKey> {
        if secret.len() > SECRET_BYTES_MAX {
            return Err(BrokenKey("is longer than 16384 bytes"));
        }
        let jwk = Jwk::read(secret).ok_or(NOT_A_JWK)?;
        let (public, import) = match jwk.kty.as_deref() {
            Some("EC") => jwk.p256()?,
            Some("RSA") => jwk.rsa()?,
            _ => return Err(BrokenKey("kty is EC (for ES256) or RSA (for RS256)")),
        };
        if jwk.alg.is_some_and(|alg| alg != public.alg().as_str()) {
            return Err(BrokenKey("alg is ES256 for an EC key and RS256 for an RSA key"));
        }
        if jwk.usage.is_some_and(|usage| usage != "sig") || jwk.key_ops.is_some_and(|ops| !ops.iter().any(|op| op == "sign")) {
            return Err(BrokenKey("use is sig and key_ops has sign, where they are there at all"));
        }
        if jwk.kid.is_some_and(|kid| kid != public.thumbprint()) {
            return Err(BrokenKey("kid is the key's RFC 7638 thumbprint; leave it out and the broker computes it"));
        }
        if !jwk.x5c.as_deref().is_none_or(|chain| certifies(chain, &public)) {
            return Err(BrokenKey("x5c is a list of one self-signed certificate of this very key, in padded base64 DER"));
        }
        Ok(Self { public: PublicJwk::new(&public, jwk.x5c), not_before: jwk.not_before.unwrap_or(UnixTime::EPOCH), import })
    }

    /// The entry it is published as.
    #[must_use]
    pub fn public(&self) -> &PublicJwk {
        &self.public
    }

    /// The algorithm it signs with.
    #[must_use]
    pub fn alg(&self) -> Alg {
        self.public.alg()
    }

    /// The time from which it signs.
    #[must_use]
    pub fn not_before(&self) -> UnixTime {
        self.not_before
    }

    /// The private JWK to import. A secret: for the importer alone.
    #[must_use]
    pub fn expose_import(&self) -> &str {
        &self.import
    }
}

impl Jwk {
    /// `None` for what is no JSON object, or has a member that is not known, there twice or of another type.
    fn read(secret: &str) -> Option<Self> {
        let mut members = Object::parse_nested(secret.as_bytes())?;
        // Exports of Web Crypto have it, and it says nothing about the key.
        members.optional("ext", Value::bool)?;
        let not_before = members.optional("nbf", |time| time.whole_number()?.try_into().ok())?;
        let (key_ops, x5c) = (members.optional("key_ops", Value::texts)?, members.optional("x5c", Value::texts)?);
        let mut text = |name| members.optional_text(name);
        let jwk = Self {
            kty: text("kty")?,
            crv: text("crv")?,
            x: text("x")?,
            y: text("y")?,
            n: text("n")?,
            e: text("e")?,
            d: text("d")?,
            p: text("p")?,
            q: text("q")?,
            dp: text("dp")?,
            dq: text("dq")?,
            qi: text("qi")?,
            alg: text("alg")?,
            kid: text("kid")?,
            usage: text("use")?,
            key_ops,
            not_before,
            x5c,
        };
        members.is_empty().then_some(jwk)
    }

    fn p256(&self) -> Result<(PublicKey, String), BrokenKey> {
        const RULE: BrokenKey = BrokenKey("an EC key has crv P-256 and x, y, d of 32 bytes each in base64url");
        let [crv, x, y, d] = texts([&self.crv, &self.x, &self.y, &self.d]).ok_or(RULE)?;
        let of_rsa = [&self.n, &self.e, &self.p, &self.q, &self.dp, &self.dq, &self.qi];
        if crv != "P-256" || of_rsa.iter().any(|member| member.is_some()) || from_base64url(d).is_none_or(|bytes| bytes.len() != 32) {
            return Err(RULE);
        }
        let public = PublicKey::p256(x.to_owned(), y.to_owned()).ok_or(RULE)?;
        Ok((public, import(&Import::P256 { kty: "EC", crv, x, y, d })))
    }

    #[allow(clippy::many_single_char_names, reason = "the names of RFC 7518 §6.3")]
    fn rsa(&self) -> Result<(PublicKey, String), BrokenKey> {
        const RULE: BrokenKey = BrokenKey("an RSA key has n, e, d, p, q, dp, dq, qi in base64url, 2048 to 8192 bits");
        let members = [&self.n, &self.e, &self.d, &self.p, &self.q, &self.dp, &self.dq, &self.qi];
        let [n, e, d, p, q, dp, dq, qi] = texts(members).ok_or(RULE)?;
        let well_formed = [d, p, q, dp, dq, qi].iter().all(|text| from_base64url(text).is_some_and(|bytes| !bytes.is_empty()));
        if !well_formed || [&self.crv, &self.x, &self.y].iter().any(|member| member.is_some()) {
            return Err(RULE);
        }
        let public = PublicKey::rsa(n.to_owned(), e.to_owned()).ok_or(RULE)?;
        Ok((public, import(&Import::Rsa { kty: "RSA", n, e, d, p, q, dp, dq, qi })))
    }
}

/// The texts of these members, where all are there.
fn texts<const N: usize>(members: [&Option<String>; N]) -> Option<[&str; N]> {
    let mut texts = [""; N];
    for (text, member) in texts.iter_mut().zip(members) {
        *text = member.as_deref()?;
    }
    Some(texts)
}

fn import(members: &Import<'_>) -> String {
    // A struct of texts always serialises.
    serde_json::to_string(members).unwrap_or_default()
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PrivateKey")
            .field("kid", &self.public.kid())
            .field("alg", &self.alg())
            .field("not_before", &self.not_before)
            .finish_non_exhaustive()
    }
}
