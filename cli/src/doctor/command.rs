//! The command: its arguments, the session token, its exit code.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use agentkeys_edge_broker::session::SessionToken;
use clap::Args;

use super::examination::{Patient, examine};
use super::outcome::{Check, Outcome};
use super::probe::Probe;
use super::report::{Report, text, worst};
use crate::error::Error;
use crate::http::{Client, is_loopback_http};
use crate::output::Output;
use crate::session_token::{VARIABLE, session_in, session_of};

const AFTER_HELP: &str = "\
Each line is one check: pass, warn, fail or skip, its name, why, and after => what to do.
With a session, tokens of it are minted, looked at and thrown away. Nothing is changed at the issuer.

Exit codes:
  0  every check passes, or warns (with --strict: passes)
  1  a check fails: STS refuses this issuer or its tokens, or isolation is not there
  2  cannot tell: an argument or a file is wrong, or the issuer does not answer at all

Examples:
  edge-broker doctor https://keys.example.com
  edge-broker session issue WALLET --ttl 1h --env production --remote | edge-broker doctor https://keys.example.com --session-token-file -";

/// Is this issuer in order, as AWS and its users see it from outside?
#[derive(Args)]
#[command(after_help = AFTER_HELP)]
#[allow(clippy::doc_markdown, reason = "these are help texts")]
pub(crate) struct DoctorArgs {
    /// The issuer, exactly as it is registered with AWS.
    #[arg(value_name = "URL")]
    url: String,
    /// A file with a session token, to see what is minted for it; - for stdin. Without this: EDGE_BROKER_SESSION_TOKEN, if set.
    #[arg(long, value_name = "FILE")]
    session_token_file: Option<PathBuf>,
    /// The audience to mint for; without it the session's first, which should be sts.amazonaws.com.
    #[arg(long, value_name = "AUDIENCE")]
    audience: Option<String>,
    /// Certificates (PEM) to trust, in place of the public CAs.
    #[arg(long, value_name = "FILE")]
    ca_file: Option<PathBuf>,
    /// Exit with 1 where a check warns, too.
    #[arg(long)]
    strict: bool,
}

/// Examines, reports, and exits with 0, 1 or 2.
pub(crate) fn run(args: &DoctorArgs, output: &Output) -> Result<ExitCode, Error> {
    match examination(args) {
        Ok(checks) => {
            output.result(&Report::of(&args.url, &checks), || text(&args.url, &checks))?;
            let is_bad = match worst(&checks) {
                Outcome::Fail => true,
                Outcome::Warn => args.strict,
                Outcome::Pass | Outcome::Skip => false,
            };
            Ok(ExitCode::from(u8::from(is_bad)))
        }
        Err(reason) => {
            if output.is_json() {
                output.result(&Report::unknown(&shown(&args.url), &reason), String::new)?;
            }
            output.remark(&format!("edge-broker: cannot tell: {reason}"));
            Ok(ExitCode::from(2))
        }
    }
}

fn examination(args: &DoctorArgs) -> Result<Vec<Check>, String> {
    issuer_url(&args.url)?;
    let session = session(args.session_token_file.as_deref(), &args.url)?;
    let client = Client::new(args.ca_file.as_deref());
    let client = client.map_err(|why| {
        let file = args.ca_file.as_deref().map(|path| path.display().to_string()).unwrap_or_default();
        format!("--ca-file {} {why}", shown(&file))
    })?;
    let patient =
        Patient { url: &args.url, has_ca_file: args.ca_file.is_some(), session: session.as_ref(), audience: args.audience.as_deref() };
    examine(&Probe::new(client, &args.url), &patient).map_err(|unseen| format!("{} {unseen}", shown(&args.url)))
}

/// What can be an issuer's URL at all. Whether AWS takes it is a check.
fn issuer_url(url: &str) -> Result<(), String> {
    let authority = url.split_once("://").map_or(url, |(_, rest)| rest).split(['/', '?', '#']).next().unwrap_or_default();
    if authority.contains('@') {
        // Not shown: it may have a password in it.
        return Err("the URL has a user or a password in it: an issuer has none".to_owned());
    }
    let why = if !url.starts_with("https://") && !is_loopback_http(url) {
        "is not an https URL (http is for loopback hosts only)"
    } else if authority.is_empty() || url.bytes().any(|byte| !byte.is_ascii_graphic()) || url.len() > 2_048 {
        "is not an issuer's URL: host, and a port and a path if wanted, in printable ASCII"
    } else if url.contains(['?', '#']) {
        "has a query or a fragment: an issuer has neither"
    } else {
        return Ok(());
    };
    Err(format!("{} {why}", shown(url)))
}

/// The session token, if there is one.
fn session(file: Option<&Path>, issuer: &str) -> Result<Option<SessionToken>, String> {
    let session = match file {
        Some(path) => session_in(path, "--session-token-file", Some(issuer)),
        None => match std::env::var(VARIABLE) {
            Ok(token) if !token.is_empty() => session_of(&token, VARIABLE, Some(issuer)),
            _ => return Ok(None),
        },
    };
    session.map(|session| Some(session.token)).map_err(|error| error.to_string())
}

/// For people: escaped, and not longer than a line.
fn shown(text: &str) -> String {
    text.chars().take(300).flat_map(char::escape_debug).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_an_issuer_is_refused() {
        for good in ["https://keys.example.com", "https://keys.example.com/a/", "http://localhost:8787", "http://[::1]:1/a"] {
            assert_eq!(issuer_url(good), Ok(()), "{good}");
        }
        for bad in [
            "",
            "keys.example.com",
            "http://keys.example.com",
            "ftp://localhost",
            "https://",
            "https:///a",
            "https://keys.example.com/?a",
            "https://keys.example.com#a",
            "https://keys.example.com/a b",
            "https://kéys.example.com",
            "https://user:secret@keys.example.com",
        ] {
            let why = issuer_url(bad).unwrap_err();
            assert!(!why.contains("secret"), "{why}");
        }
    }
}
