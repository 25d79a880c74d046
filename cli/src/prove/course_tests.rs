//! The course against a store in memory, with policies as functions.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

use super::*;
use crate::prove::diagnosis::{Verdict, diagnose, verdict};

const ONE: &str = "0x1111111111111111111111111111111111111111";
const OTHER: &str = "0x2222222222222222222222222222222222222222";

type Policy = fn(&str, Action, &str) -> bool;
type Fault = fn(&str, Action, &str) -> Option<Failure>;

/// A bucket, seen by one wallet.
struct Double {
    wallet: &'static str,
    objects: Rc<RefCell<BTreeMap<String, Vec<u8>>>>,
    policy: Policy,
    fault: Fault,
    asked: Rc<Cell<usize>>,
}

fn refused(status: u16, code: &str) -> Failure {
    Failure::Refused { status, code: Some(code.to_owned()) }
}

impl Double {
    fn may(&self, action: Action, key: &str) -> Result<(), Failure> {
        self.asked.set(self.asked.get().saturating_add(1));
        if let Some(failure) = (self.fault)(self.wallet, action, key) {
            return Err(failure);
        }
        if (self.policy)(self.wallet, action, key) { Ok(()) } else { Err(refused(403, "AccessDenied")) }
    }
}

impl Store for Double {
    fn put(&self, key: &str, content: &[u8]) -> Result<(), Failure> {
        self.may(Action::Put, key)?;
        self.objects.borrow_mut().insert(key.to_owned(), content.to_owned());
        Ok(())
    }

    fn get(&self, key: &str) -> Result<Vec<u8>, Failure> {
        self.may(Action::Get, key)?;
        self.objects.borrow().get(key).cloned().ok_or_else(|| refused(404, "NoSuchKey"))
    }

    fn list(&self, prefix: Option<&str>) -> Result<Vec<String>, Failure> {
        self.may(Action::List, prefix.unwrap_or_default())?;
        Ok(self.objects.borrow().keys().filter(|key| key.starts_with(prefix.unwrap_or_default())).cloned().collect())
    }

    fn delete(&self, key: &str) -> Result<(), Failure> {
        self.may(Action::Delete, key)?;
        self.objects.borrow_mut().remove(key);
        Ok(())
    }
}

struct Run {
    seen: Seen,
    left: Vec<String>,
    asked: usize,
}

fn prove(policy: Policy, fault: Fault, stopped: bool) -> Run {
    let (objects, asked) = (Rc::default(), Rc::default());
    let double = |wallet| Double { wallet, objects: Rc::clone(&objects), policy, fault, asked: Rc::clone(&asked) };
    let stop = AtomicBool::new(stopped);
    let seen = Course::new([double(ONE), double(OTHER)], [ONE, OTHER], "1", &stop).run();
    let left = objects.borrow().keys().cloned().collect();
    Run { seen, left, asked: asked.get() }
}

const NO_FAULT: Fault = |_, _, _| None;

fn is_own(wallet: &str, key: &str) -> bool {
    key.starts_with(&format!("{wallet}/"))
}

#[test]
fn an_isolated_bucket_is_isolated_and_left_as_it_was() {
    let result = prove(|wallet, _, key| is_own(wallet, key), NO_FAULT, false);
    assert_eq!(verdict(&result.seen.observations), Verdict::Isolated, "{:?}", result.seen.observations);
    assert_eq!((result.left.len(), result.seen.leftovers.len()), (0, 0));
}

#[test]
fn a_policy_has_its_diagnosis_and_what_can_be_is_put_away() {
    let table: [(&str, Policy); 9] = [
        ("broad-grant", |_, _, _| true),
        ("broad-object-grant", |wallet, action, key| action != Action::List || is_own(wallet, key)),
        ("broad-list", |wallet, action, key| action == Action::List || is_own(wallet, key)),
        ("broad-grant-of-some-actions", |wallet, action, key| action == Action::Put || is_own(wallet, key)),
        ("one-way", |wallet, _, key| wallet == ONE || is_own(wallet, key)),
        ("no-slash-after-the-tag", |wallet, _, key| key.starts_with(wallet)),
        ("nobody-let-in", |_, _, _| false),
        ("one-wallet-shut-out", |wallet, _, key| wallet == ONE && is_own(wallet, key)),
        ("own-prefix-incomplete", |wallet, action, key| action != Action::Get && is_own(wallet, key)),
    ];
    for (id, policy) in table {
        let result = prove(policy, NO_FAULT, false);
        let undecided = result.seen.observations.iter().filter(|(.., outcome)| matches!(outcome, Outcome::Undecided(_))).count();
        if undecided == 0 {
            assert_eq!(verdict(&result.seen.observations), Verdict::Broken, "{id}");
        }
        assert_eq!(diagnose(&result.seen.observations, true).id, id, "{:?}", result.seen.observations);
        let mut leftovers = result.seen.leftovers;
        leftovers.sort();
        assert_eq!(leftovers, result.left, "{id}: what is left is named");
        // Where a wallet may put anywhere and delete nowhere else, something stays.
        assert_eq!(leftovers.is_empty(), id != "broad-grant-of-some-actions", "{id}: {leftovers:?}");
    }
}

