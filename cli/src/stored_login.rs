//! Sessions that wallets have signed in to, kept on this machine: a private file for each issuer and wallet.
//!
//! They are in `edge-broker/sessions` of `XDG_STATE_HOME` or `~/.local/state`, a directory of this user alone. A file's name
//! is the issuer's hash and the wallet. What no name finds is asked for again by `login`.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use agentkeys_edge_broker::encoding::base64url;
use agentkeys_edge_broker::session::SessionToken;
use agentkeys_edge_broker::time::UnixTime;
use agentkeys_edge_broker::wallet::Wallet;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::error::Error;
use crate::http::read_at_most;
use crate::private_file;
use crate::session_token::shown;

/// The most bytes of a file: several times what is written.
pub(crate) const BYTES_MAX: u64 = 4_096;
/// Names another place than the user's own.
const OPTION: &str = "--session-file";

/// The session of a wallet that has signed in. `Debug` does not show its token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StoredLogin {
    /// The issuer's URL, without a slash at its end.
    pub(crate) issuer: String,
    pub(crate) wallet: Wallet,
    pub(crate) token: SessionToken,
    pub(crate) signed_in_at: UnixTime,
    pub(crate) expires_at: UnixTime,
}

/// The members of a file.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    v: u8,
    issuer: String,
    wallet: Wallet,
    session_token: String,
    signed_in_at: UnixTime,
    expires_at: UnixTime,
}

impl StoredLogin {
    /// Reads a file's text; `None` for everything that is not written here.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let stored: Stored = serde_json::from_str(text).ok()?;
        let token = stored.session_token.parse().ok()?;
        let Stored { v, issuer, wallet, signed_in_at, expires_at, .. } = stored;
        (v == 1).then_some(Self { issuer, wallet, token, signed_in_at, expires_at })
    }

    /// A file's text.
    pub(crate) fn to_json(&self) -> Result<String, Error> {
        let stored = Stored {
            v: 1,
            issuer: self.issuer.clone(),
            wallet: self.wallet.clone(),
            session_token: self.token.expose().to_owned(),
            signed_in_at: self.signed_in_at,
            expires_at: self.expires_at,
        };
        let text = serde_json::to_string(&stored).map_err(|_| Error::input("the session cannot be written as JSON"))?;
        Ok(format!("{text}\n"))
    }

    /// Reads a file that somebody names.
    pub(crate) fn read(file: &Path) -> Result<Self, Error> {
        let content = read_at_most(file, BYTES_MAX);
        let content = content.map_err(|error| Error::file(format!("{} cannot be read: {}", shown(file), error.kind())))?;
        let text = content.and_then(|content| String::from_utf8(content).ok());
        text.as_deref()
            .and_then(Self::parse)
            .ok_or_else(|| Error::stored(format!("{} is no session that edge-broker login has stored: log in again", shown(file))))
    }
}

/// An issuer's URL, as it is stored.
pub(crate) fn canonical(issuer: &str) -> &str {
    issuer.trim_end_matches('/')
}

/// The files of this user.
pub(crate) struct Logins {
    directory: PathBuf,
}

/// One file, by its name; what it holds is not known yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) file: PathBuf,
    pub(crate) wallet: Wallet,
    issuer_hash: String,
    modified: Option<SystemTime>,
}

impl Found {
    /// The session, which has to be the one that the name promises.
    pub(crate) fn read(&self) -> Result<StoredLogin, Error> {
        let login = StoredLogin::read(&self.file)?;
        if login.wallet == self.wallet && hash_of(&login.issuer) == self.issuer_hash {
            Ok(login)
        } else {
            Err(Error::stored(format!("{} holds a session of another issuer or wallet: log in again", shown(&self.file))))
        }
    }
}

impl Logins {
    /// Those of this user; `None` where neither variable says where.
    pub(crate) fn users_own() -> Option<Self> {
        Some(Self { directory: private_file::home("XDG_STATE_HOME", ".local/state")?.join("edge-broker/sessions") })
    }

    /// Keeps a session in place of an older one of this issuer and wallet; the file it is in.
    pub(crate) fn keep(&self, login: &StoredLogin) -> Result<PathBuf, Error> {
        private_file::directory(&self.directory, OPTION)?;
        let file = self.directory.join(format!("{}.{}.json", hash_of(&login.issuer), login.wallet));
        private_file::replace(&file, &login.to_json()?)?;
        Ok(file)
    }

