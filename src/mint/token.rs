//! The token: built by jwt-compact, signed elsewhere.
//!
//! jwt-compact signs while it builds, and Web Crypto signs by a promise. So the building algorithm here has an empty
//! signature: what it leaves is `header.claims.`, whose first part is signed by the edge and completed by
//! [`UnsignedToken::sign_with`].

use std::borrow::Cow;

use chrono::DateTime;
use jwt_compact::{Algorithm, AlgorithmExt, AlgorithmSignature, Claims, Header};

use super::Decision;
use crate::aws::TOKEN_CHARACTERS;
use crate::claims::TokenClaims;
use crate::encoding::base64url;
use crate::error::Fault;
use crate::keys::Alg;

/// `header.claims`, waiting for its signature.
pub struct UnsignedToken {
    /// With the final dot, which is not signed.
    text: String,
}

/// A token to hand out. A secret while it lives.
pub struct SignedToken(String);

impl UnsignedToken {
    /// Header `alg`, `kid`, `typ`; claims with `iat` and `exp`.
    ///
    /// # Errors
    /// [`Fault::Internal`] if a time cannot be written, which a bounded one always can.
    pub fn new(kid: &str, alg: Alg, claims: TokenClaims<'_>, decision: &Decision) -> Result<Self, Fault> {
        let header = Header::empty().with_key_id(kid).with_token_type("JWT");
        let time =
            |seconds: u64| i64::try_from(seconds).ok().and_then(|seconds| DateTime::from_timestamp(seconds, 0)).ok_or(Fault::Internal);
        let mut claims = Claims::new(claims);
        claims.issued_at = Some(time(decision.issued_at.seconds())?);
        claims.expiration = Some(time(decision.expires_at.seconds())?);
        let text = SignedElsewhere(alg).token(&header, &claims, &()).map_err(|_| Fault::Internal)?;
        Ok(Self { text })
    }

    /// The bytes to sign: `header.claims` (RFC 7515 §5.1).
    #[must_use]
    pub fn signing_input(&self) -> &[u8] {
        self.text.strip_suffix('.').unwrap_or(&self.text).as_bytes()
    }

    /// The whole token.
    ///
    /// # Errors
    /// [`Fault::Internal`] for a token that AWS would refuse for its length, which no checked record makes.
    pub fn sign_with(mut self, signature: &[u8]) -> Result<SignedToken, Fault> {
        self.text.push_str(&base64url(signature));
        if TOKEN_CHARACTERS.contains(&self.text.len()) { Ok(SignedToken(self.text)) } else { Err(Fault::Internal) }
    }
}

impl SignedToken {
    /// The token itself, for the one answer that hands it out.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

/// An algorithm by name only.
struct SignedElsewhere(Alg);

/// The signature that is not there yet.
struct NoSignature;

impl AlgorithmSignature for NoSignature {
    fn try_from_slice(_: &[u8]) -> anyhow::Result<Self> {
        Err(anyhow::Error::msg("nothing is verified here"))
    }

    fn as_bytes(&self) -> Cow<'_, [u8]> {
        Cow::Borrowed(&[])
    }
}

impl Algorithm for SignedElsewhere {
    type SigningKey = ();
    type VerifyingKey = ();
    type Signature = NoSignature;

    fn name(&self) -> Cow<'static, str> {
        Cow::Borrowed(self.0.as_str())
    }

    fn sign(&self, (): &(), _: &[u8]) -> NoSignature {
        NoSignature
    }

    fn verify_signature(&self, _: &NoSignature, (): &(), _: &[u8]) -> bool {
        false
    }
}
