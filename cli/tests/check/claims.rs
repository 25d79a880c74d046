//! The claims that must be there: issuer, subject, audience, times.

use serde_json::{Value, json};

use crate::case::{EXPIRED, INVALID, ISSUER, NOW, ROLE, case};

#[test]
fn a_missing_claim_is_named_in_the_words_of_sts() {
    for name in ["iss", "sub", "aud", "iat", "exp"] {
        let token = case(format!("without {name}")).without_claim(name);
        token.is_refused(INVALID, "claim-missing");
        let report = token.refused_report();
        assert_eq!(report["error"]["message"], json!(format!("Missing a required claim: {name}")));
        assert_eq!(report["error"]["message_recorded"], json!(true));
    }
    case("azp is no aud").without_claim("aud").claim("azp", json!("sts.amazonaws.com")).is_refused(INVALID, "claim-missing");
    case("without nbf and jti").without_claim("nbf").without_claim("jti").is_accepted();
}

#[test]
fn words_that_the_reference_does_not_quote_are_not_called_recorded() {
    for token in [
        case("an issuer that is not registered").claim("iss", json!("https://other.example.com")),
        case("an audience that is not registered").claim("aud", json!("other")),
        case("expired").claim("iat", json!(NOW - 7_200)).claim("exp", json!(NOW - 3_600)),
    ] {
        assert_eq!(token.refused_report()["error"]["message_recorded"], json!(false));
    }
}

#[test]
fn the_issuer_is_registered_byte_for_byte() {
    for iss in [
        "https://keys.example.com/",
        "https://KEYS.example.com",
        "https://keys.example.com/a",
        "https://keys.example.co",
        "https://keys.example.com ",
    ] {
        case(format!("iss {iss}")).claim("iss", json!(iss)).is_refused(INVALID, "issuer-not-registered");
    }
    for iss in ["", "keys.example.com", "http://keys.example.com", "https://keys.example.com?a=b", "https://keys.example.com#a"] {
        case(format!("iss {iss}")).claim("iss", json!(iss)).arguments(&["--issuer", iss]).is_refused(INVALID, "issuer-form");
    }
    for iss in [Value::Null, json!(7), json!([ISSUER]), json!({"url": ISSUER})] {
        case(format!("iss {iss}")).claim("iss", iss).is_refused(INVALID, "issuer-form");
    }
    for iss in ["https://keys.example.com/", "https://keys.example.com/a/b", "https://Keys.example.com/A"] {
        case(format!("iss {iss}")).claim("iss", json!(iss)).arguments(&["--issuer", iss]).is_accepted();
    }
    let long = |length: usize| format!("https://keys.example.com/{}", "a".repeat(length - 25));
    case("255 characters").claim("iss", json!(long(255))).arguments(&["--issuer", &long(255)]).is_accepted();
    case("256 characters").claim("iss", json!(long(256))).arguments(&["--issuer", &long(256)]).is_refused(INVALID, "issuer-form");
    let with_port = "https://keys.example.com:8443";
    case("a port").claim("iss", json!(with_port)).arguments(&["--issuer", with_port]).is_accepted_with(&["issuer-with-port"]);
    let local = "http://127.0.0.1:8787";
    let loopback = case("loopback").claim("iss", json!(local)).arguments(&["--issuer", local]);
    loopback.is_accepted_unrecorded(&["loopback-issuer"]);
    case("no registered issuer").arguments(&[]).is_accepted_with(&["issuer-not-checked"]);
}

