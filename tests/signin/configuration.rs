//! `SIGNIN_…` and `SESSIONS_PER_WALLET`.

use agentkeys_edge_broker::config::{Allow, Signin};

use crate::support::{config, try_config};

#[test]
fn the_defaults_are_the_design_s() {
    let Signin { allow, chains, statement, resources, challenge_ttl, sessions_per_wallet, audiences, tags } = config(&[]).signin;
    assert_eq!((audiences, tags), (None, vec![]));
    assert_eq!((allow, chains, resources.len(), challenge_ttl, sessions_per_wallet), (Allow::Anyone, None, 0, 600, 20));
    assert_eq!(statement.to_string(), "Sign in to the agent key broker.");
}

#[test]
fn every_variable_has_its_good_values() {
    for (variable, values) in [
        ("SIGNIN_ALLOW", &["anyone", "listed"][..]),
        ("SIGNIN_CHAINS", &["[1]", "[1,8453,9007199254740991]"]),
        ("SIGNIN_STATEMENT", &["a", " ", "It's fine: sign (here), please!", "https://example.com/tos?a=b#c[0]@~*+;&$"]),
        ("SIGNIN_RESOURCES", &["[]", r#"["https://example.com/a?b#c","urn:a:b","a+b-c.1:","https://a.example:8443/%2F"]"#]),
        ("SIGNIN_CHALLENGE_TTL_SECONDS", &["60", "600", "2700"]),
        ("SESSIONS_PER_WALLET", &["1", "20", "1000"]),
        ("SIGNIN_AUDIENCES", &[r#"["sts.amazonaws.com"]"#]),
        ("SIGNIN_TAGS", &["{}", r#"{"origin":"sign-in"}"#, r#"{"a":"","b":"größe 7"}"#]),
    ] {
        for value in values {
            assert!(try_config(&[(variable, value)]).is_ok(), "{variable} {value}");
        }
    }
    assert_eq!(config(&[("SIGNIN_ALLOW", "listed")]).signin.allow, Allow::Listed);
    assert_eq!(config(&[("SESSIONS_PER_WALLET", "3")]).signin.sessions_per_wallet, 3);
}

#[test]
fn every_variable_names_itself_where_its_value_is_wrong() {
    let long = "a".repeat(256);
    let long_uri = format!(r#"["a:{long}"]"#);
    let many_chains = format!("[{}]", (1..=101).map(|n| n.to_string()).collect::<Vec<_>>().join(","));
    let many_tags = format!("{{{}}}", (0..49).map(|n| format!(r#""k{n}":"v""#)).collect::<Vec<_>>().join(","));
    let many_uris = format!("[{}]", [r#""a:b""#; 11].join(","));
    for (variable, values) in [
        ("SIGNIN_ALLOW", &["", "Anyone", "nobody", "[\"anyone\"]", "true"][..]),
        ("SIGNIN_CHAINS", &["", "[]", "1", "[0]", "[-1]", "[1.5]", "[\"1\"]", "[1,1]", "[null]", "{}", "[9007199254740992]", &many_chains]),
        ("SIGNIN_STATEMENT", &["", "a\nb", "a\r", "a\tb", "é", "a\"b", "a<b", "100%", "a\\b", "a|b", "{a}", "`a`", "a^b", "\u{7f}", &long]),
        (
            "SIGNIN_RESOURCES",
            &[
                "",
                "\"a:b\"",
                "[1]",
                "[\"\"]",
                "[\"a\"]",
                "[\"1a:b\"]",
                "[\":b\"]",
                "[\"a:b c\"]",
                "[\"a:b\\nc\"]",
                "[\"a:é\"]",
                "[\"a:%\"]",
                "[\"a:%2\"]",
                "[\"a:%2g\"]",
                "[\"a:b#c#d\"]",
                "[\"a:[b]\"]",
                "[\"https://\"]",
                "[\"https:///a\"]",
                "[\"https://u@a\"]",
                "[\"https://a:b/\"]",
                "[\"https://a:1:2/\"]",
                &long_uri,
                &many_uris,
            ],
        ),
        ("SIGNIN_CHALLENGE_TTL_SECONDS", &["", "59", "2701", "600s", "+600", "6e2", "600.0"]),
        ("SESSIONS_PER_WALLET", &["", "0", "1001", "-1", "many"]),
        (
            "SIGNIN_AUDIENCES",
            &[
                "",
                "[]",
                "null",
                r#""sts.amazonaws.com""#,
                r#"["b"]"#,
                r#"["sts.amazonaws.com","b"]"#,
                r#"["sts.amazonaws.com","sts.amazonaws.com"]"#,
                "[1]",
            ],
        ),
        (
            "SIGNIN_TAGS",
            &[
                "",
                "null",
                "[]",
                r#"{"a":1}"#,
                r#"{"a":["b"]}"#,
                r#"{"a":"b","a":"c"}"#,
                r#"{"a":"b","A":"c"}"#,
                r#"{"aws:a":"b"}"#,
                r#"{"":"b"}"#,
                r#"{"a*":"b"}"#,
                r#"{"agentkeys_user_wallet":"x"}"#,
                r#"{"AgentKeys_User_Wallet":"x"}"#,
                &many_tags,
            ],
        ),
    ] {
        for value in values {
            assert_eq!(try_config(&[(variable, value)]), Err(vec![variable]), "{variable} {value}");
        }
    }
}

#[test]
fn all_that_is_wrong_is_named_at_once() {
    let wrong = [("ISSUER", ""), ("SIGNIN_ALLOW", ""), ("SIGNIN_CHAINS", ""), ("SESSIONS_PER_WALLET", "")];
    assert_eq!(try_config(&wrong), Err(vec!["ISSUER", "SIGNIN_ALLOW", "SIGNIN_CHAINS", "SESSIONS_PER_WALLET"]));
}

#[test]
fn the_audiences_of_sign_ins_are_held_against_those_of_the_broker() {
    let audiences =
        |signin: &str| try_config(&[("AUDIENCES", r#"["a",{"audience":"b","alg":"RS256"},"c"]"#), ("SIGNIN_AUDIENCES", signin)]);
    for good in [r#"["b"]"#, r#"["c","a"]"#, r#"["a","b","c"]"#] {
        assert!(audiences(good).is_ok(), "{good}");
    }
    assert_eq!(audiences(r#"["a","d"]"#), Err(vec!["SIGNIN_AUDIENCES"]));
    assert_eq!(try_config(&[("AUDIENCES", "[]"), ("SIGNIN_AUDIENCES", r#"["d"]"#)]), Err(vec!["AUDIENCES"]), "what is wrong is named once");
}
