//! Signing keys: the secrets named `SIGNING_KEY_*`, and the ring they make.
//!
//! Each secret holds one private JWK (RFC 7517): EC P-256 for ES256, RSA of at least 2048 bits for RS256. Two members
//! are ours: `nbf`, the Unix time from which the key signs, and the certificate in `x5c` that some relying parties need.
//! Nothing here signs: the edge imports the keys into Web Crypto, proves each pair by a signature, and asks the ring
//! which one is due.

mod certificate;
mod private;
mod public;
mod ring;

use serde::Serialize;

pub use private::{BrokenKey, PrivateKey};
pub use public::{PublicJwk, PublicKey};
pub use ring::{KeyRing, RingKey};

/// What the names of the secrets start with.
pub const SECRET_PREFIX: &str = "SIGNING_KEY_";

/// A signature algorithm (RFC 7518 §3.1). A type, never a text taken from a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub enum Alg {
    /// ECDSA on P-256 with SHA-256.
    #[serde(rename = "ES256")]
    Es256,
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    #[serde(rename = "RS256")]
    Rs256,
}

impl Alg {
    /// The name in `alg`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Es256 => "ES256",
            Self::Rs256 => "RS256",
        }
    }
}

impl TryFrom<String> for Alg {
    type Error = &'static str;

    fn try_from(name: String) -> Result<Self, Self::Error> {
        [Self::Es256, Self::Rs256].into_iter().find(|alg| alg.as_str() == name).ok_or("an algorithm is ES256 or RS256")
    }
}
