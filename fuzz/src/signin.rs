//! Sign-in. `signin_body`: an input is the body of a start and of a verify. `wallet_signature`: a line with a signature, then
//! the message. `challenge`: an input is a stored challenge.

use agentkeys_edge_broker::config::Config;
use agentkeys_edge_broker::encoding::lower_hex;
use agentkeys_edge_broker::error::Refusal;
use agentkeys_edge_broker::http::Response;
use agentkeys_edge_broker::signin::address::checksummed;
use agentkeys_edge_broker::signin::{
    BadSignature, ChainId, Challenge, RequestId, SigninReason, StartRequest, VerifyRequest, WalletSignature, personal_message_hash, recover,
};
use serde_json::Value;
use std::sync::LazyLock;

use crate::said::says_nothing_of;
use crate::sessions::with_member;
use crate::world::{NOW, at, config};

const JSON: Option<&str> = Some("application/json");

static CONFIG: LazyLock<Config> = LazyLock::new(|| config(&[("SIGNIN_CHAINS", "[1,8453]")]));

/// A body that is read has what was sent, in its one form; the members that are not known say nothing.
pub fn signin_body(input: &[u8]) {
    match StartRequest::parse(&CONFIG.signin, input, JSON) {
        Ok(start) => {
            let sent: Value = serde_json::from_slice(input).expect("what was read is JSON");
            let address = sent["address"].as_str().expect("an address");
            assert!(address.eq_ignore_ascii_case(start.wallet.as_str()) && address.starts_with("0x"));
            let letters = |case: fn(&char) -> bool| address.chars().skip(2).any(|digit| case(&digit));
            assert!(!(letters(char::is_ascii_lowercase) && letters(char::is_ascii_uppercase)) || checksummed(&start.wallet) == address);
            let chain = u64::from(start.chain_id);
            assert!(sent["chain_id"].as_u64() == Some(chain) && [1, 8453].contains(&chain));
            read_alike(input, |body| StartRequest::parse(&CONFIG.signin, body, JSON), &start, r#""address":"0x00""#);
        }
        Err(refusal) => refused(refusal, input),
    }
    match VerifyRequest::parse(input, JSON) {
        Ok(verify) => {
            let sent: Value = serde_json::from_slice(input).expect("what was read is JSON");
            assert_eq!(sent["request_id"].as_str(), Some(verify.request_id.as_str()));
            assert_eq!(sent["signature"].as_str().and_then(|text| text.parse().ok()), Some(verify.signature.clone()));
            read_alike(input, |body| VerifyRequest::parse(body, JSON), &verify, r#""signature":"0x00""#);
        }
        Err(refusal) => refused(refusal, input),
    }
}

/// One more member that is not known changes nothing; a known one twice is refused.
fn read_alike<T: PartialEq + core::fmt::Debug>(body: &[u8], read: impl Fn(&[u8]) -> Result<T, Refusal>, same: &T, twice: &str) {
    let text = core::str::from_utf8(body).expect("JSON is UTF-8");
    let more = with_member(text, r#""admin":true"#);
    if more.len() <= agentkeys_edge_broker::signin::BODY_BYTES_MAX {
        assert_eq!(read(more.as_bytes()).as_ref(), Ok(same));
    }
    assert!(read(with_member(text, twice).as_bytes()).is_err());
}

fn refused(refusal: Refusal, input: &[u8]) {
    let response: Response = refusal.into_response();
    assert!(matches!(response.status, 400 | 413), "{response:?}");
    says_nothing_of(response.body_text(), input);
}

/// The order of secp256k1, less each signature's s: the other form of it.
const ORDER: [u8; 32] = [
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfe, 0xba, 0xae, 0xdc, 0xe6, 0xaf, 0x48,
    0xa0, 0x3b, 0xbf, 0xd2, 0x5e, 0x8c, 0xd0, 0x36, 0x41, 0x41,
];

/// A signature is somebody's or nobody's, in one form, over one message.
pub fn wallet_signature(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    let (line, message) = text.split_once('\n').unwrap_or((&text, ""));
    let Ok(signature) = line.parse::<WalletSignature>() else { return };
    assert!(line.len() == 132 && !format!("{signature:?}").contains(&line[2..]));
    let digits = line[2..130].to_ascii_lowercase();
    let Ok(signer) = signature.signer(message) else {
        // v that no wallet writes is nobody's, whatever r and s are.
        return;
    };
    assert_eq!(
        line.to_ascii_uppercase().replacen('X', "x", 1).parse::<WalletSignature>().map(|same| same.signer(message)),
        Ok(Ok(signer.clone()))
    );
    let bytes: Vec<u8> = (0..64).map(|n| u8::from_str_radix(&digits[2 * n..2 * n + 2], 16).expect("hex")).collect();
    let r_and_s: [u8; 64] = bytes.try_into().expect("64 bytes");
    // The other form of the same signature is refused.
    let mut other = r_and_s;
    let mut borrow = 0_i16;
    for n in (0..32).rev() {
        let difference = i16::from(ORDER[n]) - i16::from(r_and_s[32 + n]) - borrow;
        borrow = i16::from(difference < 0);
        other[32 + n] = u8::try_from(difference.rem_euclid(256)).expect("a byte");
    }
    for odd in [false, true] {
        assert_eq!(recover(&personal_message_hash(message), &other, odd), Err(BadSignature::HighS));
    }
    // Over another message it is another's or nobody's.
    let otherwise = signature.signer(&format!("{message}."));
    assert_ne!(otherwise, Ok(signer.clone()));
    // With the other v it is another's or nobody's.
    let v = u8::from_str_radix(&line[130..], 16).expect("hex");
    let flipped: WalletSignature = format!("{}{}", &line[..130], lower_hex(&[if v >= 27 { 55 - v } else { 1 - v }])).parse().expect("hex");
    assert_ne!(flipped.signer(message), Ok(signer));
}

/// A stored challenge is this broker's, named, in time, and met by its own wallet alone.
pub fn challenge(input: &[u8]) {
    let Ok(text) = core::str::from_utf8(input) else { return };
    let Ok(challenge) = Challenge::parse(text) else { return };
    let written = challenge.to_json();
    assert_eq!(Challenge::parse(&written).as_ref(), Ok(&challenge));
    assert!(challenge.message.contains(&challenge.nonce) && challenge.created_at < challenge.expires_at);
    assert!(ChainId::try_from(u64::from(challenge.chain_id)).is_ok());
    for extra in [r#""scope":1"#, r#""v":1"#, r#""nonce":"00000000000000000000000000000000""#] {
        assert!(Challenge::parse(&with_member(text, extra)).is_err(), "{extra}");
    }
    let name = &challenge.request_id;
    let consumed = |name: &RequestId, now: u64| Challenge::consumed(Some(text), name, at(now));
    let ends = challenge.expires_at.seconds();
    assert_eq!(consumed(name, ends - 1).as_ref(), Ok(&challenge));
    assert_eq!(consumed(name, ends), Err(SigninReason::Expired));
    assert_eq!(consumed(&RequestId::UNUSED, ends - 1).err(), (*name != RequestId::UNUSED).then_some(SigninReason::Broken));
    assert_eq!(Challenge::consumed(None, name, at(NOW)), Err(SigninReason::Unknown));
    // A signature over this very message signs in its own wallet or nobody: here it is the one of some key, always the same.
    let signature: WalletSignature = SIGNATURE.parse().expect("a signature");
    match challenge.signed_by(&signature) {
        Ok(wallet) => assert!(wallet == challenge.wallet && signature.signer(&challenge.message) == Ok(wallet)),
        Err(SigninReason::WrongSigner) => assert_ne!(signature.signer(&challenge.message), Ok(challenge.wallet)),
        Err(SigninReason::BadSignature(_)) => {}
        Err(other) => panic!("{other:?}"),
    }
}

/// r and s of a low form that some key has for every message.
const SIGNATURE: &str = "0x79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f817981111111111111111111111111111111111111111111111111111111111111111\
                         1b";
