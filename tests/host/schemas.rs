//! `kv-schemas/` held both ways: what is written follows its schema, and what does not follow it is not read.
//! Schema and parser are two descriptions of one record; where they differ, the difference is a rule that JSON Schema
//! cannot say, and stands in a table here and in `kv-schemas/README.md`.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::sync::LazyLock;

use agentkeys_edge_broker::aws::{TagKey, TagValue, Violation};
use agentkeys_edge_broker::session::{BrokenRecord, IndexMetadata, SessionRecord};
use agentkeys_edge_broker::signin::{AllowRecord, BrokenAllowRecord, BrokenChallenge, Challenge, RANDOM_BYTES, StartRequest};
use jsonschema::Validator;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::support::json;
use crate::support::sessions::{any_session, full_json};

/// The records that JSON Schema takes and the parser does not, with the rule each of them breaks.
const BEYOND_THE_SCHEMA: [(&str, BrokenRecord); 13] = [
    ("expires-at-before-created-at", BrokenRecord::Lifetime),
    ("expires-at-equal-to-created-at", BrokenRecord::Lifetime),
    ("grant-too-long", BrokenRecord::GrantTooLong),
    ("max-token-ttl-written-900.0", BrokenRecord::Schema),
    ("member-twice", BrokenRecord::Schema),
    ("own-tag-in-another-case", BrokenRecord::OwnTag),
    ("own-tag-with-long-s", BrokenRecord::OwnTag),
    ("record-too-long", BrokenRecord::TooLong),
    ("tag-keys-equal-but-for-case", BrokenRecord::Aws(Violation::TagKeyRepeated)),
    ("tag-twice", BrokenRecord::Aws(Violation::TagKeyRepeated)),
    ("transitive-tag-in-another-case", BrokenRecord::Aws(Violation::TransitiveKeyWithoutTag)),
    ("transitive-tag-without-its-tag", BrokenRecord::Aws(Violation::TransitiveKeyWithoutTag)),
    ("version-written-1.0", BrokenRecord::Schema),
];

static SESSION: LazyLock<Validator> = LazyLock::new(|| validator("session.v1"));
static SIGNIN_ALLOW: LazyLock<Validator> = LazyLock::new(|| validator("signin-allow.v1"));
static SIGNIN_CHALLENGE: LazyLock<Validator> = LazyLock::new(|| validator("signin-challenge.v1"));
static WALLET_INDEX: LazyLock<Validator> = LazyLock::new(|| validator("wallet-index.v1"));

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("kv-schemas")
}

fn schema(name: &str) -> Value {
    json(&fs::read_to_string(folder().join(format!("{name}.schema.json"))).unwrap())
}

fn validator(name: &str) -> Validator {
    jsonschema::draft202012::new(&schema(name)).unwrap()
}

/// The examples of a record, by file name without its end.
fn examples(record: &str, kind: &str) -> BTreeMap<String, String> {
    let files = fs::read_dir(folder().join("examples").join(record).join(kind)).unwrap();
    let examples: BTreeMap<String, String> = files
        .map(|file| {
            let path = file.unwrap().path();
            (path.file_name().unwrap().to_str().unwrap().strip_suffix(".json").unwrap().to_owned(), fs::read_to_string(path).unwrap())
        })
        .collect();
    assert!(examples.len() >= 4, "{record}/{kind}");
    examples
}

/// What a schema has against a text: one for what is no JSON at all.
fn objections(validator: &Validator, text: &str) -> usize {
    serde_json::from_str(text).map_or(1, |value: Value| validator.iter_errors(&value).count())
}

#[test]
fn the_schemas_are_json_schema_2020_12() {
    for name in ["session.v1", "signin-allow.v1", "signin-challenge.v1", "wallet-index.v1"] {
        assert_eq!(schema(name)["$schema"], "https://json-schema.org/draft/2020-12/schema");
        jsonschema::meta::validate(&schema(name)).unwrap();
        assert_eq!(schema(name)["additionalProperties"], json!(false));
    }
    // The twin: a schema that is wrong is told from one that is right.
    let mut wrong = schema("session.v1");
    wrong["properties"]["max_token_ttl"]["minimum"] = json!("60");
    assert!(jsonschema::meta::validate(&wrong).is_err());
}

#[test]
fn a_valid_session_is_taken_by_schema_and_parser_and_written_back_by_the_schema() {
    for (name, text) in examples("session", "valid") {
        assert_eq!(objections(&SESSION, &text), 0, "{name}");
        let record = SessionRecord::parse(&text).unwrap_or_else(|broken| panic!("{name}: {broken}"));
        let written = record.to_json().unwrap();
        assert_eq!(objections(&SESSION, &written), 0, "{name}");
        assert_eq!(SessionRecord::parse(&written), Ok(record), "{name}");
    }
}

