//! `SIGNIN_…` and `SESSIONS_PER_WALLET`.

use agentkeys_edge_broker::config::{Allow, Signin};

use crate::support::{config, try_config};

#[test]
fn the_defaults_are_the_design_s() {
    let Signin { allow, chains, statement, resources, challenge_ttl, sessions_per_wallet } = config(&[]).signin;
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
