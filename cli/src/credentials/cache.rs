//! Credentials kept in a private file, and the lock that lets one process refresh them.
//!
//! The directory is 0700 and this user's own, each file 0600 and written whole: a new file that takes the old one's name. A
//! file's name is a hash of what the credentials depend on. What cannot be read as credentials counts as absent.

use core::fmt;
use std::fs::{File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use agentkeys_edge_broker::encoding::base64url;
use agentkeys_edge_broker::time::UnixTime;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::aws::sts::Credentials;
use crate::clock::rfc3339;
use crate::error::Error;
use crate::http::read_at_most;
use crate::private_file;
use crate::session_token::shown;

/// Credentials are refreshed this many seconds before they expire, or in the last tenth of a shorter life.
const MARGIN: u64 = 300;
/// Credentials that live no longer than this are not handed out any more: the caller's first request may come too late.
const LAST_SECONDS: u64 = 15;
/// The most bytes of a cache file.
const BYTES_MAX: u64 = 64 * 1024;
/// How long a process waits for another's refresh, which is bounded itself.
const WAIT: Duration = Duration::from_secs(45);
/// How often it looks.
const PAUSE: Duration = Duration::from_millis(25);

/// Credentials with their times. `Debug` does not show them.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Held {
    access_key_id: String,
    secret_access_key: String,
    session_token: String,
    issued: UnixTime,
    expiration: UnixTime,
}

impl fmt::Debug for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Held").field("issued", &self.issued).field("expiration", &self.expiration).finish_non_exhaustive()
    }
}

impl Held {
    /// Credentials issued now; `at_least` is taken for their end where the STS named none.
    pub(super) fn new(credentials: Credentials, issued: UnixTime, at_least: UnixTime) -> Self {
        Self {
            access_key_id: credentials.access_key_id,
            secret_access_key: credentials.secret_access_key,
            session_token: credentials.session_token,
            issued,
            expiration: credentials.expiration.unwrap_or(at_least),
        }
    }

    /// Version 1 of the contract (AWS: `sdkref/feature-process-credentials`).
    pub(super) fn to_process_json(&self) -> Result<String, Error> {
        #[derive(Serialize)]
        #[serde(rename_all = "PascalCase")]
        struct Process<'a> {
            version: u8,
            access_key_id: &'a str,
            secret_access_key: &'a str,
            session_token: &'a str,
            expiration: String,
        }
        let process = Process {
            version: 1,
            access_key_id: &self.access_key_id,
            secret_access_key: &self.secret_access_key,
            session_token: &self.session_token,
            expiration: rfc3339(self.expiration),
        };
        serde_json::to_string(&process).map_err(|_| Error::outside("STS's credentials cannot be written as JSON"))
    }

    /// Whether somebody can still use them.
    pub(super) fn lives_at(&self, now: UnixTime) -> bool {
        self.expiration.since(now) > LAST_SECONDS
    }

    /// Whether there is no need for others. A time of issue ahead of the clock is none that can be reckoned with.
    fn is_fresh_at(&self, now: UnixTime) -> bool {
        let margin = MARGIN.min(self.expiration.since(self.issued) / 10).max(LAST_SECONDS);
        self.issued <= now && self.expiration.since(now) > margin
    }
}

/// What the cache has and can still be used.
#[derive(Debug)]
pub(super) struct Kept {
    pub(super) held: Held,
    fresh: bool,
}

impl Kept {
    /// Whether there is no need for others.
    pub(super) fn is_fresh(&self) -> bool {
        self.fresh
    }
}

/// One entry of the cache.
pub(super) struct Entry {
    file: PathBuf,
    lock: PathBuf,
}

/// The right to refresh; it ends with this value, and with the process.
pub(super) struct Guard {
    _file: File,
}

impl Entry {
    /// The entry of this name, in this directory or the user's own.
    pub(super) fn open(directory: Option<&Path>, name: &str) -> Result<Self, Error> {
        let directory = match directory.filter(|directory| !directory.as_os_str().is_empty()) {
            Some(directory) => directory.to_owned(),
            None => users_own()?,
        };
        private_file::directory(&directory, "--cache-dir")?;
        let hash = base64url(&Sha256::digest(name.as_bytes()));
        Ok(Self { file: directory.join(format!("{hash}.json")), lock: directory.join(format!("{hash}.lock")) })
    }

    /// What is kept and still lives.
    pub(super) fn read(&self, now: UnixTime) -> Option<Kept> {
        let content = read_at_most(&self.file, BYTES_MAX).ok()??;
        let held: Held = serde_json::from_slice(&content).ok()?;
        held.lives_at(now).then(|| Kept { fresh: held.is_fresh_at(now), held })
    }

    /// Keeps credentials in place of others.
    pub(super) fn write(&self, held: &Held) -> Result<(), Error> {
        let text = serde_json::to_string(held).map_err(|_| Error::outside("STS's credentials cannot be written as JSON"))?;
        private_file::replace(&self.file, &text)
    }

