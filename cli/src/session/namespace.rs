//! The namespace `SESSIONS`, read and written through `wrangler kv` (keys and values: `kv-schemas/README.md`).
//!
//! Bulk commands only: a session is two keys, and each run of wrangler costs about a second. What is written goes through a
//! file that only this user can read and that is gone afterwards.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::Write;

use agentkeys_edge_broker::session::{SessionHash, SessionRecord, index_key, index_prefix, record_key};
use agentkeys_edge_broker::time::UnixTime;
use agentkeys_edge_broker::wallet::Wallet;
use serde::{Deserialize, Serialize};

use super::place::Place;
use crate::error::Error;
use crate::wrangler::{Failure, Wrangler};

/// KV takes no value that expires in less than a minute.
const KV_LIFETIME_MIN: u64 = 60;
/// The most keys of one bulk read.
const READ_KEYS_MAX: usize = 100;

/// One namespace, through one wrangler.
pub(crate) struct Namespace<'a> {
    wrangler: Wrangler<'a>,
    flags: Vec<OsString>,
    place: Place,
}

/// The metadata of an index entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct IndexMetadata {
    pub(crate) created: UnixTime,
    pub(crate) expires: UnixTime,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) label: Option<String>,
}

/// A session as the index of its wallet lists it. Who wrote the metadata is not known: it may be anything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Listed {
    pub(crate) hash: SessionHash,
    pub(crate) metadata: Option<IndexMetadata>,
}

/// A key and its value as `wrangler kv bulk put` reads them.
#[derive(Serialize)]
struct Pair<'a> {
    key: String,
    value: &'a str,
    expiration: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    metadata: Option<IndexMetadata>,
}

/// An entry of `wrangler kv key list`.
#[derive(Deserialize)]
struct ListedKey {
    name: String,
    #[serde(default)]
    metadata: serde_json::Value,
}

impl<'a> Namespace<'a> {
    pub(super) fn new(wrangler: Wrangler<'a>, flags: Vec<OsString>, place: Place) -> Self {
        Self { wrangler, flags, place }
    }

    /// Where it is.
    pub(crate) fn place(&self) -> &Place {
        &self.place
    }

    /// Stores a session and lists it under its wallet.
    pub(crate) fn store(&self, hash: &SessionHash, record: &SessionRecord, json: &str) -> Result<(), Failure> {
        // The record ends a session at its second; KV only clears it away, and not within the first minute. Wrangler may
        // take its whole time until KV sees the number.
        let soonest = record.created_at.plus(KV_LIFETIME_MIN).plus(self.wrangler.limit().as_secs());
        let expiration = record.expires_at.max(soonest).seconds();
        let metadata = IndexMetadata { created: record.created_at, expires: record.expires_at, label: record.label.clone() };
        // The index first: where only one is written, a session is listed that is not there, and none is there unlisted.
        let pairs = [
            Pair { key: index_key(&record.wallet, hash), value: "", expiration, metadata: Some(metadata) },
            Pair { key: record_key(hash), value: json, expiration, metadata: None },
        ];
        self.run_with_file(&["kv", "bulk", "put"], &pairs, &[]).map(drop)
    }

    /// The stored texts of these sessions, in their order; `None` where none is seen.
    pub(crate) fn read(&self, hashes: &[SessionHash]) -> Result<Vec<Option<String>>, Error> {
        let mut texts = Vec::with_capacity(hashes.len());
        for hashes in hashes.chunks(READ_KEYS_MAX) {
            let keys: Vec<String> = hashes.iter().map(record_key).collect();
            let answer = self.run_with_file(&["kv", "bulk", "get"], &keys, &[])?;
            let mut values = json_in::<BTreeMap<String, serde_json::Value>>(&answer, '{').ok_or_else(garbled)?;
            for key in keys {
                texts.push(text_of(values.remove(&key))?);
            }
        }
        Ok(texts)
    }

    /// The sessions listed under a wallet, and how many of its keys name none.
    pub(crate) fn listed(&self, wallet: &Wallet) -> Result<(Vec<Listed>, Vec<String>), Error> {
        let prefix = index_prefix(wallet);
        let (mut sessions, mut foreign) = (Vec::new(), Vec::new());
        for key in self.keys(&prefix)? {
            match key.name.strip_prefix(&prefix).and_then(|hash| hash.parse().ok()) {
                Some(hash) => sessions.push(Listed { hash, metadata: serde_json::from_value(key.metadata).ok() }),
                None => foreign.push(key.name),
            }
        }
        Ok((sessions, foreign))
    }

    /// The sessions whose hash starts so.
    pub(crate) fn starting(&self, start: &str) -> Result<Vec<SessionHash>, Error> {
        let prefix = format!("session/v1/{start}");
        let hashes = self.keys(&prefix)?;
        Ok(hashes
            .iter()
            .filter(|key| key.name.starts_with(&prefix))
            .filter_map(|key| key.name.strip_prefix("session/v1/")?.parse().ok())
            .collect())
    }

