//! Which session a command is about: by its hash, by the start of it that `list` shows, or by its token.

use std::path::{Path, PathBuf};

use agentkeys_edge_broker::session::SessionHash;
use agentkeys_edge_broker::wallet::Wallet;
use clap::Args;

use super::sessions::Sessions;
use crate::broker_client::own_session;
use crate::error::Error;
use crate::session_token::{Session, VARIABLE, session_in, session_of};

/// The fewest characters of a hash that name a session: as many as `list` shows.
const START_MIN: usize = 12;

/// One session.
#[derive(Args)]
#[allow(clippy::doc_markdown, reason = "these are help texts")]
pub(crate) struct WhichArgs {
    /// The session's hash, or the start of it that list shows; - to read its token from stdin.
    #[arg(value_name = "HASH", allow_hyphen_values = true, conflicts_with = "token_file")]
    hash: Option<String>,
    /// A file with the session's token; - for stdin. Without HASH and this: EDGE_BROKER_SESSION_TOKEN.
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
}

/// What the command line names.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Named {
    Hash(SessionHash),
    /// The first characters of a hash.
    Start(String),
}

impl WhichArgs {
    /// Reads it, before anything runs.
    pub(super) fn named(&self) -> Result<Named, Error> {
        self.handed_over()?.ok_or_else(|| {
            Error::usage(
                "which session? Name its HASH, or hand over its token: --token-file FILE, --token-file - for stdin, or EDGE_BROKER_SESSION_TOKEN",
            )
        })
    }

    /// The same; where nothing is said the session that is stored for an issuer, of its last login or of a wallet's.
    pub(super) fn named_or_stored(&self, issuer: Option<&str>, wallet: Option<&Wallet>) -> Result<Named, Error> {
        // A wallet is named by an option, which is stronger than a variable.
        let handed_over = if wallet.is_none() { self.handed_over()? } else { None };
        match (handed_over, issuer) {
            (Some(named), _) => Ok(named),
            (None, Some(issuer)) => {
                let session = own_session(Some(issuer), None, wallet).source()?.read(Some(issuer))?;
                Ok(Named::Hash(session.token.hash()))
            }
            (None, None) => Err(Error::usage(
                "which session? Name its HASH; hand over its token: --token-file FILE, --token-file - for stdin, or \
                 EDGE_BROKER_SESSION_TOKEN; or name the --issuer at which edge-broker login has opened it",
            )),
        }
    }

    fn handed_over(&self) -> Result<Option<Named>, Error> {
        let of = |session: Session| Named::Hash(session.token.hash());
        let named = match (self.hash.as_deref(), &self.token_file) {
            (Some("-"), _) => of(session_in(Path::new("-"), "HASH", None)?),
            (Some(text), _) => hash_or_start(text)?,
            (None, Some(file)) => of(session_in(file, "--token-file", None)?),
            (None, None) => match std::env::var(VARIABLE) {
                Ok(token) if !token.is_empty() => of(session_of(&token, VARIABLE, None)?),
                _ => return Ok(None),
            },
        };
        Ok(Some(named))
    }
}

impl Named {
    /// The whole hash.
    pub(super) fn find(self, sessions: &Sessions<'_>) -> Result<SessionHash, Error> {
        let start = match self {
            Self::Hash(hash) => return Ok(hash),
            Self::Start(start) => start,
        };
        let mut hashes = sessions.starting(&start)?.into_iter();
        match (hashes.next(), hashes.next()) {
            (Some(hash), None) => Ok(hash),
            (None, _) => Err(Error::absent(format!(
                "no session whose hash starts with {start} is among {}: it has expired, was revoked, is not seen yet, or is elsewhere \
                 (--env, --local, --remote)",
                sessions.place().of("sessions")
            ))),
            (Some(_), Some(_)) => Err(Error::input(format!("the hashes of several sessions start with {start}: name more of it"))),
        }
    }
}

fn hash_or_start(text: &str) -> Result<Named, Error> {
    if let Ok(hash) = text.parse() {
        return Ok(Named::Hash(hash));
    }
    let characters = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
    if characters && (START_MIN..43).contains(&text.len()) {
        return Ok(Named::Start(text.to_owned()));
    }
    Err(Error::input("a session's hash is 43 characters of base64url; its first 12, as list shows them, will do"))
}

#[cfg(test)]
mod tests {
    use agentkeys_edge_broker::session::SessionToken;
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        which: WhichArgs,
        #[arg(long)]
        json: bool,
    }

    fn named(arguments: &[&str]) -> Result<Named, Error> {
        let line = Line::try_parse_from(std::iter::once(&"x").chain(arguments)).ok().unwrap();
        line.which.named()
    }

    fn token() -> SessionToken {
        SessionToken::from_random(&[7; 32])
    }

    #[test]
    fn a_hash_is_a_hash_whatever_it_starts_with() {
        let hash = token().hash();
        assert_eq!(named(&[hash.as_str()]).unwrap(), Named::Hash(hash.clone()));
        for start in ["-", "--", "-h", "-V", "_"] {
            let text = format!("{start}{}", hash.as_str().get(start.len()..).unwrap());
            assert_eq!(named(&["--json", &text]).unwrap(), Named::Hash(text.parse().unwrap()), "{text}");
            let start = text.get(..12).unwrap();
            assert_eq!(named(&[start, "--json"]).unwrap(), Named::Start(start.to_owned()));
        }
    }

    #[test]
    fn what_is_no_hash_is_refused() {
        let hash = token().hash();
        for text in [
            "",
            "abc",
            hash.as_str().get(..11).unwrap(),
            &format!("{hash}A"),
            "0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed*",
            "session/v1/aaaaaaaaaaaaaaaa",
        ] {
            assert_eq!(named(&[text]).unwrap_err().code(), 64, "{text}");
        }
    }

    #[test]
    fn a_token_comes_from_a_file_and_is_never_repeated() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("token");
        let of = |content: &str| {
            std::fs::write(&file, content).unwrap();
            named(&["--token-file", file.to_str().unwrap()])
        };
        for content in [token().expose().to_owned(), format!("{}\n", token().expose()), format!("  {}\r\n", token().expose())] {
            assert_eq!(of(&content).unwrap(), Named::Hash(token().hash()));
        }
        for content in [String::new(), format!("Bearer {}", token().expose()), format!("{}x", token().expose()), "x".repeat(10_000)] {
            let error = of(&content).unwrap_err();
            assert_eq!(error.code(), 64);
            assert!(!error.to_string().contains(token().expose()), "{error}");
        }
        assert_eq!(named(&["--token-file", "no/such/file"]).unwrap_err().code(), 74);
    }

    #[test]
    fn hash_and_token_file_are_alternatives() {
        assert!(Line::try_parse_from(["x", token().hash().as_str(), "--token-file", "f"]).is_err());
    }
}
