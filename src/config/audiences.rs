//! The audiences tokens may be minted for, and the algorithm each asks for.

use serde::Deserialize;

use crate::aws::{Audience, STS_AUDIENCE};
use crate::keys::Alg;

/// An audience, with the algorithm its relying party insists on.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(from = "Entry")]
pub struct AllowedAudience {
    /// The `aud` value.
    pub audience: Audience,
    /// The only algorithm it takes; `None` is ES256 if such a key is due, else RS256.
    pub alg: Option<Alg>,
}

/// An entry of `AUDIENCES`: the audience alone, or with its algorithm.
#[derive(Deserialize)]
#[serde(untagged)]
enum Entry {
    Plain(Audience),
    WithAlg(EntryWithAlg),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EntryWithAlg {
    audience: Audience,
    alg: Option<Alg>,
}

impl From<Entry> for AllowedAudience {
    fn from(entry: Entry) -> Self {
        match entry {
            Entry::Plain(audience) => Self { audience, alg: None },
            Entry::WithAlg(EntryWithAlg { audience, alg }) => Self { audience, alg },
        }
    }
}

/// The allowed audiences: at least one, at most 100, no one twice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Audiences {
    first: AllowedAudience,
    others: Vec<AllowedAudience>,
}

const RULE: &str = r#"is a JSON array of 1 to 100 different audiences, each a text of 1 to 255 characters or {"audience": text, "alg": "ES256" or "RS256"}"#;

impl Audiences {
    pub(super) fn parse(text: Option<&str>) -> Result<Self, &'static str> {
        let Some(text) = text else {
            let audience = Audience::try_from(STS_AUDIENCE.to_owned()).map_err(|_| RULE)?;
            return Ok(Self { first: AllowedAudience { audience, alg: None }, others: Vec::new() });
        };
        let mut entries: Vec<AllowedAudience> = serde_json::from_str(text).map_err(|_| RULE)?;
        let repeated = entries
            .iter()
            .enumerate()
            .any(|(n, entry)| entries.iter().skip(n.saturating_add(1)).any(|other| other.audience == entry.audience));
        if entries.is_empty() || entries.len() > 100 || repeated {
            return Err(RULE);
        }
        let first = entries.remove(0);
        Ok(Self { first, others: entries })
    }

    /// The default audience.
    #[must_use]
    pub fn first(&self) -> &AllowedAudience {
        &self.first
    }

    /// The entry of an audience, if it is allowed.
    #[must_use]
    pub fn find(&self, audience: &Audience) -> Option<&AllowedAudience> {
        core::iter::once(&self.first).chain(&self.others).find(|entry| entry.audience == *audience)
    }
}
