//! The judgement on one token: every rule is looked at, in the order that the room's page has them.

use agentkeys_edge_broker::aws::RoleArn;
use agentkeys_edge_broker::time::UnixTime;

use super::jose::Jws;
use super::json::{Json, Object};
use super::keys::KeySet;
use super::rule::Finding;
use super::token_form::{self, required};
use super::verdict::{Facts, Verdict};
use super::{audience, issuer, roles, signature, source_identity, subject, tags, times, warnings};

/// What the token is held against, besides the key set and the clock.
pub(crate) struct Expectations {
    /// The URL of the registered IAM OIDC provider; `None`: whatever the token says.
    pub(crate) issuer: Option<String>,
    /// The client IDs that are registered with it.
    pub(crate) audiences: Vec<String>,
    /// The role asked for; `None`: the token's list is read and not held against anything.
    pub(crate) role: Option<RoleArn>,
}

/// A token, taken apart.
pub(crate) struct Token {
    pub(super) jws: Jws,
    pub(super) claims: Object,
}

impl Token {
    /// Takes a token apart.
    ///
    /// # Errors
    /// The broken rule; of such a token no other can be told.
    pub(crate) fn parse(text: &str) -> Result<Self, Finding> {
        token_form::length(text)?;
        let jws = token_form::parts(text)?;
        let claims = token_form::claims(&jws.payload)?;
        Ok(Self { jws, claims })
    }

    /// The issuer it names, unverified: where to ask for keys.
    pub(crate) fn issuer(&self) -> Option<&str> {
        self.claims.get("iss").and_then(Json::as_str)
    }

    /// The subject it names, unverified.
    pub(crate) fn subject(&self) -> Option<&str> {
        self.claims.get("sub").and_then(Json::as_str)
    }

    /// The value of a session tag, unverified; of a claim that breaks a rule of the tags there is none.
    pub(crate) fn tag(&self, key: &str) -> Option<String> {
        let tags = tags::session_tags(&self.claims).ok()??;
        tags.tags().iter().find(|(name, _)| name.as_str() == key).map(|(_, value)| value.as_str().to_owned())
    }
}

/// What STS would say of a token, given the issuer's key set (or what is wrong with it) and the time.
pub(crate) fn judge(token: &Token, keys: &Result<KeySet, Finding>, expected: &Expectations, at: UnixTime) -> Verdict {
    let Token { jws, claims } = token;
    let mut broken = Broken::default();

    let iss = broken.keep(required(claims, "iss"));
    let sub = broken.keep(required(claims, "sub"));
    let aud = broken.keep(required(claims, "aud"));
    let iat = broken.keep(required(claims, "iat"));
    let exp = broken.keep(required(claims, "exp"));

    let iss = iss.and_then(|iss| broken.keep(issuer::url(iss)));
    if let (Some(iss), Some(registered)) = (iss, &expected.issuer) {
        broken.keep(issuer::registered(iss, registered));
    }

    let key = keys.as_ref().map_err(Clone::clone).and_then(|keys| keys.key_for(jws.alg, jws.kid.as_deref()));
    if let Some(key) = broken.keep(key) {
        broken.keep(signature::signed_by(jws, key));
    }

    let mut time = |claim, value: Option<&Json>| value.and_then(|value| broken.keep(times::timestamp(claim, value)));
    let (iat, nbf, exp) = (time("iat", iat), time("nbf", claims.get("nbf")), time("exp", exp));
    for (claim, seconds) in [("iat", iat), ("nbf", nbf)] {
        seconds.and_then(|seconds| broken.keep(times::not_ahead(claim, seconds, at)));
    }
    exp.and_then(|exp| broken.keep(times::not_expired(exp, at)));

    let aud = aud.and_then(|aud| broken.keep(audience::client_id(aud, claims)));
    aud.and_then(|aud| broken.keep(audience::registered(aud, &expected.audiences)));

    let sub = sub.and_then(|sub| broken.keep(subject::subject(sub)));

    let tags = broken.keep(tags::session_tags(claims));
    let source_identity = broken.keep(source_identity::source_identity(claims));
    let roles = broken.keep(roles::listed(claims));
    if let (Some(Some(listed)), Some(role)) = (&roles, &expected.role) {
        broken.keep(roles::lists(listed, role));
    }

    let facts = Facts {
        alg: jws.alg,
        kid: jws.kid.clone(),
        iss: iss.map(str::to_owned),
        sub,
        aud: aud.map(str::to_owned),
        iat,
        nbf,
        exp,
        untagged: matches!(tags, Some(None)),
        tags: tags.flatten(),
        no_roles_claim: matches!(roles, Some(None)),
        roles: roles.flatten(),
        role: expected.role.clone(),
        source_identity: source_identity.flatten(),
    };
    let warnings = warnings::warnings(token, &facts, expected, at);
    Verdict { at, findings: broken.0, warnings, facts: Some(facts) }
}

/// The broken rules so far.
#[derive(Default)]
struct Broken(Vec<Finding>);

impl Broken {
    /// Keeps what holds, and writes down what does not.
    fn keep<T>(&mut self, result: Result<T, Finding>) -> Option<T> {
        result.map_err(|finding| self.0.push(finding)).ok()
    }
}
