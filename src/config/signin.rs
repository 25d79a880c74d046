//! How wallets sign in: `SIGNIN_…` and `SESSIONS_PER_WALLET`.
//!
//! The domain and the URI of the message are not configured: they are the issuer's, so that they cannot say otherwise.

use core::fmt;
use core::ops::RangeInclusive;

use super::{Audiences, Reader, whole_number};
use crate::aws::{Audience, TagKey, TagValue};
use crate::json::Value;
use crate::session::{SessionRecord, stored_tags};
use crate::signin::ChainId;
use crate::time::UnixTime;
use crate::wallet::Wallet;

/// The seconds a challenge may live.
pub const SIGNIN_CHALLENGE_TTL_SECONDS: RangeInclusive<u64> = 60..=2_700;
/// The live sessions a wallet may have.
pub const SESSIONS_PER_WALLET: RangeInclusive<u64> = 1..=1_000;
const STATEMENT: &str = "Sign in to the agent key broker.";

/// What a sign-in asks for and gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signin {
    /// Who may.
    pub allow: Allow,
    /// The chains a wallet may name; `None`: any.
    pub chains: Option<Vec<ChainId>>,
    /// What the person who signs reads.
    pub statement: Statement,
    /// What the message refers to besides; usually nothing.
    pub resources: Vec<Resource>,
    /// Seconds a challenge lives.
    pub challenge_ttl: u64,
    /// How many live sessions a wallet has before a new one ends the oldest.
    pub sessions_per_wallet: usize,
    /// The audiences its sessions may use; `None`: the broker's default alone.
    pub audiences: Option<Vec<Audience>>,
    /// The session tags its sessions have besides the broker's own. Together they make a good record.
    pub tags: Vec<(TagKey, TagValue)>,
}

/// Who may sign in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Allow {
    /// Every wallet: each is a tenant of its own, and sees nothing but its own prefix.
    Anyone,
    /// The wallets with a record under `signin-allow/v1/`.
    Listed,
}

/// One line of what EIP-4361 lets a statement have: the characters of URIs and blanks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement(String);

/// A URI that a message names (RFC 3986 §3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resource(String);

impl Signin {
    /// Reads the variables; `None` where one is wrong, which the reader keeps.
    pub(super) fn read<V: Fn(&str) -> Option<String>>(reader: &mut Reader<V>, allowed: Option<&Audiences>) -> Option<Self> {
        let allow = reader.read("SIGNIN_ALLOW", Allow::parse);
        let chains = reader.read("SIGNIN_CHAINS", chains);
        let statement = reader.read("SIGNIN_STATEMENT", |text| Statement::try_from(text.unwrap_or(STATEMENT).to_owned()));
        let resources = reader.read("SIGNIN_RESOURCES", resources);
        let challenge_ttl = reader.read("SIGNIN_CHALLENGE_TTL_SECONDS", |text| {
            whole_number(text, 600, &SIGNIN_CHALLENGE_TTL_SECONDS, "is a whole number of seconds from 60 to 2700")
        });
        let sessions_per_wallet = reader.read("SESSIONS_PER_WALLET", |text| {
            const RULE: &str = "is a whole number from 1 to 1000";
            whole_number(text, 20, &SESSIONS_PER_WALLET, RULE).and_then(|number| usize::try_from(number).map_err(|_| RULE))
        });
        let audiences = reader.read("SIGNIN_AUDIENCES", |text| audiences(text, allowed));
        let tags = reader.read("SIGNIN_TAGS", tags);
        Some(Self {
            allow: allow?,
            chains: chains?,
            statement: statement?,
            resources: resources?,
            challenge_ttl: challenge_ttl?,
            sessions_per_wallet: sessions_per_wallet?,
            audiences: audiences?,
            tags: tags?,
        })
    }

    /// Whether a wallet on this chain may sign in.
    #[must_use]
    pub fn takes(&self, chain: ChainId) -> bool {
        self.chains.as_ref().is_none_or(|chains| chains.contains(&chain))
    }
}

impl Allow {
    fn parse(text: Option<&str>) -> Result<Self, &'static str> {
        match text {
            None | Some("anyone") => Ok(Self::Anyone),
            Some("listed") => Ok(Self::Listed),
            Some(_) => Err(r#"is "anyone" or "listed""#),
        }
    }
}

impl TryFrom<String> for Statement {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let fits = (1..=255).contains(&text.len()) && text.bytes().all(|byte| byte == b' ' || is_uri_character(byte));
        if fits {
            Ok(Self(text))
        } else {
            Err(r"is one line of 1 to 255 characters: ASCII letters, digits, blanks and -._~:/?#[]@!$&'()*+,;= (EIP-4361)")
        }
    }
}

