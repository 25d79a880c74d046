//! Keys and values of a namespace, read and written through `wrangler kv` (what they are: `kv-schemas/README.md`).
//!
//! Bulk commands only: each run of wrangler costs about a second. What is written goes through a file that only this user
//! can read and that is gone afterwards.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::Write;
use std::time::Duration;

use agentkeys_edge_broker::session::IndexMetadata;
use serde::{Deserialize, Serialize};

use super::place::Place;
use crate::error::Error;
use crate::wrangler::{Failure, Wrangler};

/// The most keys of one bulk read.
const READ_KEYS_MAX: usize = 100;

/// One namespace, through one wrangler.
pub(crate) struct Namespace<'a> {
    wrangler: Wrangler<'a>,
    flags: Vec<OsString>,
    place: Place,
}

/// A key and its value as `wrangler kv bulk put` reads them.
#[derive(Serialize)]
pub(crate) struct Pair<'a> {
    pub(crate) key: String,
    pub(crate) value: &'a str,
    /// In Unix seconds; without it the value stays until it is deleted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) expiration: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) metadata: Option<IndexMetadata>,
}

/// An entry of `wrangler kv key list`.
#[derive(Deserialize)]
pub(crate) struct ListedKey {
    pub(crate) name: String,
    /// Who wrote it is not known: it may be anything.
    #[serde(default)]
    pub(crate) metadata: serde_json::Value,
}

impl<'a> Namespace<'a> {
    pub(super) fn new(wrangler: Wrangler<'a>, flags: Vec<OsString>, place: Place) -> Self {
        Self { wrangler, flags, place }
    }

    /// Where it is.
    pub(crate) fn place(&self) -> &Place {
        &self.place
    }

    /// How long one run of wrangler may take.
    pub(crate) fn limit(&self) -> Duration {
        self.wrangler.limit()
    }

    /// Stores values, in this order.
    pub(crate) fn put(&self, pairs: &[Pair<'_>]) -> Result<(), Failure> {
        self.run_with_file(&["kv", "bulk", "put"], pairs, &[]).map(drop)
    }

    /// The values of these keys, in their order; `None` where none is seen.
    pub(crate) fn values(&self, keys: &[String]) -> Result<Vec<Option<String>>, Error> {
        let mut texts = Vec::with_capacity(keys.len());
        for keys in keys.chunks(READ_KEYS_MAX) {
            let answer = self.run_with_file(&["kv", "bulk", "get"], keys, &[])?;
            let mut values = json_in::<BTreeMap<String, serde_json::Value>>(&answer, '{').ok_or_else(garbled)?;
            for key in keys {
                texts.push(text_of(values.remove(key))?);
            }
        }
        Ok(texts)
    }

    /// Deletes keys, in this order.
    pub(crate) fn delete(&self, keys: &[String]) -> Result<(), Failure> {
        self.run_with_file(&["kv", "bulk", "delete"], keys, &["--force"]).map(drop)
    }

    /// The keys that start so.
    pub(crate) fn keys(&self, prefix: &str) -> Result<Vec<ListedKey>, Error> {
        let mut arguments: Vec<OsString> = ["kv", "key", "list"].map(OsString::from).into();
        arguments.push(OsString::from(format!("--prefix={prefix}")));
        arguments.extend(self.flags.iter().cloned());
        let answer = self.wrangler.run(&arguments)?;
        let keys: Vec<ListedKey> = json_in(&answer, '[').ok_or_else(garbled)?;
        Ok(keys.into_iter().filter(|key| key.name.starts_with(prefix)).collect())
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
}
