//! Signatures in JOSE form (RFC 7518 §3.3, §3.4), verified by AWS-LC.

use aws_lc_rs::signature::{self, RsaPublicKeyComponents, UnparsedPublicKey};

use super::jose::{Alg, Jws};
use super::keys::PublicKey;
use super::rule::{Basis, Finding, Rule};

const SIGNATURE: Rule = Rule::new(
    "signature",
    Basis::DocAndSeen,
    "The signature is the key's over the token's header and payload as they stand, in JOSE form: r and s at full length for ES*.",
    "Publish the key that signed under the token's kid, sign header and payload as they are sent, and write an ES* signature as r and s, not as DER.",
);

/// The signature over the token is the key's.
pub(crate) fn signed_by(jws: &Jws, key: &PublicKey) -> Result<(), Finding> {
    if verifies(jws.alg, key, jws.signing_input.as_bytes(), &jws.signature) { Ok(()) } else { Err(SIGNATURE.broken()) }
}

/// Whether a signature verifies. The algorithm is the token's, never the key's `alg`; a key of another type or curve never
/// verifies. An ECDSA signature is `r ‖ s` at the curve's length with both in range, an RSA one as long as the modulus.
pub(crate) fn verifies(alg: Alg, key: &PublicKey, message: &[u8], bytes: &[u8]) -> bool {
    match key {
        PublicKey::Rsa { n, e } => {
            let scheme = match alg {
                Alg::Rs256 => &signature::RSA_PKCS1_2048_8192_SHA256,
                Alg::Rs384 => &signature::RSA_PKCS1_2048_8192_SHA384,
                Alg::Rs512 => &signature::RSA_PKCS1_2048_8192_SHA512,
                Alg::Es256 | Alg::Es384 | Alg::Es512 => return false,
            };
            RsaPublicKeyComponents { n, e }.verify(scheme, message, bytes).is_ok()
        }
        PublicKey::Ec { curve, x, y } => {
            let scheme = match (alg, curve.alg()) {
                (Alg::Es256, Alg::Es256) => &signature::ECDSA_P256_SHA256_FIXED,
                (Alg::Es384, Alg::Es384) => &signature::ECDSA_P384_SHA384_FIXED,
                (Alg::Es512, Alg::Es512) => &signature::ECDSA_P521_SHA512_FIXED,
                _ => return false,
            };
            let point = [&[4], x.as_slice(), y.as_slice()].concat();
            UnparsedPublicKey::new(scheme, point).verify(message, bytes).is_ok()
        }
    }
}
