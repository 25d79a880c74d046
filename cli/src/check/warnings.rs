//! What STS takes and a careful team would not send. One small function a warning.

use agentkeys_edge_broker::aws::{
    CLOCK_TOLERANCE_SECONDS, ROLES_CLAIM, SOURCE_IDENTITY_CLAIM, SUBJECT_CHARACTERS, SessionTags, TAGS_CLAIM, TagKey,
};
use agentkeys_edge_broker::config::WALLET_TAG;
use agentkeys_edge_broker::time::UnixTime;
use agentkeys_edge_broker::wallet::Wallet;

use super::json::Json;
use super::rule::Warning;
use super::verdict::Facts;
use super::{Expectations, Token, issuer};
use crate::loopback::is_loopback_http;

/// The longest life of a token that nobody need explain, in seconds.
const LIFETIME_MAX: i128 = 3_600;
/// The age from which STS was once reported to call a token too old, in seconds.
const AGE_MAX: i128 = 86_400;
/// The most client IDs that IAM registers with one provider.
const CLIENT_IDS_MAX: usize = 100;
/// The most characters of each.
const CLIENT_ID_CHARACTERS_MAX: usize = 255;
/// The bytes of tags from which the packed size is a worry: it cannot be computed outside AWS.
const TAG_BYTES_MAX: usize = 2_048;