impl fmt::Display for Statement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for Resource {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        if text.len() <= 255 && is_uri(&text) { Ok(Self(text)) } else { Err("is a URI") }
    }
}

impl fmt::Display for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn chains(text: Option<&str>) -> Result<Option<Vec<ChainId>>, &'static str> {
    const RULE: &str =
        "is a JSON array of 1 to 100 different chain ids, each a whole number from 1 to 2^53 - 1; left out, any chain is taken";
    let Some(text) = text else { return Ok(None) };
    let chain = |item: Value<'_>| ChainId::try_from(item.whole_number()?).ok();
    let chains = Value::parse(text.as_bytes()).and_then(|list| list.list(chain)).ok_or(RULE)?;
    if are_different(&chains) { Ok(Some(chains)) } else { Err(RULE) }
}

fn resources(text: Option<&str>) -> Result<Vec<Resource>, &'static str> {
    const RULE: &str = "is a JSON array of at most 10 URIs, each of at most 255 characters; left out, the message names none";
    let Some(text) = text else { return Ok(Vec::new()) };
    let resources = Value::parse(text.as_bytes()).and_then(Value::texts);
    resources.filter(|resources: &Vec<Resource>| resources.len() <= 10).ok_or(RULE)
}

/// A list of audiences, each one that the broker issues tokens for.
fn audiences(text: Option<&str>, allowed: Option<&Audiences>) -> Result<Option<Vec<Audience>>, &'static str> {
    const RULE: &str =
        "is a JSON array of 1 to 100 different audiences, each of them in AUDIENCES; left out, sessions use the first of AUDIENCES";
    let Some(text) = text else { return Ok(None) };
    let audiences: Vec<Audience> = Value::parse(text.as_bytes()).and_then(Value::texts).ok_or(RULE)?;
    // Where AUDIENCES itself is wrong, that is what is said.
    let are_allowed = allowed.is_none_or(|allowed| audiences.iter().all(|audience| allowed.find(audience).is_some()));
    if are_allowed && are_different(&audiences) { Ok(Some(audiences)) } else { Err(RULE) }
}

/// Session tags as a session's record has them, within the same rules.
fn tags(text: Option<&str>) -> Result<Vec<(TagKey, TagValue)>, &'static str> {
    const RULE: &str = "is a JSON object of at most 48 session tags, key to value, within AWS's limits and without the broker's own; left out, there are none";
    let Some(text) = text else { return Ok(Vec::new()) };
    let tags = Value::parse(text.as_bytes()).and_then(stored_tags).ok_or(RULE)?;
    // Whosever session it is: what a record takes does not depend on that.
    let anyone = Wallet::try_from(format!("0x{:040}", 0)).map_err(|_| RULE)?;
    let record = SessionRecord::new(anyone, UnixTime::EPOCH, UnixTime::EPOCH.plus(1)).and_then(|record| record.with_tags(tags, Vec::new()));
    record.map(|record| record.tags().tags().to_vec()).map_err(|_| RULE)
}

/// Whether a list has 1 to 100 items, and no one twice.
fn are_different<T: PartialEq>(items: &[T]) -> bool {
    let repeated = items.iter().enumerate().any(|(n, item)| items.iter().take(n).any(|other| other == item));
    (1..=100).contains(&items.len()) && !repeated
}

/// A scheme, a colon, and characters of URIs (RFC 3986 §3); an authority is host and port, without a user. Brackets, which
/// only IPv6 hosts need, are refused with them.
fn is_uri(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once(':') else { return false };
    let is_scheme = scheme.starts_with(|first: char| first.is_ascii_alphabetic())
        && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'));
    let authority = rest.strip_prefix("//").and_then(|rest| rest.split(['/', '?', '#']).next());
    let is_authority = authority.is_none_or(|authority| {
        let (host, port) = authority.split_once(':').unwrap_or((authority, ""));
        !host.is_empty() && !host.contains('@') && port.bytes().all(|byte| byte.is_ascii_digit())
    });
    let is_plain = |part: &str| part.bytes().all(|byte| is_uri_character(byte) && !matches!(byte, b'[' | b']'));
    let mut parts = rest.split('%');
    let is_escaped = parts.next().is_some_and(is_plain)
        && parts.all(|part| part.len() >= 2 && part.bytes().take(2).all(|byte| byte.is_ascii_hexdigit()) && is_plain(part));
    is_scheme && is_authority && is_escaped && rest.bytes().filter(|byte| *byte == b'#').count() <= 1
}

/// A reserved or unreserved character (RFC 3986 §2.2, §2.3).
fn is_uri_character(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~:/?#[]@!$&'()*+,;=".contains(&byte)
}
