//! The configuration: `[vars]` of `wrangler.toml`, parsed once into types.
//!
//! A value arrives as text: a string variable as it is, any other TOML value as its JSON. Every value that is wrong
//! is reported, not only the first, by its name and with what it should be.

mod audiences;
mod issuer;
mod signin;

use core::fmt;
use core::ops::RangeInclusive;

use serde::Serialize;

pub use audiences::{AllowedAudience, Audiences};
pub use issuer::Issuer;
pub use signin::{Allow, Resource, SESSIONS_PER_WALLET, SIGNIN_CHALLENGE_TTL_SECONDS, Signin, Statement};

use crate::json::Value;

/// The seconds a token may live.
pub const TOKEN_TTL_SECONDS: RangeInclusive<u64> = 60..=3_600;
/// The seconds a session may live.
pub const SESSION_TTL_SECONDS: RangeInclusive<u64> = 60..=31_536_000;

/// The tag and claim that every token carries: the tenant.
pub const WALLET_TAG: &str = "agentkeys_user_wallet";
/// The tag and claim that a configuration may add.
pub const OMNI_TAG: &str = "agentkeys_actor_omni";

/// What the broker was told to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// The issuer URL, the only source of every URL the broker writes.
    pub issuer: Issuer,
    /// The audiences tokens may be minted for; the first is the default.
    pub audiences: Audiences,
    /// Seconds a token lives where its session has no ceiling of its own.
    pub token_ttl: u64,
    /// Seconds a session made here lives.
    pub session_ttl: u64,
    /// Whether tokens carry `agentkeys_actor_omni` as claim and transitive tag.
    pub with_omni: bool,
    /// How wallets sign in.
    pub signin: Signin,
}

/// One variable that is wrong, and what it should be. The text never repeats the value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// The variable's name.
    pub variable: &'static str,
    /// What it should be.
    pub message: &'static str,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.variable, self.message)
    }
}

impl Config {
    /// Reads the configuration through `variable`, which answers a variable's text by its name.
    ///
    /// # Errors
    /// Every variable that is wrong.
    pub fn parse(variable: impl Fn(&str) -> Option<String>) -> Result<Self, Vec<Problem>> {
        let mut reader = Reader { variable, problems: Vec::new() };
        let issuer = reader.read("ISSUER", |text| Issuer::parse(text.ok_or("is required: the public https URL of this issuer")?));
        let audiences = reader.read("AUDIENCES", Audiences::parse);
        let token_ttl = reader
            .read("TOKEN_TTL_SECONDS", |text| whole_number(text, 300, &TOKEN_TTL_SECONDS, "is a whole number of seconds from 60 to 3600"));
        let session_ttl = reader.read("SESSION_TTL_SECONDS", |text| {
            whole_number(text, 2_592_000, &SESSION_TTL_SECONDS, "is a whole number of seconds from 60 to 31536000")
        });
        let with_omni = reader.read("PRINCIPAL_TAGS", principal_tags);
        let signin = Signin::read(&mut reader, audiences.as_ref());
        match (issuer, audiences, token_ttl, session_ttl, with_omni, signin) {
            (Some(issuer), Some(audiences), Some(token_ttl), Some(session_ttl), Some(with_omni), Some(signin)) => {
                Ok(Self { issuer, audiences, token_ttl, session_ttl, with_omni, signin })
            }
            _ => Err(reader.problems),
        }
    }
}

/// The issuer's path, read for itself: health and readiness answer under it even where another variable is wrong.
/// Empty where the issuer is the wrong one.
#[must_use]
pub fn base_path(issuer: Option<&str>) -> String {
    issuer.and_then(|text| Issuer::parse(text).ok()).map_or_else(String::new, |issuer| issuer.path().to_owned())
}

/// Reads variables one by one and keeps what is wrong with them.
struct Reader<V> {
    variable: V,
    problems: Vec<Problem>,
}

impl<V: Fn(&str) -> Option<String>> Reader<V> {
    fn read<T>(&mut self, variable: &'static str, parse: impl FnOnce(Option<&str>) -> Result<T, &'static str>) -> Option<T> {
        let text = (self.variable)(variable);
        parse(text.as_deref()).map_err(|message| self.problems.push(Problem { variable, message })).ok()
    }
}

/// A whole number in decimal digits within `range`; `default` where the variable is absent.
fn whole_number(text: Option<&str>, default: u64, range: &RangeInclusive<u64>, rule: &'static str) -> Result<u64, &'static str> {
    let Some(text) = text else { return Ok(default) };
    let digits_only = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|number| digits_only && range.contains(number)).ok_or(rule)
}

/// Whether the list of principal tags has the omni besides the wallet, which it must have.
fn principal_tags(text: Option<&str>) -> Result<bool, &'static str> {
    const RULE: &str = r#"is ["agentkeys_user_wallet"], with "agentkeys_actor_omni" added if wanted, and nothing else"#;
    let Some(text) = text else { return Ok(false) };
    let tags: Vec<String> = Value::parse(text.as_bytes()).and_then(Value::texts).ok_or(RULE)?;
    match tags.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        [WALLET_TAG] => Ok(false),
        [OMNI_TAG, WALLET_TAG] | [WALLET_TAG, OMNI_TAG] => Ok(true),
        _ => Err(RULE),
    }
}
