//! Sessions: a plain one, and generated ones within the limits, each as the plain parts it is made of.

use agentkeys_edge_broker::aws::{Audience, RoleArn, Roles, SourceIdentity, TagKey, TagValue};
use agentkeys_edge_broker::session::SessionRecord;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::{NOW, WALLET, at, wallet};

/// A session without restrictions: begun a minute ago, ends in a day.
pub(crate) fn plain() -> SessionRecord {
    SessionRecord::new(wallet(), at(NOW - 60), at(NOW + 86_400)).unwrap()
}

pub(crate) fn audience(text: &str) -> Audience {
    Audience::try_from(text.to_owned()).unwrap()
}

pub(crate) fn key(text: &str) -> TagKey {
    TagKey::try_from(text.to_owned()).unwrap()
}

pub(crate) fn tag(name: &str, value: &str) -> (TagKey, TagValue) {
    (key(name), TagValue::try_from(value.to_owned()).unwrap())
}

pub(crate) fn roles(arns: &[&str]) -> Roles {
    Roles::try_from(arns.iter().map(|arn| RoleArn::try_from((*arn).to_owned()).unwrap()).collect::<Vec<_>>()).unwrap()
}

pub(crate) fn source_identity(text: &str) -> SourceIdentity {
    SourceIdentity::try_from(text.to_owned()).unwrap()
}

/// A record with every member, as text: what the tables of broken records start from.
pub(crate) fn full_json() -> Value {
    json!({
        "v": 1,
        "wallet": WALLET,
        "created_at": NOW - 60,
        "expires_at": NOW + 86_400,
        "label": "build agent",
        "audiences": ["sts.amazonaws.com", "https://iam.example.com/pool"],
        "tags": {"team": "storage", "project": "röntgen 7"},
        "transitive_tags": ["team"],
        "roles": ["arn:aws:iam::123456789012:role/agents/reader"],
        "source_identity": "agent-7@example.com",
        "max_token_ttl": 900,
    })
}

/// What a session is made of, before any type has seen it.
#[derive(Debug, Clone)]
pub(crate) struct Parts {
    pub(crate) wallet: String,
    pub(crate) created_at: u64,
    pub(crate) expires_at: u64,
    pub(crate) label: Option<String>,
    pub(crate) audiences: Option<Vec<String>>,
    /// Key, value, and whether the tag is transitive.
    pub(crate) tags: Vec<(String, String, bool)>,
    pub(crate) roles: Option<Vec<String>>,
    pub(crate) source_identity: Option<String>,
    pub(crate) max_token_ttl: Option<u64>,
}

impl Parts {
    pub(crate) fn transitive(&self) -> Vec<&str> {
        self.tags.iter().filter(|(_, _, transitive)| *transitive).map(|(key, _, _)| key.as_str()).collect()
    }

    /// The record as the schema has it, written without the code under test.
    pub(crate) fn json(&self) -> Value {
        let mut record = Map::new();
        record.insert("v".to_owned(), json!(1));
        record.insert("wallet".to_owned(), json!(self.wallet));
        record.insert("created_at".to_owned(), json!(self.created_at));
        record.insert("expires_at".to_owned(), json!(self.expires_at));
        let mut optional = |name: &str, value: Option<Value>| value.and_then(|value| record.insert(name.to_owned(), value));
        optional("label", self.label.as_ref().map(|label| json!(label)));
        optional("audiences", self.audiences.as_ref().map(|audiences| json!(audiences)));
        let tags: Map<String, Value> = self.tags.iter().map(|(key, value, _)| (key.clone(), json!(value))).collect();
        optional("tags", (!tags.is_empty()).then(|| json!(tags)));
        optional("transitive_tags", (!self.transitive().is_empty()).then(|| json!(self.transitive())));
        optional("roles", self.roles.as_ref().map(|roles| json!(roles)));
        optional("source_identity", self.source_identity.as_ref().map(|identity| json!(identity)));
        optional("max_token_ttl", self.max_token_ttl.map(|seconds| json!(seconds)));
        Value::Object(record)
    }

    /// The record as the code under test makes it.
    pub(crate) fn record(&self) -> SessionRecord {
        let tags = self.tags.iter().map(|(key, value, _)| tag(key, value)).collect();
        let transitive = self.transitive().into_iter().map(key).collect();
        let created = SessionRecord::new(self.wallet.parse().unwrap(), at(self.created_at), at(self.expires_at)).unwrap();
        let mut record = created.with_tags(tags, transitive).unwrap();
        record.label.clone_from(&self.label);
        record.audiences = self.audiences.as_ref().map(|list| list.iter().map(|text| audience(text)).collect());
        record.roles = self.roles.as_ref().map(|list| roles(&list.iter().map(String::as_str).collect::<Vec<_>>()));
        record.source_identity = self.source_identity.as_deref().map(source_identity);
        record.max_token_ttl = self.max_token_ttl;
        record
    }
}

/// Any session within the limits, from the first second of Unix time to the last that a record can hold.
pub(crate) fn any_session() -> impl Strategy<Value = Parts> {
    const LAST: u64 = (1 << 53) - 1;
    let time = prop_oneof![0..1_000_u64, NOW - 1_000_000..NOW + 1_000_000, LAST - 1_000..LAST];
    let lifetime = prop_oneof![1..100_u64, 60..31_536_000_u64];
    let times = (time, lifetime).prop_map(|(created, lifetime)| (created, created.saturating_add(lifetime).min(LAST)));
    let label = proptest::option::of("[^\\p{Cc}]{1,128}");
    let audiences = proptest::option::of(proptest::collection::hash_set("[!-~]{1,40}", 1..6).prop_map(|set| set.into_iter().collect()));
    let roles = proptest::option::of(proptest::collection::vec(
        "arn:aws(-cn|-us-gov)?:iam::[0-9]{12}:role/([!-)+-:<->@-~]{1,20}/)?[a-zA-Z0-9_+=,.@-]{1,64}",
        1..4,
    ));
    let source_identity = proptest::option::of("[a-zA-Z0-9_+=,.@-]{2,64}");
    let max_token_ttl = proptest::option::of(60..=3_600_u64);
    ("0x[0-9a-f]{40}", times, label, audiences, any_tags(), roles, source_identity, max_token_ttl).prop_map(
        |(wallet, (created_at, expires_at), label, audiences, tags, roles, source_identity, max_token_ttl)| Parts {
            wallet,
            created_at,
            expires_at,
            label,
            audiences,
            tags,
            roles,
            source_identity,
            max_token_ttl,
        },
    )
}

/// Up to a dozen tags whose keys differ by more than case. Letters outside ASCII come from scripts without case.
fn any_tags() -> impl Strategy<Value = Vec<(String, String, bool)>> {
    let key = "[a-zA-Z0-9_.:/=+@ \u{a0}٠-٩あ-ん漢字-]{1,20}";
    let value = "[\\p{L}\\p{N}\\p{Z}_.:/=+@-]{0,30}";
    proptest::collection::vec((key, value, any::<bool>()), 0..12).prop_map(|mut tags| {
        let mut known = vec!["agentkeys_user_wallet".to_owned(), "agentkeys_actor_omni".to_owned()];
        tags.retain(|(key, value, _)| {
            let folded = key.to_ascii_lowercase();
            let free = !folded.starts_with("aws:") && !value.to_ascii_lowercase().starts_with("aws:") && !known.contains(&folded);
            known.push(folded);
            free
        });
        tags
    })
}
