//! Whether a challenge has been met: the decision on a well-formed verify, after its challenge was taken out of the store.
//!
//! The challenge is consumed before anything is decided, whatever the outcome: a signature can be tried once.

use super::{BadSignature, Challenge, RequestId, WalletSignature};
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

impl Challenge {
    /// The challenge that a verify has taken out of the store: one of ours, the one that was named, and in time.
    ///
    /// # Errors
    /// Everything else.
    pub fn consumed(stored: Option<&str>, name: &RequestId, now: UnixTime) -> Result<Self, SigninReason> {
        let challenge = Self::parse(stored.ok_or(SigninReason::Unknown)?).map_err(|_| SigninReason::Broken)?;
        if challenge.request_id != *name {
            return Err(SigninReason::Broken);
        }
        if challenge.expires_at <= now { Err(SigninReason::Expired) } else { Ok(challenge) }
    }

    /// The wallet that was to sign, if it did: the signer of exactly the stored message (EIP-191) is the wallet that asked.
    ///
    /// # Errors
    /// A signature of nobody, of another wallet, or over another message.
    pub fn signed_by(&self, signature: &WalletSignature) -> Result<Wallet, SigninReason> {
        let signer = signature.signer(&self.message).map_err(SigninReason::BadSignature)?;
        if signer == self.wallet { Ok(signer) } else { Err(SigninReason::WrongSigner) }
    }
}
