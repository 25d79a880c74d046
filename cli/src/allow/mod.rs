//! `allow`: who may sign in where `SIGNIN_ALLOW` is `listed`.
//!
//! The record is built and read by the broker's own type. Each command can be run again: what it asks for is then there
//! already, and it says so.

mod entries;
mod list;
mod show;

use std::process::ExitCode;

use agentkeys_edge_broker::signin::AllowRecord;
use clap::{Args, Subcommand};
use serde_json::json;

use crate::address::{checksummed, wallet};
use crate::clock::{now, rfc3339};
use crate::error::Error;
use crate::kv::PlaceArgs;
use crate::output::Output;
use entries::{Entries, State};

const ADD_EXAMPLES: &str = "\
Examples:
  edge-broker allow add 0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed --label 'build agent'
  edge-broker allow add 0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed --env production --remote

Run again, it changes the label where one is given, and leaves since when the wallet is listed.
KV shows a new entry at every edge after a minute or more. The list counts where the broker's
SIGNIN_ALLOW is \"listed\".";

const REMOVE_EXAMPLES: &str = "\
Examples:
  edge-broker allow remove 0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed
  edge-broker allow remove 0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed --env production --remote

It ends no session: wait a minute, until no edge lets the wallet in, and then end those that it
has with edge-broker session revoke-all.";

/// Say which wallets may sign in, where only some may.
#[derive(Args)]
pub(crate) struct AllowArgs {
    #[command(subcommand)]
    command: AllowCommand,
}

#[derive(Subcommand)]
enum AllowCommand {
    Add(AddArgs),
    List(list::ListArgs),
    Remove(RemoveArgs),
    Show(show::ShowArgs),
}

/// Let a wallet sign in.
#[derive(Args)]
#[command(after_help = ADD_EXAMPLES)]
struct AddArgs {
    /// The wallet: 0x and 40 hex digits; its EIP-55 checksum is checked where the case is mixed.
    #[arg(value_name = "WALLET")]
    wallet: String,
    /// A name for people, shown by list.
    #[arg(long, value_name = "TEXT")]
    label: Option<String>,
    #[command(flatten)]
    place: PlaceArgs,
}

/// Let a wallet sign in no more.
#[derive(Args)]
#[command(after_help = REMOVE_EXAMPLES)]
struct RemoveArgs {
    /// The wallet: 0x and 40 hex digits.
    #[arg(value_name = "WALLET")]
    wallet: String,
    #[command(flatten)]
    place: PlaceArgs,
}

/// Runs the command.
pub(crate) fn run(args: &AllowArgs, output: &Output) -> Result<ExitCode, Error> {
    match &args.command {
        AllowCommand::Add(args) => add(args, output),
        AllowCommand::List(args) => list::run(args, output),
        AllowCommand::Remove(args) => remove(args, output),
        AllowCommand::Show(args) => show::run(args, output),
    }
    .map(|()| ExitCode::SUCCESS)
}

fn add(args: &AddArgs, output: &Output) -> Result<(), Error> {
    let wallet = wallet(&args.wallet)?;
    let mut record = AllowRecord { wallet, added_at: now()?, label: args.label.clone() };
    // Everything that can be refused is refused before anything runs.
    let json = text_of(&record)?;
    let entries = Entries::open(&args.place, output)?;
    let place = entries.place();
    let (before, json) = match entries.read(&record.wallet)? {
        State::Listed(listed) => {
            record.added_at = listed.added_at;
            record.label = record.label.or_else(|| listed.label.clone());
            (Some(listed), text_of(&record)?)
        }
        State::Broken => {
            output.remark("What was stored for this wallet was broken and let nobody in; it is written anew.");
            (None, json)
        }
        State::Absent => (None, json),
    };
    let change = match &before {
        Some(listed) if *listed == record => "unchanged",
        Some(_) => "changed",
        None => "added",
    };
    if before.as_ref() != Some(&record) {
        entries.store(&record.wallet, &json).map_err(|failure| {
            failure.error.and(if failure.ran {
                "Whether the wallet is listed now is not known: run this again."
            } else {
                "Nothing was stored."
            })
        })?;
    }
    if !output.is_json() && place.is_remote() && change == "added" {
        output.remark("Workers KV: it may take a minute until every edge lets the wallet in.");
    }
    let result = json!({
        "wallet": record.wallet, "change": change, "added_at": record.added_at, "label": record.label,
        "environment": place.environment(), "storage": place.storage(),
    });
    output.result(&result, || {
        let (wallet, list) = (checksummed(&record.wallet), place.of("list"));
        match change {
            "added" => format!("{wallet} may sign in: added to {list}"),
            "changed" => format!("{wallet} has another label on {list}, and may sign in since {}", rfc3339(record.added_at)),
            _ => format!("{wallet} was on {list} already, since {}", rfc3339(record.added_at)),
        }
    })
}

fn remove(args: &RemoveArgs, output: &Output) -> Result<(), Error> {
    let wallet = wallet(&args.wallet)?;
    let entries = Entries::open(&args.place, output)?;
    let place = entries.place();
    let seen = !matches!(entries.read(&wallet)?, State::Absent);
    // Sent also where nothing is seen: KV may answer from a cache that does not know the entry yet.
    entries
        .delete(&wallet)
        .map_err(|failure| failure.error.and("Whether the wallet was taken off the list is not known: run this again."))?;
    if !output.is_json() {
        let bound = if place.is_remote() {
            "Workers KV: an edge that has seen the entry goes on letting the wallet in for 60 seconds or more.\n"
        } else {
            ""
        };
        output.remark(&format!(
            "{bound}The sessions that the wallet has live on. To end them{}: edge-broker session revoke-all {}{}",
            if place.is_remote() { ", a minute from now" } else { "" },
            checksummed(&wallet),
            place.options()
        ));
    }
    let result = json!({ "wallet": wallet, "removed": seen, "environment": place.environment(), "storage": place.storage() });
    output.result(&result, || {
        let (wallet, list) = (checksummed(&wallet), place.of("list"));
        if seen {
            format!("{wallet} was taken off {list}")
        } else {
            format!("{wallet} was not seen on {list}; a deletion was sent all the same")
        }
    })
}

fn text_of(record: &AllowRecord) -> Result<String, Error> {
    // Of what a record holds the label alone is anybody's text.
    record.to_json().map_err(|_| Error::input("--label is 1 to 128 characters, none of them a control character"))
}
