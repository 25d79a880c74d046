//! The wallet: the tenant's name, an Ethereum address.
//!
//! Inside the broker it is always `0x` and 40 lower-case hex digits: policies compare it byte for byte.

use core::fmt;
use core::str::FromStr;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::encoding::lower_hex;

/// An Ethereum address in its one stored form: `0x` and 40 lower-case hex digits.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Wallet(String);

/// Why a text is not a wallet in its stored form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotAWallet;

impl fmt::Display for NotAWallet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a wallet is 0x and 40 lower-case hex digits")
    }
}

impl core::error::Error for NotAWallet {}

impl Wallet {
    /// The address as `0x` and 40 lower-case hex digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The `sub` claim of the wallet's tokens: `agentkeys:agent:<wallet>`.
    #[must_use]
    pub fn subject(&self) -> String {
        format!("agentkeys:agent:{}", self.0)
    }

    /// The actor omni: 64 lower-case hex digits, SHA-256 of the ASCII text `agentkeys` ‖ `evm` ‖ wallet.
    #[must_use]
    pub fn actor_omni(&self) -> String {
        let hash = Sha256::new().chain_update("agentkeys").chain_update("evm").chain_update(&self.0).finalize();
        lower_hex(&hash)
    }
}

impl FromStr for Wallet {
    type Err = NotAWallet;

    fn from_str(text: &str) -> Result<Self, NotAWallet> {
        Self::try_from(text.to_owned())
    }
}

impl TryFrom<String> for Wallet {
    type Error = NotAWallet;

    fn try_from(text: String) -> Result<Self, NotAWallet> {
        let digits = text.strip_prefix("0x").ok_or(NotAWallet)?;
        let lower_hex_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        if digits.len() == 40 && digits.bytes().all(lower_hex_digit) { Ok(Self(text)) } else { Err(NotAWallet) }
    }
}

impl From<Wallet> for String {
    fn from(wallet: Wallet) -> Self {
        wallet.0
    }
}

impl fmt::Display for Wallet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Wallet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WALLET: &str = "0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed";

    #[test]
    fn a_wallet_has_one_form() {
        assert_eq!(Wallet::from_str(WALLET).unwrap().as_str(), WALLET);
        for refused in [
            "",
            "0x",
            "5aaeb6053f3e94c9b9a09f33669435e7ef1beaed",
            "0X5aaeb6053f3e94c9b9a09f33669435e7ef1beaed",
            "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
            "0x5aaeb6053f3e94c9b9a09f33669435e7ef1beae",
            "0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaedd",
            "0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaeg",
            "0x5aaeb6053f3e94c9b9a09f33669435e7ef1bea/*",
            " 0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed",
        ] {
            assert_eq!(Wallet::from_str(refused), Err(NotAWallet), "{refused:?}");
        }
    }

    #[test]
    fn the_omni_hashes_the_ascii_text_of_the_lower_case_wallet() {
        let omni = Wallet::from_str("0x0000000000000000000000000000000000000000").unwrap().actor_omni();
        let expected = lower_hex(&Sha256::digest(b"agentkeysevm0x0000000000000000000000000000000000000000"));
        assert_eq!(omni, expected);
        assert_eq!(omni.len(), 64);
    }
}
