//! Wycheproof's `ecdsa_secp256k1_sha256_bitcoin`: ECDSA over secp256k1 with low s only, held against the recovery.
//!
//! Wycheproof verifies a DER signature with a public key; here a key is recovered from r and s. So a signature counts as
//! accepted where it is DER and one of the two recoveries gives the public key of its group.

use agentkeys_edge_broker::signin::{BadSignature, recover};
use k256::ecdsa::DerSignature;
use serde::Deserialize;
use sha2::{Digest, Sha256};

use crate::support::{hex, vectors};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Vectors {
    number_of_tests: usize,
    test_groups: Vec<Group>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Group {
    public_key: PublicKey,
    tests: Vec<Case>,
}

#[derive(Deserialize)]
struct PublicKey {
    uncompressed: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Case {
    tc_id: usize,
    comment: String,
    flags: Vec<String>,
    msg: String,
    sig: String,
    result: String,
}

/// The point that these were signed with has an x that is not below the order, so that r differs from it. v has no value for
/// that on the wire (it would be 2 or 3), so the recovery does not look for it; nobody meets such a point by chance.
const X_NOT_BELOW_THE_ORDER: [&str; 1] = ["k*G has a large x-coordinate"];

/// r and s of a DER signature, without a look at their range.
fn r_and_s(der: &[u8]) -> Option<[u8; 64]> {
    let signature = DerSignature::try_from(der).ok()?;
    let signature = k256::ecdsa::Signature::try_from(signature).ok()?;
    <[u8; 64]>::try_from(&*signature.to_bytes()).ok()
}

#[test]
fn the_recovery_agrees_with_wycheproof() {
    let Vectors { number_of_tests, test_groups } = vectors("ecdsa_secp256k1_sha256_bitcoin_test.json");
    let (mut run, mut accepted, mut high, mut beyond) = (0, 0, 0, 0);
    for Group { public_key, tests } in test_groups {
        let key: [u8; 64] = hex(&public_key.uncompressed)[1..].try_into().unwrap();
        for Case { tc_id, comment, flags, msg, sig, result } in tests {
            run += 1;
            let hash: [u8; 32] = Sha256::digest(hex(&msg)).into();
            let recovered = r_and_s(&hex(&sig)).map(|r_and_s| [false, true].map(|y_is_odd| recover(&hash, &r_and_s, y_is_odd)));
            let accepts = recovered.is_some_and(|outcomes| outcomes.contains(&Ok(key)));
            high += usize::from(recovered.is_some_and(|outcomes| outcomes.contains(&Err(BadSignature::HighS))));
            accepted += usize::from(accepts);
            if result == "valid" && X_NOT_BELOW_THE_ORDER.contains(&&*comment) {
                assert!(!accepts, "{tc_id} {comment}");
                beyond += 1;
            } else {
                assert_eq!(accepts, result == "valid", "{tc_id} {comment} {flags:?}");
            }
        }
    }
    assert_eq!(run, number_of_tests);
    // All that are valid but one; and those in the other form, which plain ECDSA would take.
    assert_eq!((accepted, beyond, high), (161, 1, 4));
}
