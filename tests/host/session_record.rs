//! The session record: what is written is read back, every member broken one way at a time, AWS's limits, own tags.

use agentkeys_edge_broker::aws::Violation;
use agentkeys_edge_broker::session::{BrokenRecord, RECORD_BYTES_MAX, SessionRecord};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::support::sessions::{any_session, audience, full_json, key, plain, source_identity, tag};
use crate::support::{NOW, WALLET, at, json, members, wallet};

const REQUIRED: [&str; 4] = ["v", "wallet", "created_at", "expires_at"];

fn parse(record: &Value) -> Result<SessionRecord, BrokenRecord> {
    SessionRecord::parse(&record.to_string())
}

fn with(member: &str, value: Value) -> Value {
    let mut record = full_json();
    record[member] = value;
    record
}

/// The record with these tags and no transitive ones.
fn with_tags(tags: Value) -> Value {
    let mut record = with("tags", tags);
    record.as_object_mut().unwrap().remove("transitive_tags");
    record
}

#[test]
fn a_record_is_read_as_it_says() {
    let record = parse(&full_json()).unwrap();
    assert_eq!(record.wallet, wallet());
    assert_eq!((record.created_at, record.expires_at), (at(NOW - 60), at(NOW + 86_400)));
    assert_eq!(record.label.as_deref(), Some("build agent"));
    assert_eq!(record.audiences, Some(vec![audience("sts.amazonaws.com"), audience("https://iam.example.com/pool")]));
    let mut tags = record.tags().tags().to_vec();
    tags.sort_by(|a, b| a.0.cmp(&b.0));
    assert_eq!(tags, [tag("project", "röntgen 7"), tag("team", "storage")]);
    assert_eq!(record.tags().transitive(), [key("team")]);
    assert_eq!(record.source_identity, Some(source_identity("agent-7@example.com")));
    assert_eq!(record.max_token_ttl, Some(900));
}

#[test]
fn a_session_without_restrictions_is_the_four_required_members() {
    assert_eq!(members(&json(&plain().to_json().unwrap())), ["created_at", "expires_at", "v", "wallet"]);
    let record = parse(&json!({"v": 1, "wallet": WALLET, "created_at": 1, "expires_at": 2})).unwrap();
    assert_eq!(record, SessionRecord::new(wallet(), at(1), at(2)).unwrap());
}

#[test]
fn a_member_is_missing() {
    for member in full_json().as_object().unwrap().keys() {
        let mut record = full_json();
        record.as_object_mut().unwrap().remove(member);
        if member == "tags" {
            assert_eq!(parse(&record), Err(BrokenRecord::Aws(Violation::TransitiveKeyWithoutTag)));
        } else if REQUIRED.contains(&member.as_str()) {
            assert_eq!(parse(&record), Err(BrokenRecord::Schema), "{member}");
        } else {
            assert!(parse(&record).is_ok(), "{member}");
        }
    }
}

#[test]
fn a_member_is_null() {
    for member in full_json().as_object().unwrap().keys() {
        assert_eq!(parse(&with(member, Value::Null)), Err(BrokenRecord::Schema), "{member}");
    }
}

#[test]
fn a_member_is_of_another_type() {
    let kind = |value: &Value| match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    for (member, right) in full_json().as_object().unwrap() {
        for wrong in [json!(true), json!(900), json!("900"), json!(["team"]), json!({"team": "a"})] {
            if kind(&wrong) != kind(right) {
                assert!(parse(&with(member, wrong.clone())).is_err(), "{member}: {wrong}");
            }
        }
    }
    for member in ["v", "created_at", "expires_at", "max_token_ttl"] {
        for wrong in [json!(-1), json!(1.5), json!(900.0), json!(1_u64 << 53), json!(u64::MAX), json!(1e300)] {
            assert!(parse(&with(member, wrong.clone())).is_err(), "{member}: {wrong}");
        }
    }
    for member in ["audiences", "transitive_tags", "roles"] {
        for wrong in [json!([1]), json!([null]), json!([["team"]]), json!([{"team": "a"}])] {
            assert_eq!(parse(&with(member, wrong.clone())), Err(BrokenRecord::Schema), "{member}: {wrong}");
        }
    }
    for wrong in [json!({"team": 1}), json!({"team": null}), json!({"team": ["a"]})] {
        assert_eq!(parse(&with_tags(wrong.clone())), Err(BrokenRecord::Schema), "{wrong}");
    }
}

