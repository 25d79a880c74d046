//! What a broker asks a wallet to sign, held against what a sign-in is (EIP-4361).
//!
//! A broker must not get a signature over anything else: over another site's sign-in that it passes on, over a text of its
//! own, over a delegation of what the wallet may do. So of its message only what cannot be known is taken over (statement,
//! times, resources), each part by its own type; from that and from what is known the message is written again, by the
//! broker's own writer, and has to be the same to the last byte.

use agentkeys_edge_broker::config::{Issuer, Resource, SIGNIN_CHALLENGE_TTL_SECONDS, Statement};
use agentkeys_edge_broker::signin::address::checksummed;
use agentkeys_edge_broker::signin::{ChainId, DateTimeText, SiweMessage};
use agentkeys_edge_broker::time::UnixTime;
use agentkeys_edge_broker::wallet::Wallet;
use chrono::DateTime;

/// More than any message has that a broker's configuration can make.
const BYTES_MAX: usize = 8_192;
/// How far the broker's clock may be ahead of this machine's, in seconds.
const CLOCKS_APART_MAX: u64 = 300;
/// Resources of this scheme hand the wallet's rights on to whoever has the signature (EIP-5573).
const DELEGATION: &str = "urn:recap:";

/// What a sign-in has to say.
#[derive(Clone, Copy)]
pub(super) struct Expected<'a> {
    pub(super) issuer: &'a Issuer,
    pub(super) wallet: &'a Wallet,
    pub(super) chain_id: ChainId,
    /// 32 hex digits, as the answer had it beside the message.
    pub(super) nonce: &'a str,
}

/// Why a message is not signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unsignable {
    TooLong,
    Domain,
    Address,
    Uri,
    Chain,
    Nonce,
    Statement,
    Resources,
    Delegation,
    IssuedAt,
    Expiration,
    /// Issued later than now.
    Early,
    Expired,
    /// Good for longer than any challenge.
    Lifetime,
    /// Lines that a sign-in does not have, or not there.
    Foreign,
}

impl Unsignable {
    /// What is wrong with the message.
    pub(super) fn reason(self) -> &'static str {
        match self {
            Self::TooLong => "it is longer than any sign-in",
            Self::Domain => "it is for another domain than the issuer's",
            Self::Address => "it is for another address than the wallet's",
            Self::Uri => "its URI is not the issuer",
            Self::Chain => "it names another chain than was asked for",
            Self::Nonce => "its nonce is not the one that came with it",
            Self::Statement => "its statement is not one line of text",
            Self::Resources => "its resources are not URIs",
            Self::Delegation => "it would hand on what the wallet may do (a urn:recap resource)",
            Self::IssuedAt => "it does not say when it was issued",
            Self::Expiration => "it does not say when it expires",
            Self::Early => "it was issued in the future: look at this machine's clock",
            Self::Expired => "it has expired already: look at this machine's clock",
            Self::Lifetime => "it is good for longer than a sign-in may be",
            Self::Foreign => "its lines are not those of a sign-in",
        }
    }
}

/// Whether this is a sign-in of this wallet, at this issuer, now.
pub(super) fn check(message: &str, expected: Expected<'_>, now: UnixTime) -> Result<(), Unsignable> {
    if message.len() > BYTES_MAX {
        return Err(Unsignable::TooLong);
    }
    let lines: Vec<&str> = message.split('\n').collect();
    let statement = statement(&lines)?;
    let (issued, issued_at) = time(&lines, "Issued At: ").ok_or(Unsignable::IssuedAt)?;
    let (expires, expires_at) = time(&lines, "Expiration Time: ").ok_or(Unsignable::Expiration)?;
    let resources = resources(&lines)?;
    let written = SiweMessage {
        scheme: expected.issuer.as_str().split_once("://").map(|(scheme, _)| scheme).filter(|scheme| *scheme != "https"),
        domain: expected.issuer.authority(),
        address: &checksummed(expected.wallet),
        statement: statement.as_ref(),
        uri: expected.issuer.as_str(),
        chain_id: expected.chain_id,
        nonce: expected.nonce,
        issued_at,
        expires_at: Some(expires_at),
        resources: &resources,
    }
    .to_string();
    if written != message {
        return Err(difference(&lines, &written));
    }
    if issued.since(now) > CLOCKS_APART_MAX {
        return Err(Unsignable::Early);
    }
    if expires <= now {
        return Err(Unsignable::Expired);
    }
    if expires <= issued || expires.since(issued) > *SIGNIN_CHALLENGE_TTL_SECONDS.end() {
        return Err(Unsignable::Lifetime);
    }
    Ok(())
}

