//! Which session a command is about: by its hash, by the start of it that `list` shows, or by its token.

use std::io::Read;
use std::path::{Path, PathBuf};

use agentkeys_edge_broker::session::{SessionHash, SessionToken};
use clap::Args;

use super::sessions::Sessions;
use crate::error::Error;
use crate::wrangler::TOKEN_VARIABLE;

/// The fewest characters of a hash that name a session: as many as `list` shows.
const START_MIN: usize = 12;
/// More than a token and the line end after it.
const TOKEN_BYTES_MAX: u64 = 1_024;

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
        match (self.hash.as_deref(), &self.token_file) {
            (Some("-"), _) => token_in(Path::new("-")),
            (Some(text), _) => hash_or_start(text),
            (None, Some(file)) => token_in(file),
            (None, None) => match std::env::var(TOKEN_VARIABLE) {
                Ok(token) if !token.is_empty() => token_of(&token, TOKEN_VARIABLE),
                _ => Err(Error::usage(
                    "which session? Name its HASH, or hand over its token: --token-file FILE, --token-file - for stdin, or EDGE_BROKER_SESSION_TOKEN",
                )),
            },
        }
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

fn token_in(file: &Path) -> Result<Named, Error> {
    let mut text = String::new();
    let read = if file == Path::new("-") {
        std::io::stdin().lock().take(TOKEN_BYTES_MAX).read_to_string(&mut text)
    } else {
        std::fs::File::open(file).and_then(|file| file.take(TOKEN_BYTES_MAX).read_to_string(&mut text))
    };
    let source = if file == Path::new("-") { "stdin".to_owned() } else { file.display().to_string() };
    read.map_err(|_| Error::file(format!("{source} cannot be read: it is to hold a session token")))?;
    token_of(&text, &source)
}

fn token_of(text: &str, source: &str) -> Result<Named, Error> {
    let token: SessionToken = text.trim_ascii().parse().map_err(|rule| Error::input(format!("{source} holds no session token: {rule}")))?;
    Ok(Named::Hash(token.hash()))
}

#[cfg(test)]
mod tests {
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
