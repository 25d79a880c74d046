//! EIP-191: the signer of a message, and every signature that has none.

use agentkeys_edge_broker::signin::{BadSignature, NotASignature, WalletSignature, personal_message_hash};
use agentkeys_edge_broker::wallet::Wallet;
use serde::Deserialize;

use crate::support::{Signer, hex, to_hex, vectors, wire};

/// The order of secp256k1 (SEC 2 §2.4.1).
const ORDER: &str = "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141";
/// The largest s that is low: half the order, rounded down.
const HALF: &str = "7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0";

#[derive(Deserialize)]
struct Vectors {
    signatures: Vec<Vector>,
}

#[derive(Deserialize)]
struct Vector {
    by: String,
    address: String,
    message: String,
    hash: String,
    signature: String,
}

fn signer(signature: &str, message: &str) -> Result<Wallet, BadSignature> {
    signature.parse::<WalletSignature>().unwrap().signer(message)
}

/// A signature with its parts.
fn parts(signature: &str) -> ([u8; 32], [u8; 32], u8) {
    let bytes = hex(&signature[2..]);
    (bytes[..32].try_into().unwrap(), bytes[32..64].try_into().unwrap(), bytes[64])
}

fn joined(r: &[u8], s: &[u8], v: u8) -> String {
    wire(&[r, s].concat(), v)
}

/// `ORDER` − s.
fn negated(s: &[u8; 32]) -> [u8; 32] {
    let mut result = [0; 32];
    let mut borrow = 0;
    for (n, order) in hex(ORDER).into_iter().enumerate().rev() {
        let difference = i16::from(order) - i16::from(s[n]) - borrow;
        borrow = i16::from(difference < 0);
        result[n] = u8::try_from(difference.rem_euclid(256)).unwrap();
    }
    result
}

#[test]
fn the_signatures_of_viem_and_ethers_name_their_signers() {
    let Vectors { signatures } = vectors("sign-in.json");
    for by in ["viem", "ethers"] {
        assert!(signatures.iter().filter(|vector| vector.by == by).count() > 50, "{by}");
    }
    for Vector { address, message, hash, signature, .. } in signatures {
        assert_eq!(format!("0x{}", to_hex(&personal_message_hash(&message))), hash, "{message:?}");
        assert_eq!(signer(&signature, &message).unwrap().as_str(), address.to_lowercase(), "{message:?}");
    }
}

#[test]
fn the_published_example_of_personal_sign_holds() {
    let vector: std::collections::BTreeMap<String, String> = vectors("eip-191.json");
    assert_eq!(format!("0x{}", to_hex(&personal_message_hash(&vector["message"]))), vector["messageHash"]);
    assert_eq!(signer(&vector["signature"], &vector["message"]).unwrap().as_str(), vector["address"].to_lowercase());
}

#[test]
fn a_signature_over_another_message_is_somebody_else_s() {
    let wallet = Signer::new("agentkeys test wallet 1");
    let signature = wallet.sign("message");
    assert_eq!(signer(&signature, "message"), Ok(wallet.wallet.clone()));
    for other in ["", "Message", "message ", "message\n", "messag", "\u{19}Ethereum Signed Message:\n7message"] {
        assert_ne!(signer(&signature, other), Ok(wallet.wallet.clone()), "{other:?}");
    }
}

#[test]
fn no_flip_of_one_of_the_520_bits_leaves_the_signer() {
    // Several, so that both values of v, and r and s of many forms, are flipped.
    for n in 0..4 {
        let (wallet, message) = (Signer::new(&format!("wallet {n}")), format!("message {n}"));
        let signature = hex(&wallet.sign(&message)[2..]);
        assert_eq!(signature.len() * 8, 520);
        for bit in 0..520 {
            let mut flipped = signature.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            let outcome = signer(&wire(&flipped[..64], flipped[64]), &message);
            assert_ne!(outcome, Ok(wallet.wallet.clone()), "bit {bit}");
        }
    }
}

