//! Ethereum addresses on the wire, and their checksum in the case of the letters (EIP-55).

use core::fmt;

use sha3::{Digest, Keccak256};

use crate::wallet::Wallet;

/// A text is not an address to sign in with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotAnAddress {
    /// Not `0x` and 40 hex digits.
    Form,
    /// Letters of both cases that are not the address's EIP-55 checksum: a digit or a case was changed on the way.
    Checksum,
}

impl fmt::Display for NotAnAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Form => "is an Ethereum address: 0x and 40 hex digits",
            Self::Checksum => "has a wrong checksum (EIP-55): copy the address again, or send it in lower case, which is taken without one",
        })
    }
}

impl core::error::Error for NotAnAddress {}

/// The wallet of an address that came from outside: all lower case, all upper case, or in EIP-55 form.
///
/// # Errors
/// Another form, or a checksum that does not fit.
pub fn parse(text: &str) -> Result<Wallet, NotAnAddress> {
    let wallet: Wallet =
        text.strip_prefix("0x").and_then(|digits| format!("0x{}", digits.to_ascii_lowercase()).parse().ok()).ok_or(NotAnAddress::Form)?;
    // The prefix is lower case in every form and says nothing.
    let digits = || text.bytes().skip(2);
    let mixed = digits().any(|byte| byte.is_ascii_lowercase()) && digits().any(|byte| byte.is_ascii_uppercase());
    if mixed && checksummed(&wallet) != text { Err(NotAnAddress::Checksum) } else { Ok(wallet) }
}

/// The EIP-55 form: a letter is upper case where the same nibble of the Keccak-256 of the lower-case digits is 8 or more.
#[must_use]
pub fn checksummed(wallet: &Wallet) -> String {
    let digits = wallet.as_str().strip_prefix("0x").unwrap_or_default();
    let hash = Keccak256::digest(digits.as_bytes());
    let nibbles = hash.iter().flat_map(|byte| [byte >> 4, byte & 0xf]);
    let cased = digits.chars().zip(nibbles).map(|(digit, nibble)| if nibble >= 8 { digit.to_ascii_uppercase() } else { digit });
    core::iter::once('0').chain(core::iter::once('x')).chain(cased).collect()
}
