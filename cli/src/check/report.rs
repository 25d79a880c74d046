//! The verdict as JSON and as text. `README.md` beside this file describes the JSON, which grows and does not change.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use agentkeys_edge_broker::aws::{RoleArn, SessionTags, SourceIdentity, TagKey};
use serde::Serialize;

use super::rule::{Finding, Rule, Warning};
use super::verdict::{Facts, Verdict};
use crate::terminal::shown;

/// The JSON report. Every member is always there, `null` or empty where there is nothing to say.
#[derive(Serialize)]
pub(super) struct Report<'a> {
    verdict: &'static str,
    recorded: bool,
    error: Option<StsError<'a>>,
    rule: Option<&'a Rule>,
    detail: Option<&'a str>,
    remedy: Option<&'a str>,
    also: Vec<Other<'a>>,
    warnings: &'a [Warning],
    token: Option<Token<'a>>,
    session_tags: BTreeMap<&'a str, &'a str>,
    transitive_tag_keys: Vec<&'a str>,
    roles: Option<Vec<&'a str>>,
    role_authorized_by_idp: Option<bool>,
    source_identity: Option<&'a str>,
    trust_policy_actions: Vec<&'static str>,
    checked_at: Option<u64>,
    reason: Option<&'a str>,
}

/// What STS answers.
#[derive(Serialize)]
struct StsError<'a> {
    code: &'static str,
    http_status: u16,
    message: &'a str,
    code_recorded: bool,
    message_recorded: bool,
}

/// Another broken rule.
#[derive(Serialize)]
struct Other<'a> {
    rule: &'a Rule,
    detail: Option<&'a str>,
    remedy: &'a str,
}

/// What the token says of itself.
#[derive(Serialize)]
struct Token<'a> {
    alg: &'static str,
    kid: Option<&'a str>,
    iss: Option<&'a str>,
    sub: Option<&'a str>,
    aud: Option<&'a str>,
    iat: Option<i128>,
    nbf: Option<i128>,
    exp: Option<i128>,
}

impl<'a> Report<'a> {
    /// The report of a verdict.
    pub(super) fn of(verdict: &'a Verdict) -> Self {
        let first = verdict.first();
        let facts = verdict.facts.as_ref();
        let tags = facts.and_then(|facts| facts.tags.as_ref());
        Self {
            verdict: if verdict.is_accepted() { "accepted" } else { "refused" },
            recorded: verdict.is_recorded(),
            error: first.map(|first| StsError {
                code: first.rule.code.as_str(),
                http_status: first.rule.code.http_status(),
                message: first.message.as_deref().unwrap_or(first.rule.text),
                code_recorded: verdict.is_code_recorded(),
                message_recorded: first.message_recorded,
            }),
            rule: first.map(|first| first.rule),
            detail: first.and_then(|first| first.detail.as_deref()),
            remedy: first.map(|first| first.rule.remedy),
            also: verdict
                .others()
                .map(|finding| Other { rule: finding.rule, detail: finding.detail.as_deref(), remedy: finding.rule.remedy })
                .collect(),
            warnings: &verdict.warnings,
            token: facts.map(Token::of),
            session_tags: tags.iter().flat_map(|tags| tags.tags()).map(|(key, value)| (key.as_str(), value.as_str())).collect(),
            transitive_tag_keys: tags.iter().flat_map(|tags| tags.transitive()).map(TagKey::as_str).collect(),
            roles: facts.and_then(|facts| facts.roles.as_ref()).map(|listed| listed.roles.iter().map(RoleArn::as_str).collect()),
            role_authorized_by_idp: facts.and_then(Facts::role_authorized_by_idp),
            source_identity: facts.and_then(|facts| facts.source_identity.as_ref()).map(SourceIdentity::as_str),
            trust_policy_actions: facts.map(Facts::trust_policy_actions).unwrap_or_default(),
            checked_at: Some(verdict.at.seconds()),
            reason: None,
        }
    }

