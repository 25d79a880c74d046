//! The stored sessions: records and the index of each wallet, in one namespace (keys and values: `kv-schemas/README.md`).

use agentkeys_edge_broker::session::{IndexMetadata, SessionHash, SessionRecord, index_key, index_prefix, indexed_session, record_key};
use agentkeys_edge_broker::wallet::Wallet;

use crate::error::Error;
use crate::kv::{Namespace, Pair, Place, PlaceArgs};
use crate::output::Output;
use crate::wrangler::Failure;

/// KV takes no value that expires in less than a minute.
const KV_LIFETIME_MIN: u64 = 60;

/// The sessions of one place.
pub(super) struct Sessions<'a> {
    namespace: Namespace<'a>,
}

/// A session as the index of its wallet lists it. Who wrote the metadata is not known: it may be anything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Listed {
    pub(super) hash: SessionHash,
    pub(super) metadata: Option<IndexMetadata>,
}

impl<'a> Sessions<'a> {
    /// Those of the place that the arguments name.
    pub(super) fn open(place: &PlaceArgs, output: &'a Output) -> Result<Self, Error> {
        Ok(Self { namespace: place.open(output)? })
    }

    /// Where they are.
    pub(super) fn place(&self) -> &Place {
        self.namespace.place()
    }

    /// Stores a session and lists it under its wallet.
    pub(super) fn store(&self, hash: &SessionHash, record: &SessionRecord, json: &str) -> Result<(), Failure> {
        // The record ends a session at its second; KV only clears it away, and not within the first minute. Wrangler may
        // take its whole time until KV sees the number.
        let soonest = record.created_at.plus(KV_LIFETIME_MIN).plus(self.namespace.limit().as_secs());
        let expiration = Some(record.expires_at.max(soonest).seconds());
        // The index first: where only one is written, a session is listed that is not there, and none is there unlisted.
        self.namespace.put(&[
            Pair { key: index_key(&record.wallet, hash), value: "", expiration, metadata: Some(record.into()) },
            Pair { key: record_key(hash), value: json, expiration, metadata: None },
        ])
    }

    /// The stored texts of these sessions, in their order; `None` where none is seen.
    pub(super) fn read(&self, hashes: &[SessionHash]) -> Result<Vec<Option<String>>, Error> {
        let keys: Vec<String> = hashes.iter().map(record_key).collect();
        self.namespace.values(&keys)
    }

    /// The sessions listed under a wallet, and its keys that name none.
    pub(super) fn listed(&self, wallet: &Wallet) -> Result<(Vec<Listed>, Vec<String>), Error> {
        let (mut sessions, mut foreign) = (Vec::new(), Vec::new());
        for key in self.namespace.keys(&index_prefix(wallet))? {
            match indexed_session(wallet, &key.name) {
                Some(hash) => sessions.push(Listed { hash, metadata: IndexMetadata::parse(&key.metadata.to_string()) }),
                None => foreign.push(key.name),
            }
        }
        Ok((sessions, foreign))
    }

    /// The sessions whose hash starts so.
    pub(super) fn starting(&self, start: &str) -> Result<Vec<SessionHash>, Error> {
        let keys = self.namespace.keys(&format!("session/v1/{start}"))?;
        Ok(keys.iter().filter_map(|key| key.name.strip_prefix("session/v1/")?.parse().ok()).collect())
    }

    /// Deletes keys, in this order.
    pub(super) fn delete(&self, keys: &[String]) -> Result<(), Failure> {
        self.namespace.delete(keys)
    }
}
