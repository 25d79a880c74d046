//! The largest token: with everything at its most, it stays within the 20,000 characters that STS takes.

use agentkeys_edge_broker::aws::{RoleArn, Roles, TOKEN_CHARACTERS};
use agentkeys_edge_broker::claims::TokenClaims;
use agentkeys_edge_broker::config::Config;
use agentkeys_edge_broker::error::Fault;
use agentkeys_edge_broker::keys::Alg;
use agentkeys_edge_broker::mint::{Decision, UnsignedToken};
use agentkeys_edge_broker::session::{BrokenRecord, GRANT_BYTES_MAX, SessionRecord};

use crate::support::sessions::{audience, plain, source_identity, tag};
use crate::support::{at, config};

/// The signature of the largest key that a secret may hold: RSA of 8192 bits.
const SIGNATURE: [u8; 1_024] = [0xff; 1_024];

/// The longest issuer, and the omni.
fn largest_config(audience: &str) -> Config {
    let issuer = format!("https://keys.example.com/{}", "a".repeat(230));
    assert_eq!(issuer.len(), 255);
    let audiences = serde_json::json!([audience]).to_string();
    config(&[("ISSUER", &issuer), ("AUDIENCES", &audiences), ("PRINCIPAL_TAGS", r#"["agentkeys_user_wallet","agentkeys_actor_omni"]"#)])
}

/// The token of a record, whether the record is within its limits or not.
fn token(record: &SessionRecord) -> Result<usize, Fault> {
    // The longest audience, of characters that JSON writes as two.
    let longest = "\"".repeat(255);
    let (config, audience) = (largest_config(&longest), audience(&longest));
    let claims = TokenClaims::new(&config, record, &audience, "000102030405060708090a0b0c0d0e0f")?;
    // The latest times that a token can be written with.
    let (issued_at, expires_at) = (at(8_210_266_872_000), at(8_210_266_875_600));
    let decision = Decision { audience: audience.clone(), alg: Some(Alg::Rs256), issued_at, expires_at };
    let unsigned = UnsignedToken::new(&"k".repeat(43), Alg::Rs256, claims, &decision)?;
    Ok(unsigned.sign_with(&SIGNATURE)?.expose().len())
}

fn roles(count: usize, last_name: usize) -> Option<Roles> {
    let arn = |name: usize| RoleArn::try_from(format!("arn:aws:iam::123456789012:role/{}", "r".repeat(name))).unwrap();
    Roles::try_from((1..count).map(|_| arn(64)).chain([arn(last_name)]).collect::<Vec<_>>()).ok()
}

/// The fullest record that its limit lets through, of records that grow with n.
fn fullest(of: impl Fn(usize) -> SessionRecord) -> SessionRecord {
    let (mut fits, mut too_much) = (0, 20_000);
    while fits + 1 < too_much {
        let n = usize::midpoint(fits, too_much);
        match of(n).to_json() {
            Ok(_) => fits = n,
            Err(broken) => {
                assert_eq!(broken, BrokenRecord::GrantTooLong, "another limit comes first");
                too_much = n;
            }
        }
    }
    of(fits)
}

/// 48 tags, all transitive, with these bytes of values: letters of three bytes, which JSON does not escape.
fn tags_of(bytes: usize) -> SessionRecord {
    let value = |n: usize| {
        let share = (bytes / 48 + usize::from(n < bytes % 48)).min(768);
        format!("{}{}", "漢".repeat(share / 3), "a".repeat(share % 3))
    };
    let tags: Vec<_> = (0..48).map(|n| tag(&format!("k{n}"), &value(n))).collect();
    let transitive = tags.iter().map(|(key, _)| key.clone()).collect();
    plain().with_tags(tags, transitive).unwrap_or_else(|_| over_the_limit())
}

/// A record that is over the limit, where the constructor already refuses the one asked for.
fn over_the_limit() -> SessionRecord {
    let mut record = plain();
    record.roles = roles(200, 64);
    assert_eq!(record.to_json(), Err(BrokenRecord::GrantTooLong));
    record
}

#[test]
fn the_largest_token_of_a_checked_record_is_one_that_sts_takes() {
    let roles_alone = fullest(|n| {
        let mut record = plain();
        record.roles = roles(1 + n / 64, 1 + n % 64);
        record
    });
    let tags_alone = fullest(tags_of);
    let roles_and_more = fullest(|n| {
        let mut record = plain().with_tags(vec![tag(&"k".repeat(128), &"漢".repeat(256))], vec![]).unwrap();
        record.source_identity = Some(source_identity(&"s".repeat(64)));
        record.roles = roles(1 + n / 64, 1 + n % 64);
        record
    });
    for (name, record) in [("roles", roles_alone), ("tags", tags_alone), ("all", roles_and_more)] {
        let length = token(&record).expect(name);
        assert!(TOKEN_CHARACTERS.contains(&length), "{name}: {length}");
        assert!(length > 17_500, "{name}: {length} does not come near the limit, which is then no proof");
    }
}

#[test]
fn the_grant_limit_leaves_room_for_the_worst_of_everything_else() {
    // Base64url makes four characters of three bytes; the dots, the header and the signature are beside the claims.
    let empty = token(&plain()).unwrap();
    assert!(empty + (GRANT_BYTES_MAX * 4).div_ceil(3) <= *TOKEN_CHARACTERS.end(), "{empty}");
    // And it is not so small that a thousand more would do too.
    assert!(empty + ((GRANT_BYTES_MAX + 2_000) * 4).div_ceil(3) > *TOKEN_CHARACTERS.end(), "{empty}");
}

#[test]
fn a_record_beyond_its_limits_makes_no_token_beyond_sts_s() {
    let mut record = plain();
    for (count, minted) in [(1, true), (100, true), (150, false), (5_000, false)] {
        record.roles = roles(count, 64);
        match token(&record) {
            Ok(length) => assert!(minted && TOKEN_CHARACTERS.contains(&length), "{count}: {length}"),
            Err(fault) => assert!(!minted && fault == Fault::Internal, "{count}"),
        }
    }
}

#[test]
fn a_time_that_no_token_can_say_makes_no_token() {
    let config = config(&[]);
    let record = plain();
    let audience = audience("sts.amazonaws.com");
    let unsigned = |issued_at, expires_at| {
        let claims = TokenClaims::new(&config, &record, &audience, "00").unwrap();
        let decision = Decision { audience: audience.clone(), alg: None, issued_at: at(issued_at), expires_at: at(expires_at) };
        UnsignedToken::new("kid", Alg::Es256, claims, &decision).map(|token| token.signing_input().len())
    };
    assert!(unsigned(0, 1).is_ok());
    for (issued_at, expires_at) in [(1, (1 << 53) - 1), ((1 << 53) - 2, (1 << 53) - 1)] {
        assert_eq!(unsigned(issued_at, expires_at), Err(Fault::Internal));
    }
}