    /// The report where there is no verdict.
    pub(super) fn unknown(reason: &'a str) -> Self {
        Self {
            verdict: "unknown",
            recorded: false,
            error: None,
            rule: None,
            detail: None,
            remedy: None,
            also: Vec::new(),
            warnings: &[],
            token: None,
            session_tags: BTreeMap::new(),
            transitive_tag_keys: Vec::new(),
            roles: None,
            role_authorized_by_idp: None,
            source_identity: None,
            trust_policy_actions: Vec::new(),
            checked_at: None,
            reason: Some(reason),
        }
    }
}

impl<'a> Token<'a> {
    fn of(facts: &'a Facts) -> Self {
        Self {
            alg: facts.alg.as_str(),
            kid: facts.kid.as_deref(),
            iss: facts.iss.as_deref(),
            sub: facts.sub.as_deref(),
            aud: facts.aud.as_deref(),
            iat: facts.iat,
            nbf: facts.nbf,
            exp: facts.exp,
        }
    }
}

/// The verdict as text. What stands in the token is escaped: it is not this tool's word.
pub(super) fn text(verdict: &Verdict) -> String {
    let mut text = String::new();
    match verdict.first() {
        None => text.push_str("accepted: STS takes this token.\n"),
        Some(first) => refusal(&mut text, verdict, first),
    }
    for other in verdict.others() {
        let _ = writeln!(text, "also: {}", sentence(other));
        let _ = writeln!(text, "  remedy: {}", other.rule.remedy);
    }
    for warning in &verdict.warnings {
        let _ = writeln!(text, "warning: {}", warning.message);
        let _ = writeln!(text, "  remedy: {}", warning.remedy);
    }
    if let Some(facts) = &verdict.facts {
        self::facts(&mut text, facts);
    }
    text
}

fn refusal(text: &mut String, verdict: &Verdict, first: &Finding) {
    let code = first.rule.code;
    let _ = write!(text, "refused: STS answers {} (HTTP {})", code.as_str(), code.http_status());
    if let Some(message) = &first.message {
        let _ = write!(text, ": {}", escaped(message));
    }
    text.push('\n');
    let _ = writeln!(text, "  rule: {}", sentence(first));
    if !verdict.is_code_recorded() {
        text.push_str("  The code is not recorded.\n");
    }
    let _ = writeln!(text, "  remedy: {}", first.rule.remedy);
}

fn sentence(finding: &Finding) -> String {
    let detail = finding.detail.as_deref().map(|detail| format!(" {}", escaped(detail))).unwrap_or_default();
    format!("{} [{}, {}]{detail}", finding.rule.text, finding.rule.id, finding.rule.basis.as_str())
}

fn facts(text: &mut String, facts: &Facts) {
    for (name, value) in [("issuer", &facts.iss), ("audience", &facts.aud), ("subject", &facts.sub)] {
        if let Some(value) = value {
            let _ = writeln!(text, "{name}: {}", escaped(value));
        }
    }
    for (key, value) in facts.tags.iter().flat_map(SessionTags::tags) {
        let transitive = facts.tags.as_ref().is_some_and(|tags| tags.transitive().contains(key));
        let _ =
            writeln!(text, "tag: {} = {}{}", escaped(key.as_str()), escaped(value.as_str()), if transitive { " (transitive)" } else { "" });
    }
    for role in facts.roles.iter().flat_map(|listed| &listed.roles) {
        let _ = writeln!(text, "role: {role}");
    }
    if let Some(identity) = &facts.source_identity {
        let _ = writeln!(text, "source identity: {}", identity.as_str());
    }
    let _ = writeln!(text, "the role's trust policy must allow: {}", facts.trust_policy_actions().join(", "));
}

/// As a terminal may show it, and not endless.
fn escaped(value: &str) -> String {
    let mut text: String = value.chars().take(400).collect();
    if value.chars().count() > 400 {
        text.push('…');
    }
    shown(&text)
}
