//! The one rule that holds for every command line: no session token on it.

use std::ffi::OsString;

use agentkeys_edge_broker::session::SessionToken;

use crate::error::Error;

/// The characters of a session token.
const TOKEN_LENGTH: usize = 47;

/// A token among the arguments stays in the shell's history and is seen by every process on the machine.
pub(crate) fn refuse_session_tokens(arguments: impl Iterator<Item = OsString>) -> Result<(), Error> {
    for argument in arguments {
        if holds_session_token(&argument.to_string_lossy()) {
            return Err(Error::usage(
                "a session token stands on the command line: it is in the shell's history now, so revoke it. Hand a token over \
                 with --token-file FILE, on stdin with --token-file -, or in EDGE_BROKER_SESSION_TOKEN",
            ));
        }
    }
    Ok(())
}

fn holds_session_token(text: &str) -> bool {
    text.match_indices("aks_").any(|(start, _)| {
        let end = start.saturating_add(TOKEN_LENGTH);
        text.get(start..end).is_some_and(|candidate| candidate.parse::<SessionToken>().is_ok())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_token_is_refused_wherever_it_stands() {
        let token = SessionToken::from_random(&[7; 32]);
        let token = token.expose();
        for argument in [
            token.to_owned(),
            format!("--token-file={token}"),
            format!("Bearer {token}"),
            format!("aks_aks_{token}\n"),
            format!("é{token}x"),
        ] {
            let error = refuse_session_tokens([OsString::from("session"), OsString::from(&argument)].into_iter()).unwrap_err();
            assert_eq!(error.code(), 2);
            assert!(!error.to_string().contains(token.trim_start_matches("aks_")), "the error repeats it");
        }
    }

    #[test]
    fn other_arguments_pass() {
        let hash = SessionToken::from_random(&[7; 32]).hash();
        let shortened = SessionToken::from_random(&[7; 32]).expose().get(..46).unwrap().to_owned();
        for argument in ["session", "show", hash.as_str(), "--label=aks_", "aks_token.txt", &shortened, "aks_é"] {
            assert!(refuse_session_tokens([OsString::from(argument)].into_iter()).is_ok(), "{argument}");
        }
    }
}
