//! `allow list`: every wallet that may sign in, and every entry that lets nobody in.

use agentkeys_edge_broker::signin::AllowRecord;
use agentkeys_edge_broker::time::UnixTime;
use agentkeys_edge_broker::wallet::Wallet;
use clap::Args;
use serde::Serialize;

use super::entries::{All, Entries, State};
use crate::address::checksummed;
use crate::clock::rfc3339;
use crate::error::Error;
use crate::kv::PlaceArgs;
use crate::output::Output;
use crate::terminal::shown;

const EXAMPLES: &str = "\
Examples:
  edge-broker allow list
  edge-broker allow list --env production --remote --json

States: listed; broken (the record does not follow the schema, or is another wallet's: it lets
nobody in); gone (listed without a record: it was removed, or is not seen yet).
KV shows a new entry, and hides a deleted one, after a minute or more.";

/// List the wallets that may sign in.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct ListArgs {
    #[command(flatten)]
    place: PlaceArgs,
}

/// The result as JSON.
#[derive(Serialize)]
struct List<'a> {
    environment: &'a str,
    storage: &'a str,
    wallets: Vec<Entry>,
    /// Keys of the list that name no wallet.
    foreign_keys: Vec<String>,
}

#[derive(Serialize)]
struct Entry {
    wallet: Wallet,
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    added_at: Option<UnixTime>,
    #[serde(skip_serializing_if = "Option::is_none")]
    label: Option<String>,
}

impl Entry {
    fn new((wallet, state): (Wallet, State)) -> Self {
        let bare = |wallet, state| Self { wallet, state, added_at: None, label: None };
        match state {
            State::Listed(AllowRecord { wallet, added_at, label }) => Self { added_at: Some(added_at), label, ..bare(wallet, "listed") },
            State::Broken => bare(wallet, "broken"),
            State::Absent => bare(wallet, "gone"),
        }
    }
}

/// Lists them.
pub(super) fn run(args: &ListArgs, output: &Output) -> Result<(), Error> {
    let entries = Entries::open(&args.place, output)?;
    let place = entries.place();
    let All { wallets, foreign_keys } = entries.all()?;
    let wallets: Vec<Entry> = wallets.into_iter().map(Entry::new).collect();
    for broken in wallets.iter().filter(|entry| entry.state == "broken") {
        output.remark(&format!(
            "The record of {} is broken and lets nobody in: edge-broker allow add writes it anew, edge-broker allow remove takes it away",
            checksummed(&broken.wallet)
        ));
    }
    for key in &foreign_keys {
        // Whoever wrote it may have written anything.
        let key: String = key.chars().flat_map(char::escape_debug).collect();
        output.remark(&format!("The key {key} names no wallet in lower case and lets nobody in: delete it with wrangler kv key delete"));
    }
    if wallets.is_empty() && !output.is_json() {
        output.remark(&format!("nobody is on {}", place.of("list")));
        return Ok(());
    }
    let list = List { environment: place.environment(), storage: place.storage(), wallets, foreign_keys };
    output.result(&list, || table(&list.wallets))
}

fn table(wallets: &[Entry]) -> String {
    let mut lines = vec![format!("{:42}  {:20}  {:6}  LABEL", "WALLET", "SINCE", "STATE")];
    lines.extend(wallets.iter().map(|entry| {
        let (since, label) =
            (entry.added_at.map_or_else(|| "-".to_owned(), rfc3339), entry.label.as_deref().map_or_else(|| "-".to_owned(), shown));
        format!("{}  {since:20}  {:6}  {label}", checksummed(&entry.wallet), entry.state)
    }));
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_entry_is_a_row_that_says_whether_it_lets_anybody_in() {
        let wallet: Wallet = "0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed".parse().unwrap();
        let record =
            AllowRecord { wallet: wallet.clone(), added_at: 1_795_470_116.try_into().unwrap(), label: Some("build agent".to_owned()) };
        let entries = [State::Listed(record), State::Broken, State::Absent].map(|state| Entry::new((wallet.clone(), state)));
        let table = table(&entries);
        let rows: Vec<&str> = table.lines().skip(1).collect();
        for (row, end) in rows.iter().zip(["2026-11-23T21:41:56Z  listed  build agent", "broken  -", "gone    -"]) {
            assert!(row.starts_with("0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed  ") && row.ends_with(end), "{row}");
        }
        assert_eq!(rows.len(), 3);
    }
}
