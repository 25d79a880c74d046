//! A wallet's signature over a message (EIP-191, version `0x45`): parsed, held against the rules, its signer recovered.
//!
//! The signer is recovered from the signature (SEC 1 §4.1.6) and compared with the wallet of the challenge. k256 does the
//! curve arithmetic; the rules on r, s and v are held here, since its recovery takes either form of a signature.

use core::fmt;
use core::str::FromStr;

use k256::ecdsa::{RecoveryId, Signature, VerifyingKey};
use sha3::{Digest, Keccak256};

use crate::encoding::lower_hex;
use crate::wallet::Wallet;

/// r, s and v as they came: 65 bytes that nothing is known of yet.
#[derive(Clone, PartialEq, Eq)]
pub struct WalletSignature {
    r_and_s: [u8; 64],
    v: u8,
}

/// A text is not `0x` and 130 hex digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotASignature;

impl fmt::Display for NotASignature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("is 0x and 130 hex digits: r, s and v of the wallet's signature over siwe_message")
    }
}

impl core::error::Error for NotASignature {}

/// Why no signer can be named for a signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BadSignature {
    /// v is none of 0, 1, 27 and 28.
    V,
    /// r or s is zero, or not less than the order of the curve.
    Range,
    /// s is in the upper half: the other form of some signature, which no wallet makes (EIP-2).
    HighS,
    /// No public key belongs to it.
    NoKey,
}

impl FromStr for WalletSignature {
    type Err = NotASignature;

    fn from_str(text: &str) -> Result<Self, NotASignature> {
        let digits = text.strip_prefix("0x").filter(|digits| digits.len() == 130).ok_or(NotASignature)?;
        let mut bytes = [0; 65];
        for (byte, pair) in bytes.iter_mut().zip(digits.as_bytes().chunks_exact(2)) {
            let [high, low] = *pair else { return Err(NotASignature) };
            *byte = nibble(high).zip(nibble(low)).map(|(high, low)| high << 4 | low).ok_or(NotASignature)?;
        }
        let (r_and_s, v) = bytes.split_first_chunk::<64>().ok_or(NotASignature)?;
        let [v] = *v else { return Err(NotASignature) };
        Ok(Self { r_and_s: *r_and_s, v })
    }
}

impl WalletSignature {
    /// The wallet that made this signature over a message, as `personal_sign` does.
    ///
    /// # Errors
    /// [`BadSignature`].
    pub fn signer(&self, message: &str) -> Result<Wallet, BadSignature> {
        let y_is_odd = match self.v {
            0 | 27 => false,
            1 | 28 => true,
            _ => return Err(BadSignature::V),
        };
        let key = recover(&personal_message_hash(message), &self.r_and_s, y_is_odd)?;
        address_of(&key).ok_or(BadSignature::NoKey)
    }
}

impl fmt::Debug for WalletSignature {
    /// Without its bytes: they belong into no log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WalletSignature(…)")
    }
}

/// The hash that `personal_sign` signs: Keccak-256 of `0x19`, the version's text, the length in bytes, and the message (EIP-191).
#[must_use]
pub fn personal_message_hash(message: &str) -> [u8; 32] {
    let prefix = format!("\u{19}Ethereum Signed Message:\n{}", message.len());
    Keccak256::new().chain_update(prefix).chain_update(message).finalize().into()
}

/// The public key, as the 64 bytes of its coordinates, that made this signature over a hash.
///
/// The point that was signed with has the x coordinate r. One whose x is not below the order, and so differs from r, is
/// not looked for: v has no value for it here, and no one has ever met one by chance (about 1 in 2^128).
///
/// # Errors
/// [`BadSignature`], but for its `V`.
pub fn recover(hash: &[u8; 32], r_and_s: &[u8; 64], y_is_odd: bool) -> Result<[u8; 64], BadSignature> {
    let signature = Signature::from_slice(r_and_s).map_err(|_| BadSignature::Range)?;
    if signature.normalize_s() != signature {
        return Err(BadSignature::HighS);
    }
    let key = VerifyingKey::recover_from_prehash(hash, &signature, RecoveryId::new(y_is_odd, false)).map_err(|_| BadSignature::NoKey)?;
    // Uncompressed (SEC 1 §2.3.3): 0x04, then the coordinates.
    key.to_sec1_point(false).as_bytes().last_chunk().copied().ok_or(BadSignature::NoKey)
}

/// The last 20 bytes of the Keccak-256 of a public key (Ethereum Yellow Paper, appendix F).
fn address_of(key: &[u8; 64]) -> Option<Wallet> {
    let hash: [u8; 32] = Keccak256::digest(key).into();
    let address = hash.last_chunk::<20>()?;
    format!("0x{}", lower_hex(address)).parse().ok()
}

fn nibble(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}