#[test]
fn the_audience_is_one_string_or_azp() {
    let registered =
        |name: &str| case(name).arguments(&["--issuer", ISSUER, "--audience", "sts.amazonaws.com", "--audience", "second", "--role", ROLE]);
    case("one in an array").claim("aud", json!(["sts.amazonaws.com"])).is_accepted();
    registered("the second registered one").claim("aud", json!("second")).is_accepted();
    let long = "a".repeat(256);
    case("one that IAM cannot hold")
        .arguments(&["--issuer", ISSUER, "--audience", "sts.amazonaws.com", "--audience", &long])
        .is_accepted_with(&["audiences-beyond-iam"]);
    case("one that IAM can hold")
        .arguments(&["--issuer", ISSUER, "--audience", "sts.amazonaws.com", "--audience", &long[1..]])
        .is_accepted();
    case("the default").arguments(&["--issuer", ISSUER]).is_accepted();
    for (name, aud, azp) in [
        ("several with azp", json!(["sts.amazonaws.com", "x"]), "sts.amazonaws.com"),
        ("several others with azp", json!(["x", "y"]), "sts.amazonaws.com"),
        ("another one with azp", json!("x"), "second"),
        ("one in an array with azp", json!(["x"]), "second"),
    ] {
        registered(name).claim("aud", aud).claim("azp", json!(azp)).is_accepted_with(&["audience-by-azp"]);
    }
    for aud in ["sts.amazon.com", "STS.amazonaws.com", "", "sts.amazonaws.com/"] {
        case(format!("aud {aud}")).claim("aud", json!(aud)).is_refused(INVALID, "audience-not-registered");
        case(format!("aud [{aud}]")).claim("aud", json!([aud])).is_refused(INVALID, "audience-not-registered");
    }
    case("azp alone is matched").claim("azp", json!("x")).is_refused(INVALID, "audience-not-registered");
    case("several and a wrong azp")
        .claim("aud", json!(["sts.amazonaws.com", "x"]))
        .claim("azp", json!("x"))
        .is_refused(INVALID, "audience-not-registered");
    case("several without azp").claim("aud", json!(["sts.amazonaws.com", "x"])).is_refused(INVALID, "audience-several-without-azp");
    case("one twice without azp")
        .claim("aud", json!(["sts.amazonaws.com", "sts.amazonaws.com"]))
        .is_refused(INVALID, "audience-several-without-azp");
    for aud in [json!([]), json!([7]), json!(7), Value::Null, json!({"aud": "sts.amazonaws.com"}), json!([["sts.amazonaws.com"]])] {
        case(format!("aud {aud}")).claim("aud", aud).is_refused(INVALID, "audience-form");
    }
    for azp in [Value::Null, json!(7), json!(["sts.amazonaws.com"])] {
        case(format!("azp {azp}")).claim("azp", azp).is_doubtful(INVALID, "azp-form");
    }
    case("no aud to speak of, with azp").claim("aud", json!([])).claim("azp", json!("sts.amazonaws.com")).is_doubtful(INVALID, "azp-form");
    let message = case("words").claim("aud", json!("x")).refused_report()["error"]["message"].clone();
    assert_eq!(message, json!("Incorrect token audience"));
}

#[test]
fn a_subject_is_nearly_anything_but_null() {
    case("6 characters").claim("sub", json!("abcdef")).is_accepted();
    case("255 characters").claim("sub", json!("a".repeat(255))).is_accepted();
    for sub in ["", "a", "abcde", &"a".repeat(256), &"a".repeat(2000)] {
        case(format!("sub of {}", sub.len())).claim("sub", json!(sub)).is_accepted_with(&["subject-length"]);
    }
    case("a number").claim("sub", json!(12_345_678)).is_accepted_with(&["subject-is-a-number"]);
    case("null").claim("sub", Value::Null).is_refused("InternalFailure", "subject-null");
    for sub in [json!(true), json!(["abcdef"]), json!({"id": "abcdef"})] {
        case(format!("sub {sub}")).claim("sub", sub).is_doubtful(INVALID, "subject-form");
    }
    let report = case("another's").claim("sub", json!(12_345_678)).signed_by(&crate::keys::P256_OTHER).refused_report();
    assert_eq!(report["token"]["sub"], json!("12345678"));
}

#[test]
fn exp_is_at_most_5_minutes_past() {
    let exp = |past: i64| case(format!("exp {past} s past")).claim("iat", json!(NOW - 2000)).claim("exp", json!(NOW - past));
    for past in [-1600, -1] {
        exp(past).is_accepted();
    }
    for past in [0, 1, 240, 299] {
        exp(past).is_accepted_with(&["within-tolerance"]);
    }
    exp(300).is_doubtful(EXPIRED, "expired-exactly-5-minutes-ago");
    for past in [301, 360, 1999, NOW] {
        exp(past).is_refused(EXPIRED, "expired");
    }
    exp(NOW + 1).is_refused(EXPIRED, "expired");
    case("far ahead").claim("exp", json!(99_999_999_999_i64)).is_accepted_with(&["long-lifetime"]);
    case("a minute of life").claim("exp", json!(NOW + 60)).is_accepted();
    case("a clock an hour fast").at(NOW + 3600).is_refused(EXPIRED, "expired");
}