    /// The right to refresh, if nobody has it.
    pub(super) fn lock(&self) -> Result<Option<Guard>, Error> {
        let file = private(OpenOptions::new().create(true).truncate(false).write(true)).open(&self.lock);
        let file = file.map_err(|error| self.cannot_lock(error.kind()))?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Guard { _file: file })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(self.cannot_lock(error.kind())),
        }
    }

    /// The right to refresh, after whoever has it.
    pub(super) fn wait(&self) -> Result<Guard, Error> {
        #[allow(clippy::disallowed_methods, reason = "a time limit needs a clock that does not jump")]
        let start = Instant::now();
        loop {
            if let Some(guard) = self.lock()? {
                return Ok(guard);
            }
            if start.elapsed() > WAIT {
                return Err(Error::outside(format!(
                    "another process has been refreshing these credentials for {} s: end it, or remove {}",
                    WAIT.as_secs(),
                    shown(&self.lock)
                )));
            }
            std::thread::sleep(PAUSE);
        }
    }

    fn cannot_lock(&self, why: std::io::ErrorKind) -> Error {
        Error::file(format!("{} cannot be locked: {why}; name another directory with --cache-dir", shown(&self.lock)))
    }
}

#[cfg(unix)]
fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600)
}

#[cfg(not(unix))]
fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    options
}

/// XDG's directory for what can be made again.
fn users_own() -> Result<PathBuf, Error> {
    let cache = private_file::home("XDG_CACHE_HOME", ".cache");
    cache.map(|cache| cache.join("edge-broker")).ok_or_else(|| {
        Error::usage("where are credentials kept? Name a directory with --cache-dir: neither XDG_CACHE_HOME nor HOME is set")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> UnixTime {
        UnixTime::try_from(seconds).unwrap()
    }

    fn held(issued: u64, expiration: u64) -> Held {
        Held {
            access_key_id: "AKIA".to_owned(),
            secret_access_key: "secret".to_owned(),
            session_token: "session".to_owned(),
            issued: at(issued),
            expiration: at(expiration),
        }
    }

    #[test]
    fn credentials_are_refreshed_shortly_before_they_expire() {
        for (lifetime, fresh_until) in [(3_600, 3_300), (43_200, 42_900), (900, 810), (100, 85), (20, 5), (10, 0)] {
            let held = held(1_000, 1_000 + lifetime);
            for age in [0, fresh_until.max(1) - 1, fresh_until, lifetime - 1, lifetime, lifetime + 1] {
                assert_eq!(held.is_fresh_at(at(1_000 + age)), age < fresh_until, "{lifetime} s, {age} s old");
                assert_eq!(held.lives_at(at(1_000 + age)), age + LAST_SECONDS < lifetime, "{lifetime} s, {age} s old");
            }
        }
        assert!(!held(1_000, 4_600).is_fresh_at(at(999)), "issued in the future");
    }

    #[test]
    fn what_is_kept_reads_back_and_what_is_broken_counts_as_absent() {
        let directory = tempfile::tempdir().unwrap();
        let entry = Entry::open(Some(directory.path()), "a").unwrap();
        assert!(entry.read(at(0)).is_none());
        entry.write(&held(1_000, 4_600)).unwrap();
        assert_eq!(entry.read(at(1_000)).unwrap().held, held(1_000, 4_600));
        assert!(!entry.read(at(4_400)).unwrap().is_fresh());
        assert!(entry.read(at(4_600)).is_none(), "expired");
        assert!(Entry::open(Some(directory.path()), "b").unwrap().read(at(1_000)).is_none(), "another name");
        let whole = std::fs::read_to_string(&entry.file).unwrap();
        for broken in [
            "",
            "{}",
            "null",
            whole.get(..60).unwrap(),
            &whole.replace("4600", "-1"),
            &whole.replace("issued", "issue"),
            &" ".repeat(70_000),
        ] {
            std::fs::write(&entry.file, broken).unwrap();
            assert!(entry.read(at(1_000)).is_none(), "{broken}");
            entry.write(&held(1_000, 4_600)).unwrap();
            assert!(entry.read(at(1_000)).is_some());
        }
        std::fs::remove_file(&entry.file).unwrap();
        std::fs::create_dir(&entry.file).unwrap();
        assert!(entry.read(at(1_000)).is_none());
    }

    #[test]
    fn one_refreshes_and_the_lock_ends_with_it() {
        let directory = tempfile::tempdir().unwrap();
        let entry = Entry::open(Some(directory.path()), "a").unwrap();
        let guard = entry.lock().unwrap().unwrap();
        assert!(entry.lock().unwrap().is_none());
        assert!(Entry::open(Some(directory.path()), "b").unwrap().lock().unwrap().is_some(), "another entry");
        drop(guard);
        assert!(entry.lock().unwrap().is_some());
    }

    #[test]
    fn the_process_contract_is_version_1() {
        let json: serde_json::Value = serde_json::from_str(&held(0, 1_795_470_116).to_process_json().unwrap()).unwrap();
        let expected = serde_json::json!({
            "Version": 1, "AccessKeyId": "AKIA", "SecretAccessKey": "secret", "SessionToken": "session", "Expiration": "2026-11-23T21:41:56Z",
        });
        assert_eq!(json, expected);
    }
}