#[test]
fn a_member_is_there_twice() {
    let record = full_json();
    for (member, value) in record.as_object().unwrap() {
        let twice = format!("{},{}:{value}}}", record.to_string().trim_end_matches('}'), json!(member));
        assert_eq!(SessionRecord::parse(&twice), Err(BrokenRecord::Schema), "{member}");
    }
    let twice = with_tags(json!({"team": "a"})).to_string().replace(r#"{"team":"a"}"#, r#"{"team":"a","team":"b"}"#);
    assert_eq!(SessionRecord::parse(&twice), Err(BrokenRecord::Aws(Violation::TagKeyRepeated)));
}

#[test]
fn a_member_is_not_known() {
    for unknown in ["V", "Wallet", "expires", "max_ttl", "source_ip", "", "$schema", "//"] {
        assert_eq!(parse(&with(unknown, json!(1))), Err(BrokenRecord::Schema), "{unknown}");
    }
}

#[test]
fn a_text_that_is_no_json_object_is_no_record() {
    let full = full_json().to_string();
    let in_order = json!([1, WALLET, NOW, NOW + 60]).to_string();
    for text in [
        "",
        "null",
        "1",
        "\"\"",
        "[]",
        "{}",
        &format!("[{full}]"),
        &in_order,
        &format!("{full}{full}"),
        &full[1..],
        &full[..full.len() - 1],
    ] {
        assert_eq!(SessionRecord::parse(text), Err(BrokenRecord::Schema), "{text}");
    }
    assert!(SessionRecord::parse(&format!(" {full}\n")).is_ok());
}

#[test]
fn a_value_is_outside_its_rule() {
    let hundred: Vec<String> = (0..101).map(|n| format!("a{n}")).collect();
    let arn = "arn:aws:iam::123456789012:role/agent";
    for (member, value, broken) in [
        ("v", json!(0), BrokenRecord::Schema),
        ("v", json!(2), BrokenRecord::Schema),
        ("wallet", json!(WALLET.to_uppercase()), BrokenRecord::Schema),
        ("wallet", json!(&WALLET[2..]), BrokenRecord::Schema),
        ("wallet", json!(format!("{WALLET}/*")), BrokenRecord::Schema),
        ("created_at", json!(NOW + 86_400), BrokenRecord::Lifetime),
        ("created_at", json!(NOW + 86_401), BrokenRecord::Lifetime),
        ("expires_at", json!(0), BrokenRecord::Lifetime),
        ("label", json!(""), BrokenRecord::Label),
        ("label", json!("a".repeat(129)), BrokenRecord::Label),
        ("label", json!("a\nb"), BrokenRecord::Label),
        ("label", json!("a\u{9b}31m"), BrokenRecord::Label),
        ("audiences", json!([]), BrokenRecord::Audiences),
        ("audiences", json!(["a", "b", "a"]), BrokenRecord::Audiences),
        ("audiences", json!(hundred), BrokenRecord::Audiences),
        ("audiences", json!([""]), BrokenRecord::Schema),
        ("audiences", json!(["a b"]), BrokenRecord::Schema),
        ("audiences", json!(["a".repeat(256)]), BrokenRecord::Schema),
        ("max_token_ttl", json!(0), BrokenRecord::MaxTokenTtl),
        ("max_token_ttl", json!(59), BrokenRecord::MaxTokenTtl),
        ("max_token_ttl", json!(3_601), BrokenRecord::MaxTokenTtl),
        ("source_identity", json!("a"), BrokenRecord::Schema),
        ("source_identity", json!("a".repeat(65)), BrokenRecord::Schema),
        ("source_identity", json!("a b"), BrokenRecord::Schema),
        ("source_identity", json!("aws:agent"), BrokenRecord::Schema),
        ("roles", json!([]), BrokenRecord::Schema),
        ("roles", json!([arn, "arn:aws:iam::123456789012:role/*"]), BrokenRecord::Schema),
        ("roles", json!([format!("{arn};{arn}")]), BrokenRecord::Schema),
        ("roles", json!(["arn:aws:iam::123456789012:role//agent"]), BrokenRecord::Schema),
        ("transitive_tags", json!(["project", "team", "team"]), BrokenRecord::Aws(Violation::TagKeyRepeated)),
        ("transitive_tags", json!(["wallet"]), BrokenRecord::Aws(Violation::TransitiveKeyWithoutTag)),
        ("transitive_tags", json!(["Team"]), BrokenRecord::Aws(Violation::TransitiveKeyWithoutTag)),
        ("transitive_tags", json!(["agentkeys_user_wallet"]), BrokenRecord::Aws(Violation::TransitiveKeyWithoutTag)),
    ] {
        assert_eq!(parse(&with(member, value.clone())), Err(broken), "{member}: {value}");
    }
}

#[test]
fn the_limits_themselves_are_allowed() {
    for (member, value) in [
        ("created_at", json!(NOW + 86_399)),
        ("created_at", json!(0)),
        ("expires_at", json!((1_u64 << 53) - 1)),
        ("label", json!("漢".repeat(128))),
        ("audiences", json!((0..100).map(|n| format!("a{n}")).collect::<Vec<_>>())),
        ("audiences", json!(["a".repeat(255)])),
        ("max_token_ttl", json!(60)),
        ("max_token_ttl", json!(3_600)),
        ("source_identity", json!("ab")),
        ("source_identity", json!("a".repeat(64))),
        ("transitive_tags", json!([])),
        ("transitive_tags", json!(["project", "team"])),
        ("tags", json!({"team": ""})),
        ("roles", json!([format!("arn:aws:iam::123456789012:role/{}/{}", "p".repeat(510), "n".repeat(64))])),
    ] {
        assert!(parse(&with(member, value.clone())).is_ok(), "{member}: {value}");
    }
    assert!(parse(&with_tags(json!({}))).is_ok());
}

#[test]
fn tags_break_a_limit_of_aws() {
    let many = |count: usize| (0..count).map(|n| (format!("k{n}"), json!(""))).collect::<serde_json::Map<_, _>>();
    assert!(parse(&with_tags(json!(many(48)))).is_ok());
    for (tags, broken) in [
        (json!(many(49)), BrokenRecord::TooManyTags),
        (json!(many(50)), BrokenRecord::TooManyTags),
        (json!(many(51)), BrokenRecord::Aws(Violation::TooManyTags)),
        (json!({"": "a"}), BrokenRecord::Schema),
        (json!({"k".repeat(129): "a"}), BrokenRecord::Schema),
        (json!({"k*": "a"}), BrokenRecord::Schema),
        (json!({"aws:k": "a"}), BrokenRecord::Schema),
        (json!({"AWS:k": "a"}), BrokenRecord::Schema),
        (json!({"k": "v".repeat(257)}), BrokenRecord::Schema),
        (json!({"k": "0x*"}), BrokenRecord::Schema),
        (json!({"k": "${aws:username}"}), BrokenRecord::Schema),
        (json!({"k": "aws:v"}), BrokenRecord::Schema),
        (json!({"Team": "a", "team": "b"}), BrokenRecord::Aws(Violation::TagKeyRepeated)),
        (json!({"É": "a", "é": "b"}), BrokenRecord::Aws(Violation::TagKeyRepeated)),
        (json!({"ΟΔΟΣ": "a", "οδος": "b"}), BrokenRecord::Aws(Violation::TagKeyRepeated)),
        (json!({"ΟΔΟΣ": "a", "οδοσ": "b"}), BrokenRecord::Aws(Violation::TagKeyRepeated)),
    ] {
        assert_eq!(parse(&with_tags(tags.clone())), Err(broken), "{tags}");
    }
}

#[test]
fn a_session_never_sets_the_broker_s_own_tags() {
    for own in [
        "agentkeys_user_wallet",
        "AGENTKEYS_USER_WALLET",
        "Agentkeys_User_Wallet",
        "agentkeys_actor_omni",
        "agentkeys_actor_OMNI",
        // Letters that some folding makes ASCII: the kelvin sign, the long s, the i with no dot and with two.
        "agent\u{212a}eys_user_wallet",
        "agentkey\u{17f}_user_wallet",
        "agentkeys_actor_omn\u{131}",
        "agentkeys_actor_omn\u{130}",
    ] {
        assert_eq!(parse(&with_tags(json!({"team": "a", own: WALLET}))), Err(BrokenRecord::OwnTag), "{own}");
        assert_eq!(plain().with_tags(vec![tag(own, WALLET)], vec![]), Err(BrokenRecord::OwnTag), "{own}");
    }
    for free in ["agentkeys_user_wallet_2", "user_wallet", "agentkeys-user-wallet", "agentkeys_user_wallet "] {
        assert!(parse(&with_tags(json!({free: "a"}))).is_ok(), "{free}");
    }
}

#[test]
fn a_record_has_a_most_number_of_bytes() {
    let full = full_json().to_string();
    let padded = |length: usize| format!("{full}{}", " ".repeat(length - full.len()));
    assert!(SessionRecord::parse(&padded(RECORD_BYTES_MAX)).is_ok());
    assert_eq!(SessionRecord::parse(&padded(RECORD_BYTES_MAX + 1)), Err(BrokenRecord::TooLong));
    let audiences: Vec<String> = (0..80).map(|n| format!("{n}{}", "a".repeat(240))).collect();
    assert_eq!(parse(&with("audiences", json!(audiences))), Err(BrokenRecord::TooLong));
}

#[test]
fn nothing_is_written_that_would_not_be_read() {
    let set = |change: fn(&mut SessionRecord)| {
        let mut record = plain();
        change(&mut record);
        record.to_json()
    };
    assert!(set(|_| {}).is_ok());
    assert_eq!(set(|record| record.expires_at = record.created_at), Err(BrokenRecord::Lifetime));
    assert_eq!(set(|record| record.label = Some("\u{1b}[31m".to_owned())), Err(BrokenRecord::Label));
    assert_eq!(set(|record| record.audiences = Some(vec![])), Err(BrokenRecord::Audiences));
    assert_eq!(set(|record| record.max_token_ttl = Some(1)), Err(BrokenRecord::MaxTokenTtl));
    let long = (0..80).map(|n| audience(&format!("{n}{}", "a".repeat(240)))).collect::<Vec<_>>();
    let mut record = plain();
    record.audiences = Some(long);
    assert_eq!(record.to_json(), Err(BrokenRecord::TooLong));
    assert_eq!(SessionRecord::new(wallet(), at(5), at(5)), Err(BrokenRecord::Lifetime));
}

#[test]
fn what_is_said_of_a_broken_record_is_the_rule_and_not_its_content() {
    const PLANTED: &str = "hunter2 ";
    for member in full_json().as_object().unwrap().keys() {
        for value in [json!(PLANTED), json!([PLANTED]), json!({PLANTED: format!("{PLANTED}*")})] {
            if let Err(broken) = parse(&with(member, value)) {
                assert!(!format!("{broken} {broken:?}").contains("hunter2"), "{member}: {broken}");
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// What the broker writes is what the schema's author would write, and is read back as what was written.
    #[test]
    fn what_is_written_is_read_back(parts in any_session()) {
        let record = parts.record();
        let text = record.to_json().unwrap();
        prop_assert_eq!(json(&text), parts.json());
        prop_assert_eq!(SessionRecord::parse(&text).unwrap(), record);
    }

    /// And what others write by the schema is read, and written back the same.
    #[test]
    fn what_is_read_is_written_back(parts in any_session()) {
        let stored = parts.json();
        let record = SessionRecord::parse(&serde_json::to_string_pretty(&stored).unwrap()).unwrap();
        prop_assert_eq!(json(&record.to_json().unwrap()), stored);
    }

    #[test]
    fn a_record_with_one_more_member_is_broken(parts in any_session(), name in "[a-z_]{1,12}", at_all in any::<bool>()) {
        let mut stored = parts.json();
        prop_assume!(full_json().get(&name).is_none());
        stored[name] = if at_all { json!(1) } else { Value::Null };
        prop_assert_eq!(parse(&stored), Err(BrokenRecord::Schema));
    }

    #[test]
    fn any_text_is_read_to_an_answer(text in "[\\[\\]{}\",:0-9a-z\\\\u ]{0,80}") {
        prop_assert!(SessionRecord::parse(&text).is_err());
    }
}
