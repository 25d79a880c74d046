//! Where an agent's session token is read from: a file, stdin, a variable, or what `login` has stored; never an argument.
//!
//! An option is stronger than a variable, and a variable than what is stored. A file holds the token alone, or is one that
//! `login --session-file` has written; such a one is taken for its own issuer only.

use std::path::{Path, PathBuf};

use agentkeys_edge_broker::session::SessionToken;
use agentkeys_edge_broker::time::UnixTime;
use agentkeys_edge_broker::wallet::Wallet;

use crate::address::checksummed;
use crate::clock::rfc3339;
use crate::error::Error;
use crate::http::{read_all_at_most, read_at_most};
use crate::stored_login::{self, Logins, StoredLogin, canonical};

/// The variable that holds a session token.
pub(crate) const VARIABLE: &str = "EDGE_BROKER_SESSION_TOKEN";
/// The variable that names a file with one.
pub(crate) const FILE_VARIABLE: &str = "EDGE_BROKER_SESSION_TOKEN_FILE";

/// What a command line says about a session.
pub(crate) struct Named<'a> {
    /// The file that an option names; `-` is stdin.
    pub(crate) file: Option<&'a Path>,
    /// That option.
    pub(crate) file_option: &'static str,
    /// The variable that names a file.
    pub(crate) file_variable: Option<&'static str>,
    /// The variable that holds a token.
    pub(crate) variable: &'static str,
    /// The issuer whose stored sessions are looked at.
    pub(crate) issuer: Option<&'a str>,
    /// The wallet whose stored session is wanted.
    pub(crate) wallet: Option<&'a Wallet>,
    /// That option.
    pub(crate) wallet_option: &'static str,
    /// Whether, with nothing else said, the last login is meant.
    pub(crate) or_the_last_login: bool,
}

/// Where a session token is, decided once: what is read again later is of the same wallet.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Source {
    File(PathBuf, &'static str),
    Variable(&'static str),
    Login(Wallet, PathBuf),
}

/// A session token, and what is known of its session here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Session {
    pub(crate) token: SessionToken,
    /// Where it was stored by `login`: whose it is, and until when.
    login: Option<(Wallet, UnixTime, String)>,
}

impl Session {
    /// The token, while its session is not known to be over.
    pub(crate) fn live(&self, now: UnixTime) -> Result<&SessionToken, Error> {
        match &self.login {
            Some((wallet, expires_at, issuer)) if *expires_at <= now => Err(Error::absent(format!(
                "the stored session of {} has expired ({}): log in again, edge-broker login --issuer {} --wallet-key-file FILE",
                checksummed(wallet),
                rfc3339(*expires_at),
                one_line(issuer)
            ))),
            _ => Ok(&self.token),
        }
    }
}

impl Named<'_> {
    /// The source, which is there: an option, a variable, or what is stored.
    pub(crate) fn source(&self) -> Result<Source, Error> {
        if let Some(file) = self.file.filter(|file| !file.as_os_str().is_empty()) {
            return Ok(Source::File(file.to_owned(), self.file_option));
        }
        if let Some(wallet) = self.wallet {
            return self.login(Some(wallet))?.ok_or_else(|| {
                Error::absent(format!(
                    "no session of {} is stored for this issuer: edge-broker login --issuer URL --wallet-key-file FILE",
                    checksummed(wallet)
                ))
            });
        }
        // A variable that is set to nothing is not set.
        let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
        if let Some((variable, file)) = self.file_variable.and_then(|name| Some((name, set(name)?))) {
            return Ok(Source::File(file.into(), variable));
        }
        if set(self.variable).is_some() {
            return Ok(Source::Variable(self.variable));
        }
        let login = if self.or_the_last_login { self.login(None)? } else { None };
        login.ok_or_else(|| self.nobody())
    }

    fn login(&self, wallet: Option<&Wallet>) -> Result<Option<Source>, Error> {
        let (Some(issuer), Some(logins)) = (self.issuer, Logins::users_own()) else { return Ok(None) };
        Ok(logins.find(issuer, wallet)?.map(|found| Source::Login(found.wallet, found.file)))
    }

    fn nobody(&self) -> Error {
        let (option, variable) = (self.file_option, self.variable);
        let login = if self.or_the_last_login {
            "Log in: edge-broker login --issuer URL --wallet-key-file FILE. Or hand".to_owned()
        } else {
            format!("Name a wallet that has logged in: {} WALLET. Or hand", self.wallet_option)
        };
        Error::usage(format!("whose session? {login} its token over: {option} FILE, {option} - for stdin, or the variable {variable}"))
    }
}

impl Source {
    /// Whether it can be read once only.
    pub(crate) fn is_stdin(&self) -> bool {
        matches!(self, Self::File(file, _) if file.as_os_str() == "-")
    }

