//! The minted token: that it names one wallet throughout, and what STS makes of it by the rules of [`crate::check`].

use std::collections::BTreeSet;

use agentkeys_edge_broker::aws::TAGS_CLAIM;
use agentkeys_edge_broker::config::WALLET_TAG;
use agentkeys_edge_broker::encoding::from_base64url;
use agentkeys_edge_broker::time::UnixTime;
use agentkeys_edge_broker::wallet::Wallet;
use serde_json::{Map, Value};

use super::outcome::{Check, Fault};
use crate::check::{Expectations, Finding, KeySet, Token, Verdict, judge};

/// The longest life that the broker can be set to, in seconds.
const LIFETIME_MAX: u64 = 3_600;

/// The names of these checks.
pub(super) const IDS: [&str; 8] =
    ["token-signature", "token-tags", "token-wallet", "token-lifetime", "token-accepted", "token-warnings", "token-claims", "token-answer"];

/// The answer of a mint, taken apart.
pub(super) struct Minted {
    jwt: String,
    pub(super) wallet: String,
    expiration: u64,
    claims: Map<String, Value>,
}

impl Minted {
    pub(super) fn read(answer: &Value) -> Option<Self> {
        let jwt = answer.get("jwt")?.as_str()?.to_owned();
        let payload = from_base64url(jwt.split('.').nth(1)?)?;
        let Ok(Value::Object(claims)) = serde_json::from_slice(&payload) else { return None };
        Some(Self { wallet: answer.get("wallet")?.as_str()?.to_owned(), expiration: answer.get("expiration")?.as_u64()?, jwt, claims })
    }

    fn number(&self, claim: &str) -> Option<u64> {
        self.claims.get(claim).and_then(Value::as_u64)
    }

    fn text(&self, claim: &str) -> Option<&str> {
        self.claims.get(claim).and_then(Value::as_str)
    }

    /// `exp` less `iat`, in seconds.
    pub(super) fn lifetime(&self) -> Option<u64> {
        self.number("exp")?.checked_sub(self.number("iat")?)
    }

    pub(super) fn issued_at(&self) -> Option<UnixTime> {
        UnixTime::try_from(self.number("iat")?).ok()
    }

    pub(super) fn audience(&self) -> Option<&str> {
        self.text("aud")
    }

    /// The values of the wallet's tag, of which there is to be one.
    fn wallet_tags(&self) -> Option<&Vec<Value>> {
        self.claims.get(TAGS_CLAIM)?.get("principal_tags")?.get(WALLET_TAG)?.as_array()
    }
}

/// What the token is held against.
pub(super) struct Against<'a> {
    pub(super) issuer: &'a str,
    pub(super) audience: &'a str,
    /// The published key set, where there is one with a key in it.
    pub(super) keys: Option<&'a [u8]>,
    /// The claims that discovery announces, where it does.
    pub(super) announced: Option<BTreeSet<&'a str>>,
    /// The issuer's own clock: how far it is off is the clock's check.
    pub(super) at: UnixTime,
}

pub(super) fn checks(minted: &Minted, against: &Against<'_>) -> Vec<Check> {
    let mut checks = match (Token::parse(&minted.jwt), against.keys) {
        (Ok(token), Some(keys)) => {
            let expected =
                Expectations { issuer: Some(against.issuer.to_owned()), audiences: vec![against.audience.to_owned()], role: None };
            judged(&judge(&token, &KeySet::parse(keys), &expected, against.at))
        }
        (Err(finding), _) => {
            let unread = ["token-tags", "token-accepted", "token-warnings"].map(|id| Check::skip(id, "The token cannot be taken apart."));
            std::iter::once(Check::of("token-signature", Err::<&str, _>(refused(&finding)))).chain(unread).collect()
        }
        (_, None) => ["token-signature", "token-tags", "token-accepted", "token-warnings"]
            .map(|id| Check::skip(id, "There is no key set to verify the token with."))
            .into(),
    };
    checks.push(Check::of("token-wallet", one_wallet(minted)));
    checks.push(Check::of("token-lifetime", lifetime(minted, against.at)));
    checks.push(Check::of("token-answer", answer(minted)));
    checks.push(match &against.announced {
        Some(announced) => Check::of("token-claims", announced_claims(minted, announced)),
        None => Check::skip("token-claims", "Discovery announces no claims."),
    });
    checks
}

