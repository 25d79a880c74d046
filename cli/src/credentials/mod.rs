//! `credentials`: AWS credentials for an agent, as an AWS profile's `credential_process` asks for them.
//!
//! 1. read the session token and name the cache entry;
//! 2. take what is cached, while it lives long enough;
//! 3. else become the one that refreshes: of all processes with this entry one asks, the others wait for its answer;
//! 4. exchange the session for a web identity token, and that for credentials;
//! 5. keep them in a private file, and print them.
//!
//! Where a refresh fails and what is cached still lives, that is printed: an agent outlives a short outage.

mod cache;

use std::path::PathBuf;
use std::process::ExitCode;

use agentkeys_edge_broker::aws::Audience;
use agentkeys_edge_broker::session::SessionToken;
use clap::Args;

use crate::aws::endpoints::{StsArgs, is_in_the_clear, role_arn, transport};
use crate::aws::sts::{self, Assume, Sts};
use crate::broker_client::{Broker, BrokerArgs, Request};
use crate::clock::now;
use crate::duration::Seconds;
use crate::error::Error;
use crate::http::Client;
use crate::output::Output;
use crate::session_token::Session;
use cache::{Entry, Held, Kept};

/// STS's least lifetime, which is also assumed of credentials that name none.
const DURATION_MIN: u64 = 900;
/// STS's longest lifetime.
const DURATION_MAX: u64 = 43_200;

const AFTER_HELP: &str = "\
The session token comes from a file, from stdin, from EDGE_BROKER_SESSION_TOKEN, or from edge-broker login; never from an
argument. Credentials are kept in a private file (0600) until shortly before they expire; of several processes one asks for
new ones.

Examples:
  # in ~/.aws/config, after edge-broker login; where several wallets log in on this machine, add --wallet
  [profile agent]
  credential_process = edge-broker credentials --issuer https://broker.example.com --role-arn arn:aws:iam::123456789012:role/agentkeys-wallet

  # the same with a session that was handed over
  [profile agent]
  credential_process = edge-broker credentials --issuer https://broker.example.com --role-arn arn:aws:iam::123456789012:role/agentkeys-wallet --session-token-file /run/agent/session

  EDGE_BROKER_SESSION_TOKEN=$(cat session) edge-broker credentials --issuer http://localhost:8787 \\
    --role-arn arn:aws:iam::123456789012:role/agentkeys-wallet --duration 15m";

/// AWS credentials of a session, in the form of an AWS profile's `credential_process`.
#[derive(Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct CredentialsArgs {
    #[command(flatten)]
    broker: BrokerArgs,
    /// The role to assume.
    #[arg(long, value_name = "ARN", value_parser = role_arn)]
    role_arn: String,
    /// The audience of the token; without it: the session's first.
    #[arg(long, value_name = "AUDIENCE", value_parser = audience)]
    audience: Option<Audience>,
    /// How long the credentials live, 15m to 12h and at most what the role allows.
    #[arg(long, value_name = "DURATION", default_value = "1h", value_parser = duration)]
    duration: Seconds,
    /// The name of the AWS session, as AWS's records show it; without it: the wallet.
    #[arg(long, value_name = "NAME", value_parser = session_name)]
    session_name: Option<String>,
    /// Where credentials are kept; without it: edge-broker in `XDG_CACHE_HOME` or ~/.cache.
    #[arg(long, value_name = "DIR", env = "EDGE_BROKER_CACHE_DIR")]
    cache_dir: Option<PathBuf>,
    #[command(flatten)]
    sts: StsArgs,
}

/// Prints credentials, fresh or kept.
pub(crate) fn run(args: &CredentialsArgs, output: &Output) -> Result<ExitCode, Error> {
    let session = args.broker.source()?.read(Some(&args.broker.issuer))?;
    let client = args.sts.client()?;
    let entry = Entry::open(args.cache_dir.as_deref(), &name(args, &session.token)?)?;

    let kept = entry.read(now()?);
    if let Some(kept) = kept.as_ref().filter(|kept| kept.is_fresh()) {
        return print(&kept.held, output);
    }
    // Whoever waited finds what the other has fetched.
    let guard = match (entry.lock()?, kept) {
        (Some(guard), _) => guard,
        (None, Some(kept)) => return print(&kept.held, output),
        (None, None) => entry.wait()?,
    };
    let kept = entry.read(now()?);
    if let Some(kept) = kept.as_ref().filter(|kept| kept.is_fresh()) {
        return print(&kept.held, output);
    }
    let held = match (fetch(args, &client, &session, output), kept) {
        (Ok(held), _) => held,
        (Err(error), Some(Kept { held, .. })) => {
            output.remark(&format!("edge-broker: the credentials could not be refreshed, and those at hand still live: {error}"));
            held
        }
        (Err(error), None) => return Err(error),
    };
    if let Err(error) = entry.write(&held) {
        output.remark(&format!("edge-broker: the credentials could not be kept: {error}"));
    }
    drop(guard);
    print(&held, output)
}