#[test]
fn an_invalid_session_breaks_one_rule_and_is_refused_by_schema_and_parser() {
    let beyond: BTreeMap<&str, BrokenRecord> = BEYOND_THE_SCHEMA.into_iter().collect();
    let examples = examples("session", "invalid");
    for (name, text) in &examples {
        let broken = SessionRecord::parse(text).expect_err(name);
        match beyond.get(name.as_str()) {
            Some(rule) => assert_eq!((objections(&SESSION, text), broken), (0, *rule), "{name}"),
            None => assert_eq!(objections(&SESSION, text), 1, "{name}: not broken in exactly one way"),
        }
    }
    for name in beyond.keys() {
        assert!(examples.contains_key(*name), "there is no {name}");
    }
}

#[test]
fn an_index_entry_is_written_by_its_schema() {
    for text in examples("session", "valid").values() {
        let record = SessionRecord::parse(text).unwrap();
        let metadata = serde_json::to_value(IndexMetadata::from(&record)).unwrap();
        assert!(WALLET_INDEX.is_valid(&metadata), "{metadata}");
        // Workers KV takes at most 1024 bytes of metadata.
        assert!(metadata.to_string().len() <= 1_024, "{metadata}");
    }
    for (name, text) in examples("wallet-index", "valid") {
        assert_eq!(objections(&WALLET_INDEX, &text), 0, "{name}");
        let metadata = IndexMetadata::parse(&text).unwrap();
        assert_eq!(serde_json::to_value(metadata).unwrap(), json(&text), "{name}");
    }
    for (name, text) in examples("wallet-index", "invalid") {
        assert_eq!(objections(&WALLET_INDEX, &text), 1, "{name}");
    }
}

#[test]
fn a_permission_to_sign_in_is_taken_or_refused_by_schema_and_parser_alike() {
    for (name, text) in examples("signin-allow", "valid") {
        assert_eq!(objections(&SIGNIN_ALLOW, &text), 0, "{name}");
        let written = AllowRecord::parse(&text).expect(&name).to_json().unwrap();
        assert_eq!(json(&written), json(&text), "{name}");
    }
    for (name, text) in examples("signin-allow", "invalid") {
        assert_eq!((objections(&SIGNIN_ALLOW, &text), AllowRecord::parse(&text)), (1, Err(BrokenAllowRecord)), "{name}");
    }
    // What the schema cannot say.
    let minimal = r#"{"v":1,"wallet":"0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed","added_at":1}"#;
    assert!(AllowRecord::parse(minimal).is_ok());
    for beyond in [
        minimal.replace("\"v\":1,", "\"v\":1.0,"),
        minimal.replace("\"v\":1,", "\"v\":1,\"v\":1,"),
        format!("{minimal}{}", " ".repeat(1_025 - minimal.len())),
    ] {
        assert_eq!((objections(&SIGNIN_ALLOW, &beyond), AllowRecord::parse(&beyond)), (0, Err(BrokenAllowRecord)), "{beyond}");
    }
}

#[test]
fn a_challenge_is_taken_or_refused_by_schema_and_parser() {
    for (name, text) in examples("signin-challenge", "valid") {
        assert_eq!(objections(&SIGNIN_CHALLENGE, &text), 0, "{name}");
        let written = Challenge::parse(&text).expect(&name).to_json();
        assert_eq!(json(&written), json(&text), "{name}");
    }
    // What the schema cannot say.
    let beyond = ["expires-at-equal-to-created-at", "member-twice", "message-without-the-nonce"];
    let examples = examples("signin-challenge", "invalid");
    for (name, text) in &examples {
        let objections_expected = usize::from(!beyond.contains(&name.as_str()));
        assert_eq!((objections(&SIGNIN_CHALLENGE, text), Challenge::parse(text)), (objections_expected, Err(BrokenChallenge)), "{name}");
    }
    assert!(beyond.iter().all(|name| examples.contains_key(*name)));
}

#[test]
fn a_challenge_that_is_made_follows_the_schema() {
    let request = StartRequest { wallet: crate::support::WALLET.parse().unwrap(), chain_id: 1.try_into().unwrap() };
    let challenge = Challenge::new(&crate::support::config(&[]), request, &[7; RANDOM_BYTES], crate::support::at(crate::support::NOW));
    assert_eq!(objections(&SIGNIN_CHALLENGE, &challenge.unwrap().to_json()), 0);
}

/// Every value that any example has for any member, put in every member's place.
#[test]
fn schema_and_parser_agree_on_every_member_with_every_value() {
    let mut values = vec![json!(true), json!([]), json!({}), json!({"team": ["a"]}), json!([[]])];
    for text in examples("session", "valid").values().chain(examples("session", "invalid").values()) {
        if let Ok(Value::Object(members)) = serde_json::from_str(text) {
            values.extend(members.into_iter().map(|(_, value)| value));
        }
    }
    // `1.0` is the number 1 to JSON Schema and none of ours: that rule has its own examples.
    values.retain(|value| !value.is_f64() || value.as_f64().is_some_and(|number| number.fract() != 0.0));
    let (mut taken, mut refused) = (0, 0);
    for member in full_json().as_object().unwrap().keys() {
        for value in &values {
            let mut record = full_json();
            record[member] = value.clone();
            let text = record.to_string();
            let follows = objections(&SESSION, &text) == 0;
            match SessionRecord::parse(&text) {
                Ok(_) => {
                    assert!(follows, "{member}: {value}");
                    taken += 1;
                }
                // What the schema cannot say.
                Err(
                    BrokenRecord::Lifetime
                    | BrokenRecord::OwnTag
                    | BrokenRecord::GrantTooLong
                    | BrokenRecord::TooLong
                    | BrokenRecord::Aws(Violation::TagKeyRepeated | Violation::TransitiveKeyWithoutTag),
                ) => {}
                Err(_) => {
                    assert!(!follows, "{member}: {value}");
                    refused += 1;
                }
            }
        }
    }
    assert!(taken > 50 && refused > 500, "{taken} taken, {refused} refused");
}

