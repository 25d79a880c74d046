//! `session show`: one session, as it is stored.

use agentkeys_edge_broker::aws::Audience;
use agentkeys_edge_broker::session::SessionRecord;
use agentkeys_edge_broker::wallet::Wallet;
use clap::Args;
use serde::Serialize;

use super::sessions::Sessions;
use super::state::{State, read};
use super::which::WhichArgs;
use crate::address::{checksummed, wallet_argument};
use crate::clock::{now, rfc3339};
use crate::duration::Seconds;
use crate::error::Error;
use crate::kv::PlaceArgs;
use crate::output::Output;

const EXAMPLES: &str = "\
Examples:
  edge-broker session show ErFAjKUlW2tC
  edge-broker session show --token-file session-token --env production --remote
  edge-broker session show --issuer https://broker.example.com --env production --remote
  pass show broker/session | edge-broker session show - --json";

/// Show one session: by its hash, by its token, or the one that a wallet has logged in to.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct ShowArgs {
    #[command(flatten)]
    which: WhichArgs,
    /// Without HASH and token: the session that is stored for this issuer, of the last login.
    #[arg(long, value_name = "URL", env = "EDGE_BROKER_ISSUER")]
    issuer: Option<String>,
    /// The wallet whose login is meant, where several have logged in.
    #[arg(long, value_name = "WALLET", value_parser = wallet_argument, requires = "issuer", conflicts_with_all = ["hash", "token_file"])]
    wallet: Option<Wallet>,
    #[command(flatten)]
    place: PlaceArgs,
}

/// The result as JSON.
#[derive(Serialize)]
struct Shown<'a> {
    hash: &'a str,
    state: State,
    environment: &'a str,
    storage: &'a str,
    record: &'a SessionRecord,
}

/// Shows it.
pub(super) fn run(args: &ShowArgs, output: &Output) -> Result<(), Error> {
    let named = args.which.named_or_stored(args.issuer.as_deref(), args.wallet.as_ref())?;
    let sessions = Sessions::open(&args.place, output)?;
    let hash = named.find(&sessions)?;
    let place = sessions.place();
    let text = sessions.read(std::slice::from_ref(&hash))?.into_iter().next().flatten();
    let stored = read(text.as_deref(), now()?);
    if let Some(broken) = stored.broken {
        return Err(Error::stored(format!(
            "the session's record is broken, and nothing is minted for it: {broken}. Revoke it: edge-broker session revoke {hash}"
        )));
    }
    let Some(record) = stored.record else {
        return Err(Error::absent(format!(
            "no session of this hash is among {}: it has expired, was revoked, is not seen yet, or is elsewhere (--env, --local, --remote)",
            place.of("sessions")
        )));
    };
    let shown =
        Shown { hash: hash.as_str(), state: stored.state, environment: place.environment(), storage: place.storage(), record: &record };
    output.result(&shown, || text_of(&shown))
}

fn text_of(shown: &Shown<'_>) -> String {
    let record = shown.record;
    let mut lines = Vec::new();
    let mut line = |name: &str, value: String| lines.push(format!("{name:16} {value}"));
    line("hash", shown.hash.to_owned());
    line("state", shown.state.as_str().to_owned());
    line("wallet", checksummed(&record.wallet));
    line("label", record.label.clone().unwrap_or_else(|| "-".to_owned()));
    line("created", rfc3339(record.created_at));
    line("expires", rfc3339(record.expires_at));
    let audiences = record.audiences.as_ref().map(|list| list.iter().map(Audience::as_str).collect::<Vec<_>>().join(" "));
    line("audiences", audiences.unwrap_or_else(|| "the broker's default".to_owned()));
    for (key, value) in record.tags().tags() {
        let transitive = if record.tags().transitive().contains(key) { " (transitive)" } else { "" };
        line("tag", format!("{key}={}{transitive}", value.as_str()));
    }
    for role in record.roles.clone().map(Vec::from).unwrap_or_default() {
        line("role", role.to_string());
    }
    if let Some(identity) = &record.source_identity {
        line("source identity", identity.as_str().to_owned());
    }
    line("max token ttl", record.max_token_ttl.map_or_else(|| "as configured".to_owned(), |seconds| Seconds(seconds).to_string()));
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_that_a_record_holds_is_shown() {
        let json = r#"{"v":1,"wallet":"0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed","created_at":100,"expires_at":200,"label":"ci",
            "audiences":["a","b"],"tags":{"team":"blue","area":""},"transitive_tags":["team"],"roles":["arn:aws:iam::123456789012:role/agent"],
            "source_identity":"agent-7","max_token_ttl":120}"#;
        let record = SessionRecord::parse(json).unwrap();
        let text = text_of(&Shown { hash: "h", state: State::Live, environment: "development", storage: "local", record: &record });
        for words in [
            "state            live",
            "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
            "1970-01-01T00:03:20Z",
            "a b",
            "team=blue (transitive)",
            "area=\n",
            "role/agent",
            "agent-7",
            "2m",
        ] {
            assert!(text.contains(words), "{words}: {text}");
        }
    }
}
