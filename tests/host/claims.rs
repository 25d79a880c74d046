//! The claims of a token: exactly the ones named, the tags always among them.

use agentkeys_edge_broker::aws::{TAGS_CLAIM, Violation};
use agentkeys_edge_broker::claims::{TokenClaims, supported};
use agentkeys_edge_broker::config::Config;
use agentkeys_edge_broker::session::SessionRecord;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::support::sessions::{any_session, audience, key, plain, roles, source_identity, tag};
use crate::support::{ISSUER, WALLET, config, json, members};

const JTI: &str = "000102030405060708090a0b0c0d0e0f";
const WITH_OMNI: (&str, &str) = ("PRINCIPAL_TAGS", r#"["agentkeys_user_wallet","agentkeys_actor_omni"]"#);

fn claims(config: &Config, session: &SessionRecord) -> Value {
    let audience = audience("sts.amazonaws.com");
    let claims = TokenClaims::new(config, session, &audience, JTI).unwrap();
    json(&serde_json::to_string(&claims).unwrap())
}

/// What a policy needs of a token's tags: the wallet once, as an array of one string, and transitive.
/// This check has to fail on anything less; see its negative twin.
fn isolates(claims: &Value, wallet: &str) -> Result<(), String> {
    let tags = claims.get(TAGS_CLAIM).ok_or("there is no tags claim")?;
    let principal = tags["principal_tags"].as_object().ok_or("there are no principal tags")?;
    if principal.get("agentkeys_user_wallet") != Some(&json!([wallet])) {
        return Err("the wallet tag is not an array of the one wallet".to_owned());
    }
    let spelt_alike = principal.keys().filter(|key| key.eq_ignore_ascii_case("agentkeys_user_wallet")).count();
    let transitive = tags["transitive_tag_keys"].as_array().ok_or("nothing is transitive")?;
    if spelt_alike != 1 || !transitive.contains(&json!("agentkeys_user_wallet")) {
        return Err("the wallet tag is there twice or not transitive".to_owned());
    }
    Ok(())
}

#[test]
fn a_plain_session_s_token_has_these_claims_and_no_others() {
    let expected = json!({
        "iss": ISSUER,
        "sub": format!("agentkeys:agent:{WALLET}"),
        "aud": "sts.amazonaws.com",
        "jti": JTI,
        "agentkeys_user_wallet": WALLET,
        "https://aws.amazon.com/tags": {
            "principal_tags": {"agentkeys_user_wallet": [WALLET]},
            "transitive_tag_keys": ["agentkeys_user_wallet"],
        },
    });
    assert_eq!(claims(&config(&[]), &plain()), expected);
}

#[test]
fn what_configuration_and_session_add_is_added_and_nothing_else() {
    let mut session = plain().with_tags(vec![tag("team", "storage"), tag("note", "")], vec![key("team")]).unwrap();
    session.roles = Some(roles(&["arn:aws:iam::123456789012:role/a", "arn:aws:iam::123456789012:role/b"]));
    session.source_identity = Some(source_identity("agent-7"));
    session.label = Some("not a claim".to_owned());
    session.max_token_ttl = Some(60);
    // SHA-256 of `agentkeysevm0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed`; see `vectors`.
    let omni = "53984203621218b030ee73424e3d702762ea42ae840bb6daa56b6883c1e824e8";
    let expected = json!({
        "iss": ISSUER,
        "sub": format!("agentkeys:agent:{WALLET}"),
        "aud": "sts.amazonaws.com",
        "jti": JTI,
        "agentkeys_user_wallet": WALLET,
        "agentkeys_actor_omni": omni,
        "https://aws.amazon.com/tags": {
            "principal_tags": {
                "agentkeys_user_wallet": [WALLET], "agentkeys_actor_omni": [omni], "team": ["storage"], "note": [""],
            },
            "transitive_tag_keys": ["agentkeys_user_wallet", "agentkeys_actor_omni", "team"],
        },
        "https://aws.amazon.com/roles": ["arn:aws:iam::123456789012:role/a", "arn:aws:iam::123456789012:role/b"],
        "https://aws.amazon.com/source_identity": "agent-7",
    });
    assert_eq!(claims(&config(&[WITH_OMNI]), &session), expected);
}

#[test]
fn a_token_without_the_tags_claim_cannot_be_built() {
    for config in [config(&[]), config(&[WITH_OMNI])] {
        assert_eq!(isolates(&claims(&config, &plain()), WALLET), Ok(()));
        assert!(supported(&config).contains(&TAGS_CLAIM));
    }
    // A session cannot take the tag's place, and a broken set of tags is a fault and no token.
    assert!(plain().with_tags(vec![tag("Agentkeys_User_Wallet", "0x00")], vec![]).is_err());
    let fifty = (0..51).map(|n| tag(&format!("k{n}"), "")).collect();
    assert_eq!(agentkeys_edge_broker::aws::SessionTags::new(fifty, vec![]), Err(Violation::TooManyTags));
}

#[test]
fn a_token_that_does_not_isolate_is_told_from_one_that_does() {
    let good = claims(&config(&[]), &plain());
    let other = "0x0000000000000000000000000000000000000000";
    let changed = |change: fn(&mut Value)| {
        let mut claims = good.clone();
        change(&mut claims);
        claims
    };
    for (name, claims) in [
        ("no tags claim", changed(|claims| drop(claims.as_object_mut().unwrap().remove(TAGS_CLAIM)))),
        ("no principal tags", changed(|claims| claims[TAGS_CLAIM] = json!({}))),
        ("a bare string", changed(|claims| claims[TAGS_CLAIM]["principal_tags"]["agentkeys_user_wallet"] = json!(WALLET))),
        ("two values", changed(|claims| claims[TAGS_CLAIM]["principal_tags"]["agentkeys_user_wallet"] = json!([WALLET, WALLET]))),
        ("an empty value", changed(|claims| claims[TAGS_CLAIM]["principal_tags"]["agentkeys_user_wallet"] = json!([""]))),
        ("another spelling too", changed(|claims| claims[TAGS_CLAIM]["principal_tags"]["AGENTKEYS_USER_WALLET"] = json!(["0x00"]))),
        ("not transitive", changed(|claims| claims[TAGS_CLAIM]["transitive_tag_keys"] = json!([]))),
    ] {
        assert!(isolates(&claims, WALLET).is_err(), "{name}");
    }
    assert!(isolates(&good, other).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Own tags and the session's, exactly; no claim that discovery does not name; the tenant the same in all its places.
    #[test]
    fn every_token_has_its_own_tags_and_the_session_s_exactly(parts in any_session(), with_omni: bool) {
        let config = config(if with_omni { &[WITH_OMNI] } else { &[] });
        let session = parts.record();
        let claims = claims(&config, &session);

        prop_assert_eq!(isolates(&claims, &parts.wallet), Ok(()));
        prop_assert_eq!(&claims["sub"], &json!(format!("agentkeys:agent:{}", parts.wallet)));
        prop_assert_eq!(&claims["agentkeys_user_wallet"], &json!(parts.wallet));

        let mut tags = json!({"agentkeys_user_wallet": [parts.wallet]});
        let mut transitive = vec!["agentkeys_user_wallet"];
        if with_omni {
            tags["agentkeys_actor_omni"] = json!([session.wallet.actor_omni()]);
            transitive.push("agentkeys_actor_omni");
        }
        for (key, value, _) in &parts.tags {
            tags[key] = json!([value]);
        }
        transitive.extend(parts.transitive());
        prop_assert_eq!(&claims[TAGS_CLAIM], &json!({"principal_tags": tags, "transitive_tag_keys": transitive}));

        prop_assert_eq!(claims.get("https://aws.amazon.com/roles").cloned(), parts.roles.map(|roles| json!(roles)));
        prop_assert_eq!(claims.get("https://aws.amazon.com/source_identity").cloned(), parts.source_identity.map(|one| json!(one)));
        for claim in members(&claims) {
            prop_assert!(supported(&config).contains(&claim), "{} is not in claims_supported", claim);
        }
    }
}