    /// The session, as it is there now; one that `login` has stored has to be of this issuer.
    pub(crate) fn read(&self, issuer: Option<&str>) -> Result<Session, Error> {
        match self {
            Self::File(file, option) => session_in(file, option, issuer),
            Self::Variable(name) => session_of(&std::env::var(name).unwrap_or_default(), name, issuer),
            Self::Login(wallet, file) => {
                let login = StoredLogin::read(file)?;
                let is_issuer_s = issuer.is_none_or(|issuer| login.issuer == canonical(issuer));
                if login.wallet == *wallet && is_issuer_s {
                    Ok(login.into())
                } else {
                    Err(Error::stored(format!("{} holds a session of another issuer or wallet: log in again", shown(file))))
                }
            }
        }
    }
}

impl From<StoredLogin> for Session {
    fn from(login: StoredLogin) -> Self {
        Self { token: login.token, login: Some((login.wallet, login.expires_at, login.issuer)) }
    }
}

/// The session of a file's text, whatever put it there.
pub(crate) fn session_in(file: &Path, option: &str, issuer: Option<&str>) -> Result<Session, Error> {
    session_of(&text(file, option, stored_login::BYTES_MAX)?, &format!("{option} {}", shown(file)), issuer)
}

/// The session of a text: the token alone, or what `login` stores.
pub(crate) fn session_of(text: &str, source: &str, issuer: Option<&str>) -> Result<Session, Error> {
    let Some(login) = StoredLogin::parse(text) else {
        let token = text.trim_ascii().parse();
        return token
            .map(|token| Session { token, login: None })
            .map_err(|rule| Error::input(format!("{source} holds no session token: {rule}")));
    };
    match issuer.map(canonical) {
        Some(issuer) if issuer != login.issuer => {
            Err(Error::input(format!("{source} holds a session of another issuer, {}: nothing was sent", one_line(&login.issuer))))
        }
        _ => Ok(login.into()),
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
    one_line(&path.display().to_string())
}

/// A text for people: in one line.
pub(crate) fn one_line(text: &str) -> String {
    text.chars().flat_map(char::escape_debug).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ISSUER: &str = "https://broker.example.com";

    fn login(token: &SessionToken) -> StoredLogin {
        StoredLogin {
            issuer: ISSUER.to_owned(),
            wallet: "0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed".parse().unwrap(),
            token: token.clone(),
            signed_in_at: 100.try_into().unwrap(),
            expires_at: 200.try_into().unwrap(),
        }
    }

    #[test]
    fn a_token_comes_from_a_file_and_is_never_repeated() {
        let token = SessionToken::from_random(&[7; 32]);
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("token");
        let of = |content: &str| {
            std::fs::write(&file, content).unwrap();
            session_in(&file, "--session-token-file", Some(ISSUER)).map(|session| session.token)
        };
        for content in [
            token.expose().to_owned(),
            format!("{}\n", token.expose()),
            format!("  {}\r\n", token.expose()),
            login(&token).to_json().unwrap(),
        ] {
            assert!(of(&content).is_ok_and(|read| read == token), "{content}");
        }
        for content in [
            String::new(),
            format!("Bearer {}", token.expose()),
            format!("{}x", token.expose()),
            "x".repeat(10_000),
            login(&token).to_json().unwrap().replace("\"v\":1", "\"v\":2"),
        ] {
            let error = of(&content).unwrap_err();
            assert_eq!(error.code(), 64);
            assert!(!error.to_string().contains(token.expose()), "{error}");
        }
        for absent in [Path::new("no/such/file"), directory.path()] {
            assert_eq!(session_in(absent, "--session-token-file", None).unwrap_err().code(), 74);
        }
    }

    #[test]
    fn a_stored_session_goes_to_its_own_issuer_only() {
        let token = SessionToken::from_random(&[7; 32]);
        let text = login(&token).to_json().unwrap();
        for issuer in [Some(ISSUER), Some("https://broker.example.com/"), None] {
            assert_eq!(session_of(&text, "x", issuer).unwrap().token, token, "{issuer:?}");
        }
        for other in ["https://broker.example.com/a", "https://broker.example.org", "http://broker.example.com", ""] {
            let error = session_of(&text, "x", Some(other)).unwrap_err();
            assert_eq!(error.code(), 64);
            assert!(error.to_string().contains("another issuer") && !error.to_string().contains(token.expose()), "{error}");
        }
        assert!(session_of(token.expose(), "x", Some("https://anywhere.example.com")).is_ok(), "of a bare token nothing is known");
    }

    #[test]
    fn a_stored_session_ends_at_its_second_and_says_how_to_have_another() {
        let token = SessionToken::from_random(&[7; 32]);
        let at = |seconds: u64| UnixTime::try_from(seconds).unwrap();
        let session = Session::from(login(&token));
        assert_eq!(session.live(at(199)).unwrap(), &token);
        let error = session.live(at(200)).unwrap_err();
        assert_eq!(error.code(), 66);
        assert!(error.to_string().contains(&format!("log in again, edge-broker login --issuer {ISSUER}")), "{error}");
        assert!(Session { token, login: None }.live(at(u64::from(u32::MAX))).is_ok(), "of a bare token nothing is known");
    }
}
