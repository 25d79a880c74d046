//! The audiences tokens may be minted for, and the algorithm each asks for.

use crate::aws::{Audience, STS_AUDIENCE};
use crate::json::Value;
use crate::keys::Alg;

/// An audience, with the algorithm its relying party insists on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AllowedAudience {
    /// The `aud` value.
    pub audience: Audience,
    /// The only algorithm it takes; `None` is ES256 if such a key is due, else RS256.
    pub alg: Option<Alg>,
}

impl AllowedAudience {
    /// An entry of `AUDIENCES` is the audience alone, or an object with its algorithm.
    fn read(entry: Value<'_>) -> Option<Self> {
        let Value::Object(mut entry) = entry else {
            return Some(Self { audience: entry.text()?.try_into().ok()?, alg: None });
        };
        let audience = entry.text("audience")?.try_into().ok()?;
        let alg = entry.optional("alg", |alg| alg.text()?.try_into().ok())?;
        entry.is_empty().then_some(Self { audience, alg })
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
        let mut entries = Value::parse(text.as_bytes()).and_then(|list| list.list(AllowedAudience::read)).ok_or(RULE)?;
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
        self.iter().find(|entry| entry.audience == *audience)
    }

    /// Every allowed audience, the default first.
    pub fn iter(&self) -> impl Iterator<Item = &AllowedAudience> {
        core::iter::once(&self.first).chain(&self.others)
    }
}