#[test]
fn schema_and_parser_agree_on_every_character_of_a_tag() {
    let every = || (0..=0x0010_ffff).filter_map(char::from_u32);
    let parses = |text: &str| TagValue::try_from(text.to_owned()).is_ok();
    let tagged = |text: &str| {
        SESSION.is_valid(&{
            let mut record = full_json();
            record["tags"]["note"] = json!(text);
            record
        })
    };
    // What the parser takes the schema takes, many at a time.
    let taken: Vec<char> = every().filter(|character| parses(&character.to_string())).collect();
    assert!(taken.len() > 100_000, "letters of all scripts");
    for characters in taken.chunks(255) {
        let text: String = core::iter::once(&'-').chain(characters).collect();
        assert!(parses(&text) && tagged(&text), "{characters:?}");
    }
    // What it does not take the schema does not either: all of the first planes' beginnings, then one in a hundred.
    let refused = every().filter(|character| !parses(&character.to_string()));
    let refused =
        refused.enumerate().filter(|(n, character)| u32::from(*character) < 0x3100 || n % 101 == 0).map(|(_, character)| character);
    for character in refused {
        assert!(!tagged(&character.to_string()), "{character:?} U+{:04X}", u32::from(character));
        assert!(TagKey::try_from(character.to_string()).is_err());
    }
}

#[test]
fn the_examples_of_the_readme_follow_the_schemas() {
    let readme = fs::read_to_string(folder().join("README.md")).unwrap();
    let blocks = |heading: &str| -> Vec<String> {
        let section = readme.split("\n## ").find(|section| section.starts_with(heading)).unwrap_or_else(|| panic!("no {heading}"));
        section.split("```json\n").skip(1).map(|block| block.split("\n```").next().unwrap().to_owned()).collect()
    };
    for (heading, validator) in [
        ("Session", &*SESSION),
        ("Wallet index", &*WALLET_INDEX),
        ("Permission to sign in", &*SIGNIN_ALLOW),
        ("Sign-in challenge", &*SIGNIN_CHALLENGE),
    ] {
        let blocks = blocks(heading);
        assert!(!blocks.is_empty(), "{heading} has no example");
        for block in blocks {
            assert_eq!(objections(validator, &block), 0, "{heading}: {block}");
        }
    }
    for (name, _) in BEYOND_THE_SCHEMA {
        assert!(readme.contains(&format!("`{name}`")), "the rule behind {name} is not told");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_record_that_is_written_follows_the_schema(parts in any_session()) {
        prop_assert_eq!(objections(&SESSION, &parts.record().to_json().unwrap()), 0);
        prop_assert_eq!(objections(&WALLET_INDEX, &serde_json::to_string(&IndexMetadata::from(&parts.record())).unwrap()), 0);
    }

    /// A record that lost, gained or changed a member: never read where the schema refuses it.
    #[test]
    fn what_does_not_follow_the_schema_is_not_read(parts in any_session(), member in prop::sample::select(MEMBERS.to_vec()), value in any_value()) {
        let mut stored = parts.json();
        match value {
            Some(value) => stored[member] = value,
            None => drop(stored.as_object_mut().unwrap().remove(member)),
        }
        let text = stored.to_string();
        if objections(&SESSION, &text) > 0 {
            prop_assert!(SessionRecord::parse(&text).is_err(), "{}", text);
        }
    }
}

const MEMBERS: [&str; 12] = [
    "v",
    "wallet",
    "created_at",
    "expires_at",
    "label",
    "audiences",
    "tags",
    "transitive_tags",
    "roles",
    "source_identity",
    "max_token_ttl",
    "note",
];

/// A value of any type; `None` takes the member away.
fn any_value() -> impl Strategy<Value = Option<Value>> {
    let text = || "[\\p{L}\\p{Cc}\\p{P}0-9 :]{0,20}";
    prop_oneof![
        Just(None),
        Just(Some(Value::Null)),
        any::<i64>().prop_map(|number| Some(json!(number))),
        (0_u64..4_000).prop_map(|number| Some(json!(number))),
        any::<f64>().prop_map(|number| Some(json!(number))),
        text().prop_map(|text| Some(json!(text))),
        proptest::collection::vec(text(), 0..4).prop_map(|list| Some(json!(list))),
        proptest::collection::btree_map(text(), text(), 0..4).prop_map(|map| Some(json!(map))),
    ]
}
