//! What Workers KV holds. `session_record`: an input is a record. `stored`: an input is lines: a key of the index, its
//! metadata, a permission to sign in.

use agentkeys_edge_broker::config::Config;
use agentkeys_edge_broker::mint::{MintRequest, decide};
use agentkeys_edge_broker::session::{IndexMetadata, SessionRecord, index_key, indexed_session};
use agentkeys_edge_broker::signin::AllowRecord;
use agentkeys_edge_broker::wallet::Wallet;
use serde_json::{Value, json};

use crate::grant::Grant;
use crate::said::says_nothing_of;
use crate::world::{ISSUER, WALLET, at, config, mint_within};

/// The last second whose token can be written: chrono's years end there.
const LAST: u64 = 8_210_266_876_799;

/// A record that is read is written as it was, mints within itself and AWS's limits, and has no member that is not known.
pub fn session_record(input: &[u8]) {
    let Ok(text) = core::str::from_utf8(input) else { return };
    let session = match SessionRecord::parse(text) {
        Ok(session) => session,
        Err(broken) => return says_nothing_of(&broken.to_string(), input),
    };
    let written = session.to_json().expect("what was read can be written");
    assert_eq!(SessionRecord::parse(&written).as_ref(), Ok(&session));
    assert_eq!(meant(&written), meant(text), "{written}");
    for extra in [r#""scope":null"#, r#""max_token_ttl_":60"#, r#""v":1"#] {
        assert!(SessionRecord::parse(&with_member(text, extra)).is_err(), "{extra}");
    }
    mints_within_itself(&session, meant(text));
}

/// A record's members by another reader; an empty list of tags is none.
fn meant(text: &str) -> Value {
    let mut record: Value = serde_json::from_str(text).expect("what was read is JSON");
    let members = record.as_object_mut().expect("a record is an object");
    members.retain(|name, value| !(name == "tags" && *value == json!({}) || name == "transitive_tags" && *value == json!([])));
    record
}

/// An object's text with one more member, at the front.
pub(crate) fn with_member(object: &str, member: &str) -> String {
    let inner = object.trim_start().strip_prefix('{').expect("an object").trim_start();
    let comma = if inner.starts_with('}') { "" } else { "," };
    format!("{{{member}{comma}{inner}")
}

/// Every audience of its own, by default and by name, in its last second and before.
fn mints_within_itself(session: &SessionRecord, record: Value) {
    let own = record.get("audiences").cloned().unwrap_or_else(|| json!(["sts.amazonaws.com"]));
    let audiences = own.to_string();
    let config = config(&[("AUDIENCES", &audiences), ("PRINCIPAL_TAGS", r#"["agentkeys_user_wallet","agentkeys_actor_omni"]"#)]);
    let names: Vec<String> = own.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect();
    let now = session.created_at.seconds().max(session.expires_at.seconds().saturating_sub(1_000)).min(session.expires_at.seconds() - 1);
    if session.expires_at.seconds() > LAST {
        return;
    }
    let grant = Grant {
        issuer: ISSUER.to_owned(),
        audiences: names.clone(),
        token_ttl: 300,
        with_omni: true,
        record,
        asked_audience: None,
        asked_ttl: None,
        now,
    };
    mint(&config, session, &grant);
    mint(
        &config,
        session,
        &Grant { asked_audience: names.last().cloned(), asked_ttl: Some(60), now: session.expires_at.seconds() - 1, ..grant },
    );
}

fn mint(config: &Config, session: &SessionRecord, grant: &Grant) {
    let audience = grant.asked_audience.clone().map(|text| text.try_into().expect("an audience of a record"));
    let request = MintRequest { audience, ttl_seconds: grant.asked_ttl };
    let decision = decide(config, session, &request, at(grant.now)).expect("its own audience");
    mint_within(config, session, &decision, grant);
}

/// What is listed and who is let in: read as written, and by nothing else.
pub fn stored(input: &[u8]) {
    let Ok(text) = core::str::from_utf8(input) else { return };
    let mut lines = text.splitn(3, '\n');
    let mut next = || lines.next().unwrap_or_default();
    let (key, metadata, permission) = (next(), next(), next());
    let wallet: Wallet = WALLET.parse().expect("a wallet");
    if let Some(session) = indexed_session(&wallet, key) {
        assert_eq!(index_key(&wallet, &session), key);
    }
    if let Some(read) = IndexMetadata::parse(metadata) {
        assert_eq!(IndexMetadata::parse(&read.to_json()), Some(read));
        // Members that are not known are ignored; known ones are there once.
        assert!(IndexMetadata::parse(&with_member(metadata, r#""zz":1"#)).is_some());
        assert!(IndexMetadata::parse(&with_member(metadata, r#""created":1"#)).is_none());
    }
    match AllowRecord::parse(permission) {
        Ok(read) => {
            let written = read.to_json().expect("what was read can be written");
            assert_eq!(AllowRecord::parse(&written), Ok(read.clone()));
            assert!(AllowRecord::admits(Some(permission), &read.wallet));
            assert_eq!(AllowRecord::admits(Some(permission), &wallet), read.wallet == wallet);
            for extra in [r#""until":1"#, r#""v":1"#] {
                assert!(!AllowRecord::admits(Some(&with_member(permission, extra)), &read.wallet), "{extra}");
            }
        }
        Err(broken) => {
            says_nothing_of(&broken.to_string(), input);
            assert!(!AllowRecord::admits(Some(permission), &wallet));
        }
    }
    assert!(!AllowRecord::admits(None, &wallet));
}
