//! From what was seen to a verdict, and from a broken isolation to what is wrong and what to do.
//!
//! The verdict: whatever must be denied and was not breaks isolation, whatever else happened. Where nothing leaked, one
//! question without an answer leaves it undecided. Isolated is only what was seen whole: all of the own allowed, all else
//! denied. The diagnoses are one table, and the first row that fits is the diagnosis.

use serde::Serialize;

use super::probe::{Action, Observations, Outcome, PROBES, Place, Probe, Side};

/// What the run says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Verdict {
    Isolated,
    Broken,
    Undecided,
}

/// What is wrong, and what to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(super) struct Diagnosis {
    /// Stable, for programs.
    pub(super) id: &'static str,
    pub(super) text: &'static str,
    pub(super) remedy: &'static str,
}

/// What the requests say.
pub(super) fn verdict(seen: &Observations) -> Verdict {
    let leaks = seen.iter().any(|(_, probe, outcome)| !probe.must_be_allowed() && *outcome == Outcome::Allowed);
    let open = seen.iter().any(|(_, _, outcome)| matches!(outcome, Outcome::Undecided(_) | Outcome::NotAsked));
    let own_denied = seen.iter().any(|(_, probe, outcome)| probe.must_be_allowed() && *outcome == Outcome::Denied);
    match (leaks, open, own_denied) {
        (true, _, _) | (false, false, true) => Verdict::Broken,
        (false, true, _) => Verdict::Undecided,
        (false, false, false) => Verdict::Isolated,
    }
}

/// How much of something was allowed, to both wallets together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Extent {
    Nothing,
    Some,
    All,
}

/// What was seen, as far as the table looks at it.
struct Pattern {
    /// Whether both tokens carry the tag.
    tagged: bool,
    own: Extent,
    /// Wallets that reach nothing of their own.
    shut_out: usize,
    /// Wallets that reach something that is not theirs.
    leaking: usize,
    other_list: Extent,
    other_objects: Extent,
    root: Extent,
    sibling: Extent,
    dots: Extent,
}

impl Pattern {
    fn of(seen: &Observations, tagged: bool) -> Self {
        let extent = |filter: &dyn Fn(Probe) -> bool| {
            let outcomes: Vec<bool> =
                seen.iter().filter(|(_, probe, _)| filter(*probe)).map(|(_, _, outcome)| *outcome == Outcome::Allowed).collect();
            match (outcomes.contains(&true), outcomes.contains(&false)) {
                (false, _) => Extent::Nothing,
                (true, true) => Extent::Some,
                (true, false) => Extent::All,
            }
        };
        let sides = |filter: &dyn Fn(Side) -> bool| Side::BOTH.into_iter().filter(|side| filter(*side)).count();
        let allowed = |side: Side, own: bool| {
            PROBES.into_iter().any(|probe| probe.must_be_allowed() == own && *seen.get(side, probe) == Outcome::Allowed)
        };
        Self {
            tagged,
            own: extent(&|probe| probe.place == Place::Own),
            shut_out: sides(&|side| !allowed(side, true)),
            leaking: sides(&|side| allowed(side, false)),
            other_list: extent(&|probe| probe.place == Place::Other && probe.action == Action::List),
            other_objects: extent(&|probe| probe.place == Place::Other && probe.action != Action::List),
            root: extent(&|probe| probe.place == Place::Root),
            sibling: extent(&|probe| probe.place == Place::Sibling),
            dots: extent(&|probe| probe.place == Place::Dots),
        }
    }

    fn reaches_other(&self) -> bool {
        self.other_list != Extent::Nothing || self.other_objects != Extent::Nothing
    }
}

/// One row: when it fits, and the diagnosis.
struct Row(fn(&Pattern) -> bool, Diagnosis);

