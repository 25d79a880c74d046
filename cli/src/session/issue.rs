//! `session issue`: a new session for a wallet, and its token, once.

use agentkeys_edge_broker::aws::{Audience, RoleArn, Roles, SourceIdentity, TagKey, TagValue, Violation};
use agentkeys_edge_broker::config::SESSION_TTL_SECONDS;
use agentkeys_edge_broker::session::{SessionHash, SessionRecord, SessionToken};
use agentkeys_edge_broker::time::UnixTime;
use clap::Args;
use serde::Serialize;

use super::sessions::Sessions;
use crate::address::{checksummed, wallet};
use crate::clock::{now, rfc3339};
use crate::duration::Seconds;
use crate::error::Error;
use crate::kv::{Place, PlaceArgs};
use crate::output::Output;

const EXAMPLES: &str = "\
Examples:
  A session for wrangler dev, into a variable:
    TOKEN=$(edge-broker session issue 0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed)

  A week for a build job in production, straight into a file that only you can read:
    (umask 077; edge-broker session issue 0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed \\
       --env production --remote --ttl 7d --label build > session-token)

  One that may assume a single role, whose tokens live a minute and carry a tag of their own:
    edge-broker session issue 0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed \\
       --role arn:aws:iam::123456789012:role/agent --max-token-ttl 60s \\
       --tag team=blue --transitive team

The token is shown once and stored nowhere: what the broker keeps is its hash. A new session
may take a minute to be seen at every edge.";

/// Issue a session: its token on stdout, what there is to know about it on stderr.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct IssueArgs {
    /// The wallet: 0x and 40 hex digits; its EIP-55 checksum is checked where the case is mixed.
    #[arg(value_name = "WALLET")]
    wallet: String,
    /// How long it lives, 60s to 365d.
    #[arg(long, value_name = "DURATION", default_value = "30d")]
    ttl: Seconds,
    /// A name for people, shown by list.
    #[arg(long, value_name = "TEXT")]
    label: Option<String>,
    /// An audience that its tokens may name; the first is their default. Repeatable [default: the broker's default only].
    #[arg(long = "audience", value_name = "AUDIENCE")]
    audiences: Vec<String>,
    /// A session tag that its tokens carry besides the broker's own; the first = separates. Repeatable.
    #[arg(long = "tag", value_name = "KEY=VALUE")]
    tags: Vec<String>,
    /// The key of such a tag that is to survive role chaining. Repeatable.
    #[arg(long = "transitive", value_name = "KEY")]
    transitive: Vec<String>,
    /// A role that its tokens may assume, by its exact ARN. Repeatable [default: as the roles' trust policies say].
    #[arg(long = "role", value_name = "ARN")]
    roles: Vec<String>,
    /// Who is behind it, for AWS's records; the role's trust policy needs sts:SetSourceIdentity.
    #[arg(long, value_name = "NAME")]
    source_identity: Option<String>,
    /// How long its tokens live at most, 60s to 1h [default: as the broker is configured].
    #[arg(long, value_name = "DURATION")]
    max_token_ttl: Option<Seconds>,
    #[command(flatten)]
    place: PlaceArgs,
}

/// The result as JSON.
#[derive(Serialize)]
struct Issued<'a> {
    token: &'a str,
    hash: &'a str,
    environment: &'a str,
    storage: &'a str,
    record: &'a SessionRecord,
}