/// The fourth line, where there is one: without a statement it is empty, and the fields follow.
fn statement(lines: &[&str]) -> Result<Option<Statement>, Unsignable> {
    match lines.get(3) {
        Some(text) if !text.is_empty() => Statement::try_from((*text).to_owned()).map(Some).map_err(|_| Unsignable::Statement),
        _ => Ok(None),
    }
}

/// A field's time in its one form. The last line that has the field's name: a statement may look like one too.
fn time(lines: &[&str], field: &str) -> Option<(UnixTime, DateTimeText)> {
    let text = lines.iter().rev().find_map(|line| line.strip_prefix(field))?;
    let seconds = DateTime::parse_from_rfc3339(text).ok()?.timestamp();
    let time = u64::try_from(seconds).ok().and_then(|seconds| UnixTime::try_from(seconds).ok())?;
    Some((time, DateTimeText::new(time)?))
}

/// The lines after the last field.
fn resources(lines: &[&str]) -> Result<Vec<Resource>, Unsignable> {
    let listed = lines.iter().skip_while(|line| **line != "Resources:").skip(1);
    let uris = listed.map(|line| line.strip_prefix("- ").ok_or(Unsignable::Resources));
    uris.map(|uri| {
        let uri = uri?;
        if uri.get(..DELEGATION.len()).is_some_and(|start| start.eq_ignore_ascii_case(DELEGATION)) {
            return Err(Unsignable::Delegation);
        }
        Resource::try_from(uri.to_owned()).map_err(|_| Unsignable::Resources)
    })
    .collect()
}

/// What differs first: a field in its place, or the lines as such.
fn difference(lines: &[&str], written: &str) -> Unsignable {
    const FIELDS: [(&str, Unsignable); 5] = [
        ("URI: ", Unsignable::Uri),
        ("Chain ID: ", Unsignable::Chain),
        ("Nonce: ", Unsignable::Nonce),
        ("Issued At: ", Unsignable::IssuedAt),
        ("Expiration Time: ", Unsignable::Expiration),
    ];
    let differs = written.split('\n').enumerate().find(|(place, line)| lines.get(*place) != Some(line));
    let Some((place, line)) = differs else { return Unsignable::Foreign };
    let is = |field: &str| line.starts_with(field) && lines.get(place).is_some_and(|found| found.starts_with(field));
    match place {
        0 => Unsignable::Domain,
        1 => Unsignable::Address,
        _ => FIELDS.into_iter().find(|(field, _)| is(field)).map_or(Unsignable::Foreign, |(_, why)| why),
    }
}

#[cfg(test)]
mod tests {
    use agentkeys_edge_broker::config::Config;
    use agentkeys_edge_broker::signin::{Challenge, StartRequest};

    use super::*;

    const WALLET: &str = "0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed";
    /// 2026-11-23T21:41:56Z
    const NOW: u64 = 1_795_470_116;

    fn at(seconds: u64) -> UnixTime {
        UnixTime::try_from(seconds).unwrap()
    }

    fn config(issuer: &str, more: &[(&str, &str)]) -> Config {
        let of = |name: &str| more.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
        Config::parse(|name| if name == "ISSUER" { Some(issuer.to_owned()) } else { of(name) }).unwrap()
    }

    /// What the broker itself asks to sign, and its nonce.
    fn challenge(config: &Config, chain: u64) -> Challenge {
        let request = StartRequest { wallet: WALLET.parse().unwrap(), chain_id: chain.try_into().unwrap() };
        Challenge::new(config, request, &[7; 32], at(NOW)).unwrap()
    }

    fn checked(config: &Config, chain: u64, nonce: &str, message: &str, now: u64) -> Result<(), Unsignable> {
        let wallet = WALLET.parse().unwrap();
        let expected = Expected { issuer: &config.issuer, wallet: &wallet, chain_id: chain.try_into().unwrap(), nonce };
        check(message, expected, at(now))
    }

