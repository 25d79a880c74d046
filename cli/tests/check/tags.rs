//! The session tags, nested and flattened.

use serde_json::{Map, Value, json};

use crate::case::{Case, INVALID, TAGS, WALLET, case};

/// The wallet's tag and others, none transitive but the wallet.
fn tags(name: impl Into<String>, others: &Value) -> Case {
    let mut tags: Map<String, Value> = others.as_object().unwrap().clone();
    tags.insert("agentkeys_user_wallet".to_owned(), json!([WALLET]));
    case(name).claim(TAGS, json!({"principal_tags": tags, "transitive_tag_keys": ["agentkeys_user_wallet"]}))
}

fn flattened(name: impl Into<String>) -> Case {
    case(name)
        .without_claim(TAGS)
        .claim("https://aws.amazon.com/tags/principal_tags/agentkeys_user_wallet", json!(WALLET))
        .claim("https://aws.amazon.com/tags/transitive_tag_keys", json!(["agentkeys_user_wallet"]))
}

#[test]
fn a_token_without_tags_is_accepted_with_a_loud_warning() {
    let token = case("untagged").without_claim(TAGS);
    token.is_accepted_with(&["untagged"]);
    case("custom claims are no tags").without_claim(TAGS).claim("principal_tags", json!({"a": ["1"]})).is_accepted_with(&["untagged"]);
    case("misspelled")
        .without_claim(TAGS)
        .claim("https://aws.amazon.com/tag", json!({}))
        .is_accepted_with(&["untagged", "unread-aws-claim"]);
}

#[test]
fn the_report_shows_what_sts_makes_of_the_token() {
    let report = tags("tagged", &json!({"team": ["a"]})).accepted_report();
    assert_eq!(report["session_tags"], json!({"agentkeys_user_wallet": WALLET, "team": "a"}));
    assert_eq!(report["transitive_tag_keys"], json!(["agentkeys_user_wallet"]));
    assert_eq!(report["trust_policy_actions"], json!(["sts:AssumeRoleWithWebIdentity", "sts:TagSession"]));
    assert_eq!(flattened("flattened").accepted_report()["session_tags"], json!({"agentkeys_user_wallet": WALLET}));
}

#[test]
fn each_value_of_the_nested_form_is_an_array_of_exactly_one_string() {
    tags("an empty value", &json!({"team": [""]})).is_accepted();
    for value in
        [json!("a"), json!([]), json!(["a", "b"]), json!([1]), json!([null]), json!(1), Value::Null, json!({"a": "b"}), json!([["a"]])]
    {
        let token = tags(format!("value {value}"), &json!({"team": value}));
        token.is_refused(INVALID, "tags-form");
        assert_eq!(token.refused_report()["error"]["message"], json!("principal_tags passed in claim is not in correct format."));
    }
    for claim in [
        json!("team=a"),
        json!(["team"]),
        json!(7),
        json!(true),
        json!({"principal_tags": []}),
        json!({"principal_tags": "team"}),
        json!({"principal_tags": null}),
    ] {
        case(format!("claim {claim}")).claim(TAGS, claim).is_refused(INVALID, "tags-form");
    }
    for claim in [
        Value::Null,
        json!({}),
        json!({"principal_tags": {}}),
        json!({"transitive_tag_keys": []}),
        json!({"principal_tags": {"a": ["1"]}, "other": 1}),
    ] {
        case(format!("claim {claim}")).claim(TAGS, claim).is_doubtful(INVALID, "tags-unknown-form");
    }
}

#[test]
fn the_flattened_form_has_strings() {
    flattened("good").is_accepted();
    flattened("more").claim("https://aws.amazon.com/tags/principal_tags/a/b", json!("1")).is_accepted();
    let only = |name: &str| {
        case(name).without_claim(TAGS).claim("https://aws.amazon.com/tags/principal_tags/agentkeys_user_wallet", json!(WALLET))
    };
    only("none transitive").is_accepted_with(&["wallet-not-transitive"]);
    for value in [json!(["1"]), json!(1), Value::Null] {
        flattened(format!("value {value}"))
            .claim("https://aws.amazon.com/tags/principal_tags/a", value)
            .is_doubtful(INVALID, "tags-flattened-form");
    }
    flattened("transitive keys in a string")
        .claim("https://aws.amazon.com/tags/transitive_tag_keys", json!("agentkeys_user_wallet"))
        .is_refused(INVALID, "transitive-keys-form");
    case("both forms").claim("https://aws.amazon.com/tags/principal_tags/a", json!("1")).is_doubtful(INVALID, "tags-nested-and-flattened");
    case("both forms, transitive keys only")
        .claim("https://aws.amazon.com/tags/transitive_tag_keys", json!([]))
        .is_doubtful(INVALID, "tags-nested-and-flattened");
}

