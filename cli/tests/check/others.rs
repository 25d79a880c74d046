//! Source identity, roles, several broken rules at once, and the report itself.

use serde_json::{Value, json};

use crate::case::{EXPIRED, INVALID, ISSUER, NOW, ROLE, ROLES, SOURCE_IDENTITY, TAGS, case};
use crate::keys::P256_OTHER;

const OTHER: &str = "arn:aws:iam::123456789012:role/path/other";

#[test]
fn a_source_identity_has_2_to_64_name_characters() {
    for good in ["ab", "agent-7@example.com", "a_b+c=d,e.f-1", &"a".repeat(64)] {
        let report = case(good).claim(SOURCE_IDENTITY, json!(good)).accepted_report();
        assert_eq!(report["source_identity"], json!(good));
        assert_eq!(report["trust_policy_actions"], json!(["sts:AssumeRoleWithWebIdentity", "sts:TagSession", "sts:SetSourceIdentity"]));
    }
    let long = "a".repeat(65);
    for bad in [
        json!(""),
        json!("a"),
        json!(long),
        json!("a b"),
        json!("a/b"),
        json!("a:b"),
        json!("aws:ab"),
        json!("é-é"),
        json!(7),
        json!(["ab"]),
        json!({}),
    ] {
        case(format!("source identity {bad}")).claim(SOURCE_IDENTITY, bad).is_refused(INVALID, "source-identity-form");
    }
    case("null").claim(SOURCE_IDENTITY, Value::Null).is_doubtful(INVALID, "source-identity-null");
}

#[test]
fn the_role_asked_for_is_in_the_roles_claim() {
    for roles in [
        json!([ROLE]),
        json!([OTHER, ROLE]),
        json!([format!("  {ROLE} "), OTHER]),
        json!(ROLE),
        json!(format!("{OTHER};{ROLE}")),
        json!(format!(" {OTHER} ; {ROLE} ")),
    ] {
        let report = case(format!("roles {roles}")).claim(ROLES, roles).accepted_report();
        assert_eq!(report["role_authorized_by_idp"], json!(true));
        assert!(report["roles"].as_array().unwrap().contains(&json!(ROLE)));
    }
    for roles in [json!([ROLE, "nonsense"]), json!([ROLE, 7]), json!([null, ROLE]), json!([ROLE, "arn:aws:iam::123456789012:role/*"])] {
        case(format!("roles {roles}")).claim(ROLES, roles).is_accepted_with(&["ignored-roles"]);
    }
    for roles in [
        json!([OTHER]),
        json!(OTHER),
        json!(["arn:aws:iam::210987654321:role/agent"]),
        json!(["arn:aws:iam::123456789012:role/Agent"]),
        json!([format!("{OTHER};{ROLE}"), OTHER]),
    ] {
        case(format!("roles {roles}")).claim(ROLES, roles).is_refused_with_some_code("role-not-listed");
    }
    for roles in [
        json!([]),
        json!([""]),
        json!(""),
        json!(["agent"]),
        json!("agent"),
        json!(["*"]),
        json!(["arn:aws:iam::123456789012:role/*"]),
        json!([null]),
        json!([7]),
    ] {
        case(format!("roles {roles}")).claim(ROLES, roles).is_refused(INVALID, "roles-without-a-valid-arn");
    }
    for roles in [json!(7), json!(true), json!({"role": ROLE})] {
        case(format!("roles {roles}")).claim(ROLES, roles).is_refused(INVALID, "roles-form");
    }
    for roles in [json!(format!("{ROLE};")), json!(format!("{ROLE};nonsense"))] {
        case(format!("roles {roles}")).claim(ROLES, roles).is_doubtful(INVALID, "roles-string-with-an-invalid-part");
    }
    let absent = case("no roles claim").accepted_report();
    assert_eq!((&absent["roles"], &absent["role_authorized_by_idp"]), (&Value::Null, &json!(false)));
    let null = case("null acts as absent").claim(ROLES, Value::Null).accepted_report();
    assert_eq!((&null["roles"], &null["role_authorized_by_idp"]), (&Value::Null, &json!(false)));
    let unasked = case("no role asked for").claim(ROLES, json!([OTHER])).arguments(&["--issuer", ISSUER]);
    unasked.is_accepted_with(&["role-not-checked"]);
}

