//! The bodies of the two sign-in requests.
//!
//! Members that are not known are ignored, as the clients of the existing broker need it; the known ones are there once and
//! of their type.

use super::{ChainId, RequestId, WalletSignature, address};
use crate::config::Signin;
use crate::error::Refusal;
use crate::http::has_media_type;
use crate::json::Object;
use crate::wallet::Wallet;

/// The most bytes of either body.
pub const BODY_BYTES_MAX: usize = 4_096;

/// `POST /v1/auth/wallet/start`: who wants to sign in, and on which chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StartRequest {
    /// The wallet.
    pub wallet: Wallet,
    /// The chain, one that the configuration takes.
    pub chain_id: ChainId,
}

/// `POST /v1/auth/wallet/verify`: the challenge, and the wallet's signature over its message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifyRequest {
    /// The challenge.
    pub request_id: RequestId,
    /// The signature; whose, and whether of anybody, is not known yet.
    pub signature: WalletSignature,
}

impl StartRequest {
    /// Reads a body, with the `Content-Type` it came with.
    ///
    /// # Errors
    /// 413, 415, and 400 for everything else.
    pub fn parse(config: &Signin, body: &[u8], content_type: Option<&str>) -> Result<Self, Refusal> {
        const WHAT: &str =
            "Send one JSON object with address (0x and 40 hex digits, as a text) and chain_id (a whole number, 1 or more), each once.";
        let mut members = members(body, content_type)?.ok_or(Refusal::bad_request(WHAT))?;
        let (Some(address), Some(chain_id)) = (members.text("address"), members.whole_number("chain_id")) else {
            return Err(Refusal::bad_request(WHAT));
        };
        let wallet = address::parse(&address).map_err(|rule| Refusal::bad_request(format!("The member address {rule}.")))?;
        let chain_id = ChainId::try_from(chain_id).map_err(|rule| Refusal::bad_request(format!("The member chain_id {rule}.")))?;
        if config.takes(chain_id) {
            Ok(Self { wallet, chain_id })
        } else {
            Err(Refusal::bad_request(
                "The member chain_id names a chain that this broker does not take. Its operator lists the ones it does in SIGNIN_CHAINS.",
            ))
        }
    }
}

impl VerifyRequest {
    /// Reads a body, with the `Content-Type` it came with. What is refused here consumes no challenge.
    ///
    /// # Errors
    /// 413, 415, and 400 for everything else.
    pub fn parse(body: &[u8], content_type: Option<&str>) -> Result<Self, Refusal> {
        const WHAT: &str = "Send one JSON object with request_id and signature, each once and as a text.";
        let mut members = members(body, content_type)?.ok_or(Refusal::bad_request(WHAT))?;
        let (Some(request_id), Some(signature)) = (members.text("request_id"), members.text("signature")) else {
            return Err(Refusal::bad_request(WHAT));
        };
        let request_id = request_id.parse().map_err(|rule| Refusal::bad_request(format!("The member request_id {rule}.")))?;
        let signature = signature.parse().map_err(|rule| Refusal::bad_request(format!("The member signature {rule}.")))?;
        Ok(Self { request_id, signature })
    }
}

/// The members of a body; `None` if it is not one JSON object.
fn members<'a>(body: &'a [u8], content_type: Option<&str>) -> Result<Option<Object<'a>>, Refusal> {
    if body.len() > BODY_BYTES_MAX {
        return Err(Refusal::PayloadTooLarge(BODY_BYTES_MAX));
    }
    if !has_media_type(content_type, "application/json") {
        return Err(Refusal::UnsupportedMediaType("application/json"));
    }
    Ok(Object::parse(body))
}