    #[test]
    fn whatever_a_broker_can_be_configured_to_ask_is_signed() {
        let resources =
            r#"["https://example.com/terms","ipfs://bafybeiemxf5abjwjbikoz4mc3a3dla6ual3jsgpdr4cjr3oz3evfyavhwq/","urn:isbn:1"]"#;
        for (issuer, chain, more) in [
            ("https://broker.example.com", 1, &[][..]),
            ("https://broker.example.com:8443/agents/keys", 8_453, &[]),
            ("http://localhost:8787", 1, &[]),
            ("http://127.0.0.1:8787/a", 1, &[]),
            ("http://[::1]:8787", 9_007_199_254_740_991, &[]),
            ("https://broker.example.com", 1, &[("SIGNIN_STATEMENT", "Issued At: 2020-01-01T00:00:00Z")]),
            ("https://broker.example.com", 1, &[("SIGNIN_STATEMENT", "URI: https://other.example.com")]),
            ("https://broker.example.com", 1, &[("SIGNIN_STATEMENT", " -._~:/?#[]@!$&'()*+,;= ")]),
            ("https://broker.example.com", 1, &[("SIGNIN_RESOURCES", resources)]),
            ("https://broker.example.com", 1, &[("SIGNIN_CHALLENGE_TTL_SECONDS", "2700")]),
            ("https://broker.example.com", 1, &[("SIGNIN_CHALLENGE_TTL_SECONDS", "60")]),
        ] {
            let config = config(issuer, more);
            let Challenge { message, nonce, .. } = challenge(&config, chain);
            assert_eq!(checked(&config, chain, &nonce, &message, NOW), Ok(()), "{message}");
        }
    }

