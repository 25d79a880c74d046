//! The configuration: what each variable takes, and each of them wrong, one value at a time.

use agentkeys_edge_broker::config::{Allow, Config, Problem, base_path};
use agentkeys_edge_broker::keys::Alg;
use agentkeys_edge_broker::signin::ChainId;

use crate::support::sessions::audience;
use crate::support::{ISSUER, config, read_config};

/// Every variable, with a value that is right.
const RIGHT: [(&str, &str); 11] = [
    ("ISSUER", "https://keys.example.com/tenants/a"),
    ("AUDIENCES", r#"["sts.amazonaws.com", {"audience": "api://AzureADTokenExchange", "alg": "RS256"}]"#),
    ("TOKEN_TTL_SECONDS", "600"),
    ("SESSION_TTL_SECONDS", "86400"),
    ("PRINCIPAL_TAGS", r#"["agentkeys_user_wallet", "agentkeys_actor_omni"]"#),
    ("SIGNIN_ALLOW", "listed"),
    ("SIGNIN_CHAINS", "[1, 8453]"),
    ("SIGNIN_STATEMENT", "Sign in to the keys of example.com (test)."),
    ("SIGNIN_RESOURCES", r#"["https://keys.example.com/terms", "urn:example:terms"]"#),
    ("SIGNIN_CHALLENGE_TTL_SECONDS", "120"),
    ("SESSIONS_PER_WALLET", "3"),
];

/// Values that are wrong, each in one way.
const WRONG: [(&str, &[&str]); 11] = [
    (
        "ISSUER",
        &[
            "",
            "keys.example.com",
            "http://keys.example.com",
            "https://keys.example.com/",
            "https://keys.example.com/agents/",
            "https://keys.example.com?tenant=a",
            "https://keys.example.com#a",
            "https://user@keys.example.com",
            "https://Keys.example.com",
            "https://keys.example.com:443",
            "https://keys.example.com:65536",
            "http://localhost:80",
            "https://keys.example.com/a b",
            "https://keys.example.com/%61",
            "https://keys.example.com/a//b",
            "https://keys.example.com/..",
            "\"https://keys.example.com\"",
            " https://keys.example.com",
        ],
    ),
    (
        "AUDIENCES",
        &[
            "",
            "sts.amazonaws.com",
            "\"sts.amazonaws.com\"",
            "null",
            "{}",
            "[]",
            "[\"\"]",
            "[1]",
            "[null]",
            "[[\"a\"]]",
            "[[\"a\",\"ES256\"]]",
            "[\"a b\"]",
            "[\"é\"]",
            "[\"a\",\"a\"]",
            r#"["a",{"audience":"a","alg":"RS256"}]"#,
            r#"[{"alg":"ES256"}]"#,
            r#"[{"audience":"a","alg":"HS256"}]"#,
            r#"[{"audience":"a","alg":"none"}]"#,
            r#"[{"audience":"a","alg":"es256"}]"#,
            r#"[{"audience":"a","alg":null}]"#,
            r#"[{"audience":"a","alg":{"ES256":null}}]"#,
            r#"[{"audience":"a","algorithm":"ES256"}]"#,
            r#"[{"audience":"a","audience":"b"}]"#,
            r#"["a"] []"#,
            r#"["a","#,
        ],
    ),
    (
        "TOKEN_TTL_SECONDS",
        &["", "0", "59", "3601", "-300", "+300", " 300", "300s", "300.0", "3e2", "0x12c", "null", "\"300\"", "٣٠٠", "18446744073709551916"],
    ),
    ("SESSION_TTL_SECONDS", &["", "0", "59", "31536001", "-1", "1.5e4", "30d", "null", "99999999999999999999"]),
    (
        "PRINCIPAL_TAGS",
        &[
            "",
            "agentkeys_user_wallet",
            "\"agentkeys_user_wallet\"",
            "null",
            "[]",
            r#"["agentkeys_actor_omni"]"#,
            r#"["agentkeys_user_wallet","agentkeys_user_wallet"]"#,
            r#"["agentkeys_user_wallet","agentkeys_actor_omni","agentkeys_actor_omni"]"#,
            r#"["agentkeys_user_wallet","team"]"#,
            r#"["Agentkeys_user_wallet"]"#,
            r#"["agentkeys_user_wallet",1]"#,
            r#"{"agentkeys_user_wallet":true}"#,
        ],
    ),
    ("SIGNIN_ALLOW", &["", "Anyone", "LISTED", "nobody", "\"anyone\"", "true", " anyone"]),
    (
        "SIGNIN_CHAINS",
        &["", "1", "null", "{}", "[]", "[0]", "[-1]", "[1.0]", "[\"1\"]", "[\"0x1\"]", "[null]", "[1,1]", "[9007199254740992]", "[1,"],
    ),
    ("SIGNIN_STATEMENT", &["", "one line\nand another", "a tab\there", "Sign in to the käy broker.", "\"quoted\"", "100%", "a\u{0}b"]),
    (
        "SIGNIN_RESOURCES",
        &[
            "",
            "https://keys.example.com/terms",
            "null",
            "{}",
            r#"[""]"#,
            r#"["terms"]"#,
            r#"["/terms"]"#,
            r#"["://a"]"#,
            r#"["1a:b"]"#,
            r#"["https://keys.example.com/a b"]"#,
            r#"["https://keys.example.com/a\nURI: https://evil.example.com"]"#,
            r#"["https://keys.example.com/%zz"]"#,
            r#"["https://keys.example.com/%a"]"#,
            r#"["https://user@keys.example.com"]"#,
            r#"["https://"]"#,
            r#"["https://keys.example.com/#a#b"]"#,
            r#"["https://kéys.example.com"]"#,
            "[1]",
        ],
    ),
    ("SIGNIN_CHALLENGE_TTL_SECONDS", &["", "0", "59", "2701", "-600", "10m", "600.0"]),
    ("SESSIONS_PER_WALLET", &["", "0", "1001", "-1", "1.0", "many", "null"]),
];

/// The right configuration with one variable replaced.
fn right_but(variable: &'static str, text: &str) -> Result<Config, Vec<Problem>> {
    let variables = RIGHT.map(|(name, right)| (name, if name == variable { text } else { right }));
    read_config(&variables)
}

#[test]
fn only_the_issuer_is_required() {
    let config = config(&[]);
    assert_eq!(config.issuer.as_str(), ISSUER);
    assert_eq!(config.audiences.first().audience.as_str(), "sts.amazonaws.com");
    assert_eq!(config.audiences.first().alg, None);
    assert_eq!((config.token_ttl, config.session_ttl, config.with_omni), (300, 2_592_000, false));
    let signin = &config.signin;
    assert_eq!((signin.allow, &signin.chains, signin.challenge_ttl, signin.sessions_per_wallet), (Allow::Anyone, &None, 600, 20));
    assert_eq!(signin.statement.to_string(), "Sign in to the agent key broker.");
    assert!(signin.resources.is_empty());

    let problems = Config::parse(|_| None).unwrap_err();
    assert_eq!(problems.iter().map(|problem| problem.variable).collect::<Vec<_>>(), ["ISSUER"]);
    assert!(problems[0].message.starts_with("is required"), "{}", problems[0].message);
}

#[test]
fn every_variable_is_taken_as_it_says() {
    let config = config(&RIGHT);
    assert_eq!(config.issuer.as_str(), "https://keys.example.com/tenants/a");
    assert_eq!(config.audiences.first().audience.as_str(), "sts.amazonaws.com");
    assert_eq!(config.audiences.find(&audience("api://AzureADTokenExchange")).unwrap().alg, Some(Alg::Rs256));
    assert_eq!(config.audiences.find(&audience("sts.example.com")), None);
    assert_eq!((config.token_ttl, config.session_ttl, config.with_omni), (600, 86_400, true));
    let signin = &config.signin;
    assert_eq!((signin.allow, signin.challenge_ttl, signin.sessions_per_wallet), (Allow::Listed, 120, 3));
    assert_eq!(signin.statement.to_string(), "Sign in to the keys of example.com (test).");
    let resources: Vec<String> = signin.resources.iter().map(ToString::to_string).collect();
    assert_eq!(resources, ["https://keys.example.com/terms", "urn:example:terms"]);
    let chain = |id: u64| ChainId::try_from(id).unwrap();
    assert!(signin.takes(chain(1)) && signin.takes(chain(8_453)) && !signin.takes(chain(2)));
}

#[test]
fn the_limits_themselves_are_allowed() {
    let list = |count: usize, start: &str| format!("[{}]", (0..count).map(|n| format!("\"{start}{n}\"")).collect::<Vec<_>>().join(","));
    let chains = |count: u64| format!("{:?}", (1..=count).collect::<Vec<_>>());
    let longest = format!("https://keys.example.com/{}", "a".repeat(230));
    assert_eq!(longest.len(), 255);
    for (variable, text) in [
        ("ISSUER", longest.as_str()),
        ("ISSUER", "http://localhost:8080"),
        ("ISSUER", "https://keys.example.com:8443"),
        ("AUDIENCES", &list(100, "https://rp.example.com/")),
        ("AUDIENCES", &format!("[\"{}\"]", "a".repeat(255))),
        ("AUDIENCES", r#"[{"audience":"a"}]"#),
        ("AUDIENCES", "\n[ \"a\" ]\n"),
        ("TOKEN_TTL_SECONDS", "60"),
        ("TOKEN_TTL_SECONDS", "3600"),
        ("SESSION_TTL_SECONDS", "60"),
        ("SESSION_TTL_SECONDS", "31536000"),
        ("PRINCIPAL_TAGS", r#"["agentkeys_user_wallet"]"#),
        ("PRINCIPAL_TAGS", r#"["agentkeys_actor_omni","agentkeys_user_wallet"]"#),
        ("SIGNIN_ALLOW", "anyone"),
        ("SIGNIN_CHAINS", "[9007199254740991]"),
        ("SIGNIN_STATEMENT", &"a".repeat(255)),
        ("SIGNIN_RESOURCES", "[]"),
        ("SIGNIN_RESOURCES", &list(10, "https://keys.example.com/")),
        ("SIGNIN_CHAINS", &chains(100)),
        ("SIGNIN_CHALLENGE_TTL_SECONDS", "60"),
        ("SIGNIN_CHALLENGE_TTL_SECONDS", "2700"),
        ("SESSIONS_PER_WALLET", "1"),
        ("SESSIONS_PER_WALLET", "1000"),
    ] {
        assert!(right_but(variable, text).is_ok(), "{variable}={text}");
    }
    for (variable, text) in [
        ("ISSUER", format!("{longest}a")),
        ("AUDIENCES", list(101, "https://rp.example.com/")),
        ("AUDIENCES", format!("[\"{}\"]", "a".repeat(256))),
        ("SIGNIN_STATEMENT", "a".repeat(256)),
        ("SIGNIN_RESOURCES", list(11, "https://keys.example.com/")),
        ("SIGNIN_RESOURCES", format!("[\"urn:{}\"]", "a".repeat(252))),
        ("SIGNIN_CHAINS", chains(101)),
    ] {
        assert!(right_but(variable, &text).is_err(), "{variable}={text}");
    }
}

#[test]
fn a_wrong_value_is_one_problem_with_the_name_of_its_variable() {
    for (variable, texts) in WRONG {
        assert!(right_but(variable, RIGHT.iter().find(|(name, _)| *name == variable).unwrap().1).is_ok());
        for text in texts {
            let problems = right_but(variable, text).expect_err(&format!("{variable}={text}"));
            assert_eq!(problems.iter().map(|problem| problem.variable).collect::<Vec<_>>(), [variable], "{variable}={text}");
        }
    }
}

#[test]
fn a_problem_says_what_should_be_there_and_never_what_is() {
    const PLANTED: &str = "hunter2";
    for (variable, _) in RIGHT {
        for text in [format!("{PLANTED}\""), format!("https://\"{PLANTED}@keys.example.com"), format!("[\"{PLANTED} \"]")] {
            let problem = right_but(variable, &text).unwrap_err().remove(0);
            assert!(!problem.to_string().contains(PLANTED), "{problem}");
            assert!(problem.to_string().starts_with(&format!("{variable}: is ")), "{problem}");
        }
    }
}

#[test]
fn all_problems_are_reported_together() {
    let all_wrong = RIGHT.map(|(name, _)| (name, "\"wrong\""));
    let problems = read_config(&all_wrong).unwrap_err();
    assert_eq!(problems.iter().map(|problem| problem.variable).collect::<Vec<_>>(), RIGHT.map(|(name, _)| name));

    let two_wrong = [("TOKEN_TTL_SECONDS", "5"), ("PRINCIPAL_TAGS", "[]")];
    let problems = read_config(&two_wrong).unwrap_err();
    assert_eq!(problems.iter().map(|problem| problem.variable).collect::<Vec<_>>(), ["TOKEN_TTL_SECONDS", "PRINCIPAL_TAGS"]);
}

#[test]
fn the_base_path_is_the_issuer_s_even_where_another_variable_is_wrong() {
    for (issuer, path) in [
        (Some("https://keys.example.com/tenants/a"), "/tenants/a"),
        (Some("https://keys.example.com"), ""),
        (Some("https://keys.example.com/"), ""),
        (Some("not a URL"), ""),
        (None, ""),
    ] {
        assert_eq!(base_path(issuer), path, "{issuer:?}");
    }
}