#[test]
fn the_limits_are_those_of_aws() {
    let many = |count: usize| Value::Object((1..count).map(|n| (format!("k{n}"), json!(["v"]))).collect());
    tags("50 tags", &many(50)).is_accepted();
    tags("51 tags", &many(51)).is_refused_with_some_code("tags-limits");
    for (key, value) in [
        ("k".repeat(128), "v".repeat(256)),
        ("Ключ".to_owned(), "漢 ½".to_owned()),
        ("a_.:/=+-@ ".to_owned(), "_.:/=+-@ ".to_owned()),
        ("xaws:".to_owned(), "xaws:".to_owned()),
    ] {
        tags(format!("{key} {value}"), &json!({key: [value]})).is_accepted();
    }
    for (key, value) in [
        (String::new(), "v".to_owned()),
        ("k".repeat(129), "v".to_owned()),
        ("k".to_owned(), "v".repeat(257)),
        ("a,b".to_owned(), "v".to_owned()),
        ("a*".to_owned(), "v".to_owned()),
        ("k".to_owned(), "${aws:username}".to_owned()),
        ("k".to_owned(), "a\nb".to_owned()),
        ("k".to_owned(), "😀".to_owned()),
        ("aws:k".to_owned(), "v".to_owned()),
        ("AWS:k".to_owned(), "v".to_owned()),
        ("k".to_owned(), "aws:v".to_owned()),
        ("k".to_owned(), "Aws:v".to_owned()),
        ("AgentKeys_User_Wallet".to_owned(), "v".to_owned()),
    ] {
        tags(format!("{key} {value}"), &json!({key: [value]})).is_refused_with_some_code("tags-limits");
    }
    flattened("an empty key").claim("https://aws.amazon.com/tags/principal_tags/", json!("v")).is_refused_with_some_code("tags-limits");
    case("a repeated key")
        .claims_text(|claims| {
            claims.replace(r#"{"agentkeys_user_wallet":["#, r#"{"agentkeys_user_wallet":["0x"],"agentkeys_user_wallet":["#)
        })
        .is_doubtful(INVALID, "tags-repeated-key");
}

#[test]
fn every_transitive_key_names_a_supplied_tag() {
    let with = |name: &str, keys: Value| {
        case(name).claim(TAGS, json!({"principal_tags": {"agentkeys_user_wallet": [WALLET]}, "transitive_tag_keys": keys}))
    };
    with("the wallet", json!(["agentkeys_user_wallet"])).is_accepted();
    with("none", json!([])).is_accepted_with(&["wallet-not-transitive"]);
    with("another", json!(["agentkeys_user_wallet", "team"])).is_refused_with_some_code("transitive-key-without-tag");
    with("an empty one", json!([""])).is_refused_with_some_code("transitive-key-without-tag");
    with("in another case", json!(["Agentkeys_user_wallet"])).is_doubtful(INVALID, "transitive-key-spelling");
    with("twice", json!(["agentkeys_user_wallet", "agentkeys_user_wallet"])).is_doubtful(INVALID, "transitive-key-spelling");
    for keys in [json!("agentkeys_user_wallet"), json!([1]), json!({"a": 1}), Value::Null] {
        with("of a wrong form", keys).is_refused(INVALID, "transitive-keys-form");
    }
}

#[test]
fn a_careful_team_sends_the_wallet_in_its_one_form() {
    case("no wallet tag").claim(TAGS, json!({"principal_tags": {"team": ["a"]}})).is_accepted_with(&["no-wallet-tag"]);
    case("another wallet in the claim").claim("agentkeys_user_wallet", json!("0x")).is_accepted_with(&["wallet-tag-mismatch"]);
    let upper = WALLET.to_uppercase().replace('X', "x");
    let token = case("upper case")
        .claim(TAGS, json!({"principal_tags": {"agentkeys_user_wallet": [upper]}, "transitive_tag_keys": ["agentkeys_user_wallet"]}));
    token.claim("agentkeys_user_wallet", json!(upper)).is_accepted_with(&["wallet-tag-form"]);
    let large = Value::Object((0..8).map(|n| (format!("k{n}"), json!(["v".repeat(256)]))).collect());
    tags("more than 2 KiB", &large).is_accepted_with(&["large-tags"]);
}
