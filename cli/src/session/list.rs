//! `session list`: the sessions of a wallet, by the index, with what is stored for each.

use agentkeys_edge_broker::session::SessionRecord;
use agentkeys_edge_broker::time::UnixTime;
use agentkeys_edge_broker::wallet::Wallet;
use clap::Args;
use serde::Serialize;

use super::sessions::{Listed, Sessions};
use super::state::{State, Stored, read};
use crate::address::{checksummed, wallet};
use crate::clock::{now, rfc3339};
use crate::error::Error;
use crate::kv::PlaceArgs;
use crate::output::Output;
use crate::terminal::shown;

const EXAMPLES: &str = "\
Examples:
  edge-broker session list 0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed
  edge-broker session list 0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed --json \\
     --env production --remote

States: live; expired (not cleared away yet); gone (listed without a record: revoked, or not
seen yet); broken (its record does not follow the schema; nothing is minted for it).
KV shows a new session, and hides a deleted one, after a minute or more.";

/// List the sessions of a wallet.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct ListArgs {
    /// The wallet: 0x and 40 hex digits.
    #[arg(value_name = "WALLET")]
    wallet: String,
    #[command(flatten)]
    place: PlaceArgs,
}

/// The result as JSON.
#[derive(Serialize)]
struct ListOfSessions<'a> {
    wallet: &'a Wallet,
    environment: &'a str,
    storage: &'a str,
    #[serde(rename = "sessions")]
    listed: Vec<Session>,
}

/// A listed session; without a record, what the index says of it.
#[derive(Serialize)]
struct Session {
    hash: String,
    state: State,
    #[serde(skip_serializing_if = "Option::is_none")]
    label: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    created_at: Option<UnixTime>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<UnixTime>,
    #[serde(skip_serializing_if = "Option::is_none")]
    record: Option<SessionRecord>,
}

/// Lists them.
pub(super) fn run(args: &ListArgs, output: &Output) -> Result<(), Error> {
    let wallet = wallet(&args.wallet)?;
    let stored = Sessions::open(&args.place, output)?;
    let (mut sessions, foreign) = listed(&stored, &wallet)?;
    sessions.sort_by(|a, b| (b.created_at, &a.hash).cmp(&(a.created_at, &b.hash)));
    if !foreign.is_empty() {
        output.remark(&format!("{} of the wallet's index keys name no session; revoke-all removes them", foreign.len()));
    }
    let place = stored.place();
    let result = ListOfSessions { wallet: &wallet, environment: place.environment(), storage: place.storage(), listed: sessions };
    if result.listed.is_empty() && !output.is_json() {
        output.remark(&format!("{} has no session among {}", checksummed(&wallet), place.of("sessions")));
        return Ok(());
    }
    output.result(&result, || table(&result.listed))
}

fn listed(stored: &Sessions<'_>, wallet: &Wallet) -> Result<(Vec<Session>, Vec<String>), Error> {
    let (listed, foreign) = stored.listed(wallet)?;
    let hashes: Vec<_> = listed.iter().map(|one| one.hash.clone()).collect();
    let texts = stored.read(&hashes)?;
    let now = now()?;
    let sessions = listed.into_iter().zip(texts).map(|(listed, text)| session(listed, read(text.as_deref(), now), wallet)).collect();
    Ok((sessions, foreign))
}

fn session(listed: Listed, stored: Stored, wallet: &Wallet) -> Session {
    let (hash, metadata) = (listed.hash.as_str().to_owned(), listed.metadata);
    match stored.record {
        Some(record) if record.wallet == *wallet => Session {
            hash,
            state: stored.state,
            label: record.label.clone(),
            created_at: Some(record.created_at),
            expires_at: Some(record.expires_at),
            record: Some(record),
        },
        other => Session {
            hash,
            // The record of another wallet under this one's index: somebody wrote what the broker never writes.
            state: if other.is_some() { State::Broken } else { stored.state },
            created_at: metadata.as_ref().map(|metadata| metadata.created),
            expires_at: metadata.as_ref().map(|metadata| metadata.expires),
            label: metadata.and_then(|metadata| metadata.label),
            record: None,
        },
    }
}

fn table(sessions: &[Session]) -> String {
    // The index's labels may be anything.
    let label = |session: &Session| session.label.as_deref().map_or_else(|| "-".to_owned(), shown);
    let time = |time: Option<UnixTime>| time.map_or_else(|| "-".to_owned(), rfc3339);
    let width = sessions.iter().map(|session| label(session).chars().count()).max().unwrap_or(0).clamp(5, 40);
    let mut lines = vec![format!("{:12}  {:width$}  {:20}  {:20}  STATE", "HASH", "LABEL", "CREATED", "EXPIRES")];
    lines.extend(sessions.iter().map(|session| {
        let (hash, label) = (session.hash.get(..12).unwrap_or_default(), label(session));
        let (created, expires) = (time(session.created_at), time(session.expires_at));
        format!("{hash:12}  {label:width$}  {created:20}  {expires:20}  {}", session.state.as_str())
    }));
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use agentkeys_edge_broker::session::IndexMetadata;

    use super::*;

    const WALLET: &str = "0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed";

    fn at(seconds: u64) -> UnixTime {
        UnixTime::try_from(seconds).unwrap()
    }

    fn listed(label: &str) -> Listed {
        let hash = agentkeys_edge_broker::session::SessionToken::from_random(&[7; 32]).hash();
        Listed { hash, metadata: Some(IndexMetadata { created: at(100), expires: at(200), label: Some(label.to_owned()) }) }
    }

    #[test]
    fn without_a_record_the_index_is_what_is_known() {
        let session = session(listed("ci"), read(None, at(150)), &WALLET.parse().unwrap());
        assert_eq!((session.state, session.label.as_deref(), session.expires_at), (State::Gone, Some("ci"), Some(at(200))));
    }

    #[test]
    fn the_record_of_another_wallet_is_broken_here() {
        let other = "0x0000000000000000000000000000000000000001".parse().unwrap();
        let json = SessionRecord::new(other, at(100), at(200)).unwrap().to_json().unwrap();
        let session = session(listed("ci"), read(Some(&json), at(150)), &WALLET.parse().unwrap());
        assert_eq!(session.state, State::Broken);
        assert!(session.record.is_none());
    }

    #[test]
    fn no_character_reaches_the_terminal_that_acts_or_cannot_be_seen() {
        let session = session(listed("a\u{1b}[31mb\n\u{202e}\u{200b}"), read(None, at(150)), &WALLET.parse().unwrap());
        let table = table(&[session]);
        assert_eq!(table.lines().count(), 2, "{table:?}");
        assert!(!table.contains(['\u{1b}', '\u{202e}', '\u{200b}']));
    }
}
