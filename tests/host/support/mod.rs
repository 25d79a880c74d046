//! What several subjects need: plain values, keys, a world to send requests into, generated sessions.

pub(crate) mod grant;
pub(crate) mod keys;
pub(crate) mod sessions;
pub(crate) mod world;

use agentkeys_edge_broker::config::{Config, Problem};
use agentkeys_edge_broker::time::UnixTime;
use agentkeys_edge_broker::wallet::Wallet;
use serde_json::Value;

/// The issuer of every test that does not say otherwise. It has a path, as any may.
pub(crate) const ISSUER: &str = "https://keys.example.com/agents";
/// The wallet of every test that does not say otherwise.
pub(crate) const WALLET: &str = "0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed";
/// The time of every test that does not say otherwise.
pub(crate) const NOW: u64 = 1_790_000_000;

pub(crate) fn at(seconds: u64) -> UnixTime {
    UnixTime::try_from(seconds).unwrap()
}

pub(crate) fn wallet() -> Wallet {
    WALLET.parse().unwrap()
}

/// The configuration of these variables; `ISSUER` is there unless they have it.
pub(crate) fn read_config(variables: &[(&str, &str)]) -> Result<Config, Vec<Problem>> {
    Config::parse(|name| {
        let named = variables.iter().find(|(known, _)| *known == name).map(|(_, text)| *text);
        named.or((name == "ISSUER").then_some(ISSUER)).map(str::to_owned)
    })
}

/// A configuration that is known to be right.
pub(crate) fn config(variables: &[(&str, &str)]) -> Config {
    read_config(variables).unwrap()
}

pub(crate) fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

/// The names of an object's members, sorted.
pub(crate) fn members(object: &Value) -> Vec<&str> {
    let mut names: Vec<&str> = object.as_object().unwrap().keys().map(String::as_str).collect();
    names.sort_unstable();
    names
}