const TABLE: [Row; 14] = [
    Row(
        |seen| seen.own == Extent::Nothing && seen.reaches_other(),
        Diagnosis {
            id: "own-denied-other-allowed",
            text: "A wallet is denied its own prefix and let into the other's.",
            remedy: "Look for a denial or a grant that names a wallet literally, and compare the token's tag with the prefix in the policies.",
        },
    ),
    Row(
        |seen| seen.other_list == Extent::All && seen.other_objects == Extent::All,
        Diagnosis {
            id: "broad-grant",
            text: "Both wallets are let into everything of each other: a broad grant is left on the role, or in the bucket's policy.",
            remedy: "Take every S3 grant off the role (aws iam list-role-policies, list-attached-role-policies), so that the bucket's policy is the \
                     only one, and name ${aws:PrincipalTag/agentkeys_user_wallet}/* there.",
        },
    ),
    Row(
        |seen| seen.other_objects == Extent::All && seen.other_list == Extent::Nothing,
        Diagnosis {
            id: "broad-object-grant",
            text: "Both wallets read and write each other's objects: a grant of the object actions names the whole bucket.",
            remedy: "End its resource with the tag: arn:aws:s3:::BUCKET/${aws:PrincipalTag/agentkeys_user_wallet}/*, and look for another such grant on the role.",
        },
    ),
    Row(
        |seen| seen.leaking == 1 && seen.reaches_other(),
        Diagnosis {
            id: "one-way",
            text: "One wallet is let into the other's prefix, and not the other way round: a grant names a wallet literally, or a prefix of both.",
            remedy: "Look for a wallet's address in the policies of the role and the bucket, and put ${aws:PrincipalTag/agentkeys_user_wallet} in its place.",
        },
    ),
    Row(
        |seen| seen.other_list != Extent::Nothing && seen.other_objects == Extent::Nothing,
        Diagnosis {
            id: "broad-list",
            text: "Wallets see the names of each other's objects: s3:ListBucket is granted without a condition on the prefix.",
            remedy: "Grant s3:ListBucket in a statement of its own, with StringLike on s3:prefix = ${aws:PrincipalTag/agentkeys_user_wallet}/*.",
        },
    ),
    Row(
        Pattern::reaches_other,
        Diagnosis {
            id: "broad-grant-of-some-actions",
            text: "Wallets can do some things with each other's objects: those that the table shows as allowed are granted for the whole bucket.",
            remedy: "Find the grant of these actions, on the role first, then in the bucket's policy, and end its resource with the tag.",
        },
    ),
    Row(
        |seen| seen.dots != Extent::Nothing,
        Diagnosis {
            id: "dots-resolved",
            text: "A key with ../ in it landed in the other wallet's prefix: this S3, or a proxy in front of it, takes keys for paths.",
            remedy: "Do not keep wallets apart by prefix there. Take the proxy away, or use an S3 that leaves keys as they are.",
        },
    ),
    Row(
        |seen| seen.root != Extent::Nothing && seen.sibling == Extent::Nothing,
        Diagnosis {
            id: "open-root",
            text: "Wallets are kept out of each other's prefixes and let into the bucket's root: a grant has no prefix in it.",
            remedy: "Grant s3:ListBucket only with s3:prefix = ${aws:PrincipalTag/agentkeys_user_wallet}/*, and objects only below the tag.",
        },
    ),
    Row(
        |seen| seen.sibling != Extent::Nothing && seen.root == Extent::Nothing,
        Diagnosis {
            id: "no-slash-after-the-tag",
            text: "A wallet is let into every prefix that starts like its own: the pattern in a policy ends in a bare * after the tag.",
            remedy: "Write ${aws:PrincipalTag/agentkeys_user_wallet}/* with the slash, in the resource and in s3:prefix.",
        },
    ),
    Row(
        |seen| seen.leaking > 0,
        Diagnosis {
            id: "open-elsewhere",
            text: "Wallets are kept out of each other's prefixes and let into other places of the bucket: a broad grant, and a denial around some prefixes.",
            remedy: "Grant only what is below ${aws:PrincipalTag/agentkeys_user_wallet}/, and take other grants off the role.",
        },
    ),
    Row(
        |seen| seen.own == Extent::Nothing && !seen.tagged,
        Diagnosis {
            id: "no-tag",
            text: "Nobody is let in: the token carries no session tag, so the tag in the policies is empty and matches nothing.",
            remedy: "Have the issuer put the claim https://aws.amazon.com/tags into its tokens (edge-broker check shows what STS reads).",
        },
    ),
    Row(
        |seen| seen.own == Extent::Nothing,
        Diagnosis {
            id: "nobody-let-in",
            text: "Nobody is let in: STS did not make a session tag of the token's (no sts:TagSession, or an STS that knows no tags), or no policy grants the tag's prefix.",
            remedy: "Look for sts:TagSession in the trust policy, for the role's ARN and ${aws:PrincipalTag/agentkeys_user_wallet} in the bucket's policy, and for a denial.",
        },
    ),
    Row(
        |seen| seen.shut_out == 1,
        Diagnosis {
            id: "one-wallet-shut-out",
            text: "One wallet works in its own prefix, the other is denied its own: a policy names a wallet literally, or denies one.",
            remedy: "Look for a wallet's address in the policies: a grant to one, or a denial that revoked the sessions of the other.",
        },
    ),
    Row(
        |_| true,
        Diagnosis {
            id: "own-prefix-incomplete",
            text: "Nothing leaks, and wallets are denied some of the actions on their own prefix.",
            remedy: "Grant the actions that the table shows as denied: s3:PutObject, s3:GetObject, s3:DeleteObject on the tag's prefix, s3:ListBucket with s3:prefix.",
        },
    ),
];

