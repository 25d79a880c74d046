//! The course of a proof: every question asked by both wallets, and everything put away afterwards.
//!
//! 1. each puts an object of its own, gets it back, and finds it in its list;
//! 2. each tries the other's prefix, where the other's object is (of an object that is not there a denial says nothing);
//! 3. each tries the root, a prefix that starts like its own, and the other's by way of `../`;
//! 4. each tries to delete the other's object, then deletes its own;
//! 5. what was put, or may have been, is deleted: by its owner, else by who put it.
//!
//! Where nothing answers any more, or somebody stops it, the rest is not asked, and step 5 is taken all the same.

use std::sync::atomic::{AtomicBool, Ordering};

use super::probe::{Action, Observations, Outcome, Place, Probe, Side};
use super::s3::S3;
use crate::aws::transport::Failure;

/// The first part of every name that a proof puts below a prefix.
const NAME: &str = "edge-broker-proof";

/// What a proof asks of an S3.
pub(super) trait Store {
    fn put(&self, key: &str, content: &[u8]) -> Result<(), Failure>;
    fn get(&self, key: &str) -> Result<Vec<u8>, Failure>;
    fn list(&self, prefix: Option<&str>) -> Result<Vec<String>, Failure>;
    fn delete(&self, key: &str) -> Result<(), Failure>;
}

impl Store for S3 {
    fn put(&self, key: &str, content: &[u8]) -> Result<(), Failure> {
        self.put(key, content)
    }

    fn get(&self, key: &str) -> Result<Vec<u8>, Failure> {
        self.get(key)
    }

    fn list(&self, prefix: Option<&str>) -> Result<Vec<String>, Failure> {
        self.list(prefix)
    }

    fn delete(&self, key: &str) -> Result<(), Failure> {
        self.delete(key)
    }
}

/// What a proof has seen and left.
pub(super) struct Seen {
    pub(super) observations: Observations,
    /// Keys that could not be deleted.
    pub(super) leftovers: Vec<String>,
    /// Why the rest was not asked.
    pub(super) silence: Option<String>,
    pub(super) interrupted: bool,
}

/// A running proof.
pub(super) struct Course<'a, S> {
    stores: [S; 2],
    prefixes: [&'a str; 2],
    /// No other run's.
    run: String,
    stop: &'a AtomicBool,
    observations: Observations,
    /// What was put or may have been: by whom, and in whose prefix.
    put: Vec<(String, Side, Side)>,
    silence: Option<String>,
}

