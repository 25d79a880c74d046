//! Whether a challenge has been met: the decision on a well-formed verify, after its challenge was taken out of the store.
//!
//! The challenge is consumed before anything is decided, whatever the outcome: a signature can be tried once.

use super::{BadSignature, Challenge, VerifyRequest};
use crate::time::UnixTime;
use crate::wallet::Wallet;

/// Why nobody is signed in. For the log alone: the caller is told the same words for each, and learns nothing of who
/// else is signing in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SigninReason {
    /// No challenge of this name is stored: never made, answered already, or expired and reclaimed.
    Unknown,
    /// Its time is over.
    Expired,
    /// It is not one that this broker may trust.
    Broken,
    /// The signature is nobody's.
    BadSignature(BadSignature),
    /// The signature is another wallet's, or over another message.
    WrongSigner,
}

impl SigninReason {
    /// The reason's name in the log.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "unknown_challenge",
            Self::Expired => "expired_challenge",
            Self::Broken => "broken_challenge",
            Self::BadSignature(BadSignature::V) => "signature_v",
            Self::BadSignature(BadSignature::Range) => "signature_range",
            Self::BadSignature(BadSignature::HighS) => "signature_high_s",
            Self::BadSignature(BadSignature::NoKey) => "signature_without_key",
            Self::WrongSigner => "wrong_signer",
        }
    }
}

/// The wallet that has signed in, given the stored challenge that the request consumed.
///
/// # Errors
/// Everything else than a live challenge that its own wallet signed.
pub fn verify(consumed: Option<&str>, request: &VerifyRequest, now: UnixTime) -> Result<Wallet, SigninReason> {
    // 1. the challenge: one, ours, the one named, and in time
    let challenge = Challenge::parse(consumed.ok_or(SigninReason::Unknown)?).map_err(|_| SigninReason::Broken)?;
    if challenge.request_id != request.request_id {
        return Err(SigninReason::Broken);
    }
    if challenge.expires_at <= now {
        return Err(SigninReason::Expired);
    }
    // 2. the signer of exactly the stored message (EIP-191)
    let signer = request.signature.signer(&challenge.message).map_err(SigninReason::BadSignature)?;
    // 3. is the wallet that asked
    if signer == challenge.wallet { Ok(signer) } else { Err(SigninReason::WrongSigner) }
}
