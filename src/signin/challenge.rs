//! The challenge: what a wallet was asked to sign, kept until it is answered or ten minutes are over.
//!
//! It is single-use, so it lives in a Durable Object and not in Workers KV: one object per request id, which hands the
//! challenge out once and forgets it. There is one reader and one writer, [`Challenge::parse`] and [`Challenge::to_json`].

use core::fmt;
use core::str::FromStr;
use std::borrow::Cow;

use serde::Serialize;

use super::address::checksummed;
use super::{ChainId, DateTimeText, SiweMessage, StartRequest};
use crate::config::Config;
use crate::encoding::lower_hex;
use crate::error::Fault;
use crate::json::Object;
use crate::time::UnixTime;
use crate::wallet::Wallet;

/// The random bytes of a challenge: half of them name it, half are its nonce.
pub const RANDOM_BYTES: usize = 32;
/// The version of a stored challenge.
const VERSION: u64 = 1;
/// The most bytes of a stored challenge.
const STORED_BYTES_MAX: usize = 16_384;

/// A challenge's name: `siwe-` and 32 lower-case hex digits.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct RequestId(Cow<'static, str>);

/// A text is not a request id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotARequestId;

impl fmt::Display for NotARequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("is siwe- and 32 lower-case hex digits, as POST /v1/auth/wallet/start answered it")
    }
}

impl RequestId {
    /// A name that no challenge is given: readiness asks for it.
    pub const UNUSED: Self = Self(Cow::Borrowed("siwe-00000000000000000000000000000000"));

    /// The name's text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for RequestId {
    type Err = NotARequestId;

    fn from_str(text: &str) -> Result<Self, NotARequestId> {
        if text.strip_prefix("siwe-").is_some_and(is_32_hex_digits) { Ok(Self(Cow::Owned(text.to_owned()))) } else { Err(NotARequestId) }
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a wallet was asked to sign.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Challenge {
    /// Its name.
    pub request_id: RequestId,
    /// Who must have signed.
    pub wallet: Wallet,
    /// The chain that was named.
    pub chain_id: ChainId,
    /// 32 lower-case hex digits.
    pub nonce: String,
    /// The EIP-4361 message, byte for byte as it was handed out.
    pub message: String,
    /// When it was made.
    pub created_at: UnixTime,
    /// From this second on it is worth nothing.
    pub expires_at: UnixTime,
}

/// A stored challenge is not one that this broker wrote.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BrokenChallenge;

/// The members as they are stored.
#[derive(Serialize)]
struct Stored<'a> {
    v: u64,
    request_id: &'a str,
    wallet: &'a str,
    chain_id: ChainId,
    nonce: &'a str,
    message: &'a str,
    created_at: UnixTime,
    expires_at: UnixTime,
}

impl Challenge {
    /// The challenge to a request, from random bytes that no other challenge was made of.
    ///
    /// # Errors
    /// [`Fault::Internal`] for a time after the year 9999.
    pub fn new(config: &Config, request: StartRequest, random: &[u8; RANDOM_BYTES], now: UnixTime) -> Result<Self, Fault> {
        let StartRequest { wallet, chain_id } = request;
        let (name, nonce) = random.split_at(RANDOM_BYTES / 2);
        let (request_id, nonce) = (RequestId(Cow::Owned(format!("siwe-{}", lower_hex(name)))), lower_hex(nonce));
        let expires_at = now.plus(config.signin.challenge_ttl);
        let text = |time| DateTimeText::new(time).ok_or(Fault::Internal);
        let message = SiweMessage {
            scheme: Some(config.issuer.scheme()).filter(|scheme| *scheme != "https"),
            domain: config.issuer.authority(),
            address: &checksummed(&wallet),
            statement: Some(&config.signin.statement),
            uri: config.issuer.as_str(),
            chain_id,
            nonce: &nonce,
            issued_at: text(now)?,
            expires_at: Some(text(expires_at)?),
            resources: &config.signin.resources,
        }
        .to_string();
        Ok(Self { request_id, wallet, chain_id, nonce, message, created_at: now, expires_at })
    }

    /// Reads a stored challenge.
    ///
    /// # Errors
    /// [`BrokenChallenge`] for everything that [`Challenge::to_json`] does not write.
    pub fn parse(text: &str) -> Result<Self, BrokenChallenge> {
        if text.len() > STORED_BYTES_MAX { Err(BrokenChallenge) } else { Self::read(text).ok_or(BrokenChallenge) }
    }

    fn read(text: &str) -> Option<Self> {
        let mut stored = Object::parse(text.as_bytes())?;
        stored.whole_number("v").filter(|version| *version == VERSION)?;
        let challenge = Self {
            request_id: stored.text("request_id")?.parse().ok()?,
            wallet: stored.text("wallet")?.try_into().ok()?,
            chain_id: stored.whole_number("chain_id")?.try_into().ok()?,
            nonce: stored.text("nonce").filter(|nonce| is_32_hex_digits(nonce))?,
            message: stored.text("message")?,
            created_at: stored.whole_number("created_at")?.try_into().ok()?,
            expires_at: stored.whole_number("expires_at")?.try_into().ok()?,
        };
        // A message that does not carry the nonce is not this challenge's, whoever signed it.
        let mut lines = challenge.message.lines().filter_map(|line| line.strip_prefix("Nonce: "));
        let is_whole = lines.any(|nonce| nonce == challenge.nonce) && challenge.created_at < challenge.expires_at;
        (is_whole && stored.is_empty()).then_some(challenge)
    }

    /// The challenge as it is stored.
    #[must_use]
    pub fn to_json(&self) -> String {
        let stored = Stored {
            v: VERSION,
            request_id: self.request_id.as_str(),
            wallet: self.wallet.as_str(),
            chain_id: self.chain_id,
            nonce: &self.nonce,
            message: &self.message,
            created_at: self.created_at,
            expires_at: self.expires_at,
        };
        // A struct of texts and numbers always serialises.
        serde_json::to_string(&stored).unwrap_or_default()
    }
}

fn is_32_hex_digits(text: &str) -> bool {
    text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
}
