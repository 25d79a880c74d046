//! The decision: a request can only narrow what session and configuration allow. First by tables, then for all.

use agentkeys_edge_broker::config::Config;
use agentkeys_edge_broker::error::Refusal;
use agentkeys_edge_broker::keys::Alg;
use agentkeys_edge_broker::mint::{Decision, MintRequest, decide};
use agentkeys_edge_broker::session::SessionRecord;
use proptest::prelude::*;
use serde_json::json;

use crate::support::sessions::{audience, plain};
use crate::support::{NOW, at, config};

/// `a` for anything, `r` for RS256 only.
const AUDIENCES: &str = r#"["sts.amazonaws.com", "a", {"audience": "r", "alg": "RS256"}]"#;

fn asking(audience_asked: Option<&str>, ttl_seconds: Option<u64>) -> MintRequest {
    MintRequest { audience: audience_asked.map(audience), ttl_seconds }
}

fn session(audiences: Option<&[&str]>, max_token_ttl: Option<u64>) -> SessionRecord {
    let mut session = plain();
    session.audiences = audiences.map(|list| list.iter().map(|text| audience(text)).collect());
    session.max_token_ttl = max_token_ttl;
    session
}

/// The same session with these seconds left.
fn ending_in(mut session: SessionRecord, seconds: u64) -> SessionRecord {
    session.expires_at = at(NOW + seconds);
    session
}

fn decision(config: &Config, session: &SessionRecord, request: &MintRequest) -> Result<Decision, Refusal> {
    decide(config, session, request, at(NOW))
}

#[test]
fn the_audience_is_the_one_asked_for_or_the_session_s_first() {
    let config = config(&[("AUDIENCES", AUDIENCES)]);
    for (own, asked, granted) in [
        (None, None, Ok(("sts.amazonaws.com", None))),
        (None, Some("sts.amazonaws.com"), Ok(("sts.amazonaws.com", None))),
        (Some(&["a", "r"][..]), None, Ok(("a", None))),
        (Some(&["a", "r"]), Some("a"), Ok(("a", None))),
        (Some(&["a", "r"]), Some("r"), Ok(("r", Some(Alg::Rs256)))),
        (Some(&["r"]), None, Ok(("r", Some(Alg::Rs256)))),
        // A session without audiences may use the configuration's first only, whatever else it allows.
        (None, Some("a"), Err("This session")),
        // Outside the session, though the configuration allows it; and in another case.
        (Some(&["a"]), Some("sts.amazonaws.com"), Err("This session")),
        (Some(&["a"]), Some("A"), Err("This session")),
        // Outside the configuration, though the session has it: asked for or by default.
        (Some(&["a", "gone"]), Some("gone"), Err("This broker")),
        (Some(&["gone", "a"]), None, Err("This broker")),
        (Some(&["gone", "a"]), Some("a"), Ok(("a", None))),
    ] {
        let decided = decision(&config, &session(own, None), &asking(asked, None));
        let context = format!("{own:?} {asked:?}: {decided:?}");
        match granted {
            Ok((granted, alg)) => {
                let decided = decided.expect(&context);
                assert_eq!((decided.audience.as_str(), decided.alg), (granted, alg), "{context}");
            }
            Err(start) => match decided {
                Err(Refusal::Forbidden(message)) => assert!(message.starts_with(start), "{context}"),
                _ => panic!("{context}"),
            },
        }
    }
}

#[test]
fn the_lifetime_is_the_one_asked_for_up_to_the_ceiling() {
    for (configured, ceiling, asked, granted) in [
        (300, None, None, Some(300)),
        (300, None, Some(60), Some(60)),
        (300, None, Some(300), Some(300)),
        (300, None, Some(301), None),
        (300, None, Some(59), None),
        (300, None, Some(0), None),
        (300, None, Some(u64::MAX), None),
        // The session's ceiling, below and above what is configured; the default is the smaller of the two.
        (300, Some(120), None, Some(120)),
        (300, Some(120), Some(120), Some(120)),
        (300, Some(120), Some(121), None),
        (300, Some(900), None, Some(300)),
        (300, Some(900), Some(900), Some(900)),
        (300, Some(900), Some(901), None),
        (60, None, None, Some(60)),
        (60, None, Some(61), None),
        (3_600, Some(60), None, Some(60)),
        (3_600, Some(3_600), Some(3_600), Some(3_600)),
    ] {
        let configured_text = configured.to_string();
        let config = config(&[("TOKEN_TTL_SECONDS", &configured_text)]);
        let decided = decision(&config, &session(None, ceiling), &asking(None, asked));
        let context = format!("{configured} {ceiling:?} {asked:?}: {decided:?}");
        match granted {
            Some(seconds) => {
                let decided = decided.expect(&context);
                assert_eq!((decided.issued_at, decided.expires_at), (at(NOW), at(NOW + seconds)), "{context}");
            }
            None => assert!(matches!(decided, Err(Refusal::BadRequest(_))), "{context}"),
        }
    }
}

