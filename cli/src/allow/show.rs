//! `allow show`: whether one wallet may sign in.

use clap::Args;
use serde_json::json;

use super::entries::{Entries, State};
use crate::address::{checksummed, wallet};
use crate::clock::rfc3339;
use crate::error::Error;
use crate::kv::PlaceArgs;
use crate::output::Output;
use crate::terminal::shown;

const EXAMPLES: &str = "\
Examples:
  edge-broker allow show 0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed
  edge-broker allow show 0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed --env production --remote

It ends with 66 where the wallet is not on the list.";

/// Show whether a wallet is on the list, and since when.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct ShowArgs {
    /// The wallet: 0x and 40 hex digits.
    #[arg(value_name = "WALLET")]
    wallet: String,
    #[command(flatten)]
    place: PlaceArgs,
}

/// Shows it.
pub(super) fn run(args: &ShowArgs, output: &Output) -> Result<(), Error> {
    let wallet = wallet(&args.wallet)?;
    let entries = Entries::open(&args.place, output)?;
    let place = entries.place();
    let record = match entries.read(&wallet)? {
        State::Listed(record) => record,
        State::Broken => {
            return Err(Error::stored(format!(
                "the wallet's record is broken and lets nobody in. Write it anew: edge-broker allow add {}{}",
                checksummed(&wallet),
                place.options()
            )));
        }
        State::Absent => {
            return Err(Error::absent(format!(
                "{} is not on {}: it was not added, was removed, is not seen yet, or is on another (--env, --local, --remote)",
                checksummed(&wallet),
                place.of("list")
            )));
        }
    };
    let result = json!({
        "wallet": record.wallet, "added_at": record.added_at, "label": record.label,
        "environment": place.environment(), "storage": place.storage(),
    });
    output.result(&result, || {
        let label = record.label.as_deref().map_or_else(|| "-".to_owned(), shown);
        format!("wallet  {}\nsince   {}\nlabel   {label}", checksummed(&record.wallet), rfc3339(record.added_at))
    })
}
