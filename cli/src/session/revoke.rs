//! `session revoke` and `session revoke-all`: what was issued ends.
//!
//! A deletion is always sent, also where no record is seen: KV may answer from a cache that does not know the session yet.
//! Records go before index entries, so that what fails halfway is still listed and can be tried again.

use agentkeys_edge_broker::session::{SessionHash, index_key, record_key};
use agentkeys_edge_broker::wallet::Wallet;
use clap::Args;
use serde_json::json;

use super::sessions::Sessions;
use super::state::read;
use super::which::WhichArgs;
use crate::address::{checksummed, wallet};
use crate::clock::now;
use crate::error::Error;
use crate::kv::{Place, PlaceArgs};
use crate::output::Output;

const REVOKE_EXAMPLES: &str = "\
Examples:
  edge-broker session revoke ErFAjKUlW2tC
  edge-broker session revoke --token-file session-token --env production --remote
  edge-broker session revoke ErFAjKUlW2tC3ZQh0UeD8mTgdPZ8DFZ4QxAiXIYzqLk \\
     --wallet 0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed

An edge that has seen the session goes on minting for it until its cached copy ends: 60 seconds
or more.
Tokens and AWS credentials that were issued before stay valid until they expire.";

const REVOKE_ALL_EXAMPLES: &str = "\
Examples:
  edge-broker session revoke-all 0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed
  edge-broker session revoke-all 0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed \\
     --env production --remote

It goes by the wallet's index, which shows a new session after a minute or more: where it has
to be all of them, stop issuing, and run it again a minute later. An edge that has seen a session
goes on minting for it until its cached copy ends: 60 seconds or more. Tokens and AWS credentials
that were issued before stay valid until they expire.";

/// Revoke one session: by its hash, or by its token.
#[derive(Args)]
#[command(after_help = REVOKE_EXAMPLES)]
pub(crate) struct RevokeArgs {
    #[command(flatten)]
    which: WhichArgs,
    /// The session's wallet; needed only where its record can no longer be read.
    #[arg(long, value_name = "WALLET")]
    wallet: Option<String>,
    #[command(flatten)]
    place: PlaceArgs,
}

/// Revoke every session of a wallet.
#[derive(Args)]
#[command(after_help = REVOKE_ALL_EXAMPLES)]
pub(crate) struct RevokeAllArgs {
    /// The wallet: 0x and 40 hex digits.
    #[arg(value_name = "WALLET")]
    wallet: String,
    #[command(flatten)]
    place: PlaceArgs,
}

/// Revokes one.
pub(super) fn run(args: &RevokeArgs, output: &Output) -> Result<(), Error> {
    let named = args.which.named()?;
    let told = args.wallet.as_deref().map(wallet).transpose()?;
    let sessions = Sessions::open(&args.place, output)?;
    let hash = named.find(&sessions)?;
    let text = sessions.read(std::slice::from_ref(&hash))?.into_iter().next().flatten();
    let seen = text.is_some();
    let stored = read(text.as_deref(), now()?).record.map(|record| record.wallet);
    if let (Some(stored), Some(told)) = (&stored, &told)
        && stored != told
    {
        return Err(Error::input("this session is another wallet's: nothing was revoked. Leave --wallet out, or name the right session"));
    }
    let owner = stored.or(told);
    delete(&sessions, &hash, owner.as_ref())?;

    let place = sessions.place();
    if !seen {
        let index = if owner.is_some() { "" } else { "; an index entry of it needs --wallet to be found" };
        return Err(Error::absent(format!(
            "no session of this hash was seen among {}: it has expired, was revoked before, is not seen yet, or is elsewhere (--env, \
             --local, --remote). A deletion was sent all the same{index}",
            place.of("sessions")
        )));
    }
    if owner.is_none() {
        output.remark(
            "The session's record was broken, so that its wallet is not known and its index entry stays until it expires; \
             run this again with --wallet to remove it.",
        );
    }
    if !output.is_json() {
        output.remark(&bound(place));
    }
    let result = json!({
        "hash": hash.as_str(), "wallet": owner, "revoked": true, "environment": place.environment(), "storage": place.storage(),
    });
    output.result(&result, || format!("revoked {hash}"))
}

/// Revokes all of a wallet.
pub(super) fn run_all(args: &RevokeAllArgs, output: &Output) -> Result<(), Error> {
    let wallet = wallet(&args.wallet)?;
    let sessions = Sessions::open(&args.place, output)?;
    let place = sessions.place();
    let (listed, foreign) = sessions.listed(&wallet)?;
    let hashes: Vec<SessionHash> = listed.into_iter().map(|one| one.hash).collect();
    let records = hashes.iter().map(record_key);
    let entries = hashes.iter().map(|hash| index_key(&wallet, hash)).chain(foreign);
    let keys: Vec<String> = records.chain(entries).collect();
    if !keys.is_empty() {
        sessions
            .delete(&keys)
            .map_err(|failure| failure.error.and("Some of the sessions may still be there: list them, and run this again."))?;
    }
    if !output.is_json() {
        output.remark(&bound(place));
    }
    let hashes: Vec<&str> = hashes.iter().map(SessionHash::as_str).collect();
    let result = json!({
        "wallet": wallet, "revoked": hashes.len(), "hashes": hashes, "environment": place.environment(), "storage": place.storage(),
    });
    output.result(&result, || {
        let sessions = if hashes.len() == 1 { "session" } else { "sessions" };
        format!("revoked {} {sessions} of {}", hashes.len(), checksummed(&wallet))
    })
}

fn delete(sessions: &Sessions<'_>, hash: &SessionHash, owner: Option<&Wallet>) -> Result<(), Error> {
    let keys: Vec<String> = std::iter::once(record_key(hash)).chain(owner.map(|wallet| index_key(wallet, hash))).collect();
    sessions.delete(&keys).map_err(|failure| failure.error.and("Whether the session was revoked is not known: run this again."))
}

/// How long what was revoked may still be used.
fn bound(place: &Place) -> String {
    let seen = if place.is_remote() {
        "Workers KV: an edge that has seen a session goes on minting for it until its cached copy ends, 60 seconds or more."
    } else {
        "On this machine it is seen at once; at Cloudflare's edges it takes 60 seconds or more."
    };
    format!("{seen}\nTokens and AWS credentials that were issued before stay valid until they expire.")
}
