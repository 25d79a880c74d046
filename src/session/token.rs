//! The session token: `aks_` and 32 random bytes in base64url. Only its hash is ever stored.

use core::fmt;
use core::str::FromStr;

use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::encoding::{base64url, from_base64url};

const PREFIX: &str = "aks_";
const RANDOM_BYTES: usize = 32;

/// A bearer secret. `Debug` does not show it, equality takes constant time.
#[derive(Clone)]
pub struct SessionToken(String);

/// A text is not a session token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotASessionToken;

impl fmt::Display for NotASessionToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a session token is aks_ and 43 characters of base64url")
    }
}

impl core::error::Error for NotASessionToken {}

impl SessionToken {
    /// A token of these random bytes.
    #[must_use]
    pub fn from_random(bytes: &[u8; RANDOM_BYTES]) -> Self {
        Self(format!("{PREFIX}{}", base64url(bytes)))
    }

    /// The secret itself, for the one answer that hands it out.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// SHA-256 of the token's text: the name it is stored under.
    #[must_use]
    pub fn hash(&self) -> SessionHash {
        SessionHash(base64url(&Sha256::digest(self.0.as_bytes())))
    }
}

impl FromStr for SessionToken {
    type Err = NotASessionToken;

    fn from_str(text: &str) -> Result<Self, NotASessionToken> {
        let random = text.strip_prefix(PREFIX).filter(|random| random.len() == 43).and_then(from_base64url);
        if random.is_some_and(|bytes| bytes.len() == RANDOM_BYTES) { Ok(Self(text.to_owned())) } else { Err(NotASessionToken) }
    }
}

impl PartialEq for SessionToken {
    fn eq(&self, other: &Self) -> bool {
        self.0.as_bytes().ct_eq(other.0.as_bytes()).into()
    }
}

impl Eq for SessionToken {}

impl fmt::Debug for SessionToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SessionToken(…)")
    }
}

/// Base64url of the SHA-256 of a session token: 43 characters. Not a secret: nobody mints with it.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct SessionHash(String);

impl SessionHash {
    /// The hash's text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The first characters, enough to name a session in a log.
    #[must_use]
    pub fn short(&self) -> &str {
        self.0.get(..12).unwrap_or_default()
    }
}

impl FromStr for SessionHash {
    type Err = NotASessionHash;

    fn from_str(text: &str) -> Result<Self, NotASessionHash> {
        if text.len() == 43 && from_base64url(text).is_some() { Ok(Self(text.to_owned())) } else { Err(NotASessionHash) }
    }
}

/// A text is not a session's hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotASessionHash;

impl fmt::Display for NotASessionHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a session's hash is 43 characters of base64url")
    }
}

impl core::error::Error for NotASessionHash {}

impl fmt::Display for SessionHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for SessionHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ZEROES: &str = "aks_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

    #[test]
    fn a_token_is_the_prefix_and_32_bytes_of_canonical_base64url() {
        assert_eq!(SessionToken::from_random(&[0; 32]).expose(), ZEROES);
        assert!(SessionToken::from_str(ZEROES).is_ok());
        let changed = |from: &str, to: &str| ZEROES.replacen(from, to, 1);
        for refused in [
            String::new(),
            "aks_".to_owned(),
            changed("aks_", "AKS_"),
            changed("aks_", ""),
            format!("{ZEROES}A"),
            format!("{ZEROES}="),
            ZEROES.get(..46).unwrap().to_owned(),
            changed("aks_A", "aks_+"),
            changed("aks_A", "aks_é"),
            format!("{}B", ZEROES.get(..46).unwrap()),
            "a".repeat(10_000),
        ] {
            assert_eq!(SessionToken::from_str(&refused), Err(NotASessionToken), "{refused}");
        }
    }

    #[test]
    fn the_hash_is_of_the_token_s_text() {
        let token = SessionToken::from_random(&[7; 32]);
        assert_eq!(token.hash().as_str(), base64url(&Sha256::digest(token.expose())));
        assert_eq!(token.hash().as_str().len(), 43);
        assert_eq!(SessionHash::from_str(token.hash().as_str()), Ok(token.hash()));
    }

    #[test]
    fn debug_shows_nothing_of_the_token() {
        assert_eq!(format!("{:?}", SessionToken::from_random(&[7; 32])), "SessionToken(…)");
    }
}
