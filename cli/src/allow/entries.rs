//! The stored permissions: one record per wallet, in one namespace (`kv-schemas/README.md`, "Permission to sign in").

use agentkeys_edge_broker::signin::{ALLOW_PREFIX, AllowRecord, allow_key};
use agentkeys_edge_broker::wallet::Wallet;

use crate::error::Error;
use crate::kv::{Namespace, Pair, Place, PlaceArgs};
use crate::output::Output;
use crate::wrangler::Failure;

/// The permissions of one place.
pub(super) struct Entries<'a> {
    namespace: Namespace<'a>,
}

/// What is stored for a wallet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum State {
    /// A record that lets it in.
    Listed(AllowRecord),
    /// Something that lets nobody in: it does not follow the schema, or is another wallet's.
    Broken,
    /// Nothing that is seen.
    Absent,
}

/// All that is on the list.
pub(super) struct All {
    /// In the order of the keys.
    pub(super) wallets: Vec<(Wallet, State)>,
    /// Keys that name no wallet.
    pub(super) foreign_keys: Vec<String>,
}

impl State {
    /// What a stored text is for this wallet.
    fn of(stored: Option<&str>, wallet: &Wallet) -> Self {
        match stored.map(AllowRecord::parse) {
            None => Self::Absent,
            Some(Ok(record)) if record.wallet == *wallet => Self::Listed(record),
            Some(_) => Self::Broken,
        }
    }
}

impl<'a> Entries<'a> {
    /// Those of the place that the arguments name.
    pub(super) fn open(place: &PlaceArgs, output: &'a Output) -> Result<Self, Error> {
        Ok(Self { namespace: place.open(output)? })
    }

    /// Where they are.
    pub(super) fn place(&self) -> &Place {
        self.namespace.place()
    }

    /// What is stored for a wallet.
    pub(super) fn read(&self, wallet: &Wallet) -> Result<State, Error> {
        let stored = self.namespace.values(&[allow_key(wallet)])?.into_iter().next().flatten();
        Ok(State::of(stored.as_deref(), wallet))
    }

    /// All that is on the list.
    pub(super) fn all(&self) -> Result<All, Error> {
        let names = self.namespace.keys(ALLOW_PREFIX)?.into_iter().map(|key| key.name);
        let wallet = |name: &String| name.strip_prefix(ALLOW_PREFIX).and_then(|wallet| wallet.parse::<Wallet>().ok());
        let (keys, foreign_keys): (Vec<String>, Vec<String>) = names.partition(|name| wallet(name).is_some());
        let stored = self.namespace.values(&keys)?;
        let with_state = |(wallet, stored): (Wallet, Option<String>)| {
            let state = State::of(stored.as_deref(), &wallet);
            (wallet, state)
        };
        Ok(All { wallets: keys.iter().filter_map(wallet).zip(stored).map(with_state).collect(), foreign_keys })
    }

    /// Stores a record.
    pub(super) fn store(&self, wallet: &Wallet, json: &str) -> Result<(), Failure> {
        self.namespace.put(&[Pair { key: allow_key(wallet), value: json, expiration: None, metadata: None }])
    }

    /// Deletes a wallet's record.
    pub(super) fn delete(&self, wallet: &Wallet) -> Result<(), Failure> {
        self.namespace.delete(&[allow_key(wallet)])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_lets_its_own_wallet_in_and_nobody_else() {
        let wallet: Wallet = "0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed".parse().unwrap();
        let other: Wallet = "0x52908400098527886e0f7030069857d2e4169ee7".parse().unwrap();
        let record = AllowRecord { wallet: wallet.clone(), added_at: 100.try_into().unwrap(), label: None };
        let json = record.to_json().unwrap();
        assert_eq!(State::of(Some(&json), &wallet), State::Listed(record));
        assert_eq!(State::of(None, &wallet), State::Absent);
        for broken in ["", "{}", "null", &json.replace("\"v\":1", "\"v\":2"), &json.replace('}', ",\"until\":1}")] {
            assert_eq!(State::of(Some(broken), &wallet), State::Broken, "{broken}");
        }
        assert_eq!(State::of(Some(&json), &other), State::Broken, "copied under another wallet's key");
        for state in [Some(json.as_str()), Some("{}"), None] {
            assert_eq!(matches!(State::of(state, &wallet), State::Listed(_)), AllowRecord::admits(state, &wallet), "as the broker sees it");
        }
    }
}
