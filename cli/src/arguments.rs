//! The one rule that holds for every command line: no secret on it, neither a session token nor a wallet's private key.

use std::ffi::OsString;

use agentkeys_edge_broker::session::SessionToken;

use crate::error::Error;

/// The characters of a session token.
const TOKEN_LENGTH: usize = 47;
/// The hex digits of a wallet's private key.
const KEY_LENGTH: usize = 64;

/// What stands among the arguments stays in the shell's history and is seen by every process on the machine.
pub(crate) fn refuse_secrets(arguments: impl Iterator<Item = OsString>) -> Result<(), Error> {
    let mut is_login = false;
    for argument in arguments {
        let argument = argument.to_string_lossy();
        if holds_session_token(&argument) {
            return Err(Error::usage(
                "a session token stands on the command line: it is in the shell's history now, so revoke it. Hand a token over \
                 with --token-file FILE, on stdin with --token-file -, or in EDGE_BROKER_SESSION_TOKEN",
            ));
        }
        // Elsewhere so many hex digits may be a hash.
        is_login |= argument == "login";
        if is_login && is_private_key(&argument) {
            return Err(Error::usage(
                "a private key stands on the command line: it is in the shell's history now, so use it no more. Hand a key over \
                 with --wallet-key-file FILE, or on stdin with --wallet-key-file -",
            ));
        }
    }
    Ok(())
}

/// A private key as a whole argument, or after an option's `=`.
fn is_private_key(text: &str) -> bool {
    let value = text.rsplit_once('=').map_or(text, |(_, value)| value).trim_ascii();
    let digits = value.strip_prefix("0x").or_else(|| value.strip_prefix("0X")).unwrap_or(value);
    digits.len() == KEY_LENGTH && digits.bytes().all(|byte| byte.is_ascii_hexdigit())
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
            let error = refuse_secrets([OsString::from("session"), OsString::from(&argument)].into_iter()).unwrap_err();
            assert_eq!(error.code(), 2);
            assert!(!error.to_string().contains(token.trim_start_matches("aks_")), "the error repeats it");
        }
    }

    #[test]
    fn other_arguments_pass() {
        let hash = SessionToken::from_random(&[7; 32]).hash();
        let shortened = SessionToken::from_random(&[7; 32]).expose().get(..46).unwrap().to_owned();
        for argument in ["session", "show", hash.as_str(), "--label=aks_", "aks_token.txt", &shortened, "aks_é"] {
            assert!(refuse_secrets([OsString::from(argument)].into_iter()).is_ok(), "{argument}");
        }
    }

    #[test]
    fn a_private_key_is_refused_where_a_wallet_logs_in() {
        let key = "7".repeat(64);
        let refused = |line: &[&str]| refuse_secrets(line.iter().map(OsString::from));
        for argument in
            [key.clone(), format!("0x{key}"), format!("--wallet-key-file={key}"), format!("--wallet-key-file=0X{key}"), format!("{key}\n")]
        {
            let error = refused(&["edge-broker", "--json", "login", "--wallet-key-file", &argument]).unwrap_err();
            assert_eq!(error.code(), 2);
            assert!(!error.to_string().contains(&key), "the error repeats it");
        }
        for line in [
            &["edge-broker", "session", "issue", "--tag", &format!("commit={key}")][..],
            &["edge-broker", "login", "--wallet-key-file", &"7".repeat(63)],
            &["edge-broker", "login", "--wallet-key-file", &format!("{key}.key")],
            &["edge-broker", "login", "--wallet-key-file", &"g".repeat(64)],
        ] {
            assert!(refused(line).is_ok(), "{line:?}");
        }
    }
}
