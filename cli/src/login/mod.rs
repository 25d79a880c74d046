//! `login`: a wallet signs in with its private key, and the session it gets is kept on this machine.
//!
//! 1. read the key, and see that there is a place for the session;
//! 2. ask the broker for a message, hold it against the rules ([`message`]), sign it ([`key`]), send the signature ([`exchange`]);
//! 3. keep the session in a private file.
//!
//! The key is read once and leaves this process in no form. The token is shown where it was asked for, and nowhere else.

mod exchange;
mod key;
mod message;

use std::path::PathBuf;
use std::process::ExitCode;

use agentkeys_edge_broker::config::{Config, Issuer};
use agentkeys_edge_broker::signin::ChainId;
use clap::Args;
use serde::Serialize;

use crate::address::checksummed;
use crate::clock::rfc3339;
use crate::error::Error;
use crate::http::Client;
use crate::output::Output;
use crate::private_file;
use crate::session_token::shown;
use crate::stored_login::{Logins, StoredLogin, canonical};
use exchange::sign_in;
use key::WalletKey;

const AFTER_HELP: &str = "\
The key file holds a private key of 32 bytes as 64 hex digits, with or without 0x, and nobody but
its owner may read it. What the broker asks to sign is signed only if it is a sign-in of this
wallet at this issuer. The session is kept in a private file (0600) below XDG_STATE_HOME or
~/.local/state, one for each issuer and wallet; credentials, token, prove and session show find it
there. Another login of the same wallet takes its place; the session before it lives on until it
expires.

Examples:
  edge-broker login --issuer https://broker.example.com --wallet-key-file wallet.key
  edge-broker credentials --issuer https://broker.example.com \\
    --role-arn arn:aws:iam::123456789012:role/agentkeys-wallet

  pass show wallet | edge-broker login --issuer https://broker.example.com --wallet-key-file - \\
    --session-file /run/agent/session
  edge-broker token --issuer https://broker.example.com \\
    --session-token-file /run/agent/session --out /run/agent/token";

/// Sign in with a wallet's private key, and keep the session on this machine.
#[derive(Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct LoginArgs {
    /// The issuer: the URL of the broker, exactly as it is configured.
    #[arg(long, value_name = "URL", env = "EDGE_BROKER_ISSUER")]
    issuer: String,
    /// A file with the wallet's private key; - for stdin.
    #[arg(long, value_name = "FILE")]
    wallet_key_file: PathBuf,
    /// The chain to name in the message (EIP-155).
    #[arg(long, value_name = "N", default_value = "1", value_parser = chain_id)]
    chain_id: ChainId,
    /// Keep the session in this file, for --session-token-file, and not among this user's; its directory has to be there.
    #[arg(long, value_name = "FILE")]
    session_file: Option<PathBuf>,
    /// Print the session token and keep it nowhere.
    #[arg(long, conflicts_with = "session_file")]
    print: bool,
    /// Certificates (PEM) to trust for the issuer, in place of the public CAs.
    #[arg(long, value_name = "FILE", env = "AWS_CA_BUNDLE")]
    ca_file: Option<PathBuf>,
}

/// The result as JSON.
#[derive(Serialize)]
struct LoggedIn<'a> {
    issuer: &'a str,
    wallet: &'a str,
    expires_at: u64,
    /// Where the session is kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    session_file: Option<String>,
    /// In place of it, where it was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    session_token: Option<&'a str>,
}

/// Where the session goes.
enum Place {
    Print,
    File(PathBuf),
    Own(Logins),
}

