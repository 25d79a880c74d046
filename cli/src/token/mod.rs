//! `token`: a web identity token in a file, kept fresh, for `AWS_WEB_IDENTITY_TOKEN_FILE`.
//!
//! The file is replaced whole, so a reader finds the old token or the new one. A failure leaves the old one where it is
//! and is tried again; one that will last ends the watch when the token in the file has expired.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use agentkeys_edge_broker::aws::Audience;
use agentkeys_edge_broker::time::UnixTime;
use clap::Args;

use crate::broker_client::{Broker, BrokerArgs, Refusal, Request, WebIdentity};
use crate::clock::{now, rfc3339};
use crate::duration::Seconds;
use crate::error::Error;
use crate::http::Client;
use crate::interrupt::{interrupts, sleep_unless};
use crate::output::Output;
use crate::private_file;
use crate::retry::Pauses;
use crate::session_token::{Session, Source};

/// The first and the longest pause after a failure.
const PAUSES: (Duration, Duration) = (Duration::from_secs(2), Duration::from_mins(1));
/// How often the clock is looked at while there is nothing to do.
const LOOK: Duration = Duration::from_secs(5);
/// The shortest time between two refreshes.
const REST: Duration = Duration::from_secs(1);

const AFTER_HELP: &str = "\
The session token comes from a file, from stdin, from EDGE_BROKER_SESSION_TOKEN, or from edge-broker login; never from an
argument. The token file is private (0600) and replaced whole. --watch runs until it is told to stop (SIGTERM, SIGINT), and
then ends with 0; it stays with the wallet it began with, and takes that wallet's new session after another login.

Examples:
  edge-broker token --issuer https://broker.example.com --out /run/agent/token --watch &
  edge-broker token --issuer https://broker.example.com --session-token-file session --out /run/agent/token --watch &
  AWS_WEB_IDENTITY_TOKEN_FILE=/run/agent/token AWS_ROLE_ARN=arn:aws:iam::123456789012:role/agentkeys-wallet agent";

/// Write a web identity token to a file, and keep it fresh.
#[derive(Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct TokenArgs {
    #[command(flatten)]
    broker: BrokerArgs,
    /// The file to write; its directory has to be there.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Go on: replace the token when two thirds of its life have passed.
    #[arg(long)]
    watch: bool,
    /// The audience of the token; without it: the session's first.
    #[arg(long, value_name = "AUDIENCE", value_parser = audience)]
    audience: Option<Audience>,
    /// How long the token lives, at most what the session allows; without it: that.
    #[arg(long, value_name = "DURATION")]
    ttl: Option<Seconds>,
    /// Certificates (PEM) to trust for the issuer, in place of the public CAs.
    #[arg(long, value_name = "FILE", env = "AWS_CA_BUNDLE")]
    ca_file: Option<PathBuf>,
}

/// Writes one token, or one after the other.
pub(crate) fn run(args: &TokenArgs, output: &Output) -> Result<ExitCode, Error> {
    let source = args.broker.source()?;
    let session = source.read(Some(&args.broker.issuer))?;
    let client = Client::for_issuer(args.ca_file.as_deref())?;
    let broker = Broker::new(&client, &args.broker.issuer)?;
    let writer = Writer { args, broker, source, session };
    if args.watch { watch(&writer, output) } else { once(&writer, output) }
}

fn once(writer: &Writer<'_>, output: &Output) -> Result<ExitCode, Error> {
    let minted = writer.write()?;
    output.remark(&said(&minted));
    Ok(ExitCode::SUCCESS)
}

/// Until told to stop. The first token has to come: a wrong command line ends at once.
fn watch(writer: &Writer<'_>, output: &Output) -> Result<ExitCode, Error> {
    let interrupted = interrupts();
    let mut minted = writer.write()?;
    let mut issued = now()?;
    output.remark(&said(&minted));
    let mut pause = until_refresh(issued, minted.expiration);
    let mut pauses = Pauses::new(PAUSES.0, PAUSES.1);
    while !rest(&interrupted, pause)? {
        match writer.write() {
            Ok(fresh) => {
                (minted, issued) = (fresh, now()?);
                output.remark(&said(&minted));
                pause = until_refresh(issued, minted.expiration);
                pauses = Pauses::new(PAUSES.0, PAUSES.1);
            }
            Err(Refusal { may_pass: false, error, .. }) if now()? >= minted.expiration => return Err(error),
            Err(Refusal { error, .. }) => {
                pause = pauses.next();
                output.remark(&format!(
                    "edge-broker: the token in the file lives until {}; next try in {} s: {error}",
                    rfc3339(minted.expiration),
                    pause.as_secs().max(1)
                ));
            }
        }
    }
    output.remark("stopped; the token in the file lives on until it expires");
    Ok(ExitCode::SUCCESS)
}

/// Sleeps until a time by the wall clock: a machine that was suspended wakes up to a token that is due. Whether it was told to stop.
fn rest(interrupted: &AtomicBool, pause: Duration) -> Result<bool, Error> {
    let due = now()?.plus(pause.as_secs());
    loop {
        let left = Duration::from_secs(due.since(now()?));
        if left.is_zero() {
            return Ok(false);
        }
        if sleep_unless(interrupted, left.min(LOOK)) {
            return Ok(true);
        }
    }
}

/// Two thirds of a life.
fn until_refresh(issued: UnixTime, expiration: UnixTime) -> Duration {
    let lifetime = expiration.since(issued);
    Duration::from_secs(lifetime.saturating_sub(lifetime.div_ceil(3))).max(REST)
}

fn said(minted: &WebIdentity) -> String {
    format!("token of {} written, expires {}", minted.wallet, rfc3339(minted.expiration))
}

struct Writer<'a> {
    args: &'a TokenArgs,
    broker: Broker<'a>,
    source: Source,
    /// The session as it was at the start.
    session: Session,
}

impl Writer<'_> {
    /// Mints a token and puts it in the file's place.
    fn write(&self) -> Result<WebIdentity, Refusal> {
        // A new login or a full disk may change it, and a directory may be mounted late.
        let passing = |error| Refusal::passing(error, None);
        let request = Request { audience: self.args.audience.as_ref(), ttl_seconds: self.args.ttl.map(|ttl| ttl.0) };
        // Stdin is read once; a file or a variable is there to be read again, and a file may hold a new session by then.
        let again = if self.source.is_stdin() { None } else { Some(self.source.read(Some(&self.args.broker.issuer)).map_err(passing)?) };
        let session = again.as_ref().unwrap_or(&self.session);
        let minted = self.broker.mint(session.live(now().map_err(passing)?).map_err(passing)?, &request)?;
        private_file::replace(&self.args.out, &minted.jwt).map_err(passing)?;
        Ok(minted)
    }
}

fn audience(text: &str) -> Result<Audience, String> {
    Audience::try_from(text.to_owned()).map_err(|violation| violation.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_replaced_after_two_thirds_of_its_life() {
        let at = |seconds: u64| UnixTime::try_from(seconds).unwrap();
        for (lifetime, pause) in [(300, 200), (3_600, 2_400), (60, 40), (100, 66), (2, 1), (1, 1), (0, 1)] {
            assert_eq!(until_refresh(at(1_000), at(1_000 + lifetime)), Duration::from_secs(pause), "{lifetime}");
        }
        assert_eq!(until_refresh(at(1_000), at(0)), REST, "expired already");
    }
}