impl<'a, S: Store> Course<'a, S> {
    /// A proof of these two wallets; `run` is random.
    pub(super) fn new(stores: [S; 2], prefixes: [&'a str; 2], run: &str, stop: &'a AtomicBool) -> Self {
        let run = format!("{NAME}-{run}");
        Self { stores, prefixes, run, stop, observations: Observations::new(), put: Vec::new(), silence: None }
    }

    /// Runs it to its end.
    pub(super) fn run(mut self) -> Seen {
        for side in Side::BOTH {
            self.own(side);
        }
        for side in Side::BOTH {
            self.others(side);
            self.elsewhere(side);
        }
        // Deleting comes last: until then every object is there for everybody.
        for side in Side::BOTH {
            let key = self.own_key(side.opposite());
            self.ask(side, Place::Other, Action::Delete, |store| store.delete(&key));
        }
        for side in Side::BOTH {
            let key = self.own_key(side);
            self.ask(side, Place::Own, Action::Delete, |store| store.delete(&key));
        }
        let interrupted = self.stop.load(Ordering::Relaxed);
        let leftovers = self.put_away();
        Seen { observations: self.observations, leftovers, silence: self.silence, interrupted }
    }

    fn own(&mut self, side: Side) {
        let (key, content, prefix) = (self.own_key(side), self.content(side), self.below(side));
        self.put(side, Place::Own, &key, side);
        self.check(side, Place::Own, Action::Get, |store| {
            Ok(if store.get(&key)? == content { Outcome::Allowed } else { undecided("the object came back with another content") })
        });
        self.check(side, Place::Own, Action::List, |store| {
            let found = store.list(Some(&prefix))?.contains(&key);
            Ok(if found { Outcome::Allowed } else { undecided("the list lacks the object that was just put") })
        });
    }

    fn others(&mut self, side: Side) {
        let other = side.opposite();
        let (key, prefix) = (self.own_key(other), self.below(other));
        self.check(side, Place::Other, Action::List, |store| {
            let found = store.list(Some(&prefix))?.contains(&key);
            Ok(if found { Outcome::Allowed } else { undecided("an empty list, which is no denial") })
        });
        self.ask(side, Place::Other, Action::Get, |store| store.get(&key).map(|_| ()));
        let intruder = format!("{prefix}intruder");
        self.put(side, Place::Other, &intruder, other);
    }

    fn elsewhere(&mut self, side: Side) {
        let (name, own, other) = (self.prefix(side), self.own_key(side), self.prefix(side.opposite()));
        let sibling = format!("{name}x/{}/", self.run);
        let root = format!("{}-root-{}", self.run, word(side));
        let through = format!("{name}/../{other}/{}/through-dots", self.run);
        let arrived = format!("{other}/{}/through-dots", self.run);
        let below_other = self.below(side.opposite());

        self.ask(side, Place::Root, Action::List, |store| store.list(None).map(|_| ()));
        self.put(side, Place::Root, &root, side);
        self.ask(side, Place::Sibling, Action::List, |store| store.list(Some(&sibling)).map(|_| ()));
        self.put(side, Place::Sibling, &format!("{sibling}object"), side);

        // The put itself says nothing: in S3 it is a key of the own prefix, and another S3 may refuse it. What counts is
        // whether the other wallet finds it in its own prefix.
        if self.is_over() {
            return;
        }
        let result = self.store(side).put(&through, own.as_bytes());
        if result.as_ref().err().is_none_or(gone) {
            self.put.push((through, side, side));
        }
        let outcome = match result {
            Err(failure) if gone(&failure) => self.fall_silent(&failure),
            Err(_) => Outcome::Denied,
            Ok(()) => match self.store(side.opposite()).list(Some(&below_other)) {
                Ok(keys) if keys.contains(&arrived) => {
                    self.put.push((arrived, side, side.opposite()));
                    Outcome::Allowed
                }
                Ok(_) => Outcome::Denied,
                Err(failure) if gone(&failure) => self.fall_silent(&failure),
                Err(_) => self.arrived(side, arrived),
            },
        };
        self.observations.set(side, Place::Dots, Action::Put, outcome);
    }

    /// Whether an object is in the other wallet's prefix, where that wallet cannot list it. Its list is denied then, so
    /// that no answer here can make a run isolated.
    fn arrived(&mut self, side: Side, key: String) -> Outcome {
        let other = side.opposite();
        let list = Probe { place: Place::Own, action: Action::List };
        match self.store(other).get(&key) {
            Ok(_) => {
                self.put.push((key, side, other));
                Outcome::Allowed
            }
            Err(failure) if gone(&failure) => self.fall_silent(&failure),
            Err(_) if *self.observations.get(other, list) == Outcome::Denied => Outcome::Denied,
            Err(_) => undecided("the other wallet cannot list its own prefix, and so cannot tell"),
        }
    }

    /// A put, with the object written down to be put away unless it surely is not there.
    fn put(&mut self, side: Side, place: Place, key: &str, owner: Side) {
        if self.is_over() {
            return;
        }
        let result = self.store(side).put(key, &self.content(side));
        if result.as_ref().err().is_none_or(gone) {
            self.put.push((key.to_owned(), side, owner));
        }
        self.ask(side, place, Action::Put, |_| result);
    }

    fn ask(&mut self, side: Side, place: Place, action: Action, request: impl FnOnce(&S) -> Result<(), Failure>) {
        self.check(side, place, action, |store| request(store).map(|()| Outcome::Allowed));
    }

    fn check(&mut self, side: Side, place: Place, action: Action, request: impl FnOnce(&S) -> Result<Outcome, Failure>) {
        if self.is_over() {
            return;
        }
        let outcome = match request(self.store(side)) {
            Ok(outcome) => outcome,
            Err(failure) if gone(&failure) => self.fall_silent(&failure),
            Err(failure) => judge(&failure),
        };
        self.observations.set(side, place, action, outcome);
    }

    fn is_over(&self) -> bool {
        self.silence.is_some() || self.stop.load(Ordering::Relaxed)
    }

    fn fall_silent(&mut self, failure: &Failure) -> Outcome {
        self.silence = Some(failure.to_string());
        Outcome::Undecided(failure.to_string())
    }

    /// Deletes what is there; what cannot be deleted is left over. Whoever does not answer is asked once.
    fn put_away(&mut self) -> Vec<String> {
        let mut silent = false;
        let mut leftovers = Vec::new();
        for (key, by, owner) in std::mem::take(&mut self.put) {
            let mut deleted = false;
            for side in [owner, by] {
                if !deleted && !silent {
                    let result = self.store(side).delete(&key);
                    deleted = result.is_ok();
                    silent = result.is_err_and(|failure| gone(&failure));
                }
            }
            if !deleted {
                leftovers.push(key);
            }
        }
        leftovers
    }

    fn store(&self, side: Side) -> &S {
        let [one, other] = &self.stores;
        if side == Side::One { one } else { other }
    }

    fn prefix(&self, side: Side) -> &'a str {
        let [one, other] = self.prefixes;
        if side == Side::One { one } else { other }
    }

    /// This run's part of a wallet's prefix.
    fn below(&self, side: Side) -> String {
        format!("{}/{}/", self.prefix(side), self.run)
    }

    fn own_key(&self, side: Side) -> String {
        format!("{}own", self.below(side))
    }

    fn content(&self, side: Side) -> Vec<u8> {
        format!("{} of {}\n", self.run, self.prefix(side)).into_bytes()
    }
}

/// Only `AccessDenied` is a denial.
fn judge(failure: &Failure) -> Outcome {
    match failure {
        Failure::Refused { status: 403, code: Some(code) } if code == "AccessDenied" => Outcome::Denied,
        Failure::Refused { code: Some(code), .. } if code == "PermanentRedirect" || code == "AuthorizationHeaderMalformed" => {
            undecided(&format!("{failure}: the bucket is in another region, name it with --region"))
        }
        failure => undecided(&failure.to_string()),
    }
}

/// Nobody is there, or nobody that is able to answer: asking on would only take time.
fn gone(failure: &Failure) -> bool {
    failure.is_silence() || failure.may_pass()
}

fn undecided(why: &str) -> Outcome {
    Outcome::Undecided(why.to_owned())
}

fn word(side: Side) -> &'static str {
    match side {
        Side::One => "one",
        Side::Other => "other",
    }
}

#[cfg(test)]
#[path = "course_tests.rs"]
mod tests;