    #[test]
    fn nothing_else_is_signed() {
        use Unsignable as U;
        let config = config("https://broker.example.com", &[("SIGNIN_RESOURCES", r#"["https://example.com/terms"]"#)]);
        let Challenge { message, nonce, .. } = challenge(&config, 1);
        let good = |text: &str| checked(&config, 1, &nonce, text, NOW);
        assert_eq!(good(&message), Ok(()));
        let fields = message.split_once("\n\nURI").unwrap().1;
        for (from, to, why) in [
            // another site's sign-in, handed on
            ("broker.example.com wants", "bank.example.com wants", U::Domain),
            ("broker.example.com wants", "broker.example.com.evil.example wants", U::Domain),
            ("broker.example.com wants", "broker.example.com:8443 wants", U::Domain),
            ("broker.example.com wants", "http://broker.example.com wants", U::Domain),
            ("broker.example.com wants", "https://broker.example.com wants", U::Domain),
            ("broker.example.com wants", " broker.example.com wants", U::Domain),
            ("wants you to sign in with your Ethereum account:", "wants you to sign a transfer:", U::Domain),
            ("account:\n", "account:\r\n", U::Domain),
            // another wallet
            ("0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", "0x52908400098527886E0F7030069857D2E4169EE7", U::Address),
            ("0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", "0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed", U::Address),
            ("0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed ", U::Address),
            // the statement
            ("Sign in to the", "Sign \u{202e}in to the", U::Statement),
            ("Sign in to the", "Sign \"in\" to the", U::Statement),
            ("Sign in to the", "Sign in\nto the", U::Foreign),
            ("\n\nSign in to", "\nSign in to", U::Foreign),
            ("broker.\n\nURI", "broker.\nURI", U::Foreign),
            ("broker.\n\nURI", "broker.\n\n\nURI", U::Foreign),
            // the fields
            ("URI: https://broker.example.com\n", "URI: https://broker.example.com/\n", U::Uri),
            ("URI: https://broker.example.com\n", "URI: https://bank.example.com/login\n", U::Uri),
            ("URI: https://broker.example.com\n", "URI: https://broker.example.com\nURI: https://bank.example.com\n", U::Foreign),
            ("URI: https://broker.example.com\n", "", U::Foreign),
            ("Version: 1", "Version: 2", U::Foreign),
            ("Chain ID: 1\n", "Chain ID: 137\n", U::Chain),
            ("Chain ID: 1\n", "Chain ID: 01\n", U::Chain),
            ("Nonce: 0", "Nonce: 1", U::Nonce),
            (&format!("Nonce: {nonce}"), "Nonce: 32891756", U::Nonce),
            ("Issued At: 2026-11-23T21:41:56Z", "Issued At: 2026-11-23T22:41:56+01:00", U::IssuedAt),
            ("Issued At: 2026-11-23T21:41:56Z", "Issued At: 2026-11-23T21:41:56.000Z", U::IssuedAt),
            ("Issued At: 2026-11-23T21:41:56Z", "Issued At: yesterday", U::IssuedAt),
            ("\nIssued At: 2026-11-23T21:41:56Z", "", U::IssuedAt),
            ("\nExpiration Time: 2026-11-23T21:51:56Z", "", U::Expiration),
            ("Expiration Time: 2026-11-23T21:51:56Z", "Expiration Time: never", U::Expiration),
            (
                "Expiration Time: 2026-11-23T21:51:56Z",
                "Expiration Time: 2026-11-23T21:51:56Z\nNot Before: 2026-11-23T21:51:56Z",
                U::Foreign,
            ),
            ("Expiration Time: 2026-11-23T21:51:56Z", "Expiration Time: 2026-11-23T21:51:56Z\nRequest ID: 1", U::Foreign),
            // resources
            ("- https://example.com/terms", "- no uri", U::Resources),
            ("- https://example.com/terms", "* https://example.com/terms", U::Resources),
            ("- https://example.com/terms", "- https://example.com/terms\n", U::Resources),
            ("- https://example.com/terms", "- urn:recap:eyJhdHQiOnt9fQ", U::Delegation),
            ("- https://example.com/terms", "- https://example.com/terms\n- URN:ReCap:eyJhdHQiOnt9fQ", U::Delegation),
            ("Resources:\n", "Resources: \n", U::Foreign),
            (fields, "", U::IssuedAt),
        ] {
            let text = message.replacen(from, to, 1);
            assert_ne!(text, message, "{from:?} is not in the message");
            assert_eq!(good(&text), Err(why), "{from:?} => {to:?}");
        }
        for text in
            ["", "I owe you 100 ETH", "\n\n\n\n\n", &message.repeat(2), &format!("{message}\n"), &format!("{message}{}", "x".repeat(9_000))]
        {
            assert!(good(text).is_err(), "{text:?}");
        }
        assert_eq!(good(&format!("{message}{}", "x".repeat(9_000))), Err(U::TooLong));
    }

    #[test]
    fn what_was_asked_for_is_what_has_to_come_back() {
        let (one, other) = (config("https://broker.example.com", &[]), config("https://broker.example.com/a", &[]));
        let Challenge { message, nonce, .. } = challenge(&one, 1);
        assert_eq!(checked(&one, 1, &nonce, &message, NOW), Ok(()));
        assert_eq!(checked(&other, 1, &nonce, &message, NOW), Err(Unsignable::Uri));
        assert_eq!(checked(&one, 10, &nonce, &message, NOW), Err(Unsignable::Chain));
        assert_eq!(checked(&one, 1, &"0".repeat(32), &message, NOW), Err(Unsignable::Nonce));
        let local = config("http://localhost:8787", &[]);
        let message = challenge(&local, 1).message;
        assert_eq!(
            checked(&local, 1, &nonce, message.trim_start_matches("http://"), NOW),
            Err(Unsignable::Domain),
            "the scheme is missing"
        );
    }

    #[test]
    fn times_are_held_against_this_machine_s_clock() {
        let config = config("https://broker.example.com", &[]);
        let Challenge { message, nonce, .. } = challenge(&config, 1);
        for (now, expected) in [
            (NOW - 301, Err(Unsignable::Early)),
            (NOW - 300, Ok(())),
            (NOW, Ok(())),
            (NOW + 599, Ok(())),
            (NOW + 600, Err(Unsignable::Expired)),
            (NOW + 86_400, Err(Unsignable::Expired)),
        ] {
            assert_eq!(checked(&config, 1, &nonce, &message, now), expected, "{now}");
        }
        for (expires, expected) in [
            ("2026-11-23T22:26:56Z", Ok(())),
            ("2026-11-23T22:26:57Z", Err(Unsignable::Lifetime)),
            ("2036-11-23T21:51:56Z", Err(Unsignable::Lifetime)),
            ("9999-12-31T23:59:59Z", Err(Unsignable::Lifetime)),
        ] {
            let longer = message.replace("Expiration Time: 2026-11-23T21:51:56Z", &format!("Expiration Time: {expires}"));
            assert_eq!(checked(&config, 1, &nonce, &longer, NOW), expected, "{expires}");
        }
        let backwards =
            message.replace("Issued At: 2026-11-23T21:41:56Z", "Issued At: 2026-11-23T21:46:56Z").replace("21:51:56Z", "21:45:00Z");
        assert_eq!(checked(&config, 1, &nonce, &backwards, NOW), Err(Unsignable::Lifetime));
    }
}