/// Signs in.
pub(crate) fn run(args: &LoginArgs, output: &Output) -> Result<ExitCode, Error> {
    // Everything that can be refused is refused before anything is signed.
    let issuer = issuer(&args.issuer)?;
    let place = place(args)?;
    let client = Client::for_issuer(args.ca_file.as_deref())?;
    let key = WalletKey::read(&args.wallet_key_file)?;
    let login = sign_in(&client, &issuer, &key, args.chain_id)?;
    let file = match &place {
        Place::Print => None,
        Place::File(file) => private_file::replace(file, &login.to_json()?).map(|()| Some(file.clone())).map_err(unkept)?,
        Place::Own(logins) => logins.keep(&login).map(Some).map_err(unkept)?,
    };
    let result = LoggedIn {
        issuer: &login.issuer,
        wallet: login.wallet.as_str(),
        expires_at: login.expires_at.seconds(),
        session_file: file.as_ref().map(|file| file.display().to_string()),
        session_token: args.print.then(|| login.token.expose()),
    };
    let said = said(&login);
    match file {
        None => {
            output.result(&result, || login.token.expose().to_owned())?;
            if !output.is_json() {
                output.remark(&format!("{said}\nThe token is shown this once and kept nowhere."));
            }
        }
        Some(file) => output.result(&result, || format!("{said}\nkept     {}", shown(&file)))?,
    }
    Ok(ExitCode::SUCCESS)
}

fn said(login: &StoredLogin) -> String {
    format!("wallet   {}\nissuer   {}\nexpires  {}", checksummed(&login.wallet), login.issuer, rfc3339(login.expires_at))
}

fn place(args: &LoginArgs) -> Result<Place, Error> {
    match (&args.session_file, args.print) {
        (_, true) => Ok(Place::Print),
        (Some(file), false) if file.as_os_str() == "-" => Err(Error::usage("--session-file is a file; --print writes the token to stdout")),
        (Some(file), false) => Ok(Place::File(file.clone())),
        (None, false) => {
            let logins = Logins::users_own().ok_or_else(|| {
                Error::usage("where is the session kept? Name a file with --session-file: neither XDG_STATE_HOME nor HOME is set")
            })?;
            logins.prepare()?;
            Ok(Place::Own(logins))
        }
    }
}

/// The issuer, in the one form that a broker takes for its own.
fn issuer(text: &str) -> Result<Issuer, Error> {
    let configured = Config::parse(|name| (name == "ISSUER").then(|| canonical(text).to_owned()));
    configured.map(|config| config.issuer).map_err(|_| {
        Error::input(
            "--issuer is the https URL of the broker, as its ISSUER has it (http is for loopback hosts only; lower-case host, no query)",
        )
    })
}

fn unkept(error: Error) -> Error {
    error.and("The wallet has signed in, and the session could not be kept: it is lost, and ends by itself.")
}

fn chain_id(text: &str) -> Result<ChainId, String> {
    // `u64::from_str` takes a sign too.
    let number =
        Some(text).filter(|text| text.bytes().all(|byte| byte.is_ascii_digit())).and_then(|text| text.parse().ok()).unwrap_or(0_u64);
    ChainId::try_from(number).map_err(|rule| format!("a chain id {rule}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_issuer_is_what_a_broker_takes_for_one() {
        for good in ["https://broker.example.com", "https://broker.example.com/a/", "http://localhost:8787", "http://127.0.0.1:1/a"] {
            assert_eq!(issuer(good).unwrap().as_str(), good.trim_end_matches('/'));
        }
        for bad in [
            "",
            "broker.example.com",
            "http://broker.example.com",
            "https://Broker.example.com",
            "https://a@broker.example.com",
            "https://broker.example.com/?a",
            "https://broker.example.com:443",
        ] {
            assert_eq!(issuer(bad).unwrap_err().code(), 64, "{bad}");
        }
    }

    #[test]
    fn a_chain_id_is_a_whole_number() {
        for good in ["1", "10", "9007199254740991"] {
            assert_eq!(chain_id(good).unwrap().to_string(), good);
        }
        for bad in ["", "0", "-1", "+1", "1.0", "0x1", " 1", "9007199254740992", "18446744073709551616"] {
            assert!(chain_id(bad).is_err(), "{bad}");
        }
    }
}
