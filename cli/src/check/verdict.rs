//! The verdict on one token: what STS would answer, and what it would make of what is in the token.

use agentkeys_edge_broker::aws::{RoleArn, SessionTags, SourceIdentity};
use agentkeys_edge_broker::time::UnixTime;

use super::jose::Alg;
use super::roles::Listed;
use super::rule::{Basis, Code, Finding, Warning};
use crate::loopback::is_loopback_http;

/// What STS would say of a token.
pub(crate) struct Verdict {
    /// The clock it was judged by.
    pub(crate) at: UnixTime,
    /// The broken rules, in the order in which they are looked at; none where the token is accepted.
    pub(crate) findings: Vec<Finding>,
    pub(crate) warnings: Vec<Warning>,
    /// `None` where the token cannot be taken apart.
    pub(crate) facts: Option<Facts>,
}

/// What is in a token, as far as it can be read.
pub(crate) struct Facts {
    pub(crate) alg: Alg,
    pub(crate) kid: Option<String>,
    pub(crate) iss: Option<String>,
    pub(crate) sub: Option<String>,
    /// The client ID that is matched, and becomes the `:aud` of trust policies.
    pub(crate) aud: Option<String>,
    pub(crate) iat: Option<i128>,
    pub(crate) nbf: Option<i128>,
    pub(crate) exp: Option<i128>,
    /// Whether there is no tags claim of either form.
    pub(crate) untagged: bool,
    pub(crate) tags: Option<SessionTags>,
    /// Whether the roles claim, if there is one, could be read.
    pub(crate) roles: Option<Listed>,
    pub(crate) no_roles_claim: bool,
    /// The role asked for.
    pub(crate) role: Option<RoleArn>,
    pub(crate) source_identity: Option<SourceIdentity>,
}

impl Verdict {
    /// A token that cannot be taken apart.
    pub(super) fn unreadable(finding: Finding, at: UnixTime) -> Self {
        Self { at, findings: vec![finding], warnings: Vec::new(), facts: None }
    }

    pub(crate) fn is_accepted(&self) -> bool {
        self.findings.is_empty()
    }

    /// The finding that STS answers with: the first of those that are known to be refused, else the first of the doubtful.
    pub(crate) fn first(&self) -> Option<&Finding> {
        self.findings.iter().find(|finding| finding.rule.basis != Basis::NotRecorded).or(self.findings.first())
    }

    /// The other findings.
    pub(crate) fn others(&self) -> impl Iterator<Item = &Finding> {
        let first = self.first();
        self.findings.iter().filter(move |finding| first.is_none_or(|first| !core::ptr::eq(*finding, first)))
    }

    /// The code that STS answers with.
    pub(crate) fn code(&self) -> Option<Code> {
        self.first().map(|finding| finding.rule.code)
    }

    /// Whether the code is recorded: every broken rule has it, and of one of them that is known.
    pub(crate) fn is_code_recorded(&self) -> bool {
        self.findings.iter().any(|finding| finding.rule.code_recorded)
            && self.findings.iter().all(|finding| Some(finding.rule.code) == self.code())
    }

    /// Whether acceptance, or refusal and code, are in the record; where they are not, this is the cautious side. A
    /// development issuer's token is accepted by the rules, and no such issuer was ever registered.
    pub(crate) fn is_recorded(&self) -> bool {
        match self.first() {
            Some(first) => first.rule.basis != Basis::NotRecorded && self.is_code_recorded(),
            None => !self.facts.as_ref().and_then(|facts| facts.iss.as_deref()).is_some_and(is_loopback_http),
        }
    }
}

impl Facts {
    /// `sts:RoleAuthorizedByIdp`, where it can be told.
    pub(crate) fn role_authorized_by_idp(&self) -> Option<bool> {
        if self.no_roles_claim {
            return Some(false);
        }
        self.roles.as_ref().zip(self.role.as_ref()).map(|(listed, role)| listed.roles.contains(role))
    }

    /// The actions that the role's trust policy must allow for this token.
    pub(crate) fn trust_policy_actions(&self) -> Vec<&'static str> {
        let mut actions = vec!["sts:AssumeRoleWithWebIdentity"];
        if self.tags.is_some() {
            actions.push("sts:TagSession");
        }
        if self.source_identity.is_some() {
            actions.push("sts:SetSourceIdentity");
        }
        actions
    }
}

#[cfg(test)]
mod tests {
    use super::super::rule::Rule;
    use super::*;

    const SEEN: Rule = Rule::new("seen", Basis::Seen, "", "");
    const OTHER: Rule = Rule::new("other", Basis::Doc, "", "");
    const EXPIRED: Rule = Rule::new("expired", Basis::DocAndSeen, "", "").with_code(Code::ExpiredToken);
    const LIMIT: Rule = Rule::new("limit", Basis::Doc, "", "").with_unrecorded_code();
    const DOUBT: Rule = Rule::new("doubt", Basis::NotRecorded, "", "");

    #[test]
    fn the_first_recorded_finding_answers_and_mixed_codes_are_not_recorded() {
        for (rules, first, code_recorded, recorded) in [
            (&[&SEEN][..], "seen", true, true),
            (&[&EXPIRED], "expired", true, true),
            (&[&SEEN, &OTHER], "seen", true, true),
            (&[&DOUBT], "doubt", false, false),
            (&[&DOUBT, &SEEN], "seen", true, true),
            (&[&LIMIT], "limit", false, false),
            (&[&LIMIT, &SEEN], "limit", true, true),
            (&[&SEEN, &EXPIRED], "seen", false, false),
            (&[&DOUBT, &EXPIRED], "expired", false, false),
        ] {
            let findings = rules.iter().map(|rule| rule.broken()).collect();
            let verdict = Verdict { at: UnixTime::EPOCH, findings, warnings: Vec::new(), facts: None };
            let ids: Vec<_> = rules.iter().map(|rule| rule.id).collect();
            assert_eq!(verdict.first().map(|first| first.rule.id), Some(first), "{ids:?}");
            assert_eq!(verdict.others().count().saturating_add(1), rules.len(), "{ids:?}");
            assert_eq!((verdict.is_code_recorded(), verdict.is_recorded()), (code_recorded, recorded), "{ids:?}");
            assert!(!verdict.is_accepted());
        }
    }

    #[test]
    fn without_a_finding_a_token_is_accepted() {
        let verdict = Verdict { at: UnixTime::EPOCH, findings: Vec::new(), warnings: Vec::new(), facts: None };
        assert!(verdict.is_accepted() && verdict.is_recorded() && verdict.first().is_none() && verdict.code().is_none());
    }
}