    /// Makes sure, before anything is asked for, that something can be kept.
    pub(crate) fn prepare(&self) -> Result<(), Error> {
        private_file::directory(&self.directory, OPTION)
    }

    /// The file of an issuer's wallet, or of the wallet that was the last to sign in there.
    pub(crate) fn find(&self, issuer: &str, wallet: Option<&Wallet>) -> Result<Option<Found>, Error> {
        let hash = hash_of(canonical(issuer));
        let of_issuer = self.all()?.into_iter().filter(|found| found.issuer_hash == hash);
        match wallet {
            Some(wallet) => Ok(of_issuer.into_iter().find(|found| found.wallet == *wallet)),
            None => last(of_issuer.collect()),
        }
    }

    /// Every file, in the order of the names.
    pub(crate) fn all(&self) -> Result<Vec<Found>, Error> {
        // Whoever may write in it could hand this user a session of somebody else's.
        if !private_file::check(&self.directory, OPTION)? {
            return Ok(Vec::new());
        }
        let cannot = |error: std::io::Error| Error::file(format!("{} cannot be read: {}", shown(&self.directory), error.kind()));
        let mut all = Vec::new();
        for entry in std::fs::read_dir(&self.directory).map_err(cannot)? {
            let entry = entry.map_err(cannot)?;
            let name = entry.file_name();
            let named = name.to_str().and_then(|name| name.strip_suffix(".json")?.split_once('.'));
            if let Some((hash, Ok(wallet))) = named.map(|(hash, wallet)| (hash, wallet.parse())) {
                let modified = entry.metadata().and_then(|metadata| metadata.modified()).ok();
                all.push(Found { file: entry.path(), wallet, issuer_hash: hash.to_owned(), modified });
            }
        }
        all.sort_by(|a, b| a.file.cmp(&b.file));
        Ok(all)
    }
}

/// The one that was signed in to last. A broken file among several may be that one, so nothing is guessed.
fn last(found: Vec<Found>) -> Result<Option<Found>, Error> {
    if found.len() < 2 {
        return Ok(found.into_iter().next());
    }
    let mut timed = Vec::with_capacity(found.len());
    for found in found {
        let login =
            found.read().map_err(|error| error.and("Another wallet's session is stored too: --wallet names the one that is meant."))?;
        // Two in one second are told apart by their files.
        timed.push(((login.signed_in_at, found.modified), found));
    }
    Ok(timed.into_iter().max_by(|(a, _), (b, _)| a.cmp(b)).map(|(_, found)| found))
}

