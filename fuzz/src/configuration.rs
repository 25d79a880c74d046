//! `configuration`: an input is lines of `NAME=value`; the last line of a name counts.

use agentkeys_edge_broker::claims;
use agentkeys_edge_broker::config::{Allow, Config, base_path};
use agentkeys_edge_broker::discovery::provider_metadata;
use agentkeys_edge_broker::keys::{Alg, KeyRing};
use agentkeys_edge_broker::session::SessionRecord;
use agentkeys_edge_broker::signin::{ChainId, Challenge, StartRequest, open};
use serde_json::{Value, json};

use crate::said::says_nothing_of;
use crate::world::{NOW, WALLET, at};

pub fn configuration(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    let value = |name: &str| text.lines().rev().find_map(|line| line.strip_prefix(name)?.strip_prefix('=')).map(str::to_owned);
    match Config::parse(value) {
        Ok(config) => {
            issuer(&config, &value("ISSUER").expect("no configuration is without"));
            audiences(&config, value("AUDIENCES").as_deref());
            numbers(&config, &value);
            grants(&config, &value);
            message(&config);
        }
        Err(problems) => {
            assert!(!problems.is_empty());
            for problem in problems {
                says_nothing_of(problem.message, input);
            }
        }
    }
}

/// The issuer is what was written, in every place.
fn issuer(config: &Config, written: &str) {
    let issuer = &config.issuer;
    assert_eq!(issuer.as_str(), written);
    assert!(written.len() <= 255 && written.is_ascii() && !written.ends_with('/'));
    let scheme = written.split("://").next().expect("a scheme");
    assert_eq!(format!("{scheme}://{}{}", issuer.authority(), issuer.path()), written);
    assert!(
        scheme == "https"
            || (scheme == "http" && ["localhost", "127.0.0.1", "[::1]"].iter().any(|host| issuer.authority().starts_with(host)))
    );
    assert!(!issuer.authority().contains(['/', '@', '?', '#', '%', ' ']) && !issuer.path().contains(['?', '#', '%', '\\']));
    assert_eq!(base_path(Some(written)), issuer.path());
    let metadata: Value = serde_json::from_str(provider_metadata(config, &KeyRing::default()).body()).expect("a document is JSON");
    assert_eq!(metadata["issuer"], written);
    assert_eq!(metadata["jwks_uri"], format!("{written}/.well-known/jwks.json"));
    assert_eq!(metadata["claims_supported"], json!(claims::supported(config)));
}

/// The audiences are those that were written, in their order; without any there is one.
fn audiences(config: &Config, written: Option<&str>) {
    let read: Vec<&str> = config.audiences.iter().map(|entry| entry.audience.as_str()).collect();
    let Some(written) = written else { return assert_eq!(read, ["sts.amazonaws.com"]) };
    let written: Value = serde_json::from_str(written).expect("what was read is JSON");
    let names: Vec<&str> =
        written.as_array().expect("a list").iter().map(|entry| entry.as_str().or(entry["audience"].as_str()).expect("a name")).collect();
    assert_eq!(read, names);
    for (entry, written) in config.audiences.iter().zip(written.as_array().expect("a list")) {
        assert_eq!(entry.alg.map(Alg::as_str), written["alg"].as_str());
    }
}

/// A number is the one that was written or its default, within its range.
fn numbers(config: &Config, value: &impl Fn(&str) -> Option<String>) {
    let sessions = u64::try_from(config.signin.sessions_per_wallet).expect("a small number");
    for (name, read, default, least, most) in [
        ("TOKEN_TTL_SECONDS", config.token_ttl, 300, 60, 3_600),
        ("SESSION_TTL_SECONDS", config.session_ttl, 2_592_000, 60, 31_536_000),
        ("SIGNIN_CHALLENGE_TTL_SECONDS", config.signin.challenge_ttl, 600, 60, 2_700),
        ("SESSIONS_PER_WALLET", sessions, 20, 1, 1_000),
    ] {
        let written = value(name).map(|text| text.parse::<u64>().expect("digits"));
        assert!(read == written.unwrap_or(default) && (least..=most).contains(&read), "{name} {read}");
    }
}

/// What is not written is not granted: no omni, no tags, no audiences, no chains but any.
fn grants(config: &Config, value: &impl Fn(&str) -> Option<String>) {
    assert_eq!(config.with_omni, value("PRINCIPAL_TAGS").is_some_and(|text| text.contains("omni")));
    assert_eq!(config.signin.allow == Allow::Listed, value("SIGNIN_ALLOW").as_deref() == Some("listed"));
    assert_eq!(config.signin.chains.is_none(), value("SIGNIN_CHAINS").is_none());
    let session = open(config, WALLET.parse().expect("a wallet"), at(NOW)).expect("a session of now");
    let stored = session.to_json().expect("a session can be stored");
    assert_eq!(SessionRecord::parse(&stored).as_ref(), Ok(&session));
    let record: Value = serde_json::from_str(&stored).expect("JSON");
    let written = |name: &str| value(name).map(|text| serde_json::from_str::<Value>(&text).expect("what was read is JSON"));
    assert_eq!(record.get("audiences"), written("SIGNIN_AUDIENCES").as_ref());
    assert_eq!(record.get("tags").cloned(), written("SIGNIN_TAGS").filter(|tags| *tags != json!({})));
    assert!(["roles", "source_identity", "max_token_ttl", "transitive_tags"].iter().all(|name| record.get(name).is_none()));
    let own = config.audiences.iter().map(|entry| &entry.audience).collect::<Vec<_>>();
    assert!(session.audiences.iter().flatten().all(|audience| own.contains(&audience)));
    assert_eq!(session.expires_at.since(at(NOW)), config.session_ttl);
}

/// The message has the lines that EIP-4361 gives it, whatever is configured.
fn message(config: &Config) {
    let chain = config.signin.chains.as_ref().map_or_else(|| ChainId::try_from(1).expect("a chain"), |chains| chains[0]);
    let start = StartRequest { wallet: WALLET.parse().expect("a wallet"), chain_id: chain };
    let challenge = Challenge::new(config, start, &[9; 32], at(NOW)).expect("a time with a text");
    let message = &challenge.message;
    assert!(message.bytes().all(|byte| byte == b'\n' || (b' '..=b'~').contains(&byte)), "{message:?}");
    let issuer = config.issuer.as_str();
    let domain = issuer.strip_prefix("https://").unwrap_or(issuer).strip_suffix(config.issuer.path()).expect("a path");
    let mut lines = message.split('\n');
    let mut next = || lines.next().unwrap_or("(no line)");
    assert_eq!(next(), format!("{domain} wants you to sign in with your Ethereum account:"));
    assert_eq!(next(), "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed");
    assert_eq!((next(), next(), next()), ("", &*config.signin.statement.to_string(), ""));
    assert_eq!((next(), next()), (&*format!("URI: {issuer}"), "Version: 1"));
    assert_eq!((next(), next()), (&*format!("Chain ID: {chain}"), &*format!("Nonce: {}", challenge.nonce)));
    assert!(next().starts_with("Issued At: ") && next().starts_with("Expiration Time: "));
    let resources = &config.signin.resources;
    if !resources.is_empty() {
        assert_eq!(next(), "Resources:");
        for resource in resources {
            assert_eq!(next(), format!("- {resource}"));
        }
    }
    assert_eq!(lines.next(), None, "{message}");
    assert_eq!(Challenge::parse(&challenge.to_json()), Ok(challenge));
}