/// Issues it.
pub(super) fn run(args: &IssueArgs, output: &Output) -> Result<(), Error> {
    // Everything that can be refused is refused before anything runs.
    let record = args.record(now()?)?;
    let json = record.to_json().map_err(|broken| Error::input(broken.to_string()))?;
    let sessions = Sessions::open(&args.place, output)?;
    let mut random = [0; 32];
    getrandom::fill(&mut random).map_err(|_| Error::outside("the operating system gave no randomness for a token; nothing was stored"))?;
    let token = SessionToken::from_random(&random);
    let hash = token.hash();
    let place = sessions.place();

    sessions.store(&hash, &record, &json).map_err(|failure| {
        let then = if failure.ran { leftover(&hash, &record, place) } else { "Nothing was stored.".to_owned() };
        failure.error.and(&then)
    })?;

    let issued =
        Issued { token: token.expose(), hash: hash.as_str(), environment: place.environment(), storage: place.storage(), record: &record };
    // The token first: what is said about it is worth nothing without it.
    output
        .result(&issued, || token.expose().to_owned())
        .map_err(|error| error.and(&format!("The token is lost, and its session is stored. {}", removal(&hash, &record, place))))?;
    if !output.is_json() {
        output.remark(&format!(
            "wallet   {}\nhash     {hash}\nexpires  {} (in {})\nstored   {}\nThe token is shown this once and stored nowhere.",
            checksummed(&record.wallet),
            rfc3339(record.expires_at),
            args.ttl,
            place.of("sessions")
        ));
    }
    Ok(())
}

/// What may be left of a session that was not reported as stored.
fn leftover(hash: &SessionHash, record: &SessionRecord, place: &Place) -> String {
    format!("Whether the session was stored is not known; nobody has its token. {}", removal(hash, record, place))
}

fn removal(hash: &SessionHash, record: &SessionRecord, place: &Place) -> String {
    format!(
        "To make sure that it is gone, revoke it where it was to be stored ({}): edge-broker session revoke {hash} --wallet {}",
        place.of("sessions"),
        record.wallet
    )
}

impl IssueArgs {
    /// The record, within all of AWS's limits and ours.
    fn record(&self, now: UnixTime) -> Result<SessionRecord, Error> {
        let wallet = wallet(&self.wallet)?;
        if !SESSION_TTL_SECONDS.contains(&self.ttl.0) {
            return Err(Error::input("a session lives for 60s to 365d (--ttl)"));
        }
        let aws = |violation: Violation| Error::input(violation.to_string());
        let tags = self.tags.iter().map(|tag| tag_of(tag)).collect::<Result<_, _>>()?;
        let transitive = self.transitive.iter().cloned().map(TagKey::try_from).collect::<Result<_, _>>().map_err(aws)?;
        let mut record = SessionRecord::new(wallet, now, now.plus(self.ttl.0))
            .and_then(|record| record.with_tags(tags, transitive))
            .map_err(|broken| Error::input(broken.to_string()))?;
        record.label.clone_from(&self.label);
        if !self.audiences.is_empty() {
            record.audiences = Some(self.audiences.iter().cloned().map(Audience::try_from).collect::<Result<_, _>>().map_err(aws)?);
        }
        if !self.roles.is_empty() {
            let roles: Vec<RoleArn> = self.roles.iter().cloned().map(RoleArn::try_from).collect::<Result<_, _>>().map_err(aws)?;
            record.roles = Some(Roles::try_from(roles).map_err(aws)?);
        }
        record.source_identity = self.source_identity.clone().map(SourceIdentity::try_from).transpose().map_err(aws)?;
        record.max_token_ttl = self.max_token_ttl.map(|seconds| seconds.0);
        Ok(record)
    }
}