#[test]
fn everything_that_is_wrong_is_named_at_once() {
    let report = case("several of one code").claim("aud", json!("x")).claim(TAGS, json!("x")).signed_by(&P256_OTHER).refused_report();
    assert_eq!((&report["rule"]["id"], &report["error"]["code"]), (&json!("signature"), &json!(INVALID)));
    let also: Vec<&str> = report["also"].as_array().unwrap().iter().map(|other| other["rule"]["id"].as_str().unwrap()).collect();
    assert_eq!(also, ["audience-not-registered", "tags-form"]);
    assert_eq!((&report["recorded"], &report["error"]["code_recorded"]), (&json!(true), &json!(true)));
}

#[test]
fn of_several_codes_none_is_recorded() {
    let report = case("expired and of another audience")
        .claim("exp", json!(NOW - 4000))
        .claim("iat", json!(NOW - 5000))
        .claim("aud", json!("x"))
        .refused_report();
    assert_eq!(
        (&report["error"]["code"], &report["error"]["code_recorded"], &report["recorded"]),
        (&json!(EXPIRED), &json!(false), &json!(false))
    );
}

#[test]
fn a_recorded_rule_goes_before_a_doubtful_one() {
    let report = case("empty key_ops, and another audience").jwk_member("key_ops", json!([])).claim("aud", json!("x")).refused_report();
    assert_eq!((&report["rule"]["id"], &report["recorded"]), (&json!("audience-not-registered"), &json!(true)));
    assert_eq!(report["also"][0]["rule"]["id"], json!("key-doubtful"));
}

#[test]
fn the_report_has_all_its_members_whatever_the_verdict() {
    let members = |report: &Value| report.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    let accepted = case("accepted").accepted_report();
    assert_eq!(
        accepted["token"],
        json!({
            "alg": "ES256", "kid": "k1", "iss": ISSUER, "sub": format!("agentkeys:agent:{}", crate::case::WALLET), "aud": "sts.amazonaws.com",
            "iat": NOW, "nbf": null, "exp": NOW + 300,
        })
    );
    assert_eq!(accepted["checked_at"], json!(NOW));
    let refused = case("refused").token("nonsense").refused_report();
    assert_eq!((members(&refused), &refused["token"]), (members(&accepted), &Value::Null));
    for member in [
        "verdict",
        "recorded",
        "error",
        "rule",
        "detail",
        "remedy",
        "also",
        "warnings",
        "token",
        "session_tags",
        "transitive_tag_keys",
        "roles",
        "role_authorized_by_idp",
        "source_identity",
        "trust_policy_actions",
        "checked_at",
        "reason",
    ] {
        assert!(accepted.get(member).is_some(), "{member}");
        let readme = include_str!("../../src/check/README.md");
        assert!(readme.contains(&format!("`{member}`")), "{member} is in the README");
    }
}

#[test]
fn what_stands_in_a_token_is_escaped_for_people() {
    use crate::case::{Folder, run};
    let token = case("escapes").claim("sub", json!("a\u{1b}[31m\u{7}\nrefused: forged")).claim("iss", json!("https://a\u{9b}b"));
    let folder = Folder::new();
    let (file, keys) =
        (folder.file("token", token.text()), folder.file("jwks", json!({"keys": [crate::keys::P256.jwk("k1")]}).to_string()));
    let output = run(&["check", "--token-file", &file, "--jwks", &keys, "--at", &NOW.to_string()], None);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("a\\u{1b}[31m\\u{7}\\nrefused: forged"), "{text}");
    assert!(text.chars().all(|character| character == '\n' || !character.is_control()), "{text:?}");
}

/// A right-to-left override turns the rest of its line around, a line separator may begin another, and a zero-width space makes
/// two texts look like one.
#[test]
fn what_would_turn_break_or_hide_a_part_of_a_line_is_escaped() {
    use crate::case::{Folder, run};
    let token = case("turned").claim("sub", json!("a\u{202e}b\u{2028}c\u{2066}d\u{200b}e\u{feff}é漢"));
    let folder = Folder::new();
    let (file, keys) =
        (folder.file("token", token.text()), folder.file("jwks", json!({"keys": [crate::keys::P256.jwk("k1")]}).to_string()));
    let output = run(&["check", "--token-file", &file, "--jwks", &keys, "--at", &NOW.to_string()], None);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("subject: a\\u{202e}b\\u{2028}c\\u{2066}d\\u{200b}e\\u{feff}é漢\n"), "{text:?}");
}