/// What is wrong with an isolation that was seen broken.
pub(super) fn diagnose(seen: &Observations, tagged: bool) -> Diagnosis {
    let pattern = Pattern::of(seen, tagged);
    // The last row fits everything.
    TABLE.iter().find(|Row(fits, _)| fits(&pattern)).map_or(NO_ENTRY, |Row(_, diagnosis)| *diagnosis)
}

/// STS lets neither wallet in.
pub(super) const NO_ENTRY: Diagnosis = Diagnosis {
    id: "no-entry",
    text: "STS denies both wallets the role (AccessDenied): most often the trust policy lacks sts:TagSession.",
    remedy: "The trust policy has to allow sts:AssumeRoleWithWebIdentity and sts:TagSession (and sts:SetSourceIdentity, where the token has one) to the \
             issuer's OIDC provider, for this audience and subject; and the role has to be among the token's roles, where it lists some.",
};

/// STS lets only one wallet in.
pub(super) const NO_ENTRY_FOR_ONE: Diagnosis = Diagnosis {
    id: "no-entry-for-one",
    text: "STS lets one wallet into the role and denies the other (AccessDenied).",
    remedy: "Look for a subject or a tag that the trust policy names literally, and for a list of roles in the token of the other.",
};

#[cfg(test)]
mod tests {
    use super::*;

    /// Observations in which `allowed` says who may do what.
    fn seen(allowed: impl Fn(Side, Place, Action) -> bool) -> Observations {
        let mut observations = Observations::new();
        for side in Side::BOTH {
            for Probe { place, action } in PROBES {
                let outcome = if allowed(side, place, action) { Outcome::Allowed } else { Outcome::Denied };
                observations.set(side, place, action, outcome);
            }
        }
        observations
    }

    #[test]
    fn isolated_is_only_what_was_seen_whole() {
        let isolated = seen(|_, place, _| place == Place::Own);
        assert_eq!(verdict(&isolated), Verdict::Isolated);
        assert_eq!(verdict(&Observations::new()), Verdict::Undecided);
        for side in Side::BOTH {
            for probe in PROBES {
                let with = |outcome: Outcome| {
                    let mut one = isolated.clone();
                    one.set(side, probe.place, probe.action, outcome);
                    verdict(&one)
                };
                assert_eq!(with(Outcome::Undecided("503".to_owned())), Verdict::Undecided, "{probe:?}");
                assert_eq!(with(Outcome::NotAsked), Verdict::Undecided, "{probe:?}");
                let flipped = if probe.must_be_allowed() { Outcome::Denied } else { Outcome::Allowed };
                assert_eq!(with(flipped), Verdict::Broken, "{probe:?}");
            }
        }
    }

    #[test]
    fn a_leak_is_broken_whatever_else_is_open_and_a_denial_is_not() {
        for side in Side::BOTH {
            for probe in PROBES {
                let mut observations = Observations::new();
                observations.set(side, probe.place, probe.action, Outcome::Allowed);
                let leak = !probe.must_be_allowed();
                assert_eq!(verdict(&observations), if leak { Verdict::Broken } else { Verdict::Undecided }, "{probe:?}");
                observations.set(side, probe.place, probe.action, Outcome::Denied);
                assert_eq!(verdict(&observations), Verdict::Undecided, "{probe:?}");
            }
        }
    }

