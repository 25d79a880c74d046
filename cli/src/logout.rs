//! `logout`: the session that `login` has kept ends, at the broker and on this machine.
//!
//! The broker first: while it is not known to have ended the session, the file stays, for it is the only way to end it so.

use std::path::PathBuf;
use std::process::ExitCode;

use agentkeys_edge_broker::wallet::Wallet;
use clap::Args;
use serde::Serialize;

use crate::address::{checksummed, wallet_argument};
use crate::broker_client::{Refusal, explain, explain_status, patiently};
use crate::clock::rfc3339;
use crate::error::Error;
use crate::http::Client;
use crate::output::Output;
use crate::session_token::{one_line, shown};
use crate::stored_login::{Logins, StoredLogin, canonical};

const AFTER_HELP: &str = "\
Without --issuer and --wallet it is the only login there is; with --issuer alone the last one there.
An edge that has seen the session goes on minting for it until its cached copy ends: 60 seconds or
more. Tokens and AWS credentials that were issued before stay valid until they expire.

Examples:
  edge-broker logout --issuer https://broker.example.com
  edge-broker logout --issuer https://broker.example.com \\
    --wallet 0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed
  edge-broker logout --session-file /run/agent/session";

/// End the session that a wallet has logged in to, and forget it.
#[derive(Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct LogoutArgs {
    /// The issuer: the URL of the broker.
    #[arg(long, value_name = "URL", env = "EDGE_BROKER_ISSUER")]
    issuer: Option<String>,
    /// The wallet, where several have logged in.
    #[arg(long, value_name = "WALLET", value_parser = wallet_argument)]
    wallet: Option<Wallet>,
    /// The file that login --session-file has written.
    #[arg(long, value_name = "FILE")]
    session_file: Option<PathBuf>,
    /// Remove the file even if the broker does not end the session; it then lives on until it expires.
    #[arg(long)]
    forget: bool,
    /// Certificates (PEM) to trust for the issuer, in place of the public CAs.
    #[arg(long, value_name = "FILE", env = "AWS_CA_BUNDLE")]
    ca_file: Option<PathBuf>,
}

/// The result as JSON.
#[derive(Serialize)]
struct LoggedOut<'a> {
    issuer: &'a str,
    wallet: &'a Wallet,
    session: Outcome,
    /// The wallet that is meant from now on where none is named.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<Wallet>,
}

/// What became of the session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Outcome {
    /// The broker has ended it.
    Ended,
    /// The broker does not know it any more.
    Gone,
    /// Nobody has ended it.
    Forgotten,
}

/// Ends the session and removes its file.
pub(crate) fn run(args: &LogoutArgs, output: &Output) -> Result<ExitCode, Error> {
    let (file, login) = match find(args)? {
        (file, Ok(login)) => (file, login),
        (file, Err(_)) if args.forget => {
            remove(&file)?;
            output.remark(&format!("{} was no session; it is removed", shown(&file)));
            return Ok(ExitCode::SUCCESS);
        }
        (_, Err(error)) => return Err(error.and("logout --forget removes the file; it ends no session.")),
    };
    let client = Client::for_issuer(args.ca_file.as_deref())?;
    let session = match patiently(|| end(&client, &login)) {
        Ok(ended) => ended,
        Err(refusal) if args.forget => {
            output.remark(&format!(
                "edge-broker: the session was not ended: {}. It lives on until {}",
                refusal.error,
                rfc3339(login.expires_at)
            ));
            Outcome::Forgotten
        }
        Err(refusal) => {
            return Err(refusal
                .error
                .and(&format!("The session is kept in {} and was not ended: run this again, or forget it with --forget", shown(&file))));
        }
    };
    remove(&file)?;
    let next = if args.session_file.is_some() { None } else { next(&login.issuer) };
    let result = LoggedOut { issuer: &login.issuer, wallet: &login.wallet, session, next: next.clone() };
    output.result(&result, || {
        let who = format!("{} at {}", checksummed(&login.wallet), one_line(&login.issuer));
        match session {
            Outcome::Ended => format!("logged out {who}: the session has ended"),
            Outcome::Gone => format!("logged out {who}: the session was gone already"),
            Outcome::Forgotten => format!("forgot the session of {who}"),
        }
    })?;
    if let Some(next) = next.filter(|_| !output.is_json()) {
        output.remark(&format!("{} is logged in there too, and is meant from now on where no --wallet is named", checksummed(&next)));
    }
    Ok(ExitCode::SUCCESS)
}

/// The file that is meant, and what it holds.
fn find(args: &LogoutArgs) -> Result<(PathBuf, Result<StoredLogin, Error>), Error> {
    let issuer = args.issuer.as_deref().map(canonical);
    if let Some(file) = &args.session_file {
        let login = match StoredLogin::read(file) {
            // A file that is not there is nothing to forget.
            Err(error) if error.code() == 74 => return Err(error),
            other => other,
        };
        let is_other = |login: &StoredLogin| {
            issuer.is_some_and(|issuer| issuer != login.issuer) || args.wallet.as_ref().is_some_and(|wallet| *wallet != login.wallet)
        };
        return match login {
            Ok(login) if is_other(&login) => {
                Err(Error::input(format!("{} holds a session of another issuer or wallet than is named: nothing was ended", shown(file))))
            }
            login => Ok((file.clone(), login)),
        };
    }
    let nobody = || Error::absent("no such login is kept on this machine: nothing was ended");
    let logins = Logins::users_own().ok_or_else(nobody)?;
    let found = if let Some(issuer) = issuer {
        logins.find(issuer, args.wallet.as_ref())?.ok_or_else(nobody)?
    } else {
        let all = logins.all()?.into_iter().filter(|found| args.wallet.as_ref().is_none_or(|wallet| *wallet == found.wallet));
        let mut all: Vec<_> = all.collect();
        match (all.pop(), all.is_empty()) {
            (None, _) => return Err(nobody()),
            (Some(only), true) => only,
            (Some(last), false) => {
                let line = |found: &crate::stored_login::Found| match found.read() {
                    Ok(login) => format!("\n  --issuer {} --wallet {}", one_line(&login.issuer), checksummed(&login.wallet)),
                    Err(_) => format!("\n  --session-file {}  (broken)", shown(&found.file)),
                };
                let lines: String = all.iter().chain([&last]).map(line).collect();
                return Err(Error::usage(format!("which login? Say one of these:{lines}")));
            }
        }
    };
    let login = found.read();
    Ok((found.file, login))
}

/// `DELETE /v1/session`: 204 where it was there, 401 where it is not.
fn end(client: &Client, login: &StoredLogin) -> Result<Outcome, Refusal> {
    match client.delete(&format!("{}/v1/session", login.issuer), login.token.expose()) {
        Ok(answer) => match answer.status {
            204 => Ok(Outcome::Ended),
            401 => Ok(Outcome::Gone),
            _ => Err(explain_status(&answer)),
        },
        Err(error) => Err(explain(&error)),
    }
}

fn remove(file: &std::path::Path) -> Result<(), Error> {
    std::fs::remove_file(file).map_err(|error| Error::file(format!("{} cannot be removed: {}", shown(file), error.kind())))
}

/// Who is meant at an issuer now, if that can be told.
fn next(issuer: &str) -> Option<Wallet> {
    Some(Logins::users_own()?.find(issuer, None).ok()??.wallet)
}