#[test]
fn a_lifetime_above_the_ceiling_is_told_the_ceiling_and_one_below_the_minimum_is_told_that() {
    for (ceiling, asked, named) in [(None, 301, "300"), (Some(120), 121, "120"), (Some(900), 86_400, "900"), (None, 59, "60")] {
        match decision(&config(&[]), &session(None, ceiling), &asking(None, Some(asked))) {
            Err(Refusal::BadRequest(message)) => {
                assert!(message.contains("ttl_seconds") && message.contains(&format!(" {named} seconds")), "{message}");
                assert!(!message.contains(&asked.to_string()), "{message}");
            }
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_token_never_outlives_its_session() {
    for (left, asked, lives) in
        [(86_400, None, 300), (301, None, 300), (300, None, 300), (299, None, 299), (1, None, 1), (61, Some(60), 60), (59, Some(60), 59)]
    {
        let decided = decision(&config(&[]), &ending_in(plain(), left), &asking(None, asked)).unwrap();
        assert_eq!(decided.expires_at, at(NOW + lives), "{left} {asked:?}");
    }
}

/// A deployment, a session of it and what is asked of it, from the same few audiences.
#[derive(Debug, Clone)]
struct Case {
    configured: Vec<(usize, Option<Alg>)>,
    configured_ttl: u64,
    own: Option<Vec<usize>>,
    ceiling: Option<u64>,
    left: u64,
    asked: Option<usize>,
    asked_ttl: Option<u64>,
}

const NAMES: [&str; 5] = ["sts.amazonaws.com", "b", "https://c.example.com", "d", "e"];

fn any_case() -> impl Strategy<Value = Case> {
    let some_names = || proptest::sample::subsequence((0..NAMES.len()).collect::<Vec<_>>(), 1..=NAMES.len()).prop_shuffle();
    let alg = prop_oneof![Just(None), Just(Some(Alg::Es256)), Just(Some(Alg::Rs256))];
    let configured =
        (some_names(), proptest::collection::vec(alg, NAMES.len())).prop_map(|(names, algs)| names.into_iter().zip(algs).collect());
    let ttl = prop_oneof![0..70_u64, 60..3_700_u64, Just(u64::MAX)];
    let left = prop_oneof![1..400_u64, Just(86_400)];
    (
        configured,
        60..=3_600_u64,
        proptest::option::of(some_names()),
        proptest::option::of(60..=3_600_u64),
        left,
        proptest::option::of(0..NAMES.len()),
        proptest::option::of(ttl),
    )
        .prop_map(|(configured, configured_ttl, own, ceiling, left, asked, asked_ttl)| Case {
            configured,
            configured_ttl,
            own,
            ceiling,
            left,
            asked,
            asked_ttl,
        })
}

impl Case {
    fn config(&self) -> Config {
        let entries = self.configured.iter().map(|(name, alg)| match alg {
            Some(alg) => json!({"audience": NAMES[*name], "alg": alg}),
            None => json!(NAMES[*name]),
        });
        let audiences = json!(entries.collect::<Vec<_>>()).to_string();
        config(&[("AUDIENCES", &audiences), ("TOKEN_TTL_SECONDS", &self.configured_ttl.to_string())])
    }

    fn session(&self) -> SessionRecord {
        let own = self.own.as_ref().map(|own| own.iter().map(|name| NAMES[*name]).collect::<Vec<_>>());
        ending_in(session(own.as_deref(), self.ceiling), self.left)
    }

    fn request(&self) -> MintRequest {
        asking(self.asked.map(|name| NAMES[name]), self.asked_ttl)
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever is asked: within the session's audiences and the configuration's, within the ceiling and the session's life,
    /// with the algorithm that the configuration names; and refused exactly where what is asked is outside of it.
    #[test]
    fn a_request_can_only_narrow(case in any_case()) {
        let default = case.configured[0].0;
        let own = case.own.clone().unwrap_or(vec![default]);
        let wanted = case.asked.unwrap_or(own[0]);
        let allowed = case.configured.iter().find(|(name, _)| *name == wanted).filter(|_| own.contains(&wanted));
        let ceiling = case.ceiling.unwrap_or(case.configured_ttl);

        match decision(&case.config(), &case.session(), &case.request()) {
            Ok(decided) => {
                let (name, alg) = allowed.expect("an audience of both lists");
                prop_assert_eq!((decided.audience.as_str(), decided.alg), (NAMES[*name], *alg));
                prop_assert_eq!(decided.issued_at, at(NOW));
                let lives = decided.expires_at.since(at(NOW));
                prop_assert!(lives >= 1 && lives <= ceiling && lives <= case.left);
                prop_assert_eq!(lives, case.asked_ttl.unwrap_or(ceiling.min(case.configured_ttl)).min(case.left));
            }
            Err(Refusal::Forbidden(_)) => prop_assert!(allowed.is_none()),
            Err(Refusal::BadRequest(_)) => prop_assert!(case.asked_ttl.is_some_and(|asked| asked < 60 || asked > ceiling)),
            Err(other) => prop_assert!(false, "{:?}", other),
        }
    }

    /// Leaving a member out never gives more than naming what it stands for.
    #[test]
    fn a_default_is_what_one_could_have_asked_for(case in any_case()) {
        let defaults = Case { asked: None, asked_ttl: None, ..case };
        if let Ok(decided) = decision(&defaults.config(), &defaults.session(), &MintRequest::default()) {
            let named = MintRequest { audience: Some(decided.audience.clone()), ttl_seconds: None };
            prop_assert_eq!(decision(&defaults.config(), &defaults.session(), &named), Ok(decided));
        }
    }
}