    #[test]
    fn every_pattern_has_its_diagnosis() {
        use Action::{Delete, Get, List, Put};
        use Place::{Dots, Other, Own, Root, Sibling};
        type Allowed = fn(Side, Place, Action) -> bool;
        let table: [(&str, Allowed); 21] = [
            ("broad-grant", |_, _, _| true),
            ("broad-grant", |_, place, _| place != Dots),
            ("broad-grant", |_, place, _| matches!(place, Own | Other)),
            ("broad-object-grant", |_, place, action| place == Own || action != List),
            ("broad-object-grant", |_, place, action| place == Own || (place == Other && action != List)),
            ("broad-list", |_, place, action| place == Own || action == List),
            ("broad-list", |_, place, action| place == Own || (place == Other && action == List)),
            ("broad-grant-of-some-actions", |_, place, action| place == Own || action == Get),
            ("broad-grant-of-some-actions", |_, place, action| place == Own || action == Put),
            ("broad-grant-of-some-actions", |_, place, action| place == Own || (place == Other && matches!(action, List | Get))),
            ("broad-grant-of-some-actions", |_, place, action| place == Own || (place == Other && action == Delete)),
            ("one-way", |side, place, _| place == Own || side == Side::One),
            ("one-way", |side, place, action| place == Own || (side == Side::Other && place == Other && action == List)),
            ("own-denied-other-allowed", |_, place, _| place == Other),
            ("open-root", |_, place, _| matches!(place, Own | Root)),
            ("open-root", |_, place, action| place == Own || (place == Root && action == List)),
            ("no-slash-after-the-tag", |_, place, _| matches!(place, Own | Sibling)),
            ("open-elsewhere", |_, place, _| matches!(place, Own | Root | Sibling)),
            ("dots-resolved", |_, place, _| matches!(place, Own | Dots)),
            ("one-wallet-shut-out", |side, place, _| place == Own && side == Side::One),
            ("own-prefix-incomplete", |_, place, action| place == Own && action != Delete),
        ];
        for (id, allowed) in table {
            for tagged in [true, false] {
                assert_eq!(diagnose(&seen(allowed), tagged).id, id);
            }
            assert_eq!(verdict(&seen(allowed)), Verdict::Broken, "{id}");
        }
        assert_eq!(diagnose(&seen(|_, _, _| false), true).id, "nobody-let-in");
        assert_eq!(diagnose(&seen(|_, _, _| false), false).id, "no-tag");
        assert_eq!(verdict(&seen(|_, _, _| false)), Verdict::Broken);
    }

    /// All 2^13 ways in which two equal wallets can be allowed and denied: each but one is broken, and the diagnosis speaks
    /// of a leak exactly where there is one.
    #[test]
    fn a_diagnosis_speaks_of_a_leak_where_there_is_one() {
        let no_leak = ["no-tag", "nobody-let-in", "one-wallet-shut-out", "own-prefix-incomplete"];
        for bits in 0..1_u32 << PROBES.len() {
            let allowed = |probe: Probe| PROBES.iter().position(|one| *one == probe).is_some_and(|place| bits >> place & 1 == 1);
            let observations = seen(|_, place, action| allowed(Probe { place, action }));
            let leaks = PROBES.into_iter().any(|probe| !probe.must_be_allowed() && allowed(probe));
            let own = PROBES.into_iter().filter(|probe| probe.must_be_allowed()).all(allowed);
            let expected = if own && !leaks { Verdict::Isolated } else { Verdict::Broken };
            assert_eq!(verdict(&observations), expected, "{bits:b}");
            if expected == Verdict::Broken {
                assert_eq!(!no_leak.contains(&diagnose(&observations, true).id), leaks, "{bits:b}");
            }
        }
    }

    #[test]
    fn a_diagnosis_is_named_once_and_says_what_to_do() {
        let all: Vec<Diagnosis> = TABLE.iter().map(|Row(_, diagnosis)| *diagnosis).chain([NO_ENTRY, NO_ENTRY_FOR_ONE]).collect();
        let ids: std::collections::BTreeSet<&str> = all.iter().map(|diagnosis| diagnosis.id).collect();
        assert_eq!(ids.len(), all.len());
        assert!(all.iter().all(|diagnosis| diagnosis.text.ends_with('.') && diagnosis.remedy.ends_with('.')));
    }
}