/// `KEY=VALUE`; a value may be empty and may have more `=` in it.
fn tag_of(text: &str) -> Result<(TagKey, TagValue), Error> {
    let (key, value) = text.split_once('=').ok_or_else(|| Error::input("a tag is KEY=VALUE (--tag)"))?;
    let aws = |violation: Violation| Error::input(violation.to_string());
    Ok((TagKey::try_from(key.to_owned()).map_err(aws)?, TagValue::try_from(value.to_owned()).map_err(aws)?))
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    const WALLET: &str = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed";
    const ROLE: &str = "arn:aws:iam::123456789012:role/agent";

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        issue: IssueArgs,
    }

    fn record(arguments: &[&str]) -> Result<SessionRecord, Error> {
        let line = ["issue", WALLET].iter().chain(arguments);
        let record = Line::try_parse_from(line).ok().unwrap().issue.record(UnixTime::try_from(1_795_000_000).unwrap())?;
        record.to_json().map_err(|broken| Error::input(broken.to_string())).map(|json| SessionRecord::parse(&json).unwrap())
    }

    fn refusal(arguments: &[&str]) -> String {
        let error = record(arguments).unwrap_err();
        assert_eq!(error.code(), 64, "{arguments:?}");
        error.to_string()
    }

    #[test]
    fn a_plain_session_has_the_wallet_in_lower_case_and_thirty_days() {
        let record = record(&[]).unwrap();
        assert_eq!(record.wallet.as_str(), WALLET.to_lowercase());
        assert_eq!(record.expires_at.since(record.created_at), 2_592_000);
        assert_eq!((record.label, record.audiences, record.roles, record.max_token_ttl), (None, None, None, None));
    }

    #[test]
    fn every_option_reaches_the_record() {
        let record = record(&[
            "--ttl",
            "7d",
            "--label",
            "build job",
            "--audience",
            "a",
            "--audience",
            "b",
            "--tag",
            "team=blue",
            "--tag",
            "path=a=b",
            "--tag",
            "empty=",
            "--transitive",
            "team",
            "--role",
            ROLE,
            "--source-identity",
            "agent-7",
            "--max-token-ttl",
            "2m",
        ])
        .unwrap();
        let json: serde_json::Value = serde_json::from_str(&record.to_json().unwrap()).unwrap();
        assert_eq!(
            json,
            serde_json::json!({
                "v": 1, "wallet": WALLET.to_lowercase(), "created_at": 1_795_000_000, "expires_at": 1_795_604_800, "label": "build job",
                "audiences": ["a", "b"], "tags": {"team": "blue", "path": "a=b", "empty": ""}, "transitive_tags": ["team"],
                "roles": [ROLE], "source_identity": "agent-7", "max_token_ttl": 120,
            })
        );
    }

    #[test]
    fn what_aws_or_the_broker_would_not_take_is_refused() {
        for (arguments, words) in [
            (&["--ttl", "59s"][..], "60s to 365d"),
            (&["--ttl", "366d"], "60s to 365d"),
            (&["--label", ""], "label"),
            (&["--label", "a\nb"], "label"),
            (&["--audience", ""], "audience"),
            (&["--audience", "a b"], "audience"),
            (&["--audience", "a", "--audience", "a"], "different"),
            (&["--tag", "team"], "KEY=VALUE"),
            (&["--tag", "=blue"], "tag key"),
            (&["--tag", "aws:x=1"], "aws:"),
            (&["--tag", "a=aWs:x"], "aws:"),
            (&["--tag", "a=*"], "tag value"),
            (&["--tag", "a=1", "--tag", "A=2"], "unique"),
            (&["--tag", "agentkeys_user_wallet=0x0"], "set by the broker"),
            (&["--tag", "Agentkeys_Actor_Omni=0"], "set by the broker"),
            (&["--transitive", "team"], "transitive"),
            (&["--role", "agent"], "ARN"),
            (&["--role", "arn:aws:iam::123456789012:role/*"], "ARN"),
            (&["--source-identity", "a"], "source identity"),
            (&["--source-identity", "aws:agent"], "aws:"),
            (&["--max-token-ttl", "59s"], "max_token_ttl"),
            (&["--max-token-ttl", "3601s"], "max_token_ttl"),
        ] {
            let message = refusal(arguments);
            assert!(message.contains(words), "{arguments:?}: {message}");
        }
    }

    #[test]
    fn at_most_48_tags_and_11000_bytes_are_added() {
        let many =
            |count: usize, length: usize| -> Vec<String> { (0..count).map(|n| format!("--tag=k{n}={}", "v".repeat(length))).collect() };
        let arguments =
            |tags: &[String]| record(&tags.iter().map(String::as_str).collect::<Vec<_>>()).map(drop).map_err(|error| error.to_string());
        assert_eq!(arguments(&many(48, 1)), Ok(()));
        assert!(arguments(&many(49, 1)).unwrap_err().contains("48 tags"));
        assert!(arguments(&many(48, 256)).unwrap_err().contains("11000 bytes"));
    }
}
