//! Where an agent's session token is read from: a file, stdin, or a variable; never an argument.

use std::path::Path;

use agentkeys_edge_broker::session::SessionToken;

use crate::error::Error;
use crate::http::{read_all_at_most, read_at_most};

/// The variable that holds a session token.
pub(crate) const VARIABLE: &str = "EDGE_BROKER_SESSION_TOKEN";
/// The variable that names a file with one.
pub(crate) const FILE_VARIABLE: &str = "EDGE_BROKER_SESSION_TOKEN_FILE";
/// More than a token and the line end after it.
const BYTES_MAX: u64 = 1_024;

/// The session token of a file, or without one of a variable.
pub(crate) fn read(file: Option<&Path>, option: &str, variable: &str) -> Result<SessionToken, Error> {
    // A variable that is set to nothing is not set.
    if let Some(file) = file.filter(|file| !file.as_os_str().is_empty()) {
        return of(&text(file, option, BYTES_MAX)?, &format!("{option} {}", shown(file)));
    }
    match std::env::var(variable) {
        Ok(token) if !token.is_empty() => of(&token, variable),
        _ => Err(Error::usage(format!(
            "whose session? Hand its token over: {option} FILE, {option} - for stdin, or the variable {variable}"
        ))),
    }
}

/// The text of a small file that holds a secret; `-` is stdin.
pub(crate) fn text(file: &Path, option: &str, bytes: u64) -> Result<String, Error> {
    let content = if file.as_os_str() == "-" { read_all_at_most(std::io::stdin().lock(), bytes) } else { read_at_most(file, bytes) };
    let content = content.map_err(|error| Error::file(format!("{option} {} cannot be read: {}", shown(file), error.kind())))?;
    let content = content.ok_or_else(|| Error::input(format!("{option} {} is too long for a token", shown(file))))?;
    let text = String::from_utf8(content).map_err(|_| Error::input(format!("{option} {} is not text", shown(file))))?;
    Ok(text.trim_ascii().to_owned())
}

/// A path for people: in one line.
pub(crate) fn shown(path: &Path) -> String {
    path.display().to_string().chars().flat_map(char::escape_debug).collect()
}

fn of(text: &str, source: &str) -> Result<SessionToken, Error> {
    text.trim_ascii().parse().map_err(|rule| Error::input(format!("{source} holds no session token: {rule}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_comes_from_a_file_and_is_never_repeated() {
        let token = SessionToken::from_random(&[7; 32]);
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("token");
        let of = |content: &str| {
            std::fs::write(&file, content).unwrap();
            read(Some(&file), "--session-token-file", VARIABLE)
        };
        for content in [token.expose().to_owned(), format!("{}\n", token.expose()), format!("  {}\r\n", token.expose())] {
            assert!(of(&content).is_ok_and(|read| read == token));
        }
        for content in [String::new(), format!("Bearer {}", token.expose()), format!("{}x", token.expose()), "x".repeat(10_000)] {
            let error = of(&content).unwrap_err();
            assert_eq!(error.code(), 64);
            assert!(!error.to_string().contains(token.expose()), "{error}");
        }
        assert_eq!(read(Some(Path::new("no/such/file")), "--session-token-file", VARIABLE).unwrap_err().code(), 74);
        assert_eq!(read(Some(directory.path()), "--session-token-file", VARIABLE).unwrap_err().code(), 74);
    }
}
