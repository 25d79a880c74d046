//! The claims of a minted token, and the one place that decides what they are.
//!
//! The wallet stands in three places: `sub`, the claim `agentkeys_user_wallet`, and, for AWS, inside
//! `https://aws.amazon.com/tags`. Only the last isolates anybody: STS ignores custom claims, so the tags are not an
//! option here, they are a member that every token has.

use serde::Serialize;

use crate::aws::{Audience, ROLES_CLAIM, Roles, SOURCE_IDENTITY_CLAIM, SessionTags, SourceIdentity, TAGS_CLAIM, TagKey, TagValue};
use crate::config::{Config, OMNI_TAG, WALLET_TAG};
use crate::error::Fault;
use crate::session::SessionRecord;

/// The claims besides `iat` and `exp`, which jwt-compact writes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TokenClaims<'a> {
    iss: &'a str,
    sub: String,
    aud: &'a str,
    jti: &'a str,
    agentkeys_user_wallet: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    agentkeys_actor_omni: Option<String>,
    #[serde(rename = "https://aws.amazon.com/tags")]
    tags: SessionTags,
    #[serde(rename = "https://aws.amazon.com/roles", skip_serializing_if = "Option::is_none")]
    roles: Option<&'a Roles>,
    #[serde(rename = "https://aws.amazon.com/source_identity", skip_serializing_if = "Option::is_none")]
    source_identity: Option<&'a SourceIdentity>,
}

impl<'a> TokenClaims<'a> {
    /// The claims of a session's token for one audience.
    ///
    /// # Errors
    /// [`Fault::Internal`] if the tags together break a limit of AWS, which a checked record cannot.
    pub fn new(config: &'a Config, session: &'a SessionRecord, audience: &'a Audience, jti: &'a str) -> Result<Self, Fault> {
        let omni = config.with_omni.then(|| session.wallet.actor_omni());
        let mut own = vec![own_tag(WALLET_TAG, session.wallet.as_str())?];
        if let Some(omni) = &omni {
            own.push(own_tag(OMNI_TAG, omni)?);
        }
        let transitive = own.iter().map(|(key, _)| key).chain(session.tags().transitive()).cloned().collect();
        own.extend_from_slice(session.tags().tags());
        let tags = SessionTags::new(own, transitive).map_err(|_| Fault::Internal)?;
        Ok(Self {
            iss: config.issuer.as_str(),
            sub: session.wallet.subject(),
            aud: audience.as_str(),
            jti,
            agentkeys_user_wallet: session.wallet.as_str(),
            agentkeys_actor_omni: omni,
            tags,
            roles: session.roles.as_ref(),
            source_identity: session.source_identity.as_ref(),
        })
    }
}

fn own_tag(key: &str, value: &str) -> Result<(TagKey, TagValue), Fault> {
    let key = TagKey::try_from(key.to_owned()).map_err(|_| Fault::Internal)?;
    let value = TagValue::try_from(value.to_owned()).map_err(|_| Fault::Internal)?;
    Ok((key, value))
}

/// Every claim that the broker can put in a token under this configuration: `claims_supported` of discovery.
#[must_use]
pub fn supported(config: &Config) -> Vec<&'static str> {
    let mut claims = vec!["iss", "sub", "aud", "iat", "exp", "jti", WALLET_TAG];
    if config.with_omni {
        claims.push(OMNI_TAG);
    }
    claims.extend([TAGS_CLAIM, ROLES_CLAIM, SOURCE_IDENTITY_CLAIM]);
    claims
}