/// Everything there is to say of a token besides the verdict.
pub(super) fn warnings(token: &Token, facts: &Facts, expected: &Expectations, at: UnixTime) -> Vec<Warning> {
    [
        untagged(facts),
        no_wallet_tag(facts),
        wallet_form(facts),
        wallet_mismatch(token, facts),
        wallet_not_transitive(facts),
        large_tags(facts),
        unread_aws_claim(token),
        repeated_members(token),
        no_kid(facts),
        issuer_not_given(expected),
        audiences_beyond_iam(expected),
        loopback_issuer(facts),
        issuer_with_port(facts),
        audience_by_azp(token),
        timestamp_in_a_string(token),
        long_lifetime(facts),
        ends_before_it_begins(facts),
        within_tolerance(facts, at),
        old(facts, at),
        subject_form(token),
        subject_length(facts),
        role_not_given(facts),
        ignored_roles(facts),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn untagged(facts: &Facts) -> Option<Warning> {
    facts.untagged.then(|| {
        Warning::new(
            "untagged",
            "UNTAGGED: this token has no session tags. STS takes it all the same, and every tenant would share one untagged session: \
             nothing keeps one wallet from the data of another.",
            "Put the claim https://aws.amazon.com/tags into the token: the broker's own tokens always have it. \
             And require the tag in the role's trust policy: Null, aws:RequestTag/agentkeys_user_wallet, false.",
        )
    })
}

fn wallet_tag(tags: &SessionTags) -> Option<(&TagKey, &str)> {
    tags.tags().iter().find(|(key, _)| key.as_str().eq_ignore_ascii_case(WALLET_TAG)).map(|(key, value)| (key, value.as_str()))
}

fn no_wallet_tag(facts: &Facts) -> Option<Warning> {
    let tags = facts.tags.as_ref()?;
    wallet_tag(tags).is_none().then(|| {
        Warning::new(
            "no-wallet-tag",
            "No tag is agentkeys_user_wallet: policies that isolate by it match nothing, or everybody alike.",
            "Send the tag agentkeys_user_wallet with the tenant's wallet.",
        )
    })
}

fn wallet_form(facts: &Facts) -> Option<Warning> {
    let (_, value) = wallet_tag(facts.tags.as_ref()?)?;
    let is_canonical = Wallet::try_from(value.to_owned()).is_ok_and(|wallet| wallet.as_str() == value);
    (!is_canonical).then(|| {
        Warning::new(
            "wallet-tag-form",
            "The tag agentkeys_user_wallet is not 0x and 40 lower-case hex digits: policies compare it letter by letter.",
            "Send the wallet in lower case, in full.",
        )
    })
}

fn wallet_mismatch(token: &Token, facts: &Facts) -> Option<Warning> {
    let (_, tag) = wallet_tag(facts.tags.as_ref()?)?;
    let claim = token.claims.get(WALLET_TAG)?;
    (claim.as_str() != Some(tag)).then(|| {
        Warning::new(
            "wallet-tag-mismatch",
            "The claim agentkeys_user_wallet and the tag of that name differ: AWS goes by the tag, others may go by the claim.",
            "Have the issuer put the same wallet into both.",
        )
    })
}

fn wallet_not_transitive(facts: &Facts) -> Option<Warning> {
    let tags = facts.tags.as_ref()?;
    let (key, _) = wallet_tag(tags)?;
    (!tags.transitive().contains(key)).then(|| {
        Warning::new(
            "wallet-not-transitive",
            "The tag agentkeys_user_wallet is not transitive: who chains to another role leaves it behind, or sets it anew.",
            "Name agentkeys_user_wallet in transitive_tag_keys.",
        )
    })
}

fn large_tags(facts: &Facts) -> Option<Warning> {
    let tags = facts.tags.as_ref()?;
    let pairs = tags.tags().iter().map(|(key, value)| key.as_str().len().saturating_add(value.as_str().len()));
    let bytes: usize = pairs.chain(tags.transitive().iter().map(|key| key.as_str().len())).sum();
    (bytes > TAG_BYTES_MAX).then(|| {
        Warning::new(
            "large-tags",
            format!(
                "The tags and transitive keys have {bytes} bytes: packed, with a session policy, they may be more than AWS takes, \
                 and only AWS can tell."
            ),
            "Send fewer or shorter tags, and look at PackedPolicySize in the answer.",
        )
    })
}

/// A claim of AWS's name space that STS is not known to read: most likely a misspelled one.
fn unread_aws_claim(token: &Token) -> Option<Warning> {
    let is_read = |name: &str| {
        let of_tags = |rest: &str| rest.is_empty() || rest == "/transitive_tag_keys" || rest.starts_with("/principal_tags/");
        name == ROLES_CLAIM || name == SOURCE_IDENTITY_CLAIM || name.strip_prefix(TAGS_CLAIM).is_some_and(of_tags)
    };
    let unread = token.claims.members().map(|(name, _)| name).find(|name| {
        let lower = name.to_ascii_lowercase();
        (lower.starts_with("https://aws.amazon.com/") || lower.starts_with("http://aws.amazon.com/")) && !is_read(name)
    })?;
    let shown: String = unread.chars().take(80).collect();
    Some(Warning::new(
        "unread-aws-claim",
        format!("STS is not known to read the claim {shown:?}."),
        "Check its spelling: tags, roles and source_identity under https://aws.amazon.com/ are read, and nothing else.",
    ))
}

fn repeated_members(token: &Token) -> Option<Warning> {
    let repeated = token.jws.header.repeated().or(token.claims.repeated()).or_else(|| {
        let tags = token.claims.get(TAGS_CLAIM)?.as_object()?;
        tags.repeated()
    })?;
    let shown: String = repeated.chars().take(80).collect();
    Some(Warning::new(
        "repeated-member",
        format!("The member {shown:?} is repeated. STS goes by the last one; another reader may go by the first."),
        "Write every member once.",
    ))
}

fn no_kid(facts: &Facts) -> Option<Warning> {
    facts.kid.is_none().then(|| {
        Warning::new(
            "no-kid",
            "The header has no kid: the token works only as long as exactly one key of its type is published, so no key can be rotated.",
            "Put the kid of the signing key into the header.",
        )
    })
}

fn issuer_not_given(expected: &Expectations) -> Option<Warning> {
    expected.issuer.is_none().then(|| {
        Warning::new(
            "issuer-not-checked",
            "No registered issuer was given: iss was held against nothing.",
            "Give the URL of the IAM OIDC provider with --issuer.",
        )
    })
}

fn audiences_beyond_iam(expected: &Expectations) -> Option<Warning> {
    let is_too_long = |audience: &String| audience.chars().count() > CLIENT_ID_CHARACTERS_MAX;
    (expected.audiences.len() > CLIENT_IDS_MAX || expected.audiences.iter().any(is_too_long)).then(|| {
        Warning::new(
            "audiences-beyond-iam",
            "IAM registers at most 100 client IDs with a provider, each of at most 255 characters: more, or longer ones, were given.",
            "Give the client IDs that are registered with the IAM OIDC provider.",
        )
    })
}

fn loopback_issuer(facts: &Facts) -> Option<Warning> {
    facts.iss.as_deref().filter(|iss| is_loopback_http(iss)).map(|_| {
        Warning::new(
            "loopback-issuer",
            "The issuer is this machine over http: IAM registers no such issuer. The verdict is for the same token from an https issuer.",
            "Use it for development only.",
        )
    })
}

fn issuer_with_port(facts: &Facts) -> Option<Warning> {
    facts
        .iss
        .as_deref()
        .filter(|iss| issuer::has_port(iss) && !is_loopback_http(iss))
        .map(|_| Warning::new("issuer-with-port", "The issuer names a port, which AWS advises against.", "Serve the issuer on port 443."))
}

fn audience_by_azp(token: &Token) -> Option<Warning> {
    token.claims.has("azp").then(|| {
        Warning::new(
            "audience-by-azp",
            "The token has azp: STS matches it alone, and aud decides nothing.",
            "Leave azp out where the token has one audience.",
        )
    })
}

fn timestamp_in_a_string(token: &Token) -> Option<Warning> {
    let name = ["iat", "nbf", "exp"].into_iter().find(|name| matches!(token.claims.get(name), Some(Json::String(_))))?;
    Some(Warning::new(
        "timestamp-in-a-string",
        format!("{name} is a string. STS tolerates it; others do not."),
        "Write it as a JSON integer.",
    ))
}

fn long_lifetime(facts: &Facts) -> Option<Warning> {
    let lifetime = facts.exp?.saturating_sub(facts.iat?);
    (lifetime > LIFETIME_MAX).then(|| {
        Warning::new(
            "long-lifetime",
            format!("The token lives {lifetime} seconds: who finds it can use it that long."),
            "Have the issuer make tokens of minutes: the AWS session outlives the token anyway.",
        )
    })
}

fn ends_before_it_begins(facts: &Facts) -> Option<Warning> {
    let begins = facts.iat.max(facts.nbf)?;
    (facts.exp? <= begins).then(|| {
        Warning::new(
            "ends-before-it-begins",
            "exp is not after iat and nbf. Within the tolerance STS's rules let that pass; other verifiers do not.",
            "Have the issuer write exp after iat and nbf.",
        )
    })
}

fn within_tolerance(facts: &Facts, at: UnixTime) -> Option<Warning> {
    let now = i128::from(at.seconds());
    let is_tolerated = |seconds: i128| seconds < CLOCK_TOLERANCE_SECONDS.into();
    let message = if facts.exp.is_some_and(|exp| exp <= now && is_tolerated(now.saturating_sub(exp))) {
        "The token has expired; STS takes it within 5 minutes only."
    } else if facts.iat.max(facts.nbf).is_some_and(|begins| begins > now && is_tolerated(begins.saturating_sub(now))) {
        "The token is dated ahead of the clock; STS takes it within 5 minutes only."
    } else {
        return None;
    };
    Some(Warning::new("within-tolerance", message, "Set the clocks, and use a token while it is fresh."))
}

fn old(facts: &Facts, at: UnixTime) -> Option<Warning> {
    let age = i128::from(at.seconds()).saturating_sub(facts.iat?);
    (age > AGE_MAX).then(|| {
        Warning::new(
            "old",
            format!("The token was issued {age} seconds ago. STS has been reported to call tokens too old before they expire."),
            "Use a fresh token.",
        )
    })
}

fn subject_form(token: &Token) -> Option<Warning> {
    matches!(token.claims.get("sub"), Some(Json::Integer(_) | Json::Float(_)))
        .then(|| Warning::new("subject-is-a-number", "sub is a number. STS makes it a string.", "Write sub as a string."))
}

fn subject_length(facts: &Facts) -> Option<Warning> {
    let characters = facts.sub.as_ref()?.chars().count();
    (!SUBJECT_CHARACTERS.contains(&characters)).then(|| {
        Warning::new(
            "subject-length",
            format!("sub has {characters} characters. STS takes it; AWS's API model says 6 to 255."),
            "Keep sub within 6 to 255 characters.",
        )
    })
}

fn role_not_given(facts: &Facts) -> Option<Warning> {
    (facts.roles.is_some() && facts.role.is_none()).then(|| {
        Warning::new(
            "role-not-checked",
            "The token lists the roles it may be used for, and no role was given: the list was held against nothing.",
            "Give the role to assume with --role.",
        )
    })
}

fn ignored_roles(facts: &Facts) -> Option<Warning> {
    let ignored = facts.roles.as_ref()?.ignored;
    (ignored > 0).then(|| {
        Warning::new(
            "ignored-roles",
            format!("{ignored} entries of the roles claim are not exact role ARNs, and ignored."),
            "Write each role as its exact ARN.",
        )
    })
}

#[cfg(test)]
mod tests {
    use agentkeys_edge_broker::aws::RoleArn;
    use agentkeys_edge_broker::encoding::base64url;
    use serde_json::{Value, json};

    use super::super::{judge, keys};
    use super::*;

    const WALLET: &str = "0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed";
    const ROLE: &str = "arn:aws:iam::123456789012:role/agent";
    const NOW: u64 = 1_800_000_000;

    /// A token that gives no reason for a warning.
    fn quiet() -> Value {
        json!({
            "iss": "https://keys.example.com", "sub": "agentkeys:agent:0x", "aud": "sts.amazonaws.com", "iat": NOW, "exp": NOW + 300,
            "agentkeys_user_wallet": WALLET,
            TAGS_CLAIM: {"principal_tags": {"agentkeys_user_wallet": [WALLET]}, "transitive_tag_keys": ["agentkeys_user_wallet"]},
        })
    }

    fn ids(header: &str, claims: &str, issuer: Option<&str>, role: Option<&str>) -> Vec<&'static str> {
        let text = format!("{}.{}.{}", base64url(header.as_bytes()), base64url(claims.as_bytes()), base64url(&[1; 64]));
        let token = Token::parse(&text).ok().unwrap();
        let expected = Expectations {
            issuer: issuer.map(str::to_owned),
            audiences: vec!["sts.amazonaws.com".to_owned()],
            role: role.map(|role| RoleArn::try_from(role.to_owned()).unwrap()),
        };
        let verdict = judge(&token, &Err(keys::no_key_set("There is none here.")), &expected, UnixTime::try_from(NOW).unwrap());
        verdict.warnings.iter().map(|warning| warning.id).collect()
    }

    fn of(claims: &Value) -> Vec<&'static str> {
        ids(r#"{"alg":"ES256","kid":"a"}"#, &claims.to_string(), Some("https://keys.example.com"), None)
    }

    fn with(changes: &Value) -> Value {
        let mut claims = quiet();
        claims.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        claims
    }

    fn tags(principal_tags: &Value, transitive: &Value) -> Value {
        with(&json!({TAGS_CLAIM: {"principal_tags": principal_tags, "transitive_tag_keys": transitive}}))
    }

    #[test]
    fn a_token_of_the_broker_gives_no_warning() {
        assert_eq!(of(&quiet()), [""; 0]);
    }

    #[test]
    fn a_token_without_tags_is_warned_of_loudly() {
        let mut claims = quiet();
        claims.as_object_mut().unwrap().remove(TAGS_CLAIM);
        assert_eq!(of(&claims), ["untagged"]);
        claims["https://aws.amazon.com/Tags"] = quiet()[TAGS_CLAIM].clone();
        assert_eq!(of(&claims), ["untagged", "unread-aws-claim"]);
        assert_eq!(of(&with(&json!({TAGS_CLAIM: "a refused one is not an absent one"}))), [""; 0]);
    }

    #[test]
    fn the_wallet_tag_is_there_right_and_transitive() {
        let wallet = || json!("agentkeys_user_wallet");
        let upper = WALLET.to_uppercase().replace('X', "x");
        for (claims, expected) in [
            (tags(&json!({"team": ["a"]}), &json!(["team"])), "no-wallet-tag"),
            (tags(&json!({"agentkeys_user_wallet": [WALLET]}), &json!([])), "wallet-not-transitive"),
            (with(&json!({"agentkeys_user_wallet": "0x0000000000000000000000000000000000000000"})), "wallet-tag-mismatch"),
            (with(&json!({"agentkeys_user_wallet": null})), "wallet-tag-mismatch"),
        ] {
            assert_eq!(of(&claims), [expected], "{claims}");
        }
        for bad in ["", "0x", "team-a", &upper] {
            let mut claims = tags(&json!({"agentkeys_user_wallet": [bad]}), &json!([wallet()]));
            claims["agentkeys_user_wallet"] = json!(bad);
            assert_eq!(of(&claims), ["wallet-tag-form"], "{bad}");
        }
    }

    #[test]
    fn tags_above_2_kib_may_be_too_large_when_packed() {
        let many = |count: usize| {
            let mut tags: serde_json::Map<String, Value> = (0..count).map(|n| (format!("k{n}"), json!(["v".repeat(256)]))).collect();
            tags.insert("agentkeys_user_wallet".to_owned(), json!([WALLET]));
            Value::Object(tags)
        };
        assert_eq!(of(&tags(&many(7), &json!(["agentkeys_user_wallet"]))), [""; 0]);
        assert_eq!(of(&tags(&many(8), &json!(["agentkeys_user_wallet"]))), ["large-tags"]);
    }

    #[test]
    fn what_the_rules_let_pass_and_a_careful_team_would_not_send() {
        let now = i64::try_from(NOW).unwrap();
        for (changes, expected) in [
            (json!({"exp": now + 3600}), vec![]),
            (json!({"exp": now + 3601}), vec!["long-lifetime"]),
            (json!({"iat": now - 200, "exp": now - 100}), vec!["within-tolerance"]),
            (json!({"iat": now + 100, "exp": now + 400}), vec!["within-tolerance"]),
            (json!({"nbf": now + 100}), vec!["within-tolerance"]),
            (json!({"iat": now + 100, "exp": now + 100}), vec!["ends-before-it-begins", "within-tolerance"]),
            (json!({"exp": now - 10}), vec!["ends-before-it-begins", "within-tolerance"]),
            (json!({"iat": now - 86_400, "exp": now - 86_400 + 3600}), vec![]),
            (json!({"iat": now - 600, "exp": now - 300}), vec![]),
            (json!({"nbf": now + 300, "exp": now + 600}), vec![]),
            (json!({"iat": now - 86_401, "exp": now + 1}), vec!["long-lifetime", "old"]),
            (json!({"iat": now.to_string()}), vec!["timestamp-in-a-string"]),
            (json!({"sub": "a"}), vec!["subject-length"]),
            (json!({"sub": ""}), vec!["subject-length"]),
            (json!({"sub": "abcdef"}), vec![]),
            (json!({"sub": "a".repeat(255)}), vec![]),
            (json!({"sub": "a".repeat(256)}), vec!["subject-length"]),
            (json!({"sub": 1_234_567}), vec!["subject-is-a-number"]),
            (json!({"sub": 7}), vec!["subject-is-a-number", "subject-length"]),
            (json!({"azp": "sts.amazonaws.com"}), vec!["audience-by-azp"]),
            (json!({ROLES_CLAIM: [ROLE]}), vec!["role-not-checked"]),
            (json!({ROLES_CLAIM: [ROLE, "*"]}), vec!["role-not-checked", "ignored-roles"]),
            (json!({ROLES_CLAIM: null}), vec![]),
            (json!({SOURCE_IDENTITY_CLAIM: "agent-7"}), vec![]),
            (json!({"https://aws.amazon.com/role": ROLE}), vec!["unread-aws-claim"]),
            (json!({"https://aws.amazon.com/tags/principal_tag/a": "1"}), vec!["unread-aws-claim"]),
            (json!({"https://example.com/tags": {}}), vec![]),
            (json!({"iss": "https://keys.example.com:8443"}), vec!["issuer-with-port"]),
            (json!({"iss": "http://localhost:8787"}), vec!["loopback-issuer"]),
        ] {
            assert_eq!(of(&with(&changes)), expected, "{changes}");
        }
    }

    #[test]
    fn a_repeated_member_is_named_wherever_two_readers_can_differ() {
        let claims = quiet().to_string();
        let of = |header: &str, claims: &str| ids(header, claims, Some("https://keys.example.com"), None);
        assert_eq!(of(r#"{"alg":"none","alg":"ES256","kid":"a"}"#, &claims), ["repeated-member"]);
        let repeated = claims.replacen('{', r#"{"sub":"another","#, 1);
        assert_eq!(of(r#"{"alg":"ES256","kid":"a"}"#, &repeated), ["repeated-member"]);
        let repeated = claims.replacen(r#"{"principal_tags""#, r#"{"principal_tags":{},"principal_tags""#, 1);
        assert_eq!(of(r#"{"alg":"ES256","kid":"a"}"#, &repeated), ["repeated-member"]);
    }

    #[test]
    fn what_was_not_held_against_anything_is_said() {
        let claims = with(&json!({ROLES_CLAIM: [ROLE]})).to_string();
        assert_eq!(ids(r#"{"alg":"ES256"}"#, &claims, None, Some(ROLE)), ["no-kid", "issuer-not-checked"]);
    }
}