#[test]
fn v_is_0_1_27_or_28() {
    let wallet = Signer::new("wallet");
    for message in ["a", "b", "c", "d", "e"] {
        let (r, s, v) = parts(&wallet.sign(message));
        for other in 0..=u8::MAX {
            let outcome = signer(&joined(&r, &s, other), message);
            match other {
                0 | 1 | 27 | 28 if other % 27 == v - 27 => assert_eq!(outcome, Ok(wallet.wallet.clone())),
                0 | 1 | 27 | 28 => assert_ne!(outcome, Ok(wallet.wallet.clone())),
                _ => assert_eq!(outcome, Err(BadSignature::V), "{other}"),
            }
        }
    }
}

#[test]
fn the_other_form_of_a_signature_is_refused() {
    let wallet = Signer::new("wallet");
    for message in ["a", "b", "c", "d", "e"] {
        let (r, s, v) = parts(&wallet.sign(message));
        // (r, −s) with the other parity is the same signature to the curve, and not to this broker.
        assert_eq!(signer(&joined(&r, &negated(&s), 55 - v), message), Err(BadSignature::HighS));
        assert_eq!(signer(&joined(&r, &negated(&s), v), message), Err(BadSignature::HighS));
    }
}

#[test]
fn s_is_low_up_to_half_the_order() {
    let (r, _, v) = parts(&Signer::new("wallet").sign("message"));
    let half: [u8; 32] = hex(HALF).try_into().unwrap();
    let mut above = half;
    above[31] += 1;
    assert_eq!(negated(&half), above);
    assert!(signer(&joined(&r, &half, v), "message").is_ok());
    assert_eq!(signer(&joined(&r, &above, v), "message"), Err(BadSignature::HighS));
}

#[test]
fn r_and_s_are_neither_zero_nor_the_order_nor_more() {
    let (r, s, v) = parts(&Signer::new("wallet").sign("message"));
    let mut above: [u8; 32] = hex(ORDER).try_into().unwrap();
    above[31] += 1;
    for outside in [[0; 32].to_vec(), hex(ORDER), above.to_vec(), [0xff; 32].to_vec()] {
        for v in [v, 55 - v] {
            assert_eq!(signer(&joined(&outside, &s, v), "message"), Err(BadSignature::Range));
            assert_eq!(signer(&joined(&r, &outside, v), "message"), Err(BadSignature::Range));
            assert_eq!(signer(&joined(&outside, &outside, v), "message"), Err(BadSignature::Range));
        }
    }
}

#[test]
fn an_r_that_is_no_point_s_x_has_no_key() {
    let (_, s, v) = parts(&Signer::new("wallet").sign("message"));
    // x = 5 is the least that is on no point of secp256k1: 5^3 + 7 is no square.
    let r = |x: u8| core::array::from_fn::<u8, 32, _>(|n| if n == 31 { x } else { 0 });
    assert_eq!(signer(&joined(&r(5), &s, v), "message"), Err(BadSignature::NoKey));
    assert!(signer(&joined(&r(1), &s, v), "message").is_ok());
}

#[test]
fn a_signature_is_0x_and_130_hex_digits_in_any_case() {
    let wallet = Signer::new("wallet");
    let good = wallet.sign("message");
    assert_eq!(signer(&format!("0x{}", good[2..].to_uppercase()), "message"), Ok(wallet.wallet));
    for text in [
        String::new(),
        "0x".to_owned(),
        good[2..].to_owned(),
        format!("0X{}", &good[2..]),
        good[..131].to_owned(),
        good[..130].to_owned(),
        format!("{good}0"),
        format!("{good}00"),
        format!("0x00{}", &good[2..]),
        format!(" {good}"),
        format!("{good}\n"),
        good.replacen("0x", "0xg", 1)[..132].to_owned(),
        format!("0x{}", "é".repeat(65)),
        format!("0x{}", "+1".repeat(65)),
        // EIP-2098's compact form.
        good[..130].to_owned(),
        "0x".repeat(500_000),
    ] {
        assert_eq!(text.parse::<WalletSignature>(), Err(NotASignature), "{}", text.chars().take(150).collect::<String>());
    }
}

#[test]
fn debug_shows_nothing_of_a_signature() {
    let signature: WalletSignature = Signer::new("wallet").sign("message").parse().unwrap();
    assert_eq!(format!("{signature:?}"), "WalletSignature(…)");
}