    /// Deletes keys, in this order.
    pub(crate) fn delete(&self, keys: &[String]) -> Result<(), Failure> {
        self.run_with_file(&["kv", "bulk", "delete"], &keys, &["--force"]).map(drop)
    }

    fn keys(&self, prefix: &str) -> Result<Vec<ListedKey>, Error> {
        let mut arguments: Vec<OsString> = ["kv", "key", "list"].map(OsString::from).into();
        arguments.push(OsString::from(format!("--prefix={prefix}")));
        arguments.extend(self.flags.iter().cloned());
        let answer = self.wrangler.run(&arguments)?;
        json_in(&answer, '[').ok_or_else(garbled)
    }

    fn run_with_file(&self, command: &[&str], content: &(impl Serialize + ?Sized), options: &[&str]) -> Result<String, Failure> {
        let unwritable = || Failure { error: Error::file("no temporary file can be written: look at TMPDIR and the disk"), ran: false };
        // Mode 0600, removed when it goes out of scope.
        let mut file = tempfile::Builder::new().prefix("edge-broker-").suffix(".json").tempfile().map_err(|_| unwritable())?;
        let text = serde_json::to_vec(content).map_err(|_| unwritable())?;
        file.write_all(&text).and_then(|()| file.flush()).map_err(|_| unwritable())?;
        let mut arguments: Vec<OsString> = command.iter().map(OsString::from).collect();
        arguments.push(file.path().as_os_str().to_owned());
        arguments.extend(options.iter().map(OsString::from));
        arguments.extend(self.flags.iter().cloned());
        self.wrangler.run(&arguments)
    }
}

fn garbled() -> Error {
    Error::outside("wrangler did not print what wrangler 4 prints: use the project's own (npm ci); --verbose shows what it says")
}

/// The value of a bulk read: on this machine `{"value": text}`, from Cloudflare the text itself, `null` or nothing where
/// there is none.
fn text_of(value: Option<serde_json::Value>) -> Result<Option<String>, Error> {
    use serde_json::Value;
    match value {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(Value::Object(mut members)) if members.contains_key("value") => match members.remove("value") {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(garbled()),
        },
        Some(_) => Err(garbled()),
    }
}

/// The first JSON value of a type that starts a line with `open`: banners and warnings may stand around it.
fn json_in<T: for<'de> Deserialize<'de>>(text: &str, open: char) -> Option<T> {
    let mut rest = text;
    loop {
        let start = rest.trim_start();
        if start.starts_with(open)
            && let Some(Ok(value)) = serde_json::Deserializer::from_str(start).into_iter().next()
        {
            return Some(value);
        }
        rest = rest.split_once('\n')?.1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_found_between_banners() {
        for text in ["[\"a\"]", "\n ⛅️ wrangler 4\n──\n[\n  \"a\"\n]\nbye", "[WARNING] beta\n[\"a\"]\n", "  [\"a\"]", "[1]\n[\"a\"]"]
        {
            assert_eq!(json_in::<Vec<String>>(text, '['), Some(vec!["a".to_owned()]), "{text}");
        }
        for text in ["", "[", "a [\"a\"]", "{\"a\":1}", "Success!", "[\"a\""] {
            assert_eq!(json_in::<Vec<String>>(text, '['), None, "{text}");
        }
    }

    #[test]
    fn a_value_comes_in_the_local_and_in_the_remote_form() {
        let value = |json: &str| text_of(serde_json::from_str(json).unwrap()).map_err(|error| error.code());
        assert_eq!(value("\"x\""), Ok(Some("x".to_owned())));
        assert_eq!(value("{\"value\":\"x\"}"), Ok(Some("x".to_owned())));
        assert_eq!(value("{\"value\":\"x\",\"metadata\":{}}"), Ok(Some("x".to_owned())));
        for absent in ["null", "{\"value\":null}"] {
            assert_eq!(value(absent), Ok(None), "{absent}");
        }
        for garbled in ["1", "[]", "true", "{}", "{\"v\":1}", "{\"value\":1}", "{\"value\":{}}"] {
            assert_eq!(value(garbled), Err(69), "{garbled}");
        }
        assert!(text_of(None).is_ok_and(|text| text.is_none()), "a key that is not in the answer");
    }

    #[test]
    fn the_metadata_of_the_index_has_the_layout_s_members() {
        let at = |seconds: u64| UnixTime::try_from(seconds).unwrap();
        let metadata = IndexMetadata { created: at(1), expires: at(2), label: None };
        assert_eq!(serde_json::to_string(&metadata).unwrap(), r#"{"created":1,"expires":2}"#);
        let metadata = IndexMetadata { label: Some("ci".to_owned()), ..metadata };
        assert_eq!(serde_json::to_string(&metadata).unwrap(), r#"{"created":1,"expires":2,"label":"ci"}"#);
    }
}