#[test]
fn iat_and_nbf_are_at_most_5_minutes_ahead() {
    for claim in ["iat", "nbf"] {
        let ahead = |seconds: i64| {
            case(format!("{claim} {seconds} s ahead")).claim(claim, json!(NOW + seconds)).claim("exp", json!(NOW + seconds.max(0) + 60))
        };
        ahead(0).is_accepted();
        ahead(-100).is_accepted();
        for seconds in [1, 240, 299] {
            ahead(seconds).is_accepted_with(&["within-tolerance"]);
        }
        ahead(300).is_doubtful(INVALID, "issued-exactly-5-minutes-ahead");
        for seconds in [301, 3600, 86_400] {
            ahead(seconds).is_refused(INVALID, "issued-in-the-future");
        }
    }
    case("a clock an hour slow").at(NOW - 3600).is_refused(INVALID, "issued-in-the-future");
    case("exp before iat, both within the tolerance")
        .claim("exp", json!(NOW - 1))
        .is_accepted_with(&["ends-before-it-begins", "within-tolerance"]);
}

#[test]
fn timestamps_are_integers_or_integer_strings() {
    for claim in ["iat", "nbf", "exp"] {
        let case = |value: Value| case(format!("{claim} {value}")).claim(claim, value);
        let good = if claim == "exp" { NOW + 60 } else { NOW };
        case(json!(good)).is_accepted();
        case(json!(good.to_string())).is_accepted_with(&["timestamp-in-a-string"]);
        let text =
            |text: String| case(json!(0)).claims_text(|claims| claims.replace(&format!(r#""{claim}":0"#), &format!(r#""{claim}":{text}"#)));
        text(format!("{good}.5")).is_refused(INVALID, "timestamp-integer");
        text(format!(r#""{good}.5""#)).is_refused(INVALID, "timestamp-integer");
        text(format!("{good}.0")).is_doubtful(INVALID, "timestamp-form");
        text(format!("{good}e0")).is_doubtful(INVALID, "timestamp-form");
        for value in [
            json!("soon"),
            json!(""),
            json!(true),
            Value::Null,
            json!([good]),
            json!({}),
            json!(format!(" {good}")),
            json!(format!("+{good}")),
        ] {
            case(value).is_doubtful(INVALID, "timestamp-form");
        }
    }
}

#[test]
fn of_repeated_claims_the_last_one_counts() {
    let first = |name: &str, member: &str| {
        let member = format!("{{{member},");
        case(name).claims_text(|claims| claims.replacen('{', &member, 1))
    };
    let last = |name: &str, member: &str| {
        let member = format!(",{member}}}");
        case(name).claims_text(|claims| format!("{}{member}", claims.strip_suffix('}').unwrap()))
    };
    first("a wrong iss first", r#""iss":"https://evil.example.com""#).is_accepted_with(&["repeated-member"]);
    last("a wrong iss last", r#""iss":"https://evil.example.com""#).is_refused(INVALID, "issuer-not-registered");
    first("a wrong aud first", r#""aud":"x""#).is_accepted_with(&["repeated-member"]);
    last("a wrong aud last", r#""aud":"x""#).is_refused(INVALID, "audience-not-registered");
    first("null sub first", r#""sub":null"#).is_accepted_with(&["repeated-member"]);
    last("null sub last", r#""sub":null"#).is_refused("InternalFailure", "subject-null");
    first("an old exp first", r#""exp":1"#).is_accepted_with(&["repeated-member"]);
    last("an old exp last", r#""exp":1"#).is_refused(EXPIRED, "expired");
    last("an escaped name", r#""\u0065xp":1"#).is_refused(EXPIRED, "expired");
}