fn print(held: &Held, output: &Output) -> Result<ExitCode, Error> {
    output.line(&held.to_process_json()?)?;
    Ok(ExitCode::SUCCESS)
}

/// What makes two runs the same: all that the credentials depend on. It is hashed, and the token is in it as its hash only.
fn name(args: &CredentialsArgs, session: &SessionToken) -> Result<String, Error> {
    let duration = args.duration.0.to_string();
    let (region, endpoint) = (args.sts.region(), args.sts.endpoint()?);
    let audience = args.audience.as_ref().map(Audience::as_str);
    let session = session.hash();
    let parts = [
        Some(session.as_str()),
        Some(args.broker.issuer.as_str()),
        Some(args.role_arn.as_str()),
        audience,
        Some(duration.as_str()),
        args.session_name.as_deref(),
        Some(region.as_str()),
        endpoint.as_deref(),
    ];
    serde_json::to_string(&parts).map_err(|_| Error::input("an argument cannot be written as JSON"))
}

fn fetch(args: &CredentialsArgs, client: &Client, session: &Session, output: &Output) -> Result<Held, Error> {
    let endpoint = args.sts.endpoint()?;
    if is_in_the_clear(endpoint.as_deref()) {
        output.remark("edge-broker: STS's endpoint is http and not this machine: token and credentials go over the network in the clear");
    }
    let broker = Broker::new(client, &args.broker.issuer)?;
    let minted = broker.mint(session.live(now()?)?, &Request { audience: args.audience.as_ref(), ttl_seconds: None })?;
    let sts = Sts::new(transport(client), &args.sts.region(), endpoint.as_deref());
    let assume = Assume {
        role_arn: &args.role_arn,
        session_name: args.session_name.as_deref().unwrap_or(minted.wallet.as_str()),
        duration: i32::try_from(args.duration.0).ok(),
    };
    let issued = now()?;
    let credentials = sts.assume(&assume, &minted.jwt).map_err(|failure| sts::error(&failure))?;
    let held = Held::new(credentials, issued, issued.plus(DURATION_MIN));
    if held.lives_at(now()?) {
        Ok(held)
    } else {
        Err(Error::outside("STS issued credentials that have expired already: look at this machine's clock"))
    }
}

fn audience(text: &str) -> Result<Audience, String> {
    Audience::try_from(text.to_owned()).map_err(|violation| violation.to_string())
}

fn duration(text: &str) -> Result<Seconds, String> {
    let duration: Seconds = text.parse().map_err(|rule: crate::duration::NotADuration| rule.to_string())?;
    let range = DURATION_MIN..=DURATION_MAX;
    if range.contains(&duration.0) { Ok(duration) } else { Err("AWS's credentials live from 15m to 12h".to_owned()) }
}

/// AWS: `API_AssumeRoleWithWebIdentity`, `RoleSessionName`.
pub(crate) fn session_name(text: &str) -> Result<String, String> {
    let characters = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_+=,.@-".contains(&byte));
    if characters && (2..=64).contains(&text.len()) {
        Ok(text.to_owned())
    } else {
        Err("2 to 64 letters, digits and _ + = , . @ -".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limits_are_those_of_sts() {
        for good in ["15m", "900s", "1h", "12h"] {
            assert!(duration(good).is_ok(), "{good}");
        }
        for bad in ["0s", "899s", "14m", "43201s", "13h", "1d", "1", ""] {
            assert!(duration(bad).is_err(), "{bad}");
        }
        for good in ["ab", "0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed", "a_+=,.@-", &"x".repeat(64)] {
            assert!(session_name(good).is_ok(), "{good}");
        }
        for bad in ["", "a", "a b", "a/b", "é1", &"x".repeat(65)] {
            assert!(session_name(bad).is_err(), "{bad}");
        }
    }
}