#[test]
fn what_is_no_access_denied_is_no_denial() {
    let faults: [Fault; 7] = [
        |wallet, action, key| (action == Action::Get && !is_own(wallet, key)).then(|| refused(404, "NoSuchKey")),
        |wallet, action, key| (action == Action::List && !is_own(wallet, key)).then(|| refused(400, "InvalidRequest")),
        |wallet, action, key| (action == Action::Put && !is_own(wallet, key)).then(|| refused(403, "SignatureDoesNotMatch")),
        |wallet, action, key| (action == Action::Delete && !is_own(wallet, key)).then(|| refused(403, "InvalidAccessKeyId")),
        |wallet, action, key| (action == Action::Delete && !is_own(wallet, key)).then_some(Failure::Refused { status: 403, code: None }),
        |wallet, action, key| (action == Action::Put && !is_own(wallet, key)).then_some(Failure::Foreign { status: 403 }),
        |wallet, action, key| (action == Action::Get && is_own(wallet, key)).then(|| refused(405, "MethodNotAllowed")),
    ];
    for (number, fault) in faults.into_iter().enumerate() {
        let result = prove(|wallet, _, key| is_own(wallet, key), fault, false);
        assert_eq!(verdict(&result.seen.observations), Verdict::Undecided, "{number}");
        assert!(result.left.is_empty() && result.seen.leftovers.is_empty(), "{number}: {:?}", result.left);
    }
}

#[test]
fn silence_ends_the_questions_and_what_may_be_left_is_named() {
    let result = prove(|_, _, _| true, |_, _, _| Some(Failure::NoAnswer { why: "is silent".to_owned(), may_pass: true }), false);
    assert_eq!(verdict(&result.seen.observations), Verdict::Undecided);
    assert_eq!(result.asked, 2, "one question, and one try to put away");
    assert_eq!((result.seen.leftovers.len(), result.seen.silence.as_deref()), (1, Some("is silent")));
    let result = prove(|_, _, _| true, |_, action, _| (action == Action::Get).then(|| refused(503, "SlowDown")), false);
    assert_eq!(verdict(&result.seen.observations), Verdict::Undecided);
    assert!(result.left.is_empty() && result.seen.leftovers.is_empty());
}

#[test]
fn what_cannot_be_deleted_is_named() {
    let result = prove(|wallet, action, key| action != Action::Delete && is_own(wallet, key), NO_FAULT, false);
    assert_eq!(verdict(&result.seen.observations), Verdict::Broken);
    assert_eq!(diagnose(&result.seen.observations, true).id, "own-prefix-incomplete");
    let mut leftovers = result.seen.leftovers;
    leftovers.sort();
    assert_eq!(leftovers, result.left);
    assert!(!leftovers.is_empty());
}

#[test]
fn who_is_stopped_asks_nothing_and_says_nothing() {
    let result = prove(|wallet, _, key| is_own(wallet, key), NO_FAULT, true);
    assert!(result.seen.interrupted);
    assert_eq!((result.asked, verdict(&result.seen.observations)), (0, Verdict::Undecided));
}

/// A bucket that takes keys for paths.
struct Paths(Double);

impl Paths {
    fn resolved(key: &str) -> String {
        let mut parts = Vec::new();
        for part in key.split('/') {
            if part == ".." {
                parts.pop();
            } else {
                parts.push(part);
            }
        }
        parts.join("/")
    }
}

impl Store for Paths {
    fn put(&self, key: &str, content: &[u8]) -> Result<(), Failure> {
        self.0.may(Action::Put, key)?;
        self.0.objects.borrow_mut().insert(Self::resolved(key), content.to_owned());
        Ok(())
    }

    fn get(&self, key: &str) -> Result<Vec<u8>, Failure> {
        self.0.get(key)
    }

    fn list(&self, prefix: Option<&str>) -> Result<Vec<String>, Failure> {
        self.0.list(prefix)
    }

    fn delete(&self, key: &str) -> Result<(), Failure> {
        self.0.may(Action::Delete, key)?;
        self.0.objects.borrow_mut().remove(&Self::resolved(key));
        Ok(())
    }
}

#[test]
fn keys_that_are_taken_for_paths_are_seen() {
    let objects: Rc<RefCell<BTreeMap<String, Vec<u8>>>> = Rc::default();
    let double = |wallet| {
        Paths(Double {
            wallet,
            objects: Rc::clone(&objects),
            policy: |wallet, _, key| is_own(wallet, key),
            fault: NO_FAULT,
            asked: Rc::default(),
        })
    };
    let stop = AtomicBool::new(false);
    let seen = Course::new([double(ONE), double(OTHER)], [ONE, OTHER], "1", &stop).run();
    assert_eq!(verdict(&seen.observations), Verdict::Broken);
    assert_eq!(diagnose(&seen.observations, true).id, "dots-resolved");
    assert!(objects.borrow().is_empty());
}