/// What STS would say, by the subject of the rule.
fn judged(verdict: &Verdict) -> Vec<Check> {
    let find = |subject: Subject| verdict.findings.iter().find(|finding| Subject::of(finding.rule.id) == subject);
    let signature = find(Subject::Signature);
    let tags = find(Subject::Tags);
    let other = find(Subject::Other);
    let tag_warning = verdict.warnings.iter().find(|warning| Subject::of(warning.id) == Subject::Tags);
    let warnings: Vec<_> = verdict.warnings.iter().filter(|warning| Subject::of(warning.id) == Subject::Other).collect();
    vec![
        Check::of("token-signature", signature.map_or(Ok("The signature is that of a published key."), |finding| Err(refused(finding)))),
        Check::of(
            "token-tags",
            match (tags, tag_warning) {
                (Some(finding), _) => Err(refused(finding)),
                (None, Some(warning)) => Err(Fault::fail(warning.message.clone(), warning.remedy)),
                (None, None) => Ok("The token has the session tag agentkeys_user_wallet, and it is transitive."),
            },
        ),
        Check::of("token-accepted", other.map_or(Ok("STS's other rules take the token."), |finding| Err(refused(finding)))),
        Check::of(
            "token-warnings",
            match warnings.as_slice() {
                [] => Ok("There is nothing in it that a careful team would not send.".to_owned()),
                [first, ..] => {
                    let ids: Vec<&str> = warnings.iter().map(|warning| warning.id).collect();
                    Err(Fault::warn(format!("check warns of this token: {}.", ids.join(", ")), first.remedy))
                }
            },
        ),
    ]
}

/// What a rule or a warning of `check` is about, of the checks here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Subject {
    Signature,
    Tags,
    /// Said by another check already, or about something that was not asked.
    Elsewhere,
    Other,
}

impl Subject {
    fn of(id: &str) -> Self {
        match id {
            "signature" | "no-kid" => Self::Signature,
            "untagged" | "no-wallet-tag" | "wallet-tag-form" | "wallet-not-transitive" => Self::Tags,
            "wallet-tag-mismatch"
            | "long-lifetime"
            | "issuer-not-checked"
            | "role-not-checked"
            | "loopback-issuer"
            | "issuer-with-port" => Self::Elsewhere,
            _ if id.starts_with("key-") || id.starts_with("kid-") => Self::Signature,
            _ if id.starts_with("tags-") || id.starts_with("transitive-") => Self::Tags,
            _ => Self::Other,
        }
    }
}

/// STS's refusal, by the rule and without what is in the token.
fn refused(finding: &Finding) -> Fault {
    Fault::fail(format!("STS answers {}: {} [{}]", finding.rule.code.as_str(), finding.rule.text, finding.rule.id), finding.rule.remedy)
}

/// The wallet of the answer, of `sub`, of the claim and of the tag is one.
fn one_wallet(minted: &Minted) -> Result<&'static str, Fault> {
    let mixed = |why: &'static str| {
        Err(Fault::fail(why, "Take the issuer out of service: its tokens are not those of the sessions they are minted for."))
    };
    let Ok(wallet) = minted.wallet.parse::<Wallet>() else {
        return mixed("The wallet in the mint's answer is not 0x and 40 lower-case hex digits.");
    };
    if minted.text("sub") != Some(&wallet.subject()) {
        return mixed("sub is not that of the wallet in the mint's answer.");
    }
    if minted.text(WALLET_TAG) != Some(wallet.as_str()) {
        return mixed("The claim agentkeys_user_wallet is not the wallet in the mint's answer.");
    }
    // A token without the tag is the business of token-tags.
    match minted.wallet_tags().map(Vec::as_slice) {
        Some([Value::String(tag)]) if tag != wallet.as_str() => {
            mixed("The session tag agentkeys_user_wallet is not the wallet in the mint's answer.")
        }
        _ => Ok("Answer, subject, claim and tag name one wallet."),
    }
}

fn lifetime(minted: &Minted, at: UnixTime) -> Result<String, Fault> {
    let (Some(lifetime), Some(issued)) = (minted.lifetime(), minted.issued_at()) else {
        return Err(Fault::fail("iat and exp are not both whole numbers, in this order.", "Deploy the broker as it was built."));
    };
    if lifetime > LIFETIME_MAX {
        return Err(Fault::fail(
            format!("The token lives {lifetime} seconds, longer than the broker can be set to."),
            "Set TOKEN_TTL_SECONDS to minutes: the AWS session outlives the token anyway.",
        ));
    }
    if issued.seconds().abs_diff(at.seconds()) > 60 {
        return Err(Fault::fail(
            "iat is more than a minute off the issuer's own clock.",
            "Deploy the broker as it was built; a cache may be answering in its place.",
        ));
    }
    Ok(format!("It lives {lifetime} seconds from now."))
}

fn answer(minted: &Minted) -> Result<&'static str, Fault> {
    if minted.number("exp") == Some(minted.expiration) {
        return Ok("The answer's expiration is the token's.");
    }
    Err(Fault::fail("The answer's expiration is not the token's: clients renew too late.", "Deploy the broker as it was built."))
}

fn announced_claims(minted: &Minted, announced: &BTreeSet<&str>) -> Result<&'static str, Fault> {
    let unannounced = minted.claims.keys().filter(|claim| !announced.contains(claim.as_str())).count();
    // The tags claim is named by a check of its own.
    let expected = usize::from(minted.claims.contains_key(TAGS_CLAIM) && !announced.contains(TAGS_CLAIM));
    if unannounced == expected {
        return Ok("Discovery announces every claim of the token.");
    }
    Err(Fault::warn(
        format!("claims_supported leaves out {unannounced} of the token's claims."),
        "Deploy one version of the broker: documents and tokens are of two.",
    ))
}
