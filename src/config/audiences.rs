//! The audiences tokens may be minted for, and the algorithm each asks for.

use core::fmt;

use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use crate::aws::{Audience, STS_AUDIENCE};
use crate::json;
use crate::keys::Alg;

/// An audience, with the algorithm its relying party insists on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AllowedAudience {
    /// The `aud` value.
    pub audience: Audience,
    /// The only algorithm it takes; `None` is ES256 if such a key is due, else RS256.
    pub alg: Option<Alg>,
}

/// An entry of `AUDIENCES` is the audience alone, or an object with its algorithm.
impl<'de> Deserialize<'de> for AllowedAudience {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entry;
        impl<'de> Visitor<'de> for Entry {
            type Value = AllowedAudience;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an audience")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<AllowedAudience, E> {
                let audience = Audience::try_from(text.to_owned()).map_err(E::custom)?;
                Ok(AllowedAudience { audience, alg: None })
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<AllowedAudience, A::Error> {
                let WithAlg { audience, alg } = WithAlg::deserialize(MapAccessDeserializer::new(map))?;
                Ok(AllowedAudience { audience, alg })
            }
        }
        deserializer.deserialize_any(Entry)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WithAlg {
    audience: Audience,
    #[serde(default, deserialize_with = "json::present")]
    alg: Option<Alg>,
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
        self.iter().find(|entry| entry.audience == *audience)
    }

    /// Every allowed audience, the default first.
    pub fn iter(&self) -> impl Iterator<Item = &AllowedAudience> {
        core::iter::once(&self.first).chain(&self.others)
    }
}
