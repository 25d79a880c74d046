//! The command: its arguments, its files, its exit code.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use agentkeys_edge_broker::aws::{RoleArn, STS_AUDIENCE};
use agentkeys_edge_broker::time::UnixTime;
use clap::Args;

use super::fetch::{self, CannotTell};
use super::keys::KeySet;
use super::report::{Report, text};
use super::rule::Finding;
use super::verdict::Verdict;
use super::{Expectations, Token, judge};
use crate::clock;
use crate::error::Error;
use crate::http::{Client, read_at_most};
use crate::output::Output;

const AFTER_HELP: &str = "\
Exit codes:
  0  accepted: STS takes the token (look at the warnings)
  1  refused: STS answers with the error that is shown
  2  cannot tell: an argument or a file is wrong, or the issuer does not answer

What lies behind the token is not judged: the role's trust policy, and the packed size of the tags.";

/// Will STS take this token? Says what STS would answer, by which rule, and what to do.
#[derive(Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct CheckArgs {
    /// The token's file; - reads it from stdin.
    #[arg(long, value_name = "FILE")]
    token_file: PathBuf,
    /// The issuer's key set; nothing is fetched then.
    #[arg(long, value_name = "FILE")]
    jwks: Option<PathBuf>,
    /// The registered IAM OIDC provider's URL, and where the key set is fetched from; without it: the token's iss.
    #[arg(long, value_name = "URL")]
    issuer: Option<String>,
    /// A client ID that is registered with the provider; may be repeated.
    #[arg(long, value_name = "AUDIENCE", default_value = STS_AUDIENCE)]
    audience: Vec<String>,
    /// The role to assume.
    #[arg(long, value_name = "ARN", value_parser = role)]
    role: Option<RoleArn>,
    /// The time to judge at, in Unix seconds; without it: now.
    #[arg(long, value_name = "UNIX", value_parser = unix_time)]
    at: Option<UnixTime>,
    /// Certificates (PEM) to trust for the issuer, in place of the public CAs.
    #[arg(long, value_name = "FILE", conflicts_with = "jwks")]
    ca_file: Option<PathBuf>,
}

fn role(text: &str) -> Result<RoleArn, String> {
    RoleArn::try_from(text.to_owned()).map_err(|violation| violation.to_string())
}

fn unix_time(text: &str) -> Result<UnixTime, String> {
    let rule = || agentkeys_edge_broker::time::NotATime.to_string();
    text.parse::<u64>().ok().and_then(|seconds| UnixTime::try_from(seconds).ok()).ok_or_else(rule)
}

/// The most bytes of a token's file: enough to count the characters of one that is too long.
const TOKEN_BYTES_MAX: u64 = 1024 * 1024;
/// The most bytes of a key set's file.
const KEY_SET_BYTES_MAX: u64 = 1024 * 1024;

/// Judges, reports, and exits with 0, 1 or 2.
pub(crate) fn run(args: &CheckArgs, output: &Output) -> Result<ExitCode, Error> {
    match verdict(args) {
        Ok(verdict) => {
            output.result(&Report::of(&verdict), || text(&verdict))?;
            Ok(ExitCode::from(u8::from(!verdict.is_accepted())))
        }
        Err(CannotTell(reason)) => {
            if output.is_json() {
                output.result(&Report::unknown(&reason), String::new)?;
            }
            output.remark(&format!("edge-broker: cannot tell: {reason}"));
            Ok(ExitCode::from(2))
        }
    }
}

fn verdict(args: &CheckArgs) -> Result<Verdict, CannotTell> {
    let at = args.at.map_or_else(clock::now, Ok).map_err(|error| CannotTell(error.to_string()))?;
    let text = token(&args.token_file)?;
    let given_keys = args.jwks.as_deref().map(key_set).transpose()?;
    let client = Client::new(args.ca_file.as_deref());
    let client = client.map_err(|why| CannotTell(format!("--ca-file {} {why}", args.ca_file.as_deref().map(shown).unwrap_or_default())))?;

    let token = match Token::parse(&text) {
        Ok(token) => token,
        Err(finding) => return Ok(Verdict::unreadable(finding, at)),
    };
    let keys = if let Some(keys) = given_keys {
        keys
    } else {
        let issuer = args.issuer.as_deref().or_else(|| token.issuer());
        let issuer = issuer.ok_or_else(|| CannotTell("the token names no issuer to ask for keys; give --issuer or --jwks".to_owned()))?;
        fetch::published(&client, issuer)?
    };
    let expected = Expectations { issuer: args.issuer.clone(), audiences: args.audience.clone(), role: args.role.clone() };
    Ok(judge(&token, &keys, &expected, at))
}

/// The token, without the line end that editors and `echo` leave behind it. A longer one than any is cut, still too long.
fn token(path: &Path) -> Result<String, CannotTell> {
    let content = if path.as_os_str() == "-" { cut(std::io::stdin().lock()) } else { std::fs::File::open(path).and_then(cut) };
    let content = content.map_err(|error| CannotTell(format!("--token-file {} cannot be read: {}", shown(path), error.kind())))?;
    let text = String::from_utf8_lossy(&content);
    Ok(text.trim_end_matches(['\r', '\n']).to_owned())
}

fn cut(reader: impl Read) -> std::io::Result<Vec<u8>> {
    let mut content = Vec::new();
    reader.take(TOKEN_BYTES_MAX).read_to_end(&mut content)?;
    Ok(content)
}

/// The key set of a file. What is not JSON is the wrong file, and no key set that STS could have been given.
fn key_set(path: &Path) -> Result<Result<KeySet, Finding>, CannotTell> {
    let content = read_at_most(path, KEY_SET_BYTES_MAX);
    let content = content.map_err(|error| CannotTell(format!("--jwks {} cannot be read: {}", shown(path), error.kind())))?;
    let content = content.ok_or_else(|| CannotTell(format!("--jwks {} is longer than 1 MiB", shown(path))))?;
    if super::json::Json::parse(&content).is_none() {
        return Err(CannotTell(format!("--jwks {} is not JSON", shown(path))));
    }
    Ok(KeySet::parse(&content))
}

fn shown(path: &Path) -> String {
    path.display().to_string().chars().flat_map(char::escape_debug).collect()
}