fn hash_of(issuer: &str) -> String {
    base64url(&Sha256::digest(issuer.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ISSUER: &str = "https://broker.example.com";
    const WALLET: &str = "0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed";
    const OTHER: &str = "0x52908400098527886e0f7030069857d2e4169ee7";

    fn at(seconds: u64) -> UnixTime {
        UnixTime::try_from(seconds).unwrap()
    }

    fn login(issuer: &str, wallet: &str, signed_in_at: u64) -> StoredLogin {
        StoredLogin {
            issuer: issuer.to_owned(),
            wallet: wallet.parse().unwrap(),
            token: SessionToken::from_random(&[7; 32]),
            signed_in_at: at(signed_in_at),
            expires_at: at(signed_in_at).plus(100),
        }
    }

    fn logins() -> (tempfile::TempDir, Logins) {
        let root = tempfile::tempdir().unwrap();
        let logins = Logins { directory: root.path().join("edge-broker/sessions") };
        (root, logins)
    }

    #[test]
    fn a_login_reads_back_and_what_is_broken_is_none() {
        let login = login(ISSUER, WALLET, 1_000);
        let text = login.to_json().unwrap();
        assert_eq!(StoredLogin::parse(&text), Some(login.clone()));
        assert!(!format!("{login:?}").contains(login.token.expose()));
        for broken in [
            String::new(),
            "{}".to_owned(),
            "null".to_owned(),
            text.get(..50).unwrap().to_owned(),
            format!("{text}{text}"),
            text.replace("\"v\":1", "\"v\":2"),
            text.replace("\"v\":1", "\"v\":1,\"scope\":1"),
            text.replace("aks_", "akt_"),
            text.replace("0x5a", "0x5A"),
            text.replace("1100", "-1"),
        ] {
            assert_ne!(broken, text);
            assert_eq!(StoredLogin::parse(&broken), None, "{broken}");
        }
    }

    #[test]
    fn each_issuer_and_wallet_has_its_own_and_the_last_one_counts() {
        let (_root, logins) = logins();
        assert_eq!(logins.find(ISSUER, None).unwrap(), None);
        for (issuer, wallet, time) in [(ISSUER, WALLET, 2_000), (ISSUER, OTHER, 1_000), ("https://broker.example.com/b", OTHER, 3_000)] {
            logins.keep(&login(issuer, wallet, time)).unwrap();
        }
        let found = |issuer: &str, wallet: Option<&str>| {
            let wallet = wallet.map(|wallet| wallet.parse().unwrap());
            logins.find(issuer, wallet.as_ref()).unwrap().map(|found| found.read().unwrap())
        };
        assert_eq!(found(ISSUER, None), Some(login(ISSUER, WALLET, 2_000)));
        assert_eq!(found("https://broker.example.com/", None), Some(login(ISSUER, WALLET, 2_000)), "a slash at the end");
        assert_eq!(found(ISSUER, Some(OTHER)), Some(login(ISSUER, OTHER, 1_000)));
        assert_eq!(found("https://broker.example.com/b", Some(WALLET)), None);
        assert_eq!(found("https://broker.example.com:8443", None), None);
        logins.keep(&login(ISSUER, OTHER, 2_000)).unwrap();
        assert_eq!(found(ISSUER, None), Some(login(ISSUER, OTHER, 2_000)), "of one second the later file");
        assert_eq!(logins.all().unwrap().len(), 3, "a new login takes the old one's place");
    }

    #[test]
    fn a_broken_file_among_several_is_named_and_not_passed_over() {
        let (_root, logins) = logins();
        logins.keep(&login(ISSUER, WALLET, 1_000)).unwrap();
        let file = logins.keep(&login(ISSUER, OTHER, 2_000)).unwrap();
        std::fs::write(&file, "{").unwrap();
        let error = logins.find(ISSUER, None).unwrap_err();
        assert_eq!(error.code(), 65);
        assert!(error.to_string().contains(OTHER) && error.to_string().contains("--wallet"), "{error}");
        assert!(logins.find(ISSUER, Some(&WALLET.parse().unwrap())).unwrap().unwrap().read().is_ok());
        assert_eq!(logins.find(ISSUER, Some(&OTHER.parse().unwrap())).unwrap().unwrap().read().unwrap_err().code(), 65);
        std::fs::write(&file, " ".repeat(5_000)).unwrap();
        assert_eq!(logins.find(ISSUER, None).unwrap_err().code(), 65);
    }

    #[test]
    fn a_file_under_another_s_name_is_refused() {
        let (_root, logins) = logins();
        let file = logins.keep(&login(ISSUER, WALLET, 1_000)).unwrap();
        for other in [login("https://other.example.com", WALLET, 1_000), login(ISSUER, OTHER, 1_000)] {
            std::fs::write(&file, other.to_json().unwrap()).unwrap();
            let error = logins.find(ISSUER, None).unwrap().unwrap().read().unwrap_err();
            assert_eq!(error.code(), 65, "{error}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn files_and_directory_are_private_and_a_directory_of_others_is_not_read() {
        use std::os::unix::fs::PermissionsExt;
        let (_root, logins) = logins();
        let file = logins.keep(&login(ISSUER, WALLET, 1_000)).unwrap();
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&file), mode(&logins.directory), mode(logins.directory.parent().unwrap())), (0o600, 0o700, 0o700));
        std::fs::set_permissions(&logins.directory, std::fs::Permissions::from_mode(0o777)).unwrap();
        assert_eq!(logins.find(ISSUER, None).unwrap_err().code(), 74);
        assert_eq!(logins.keep(&login(ISSUER, WALLET, 1_000)).unwrap_err().code(), 74);
    }

    #[test]
    fn foreign_files_are_passed_over() {
        let (_root, logins) = logins();
        logins.keep(&login(ISSUER, WALLET, 1_000)).unwrap();
        for name in ["README", ".edge-broker-x", "a.json", "a.0x5a.json", &format!("{}.{WALLET}.json.bak", hash_of(ISSUER))] {
            std::fs::write(logins.directory.join(name), "x").unwrap();
        }
        assert_eq!(logins.all().unwrap().len(), 1);
    }
}
