//! What is asked, what must come of it, and what came of it.

use serde::Serialize;

/// Which of the two wallets asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    One,
    Other,
}

impl Side {
    pub(super) const BOTH: [Self; 2] = [Self::One, Self::Other];

    /// The other of the two.
    pub(super) fn opposite(self) -> Self {
        match self {
            Self::One => Self::Other,
            Self::Other => Self::One,
        }
    }
}

/// Where in the bucket, seen from the wallet that asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Place {
    /// Under its own prefix.
    Own,
    /// Under the other wallet's prefix.
    Other,
    /// The bucket itself: no prefix at all.
    Root,
    /// Under a prefix that starts like its own: `<wallet>x/`.
    Sibling,
    /// The other's prefix by way of the own one: `<wallet>/../<other>/`. In S3 that is a name like any other.
    Dots,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Action {
    List,
    Put,
    Get,
    Delete,
}

/// One question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Probe {
    pub(super) place: Place,
    pub(super) action: Action,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Outcome {
    /// It was done.
    Allowed,
    /// `AccessDenied`, and nothing else, is a denial.
    Denied,
    /// Anything else: the text says what.
    Undecided(String),
    /// Not asked, because nothing answers any more or somebody stopped it.
    NotAsked,
}

const fn probe(place: Place, action: Action) -> Probe {
    Probe { place, action }
}

/// Every question, in the order of the report. Each is asked by both wallets.
pub(super) const PROBES: [Probe; 13] = [
    probe(Place::Own, Action::List),
    probe(Place::Own, Action::Put),
    probe(Place::Own, Action::Get),
    probe(Place::Own, Action::Delete),
    probe(Place::Other, Action::List),
    probe(Place::Other, Action::Put),
    probe(Place::Other, Action::Get),
    probe(Place::Other, Action::Delete),
    probe(Place::Root, Action::List),
    probe(Place::Root, Action::Put),
    probe(Place::Sibling, Action::List),
    probe(Place::Sibling, Action::Put),
    probe(Place::Dots, Action::Put),
];

impl Probe {
    /// Whether isolation lets it through; what it does not let through it must deny.
    pub(super) fn must_be_allowed(self) -> bool {
        self.place == Place::Own
    }
}

impl Place {
    /// For people.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Own => "own prefix",
            Self::Other => "other's prefix",
            Self::Root => "bucket root",
            Self::Sibling => "look-alike prefix",
            Self::Dots => "other's by ../",
        }
    }
}

impl Action {
    /// For people.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::List => "list",
            Self::Put => "put",
            Self::Get => "get",
            Self::Delete => "delete",
        }
    }
}

impl Outcome {
    /// The word of the report and of its JSON.
    pub(super) fn word(&self) -> &'static str {
        match self {
            Self::Allowed => "allowed",
            Self::Denied => "denied",
            Self::Undecided(_) => "undecided",
            Self::NotAsked => "not-asked",
        }
    }
}

/// What came of every question, by both wallets.
#[derive(Debug, Clone)]
pub(super) struct Observations(Vec<(Side, Probe, Outcome)>);

impl Observations {
    /// Nothing was asked yet.
    pub(super) fn new() -> Self {
        let all = Side::BOTH.into_iter().flat_map(|side| PROBES.into_iter().map(move |probe| (side, probe, Outcome::NotAsked)));
        Self(all.collect())
    }

    /// Writes down what came of a question.
    pub(super) fn set(&mut self, side: Side, place: Place, action: Action, outcome: Outcome) {
        let asked = Probe { place, action };
        if let Some((_, _, slot)) = self.0.iter_mut().find(|(by, probe, _)| *by == side && *probe == asked) {
            *slot = outcome;
        }
    }

    /// What came of a question.
    pub(super) fn get(&self, side: Side, probe: Probe) -> &Outcome {
        self.0.iter().find(|(by, asked, _)| *by == side && *asked == probe).map_or(&Outcome::NotAsked, |(_, _, outcome)| outcome)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (Side, Probe, &Outcome)> {
        self.0.iter().map(|(side, probe, outcome)| (*side, *probe, outcome))
    }
}
