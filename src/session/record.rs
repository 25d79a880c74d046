//! The session record: what a session may do, as it is stored (`kv-schemas/session.v1.schema.json`).
//!
//! A record that the schema does not know is broken, not tolerated: an unknown restriction must not be ignored.
//! There is one reader and one writer, [`SessionRecord::parse`] and [`SessionRecord::to_json`].

use core::fmt;

use serde::{Serialize, Serializer};

use crate::aws::{Audience, RoleArn, Roles, SessionTags, SourceIdentity, TAGS_MAX, TagKey, TagValue, Violation};
use crate::config::{OMNI_TAG, TOKEN_TTL_SECONDS, WALLET_TAG};
use crate::json::{Object, Value};
use crate::time::UnixTime;
use crate::wallet::Wallet;

/// The version of a stored record.
const VERSION: u64 = 1;
/// The most bytes of a stored record.
pub const RECORD_BYTES_MAX: usize = 16_384;
/// The most bytes of JSON that a session adds to a token; with all else at its largest the token stays below 20,000 characters.
pub const GRANT_BYTES_MAX: usize = 11_000;
/// The tags every token has of its own: wallet and omni.
const OWN_TAGS: [&str; 2] = [WALLET_TAG, OMNI_TAG];

/// A session: whose it is, how long it lives, and what its tokens may carry. Always within AWS's limits.
///
/// Serialises as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionRecord {
    /// The tenant.
    pub wallet: Wallet,
    /// When it began.
    pub created_at: UnixTime,
    /// When it ends: from this second on it is expired.
    pub expires_at: UnixTime,
    /// A name for people.
    pub label: Option<String>,
    /// The audiences its tokens may name, the first by default; `None`: the broker's default audience only.
    pub audiences: Option<Vec<Audience>>,
    /// Tags besides the broker's own.
    tags: SessionTags,
    /// The roles its tokens may assume; `None`: as the role's trust policy says.
    pub roles: Option<Roles>,
    /// Who is behind it, for AWS's records.
    pub source_identity: Option<SourceIdentity>,
    /// The most seconds its tokens live; `None`: as configured.
    pub max_token_ttl: Option<u64>,
}

/// Why a record is broken. The text names the rule and never the content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BrokenRecord {
    /// Not JSON of the schema: a member is missing, unknown, repeated, `null`, or of a wrong type or form.
    Schema,
    /// Longer than [`RECORD_BYTES_MAX`] bytes.
    TooLong,
    /// Ends before it begins.
    Lifetime,
    /// A label is empty, longer than 128 characters, or has control characters.
    Label,
    /// An empty or repeating list of audiences.
    Audiences,
    /// `max_token_ttl` is outside 60 to 3600.
    MaxTokenTtl,
    /// A tag is one that the broker sets itself.
    OwnTag,
    /// More than 48 tags.
    TooManyTags,
    /// What it adds to a token is longer than [`GRANT_BYTES_MAX`] bytes.
    GrantTooLong,
    /// One of AWS's limits is broken.
    Aws(Violation),
}

impl fmt::Display for BrokenRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Schema => f.write_str("the record does not follow session.v1.schema.json"),
            Self::TooLong => write!(f, "a record has at most {RECORD_BYTES_MAX} bytes"),
            Self::Lifetime => f.write_str("expires_at is after created_at"),
            Self::Label => f.write_str("a label has 1 to 128 characters and no control characters"),
            Self::Audiences => f.write_str("audiences names 1 to 100 different audiences"),
            Self::MaxTokenTtl => f.write_str("max_token_ttl is 60 to 3600 seconds"),
            Self::OwnTag => write!(f, "{WALLET_TAG} and {OMNI_TAG} are set by the broker, in no case by a session"),
            Self::TooManyTags => f.write_str("a session adds at most 48 tags, so that a token has at most 50"),
            Self::GrantTooLong => write!(
                f,
                "tags, roles and source identity have at most {GRANT_BYTES_MAX} bytes together, so that a token stays below 20000 characters"
            ),
            Self::Aws(violation) => violation.fmt(f),
        }
    }
}

impl core::error::Error for BrokenRecord {}

impl From<Violation> for BrokenRecord {
    fn from(violation: Violation) -> Self {
        Self::Aws(violation)
    }
}

impl SessionRecord {
    /// A session without restrictions or additions of its own.
    ///
    /// # Errors
    /// [`BrokenRecord::Lifetime`].
    pub fn new(wallet: Wallet, created_at: UnixTime, expires_at: UnixTime) -> Result<Self, BrokenRecord> {
        let tags = SessionTags::default();
        Self { wallet, created_at, expires_at, label: None, audiences: None, tags, roles: None, source_identity: None, max_token_ttl: None }
            .checked()
    }

    /// The same session with these tags.
    ///
    /// # Errors
    /// AWS's limits, and tags that the broker sets itself.
    pub fn with_tags(self, tags: Vec<(TagKey, TagValue)>, transitive: Vec<TagKey>) -> Result<Self, BrokenRecord> {
        Self { tags: SessionTags::new(tags, transitive)?, ..self }.checked()
    }

    /// Tags besides the broker's own, with those of them that are transitive.
    #[must_use]
    pub fn tags(&self) -> &SessionTags {
        &self.tags
    }

    /// Reads a stored record.
    ///
    /// # Errors
    /// Everything that the schema does not know or AWS would not take.
    pub fn parse(text: &str) -> Result<Self, BrokenRecord> {
        if text.len() > RECORD_BYTES_MAX {
            return Err(BrokenRecord::TooLong);
        }
        Self::read(text).unwrap_or(Err(BrokenRecord::Schema))
    }

    /// `None` for everything that the schema does not know.
    fn read(text: &str) -> Option<Result<Self, BrokenRecord>> {
        let mut stored = Object::parse_nested(text.as_bytes())?;
        stored.whole_number("v").filter(|version| *version == VERSION)?;
        let record = Self {
            wallet: stored.text("wallet")?.try_into().ok()?,
            created_at: stored.whole_number("created_at")?.try_into().ok()?,
            expires_at: stored.whole_number("expires_at")?.try_into().ok()?,
            label: stored.optional_text("label")?,
            audiences: stored.optional("audiences", Value::texts)?,
            tags: SessionTags::default(),
            roles: stored.optional("roles", |roles| Roles::try_from(roles.texts::<RoleArn>()?).ok())?,
            source_identity: stored.optional("source_identity", |identity| identity.text()?.try_into().ok())?,
            max_token_ttl: stored.optional("max_token_ttl", Value::whole_number)?,
        };
        let tags = stored.optional("tags", stored_tags)?.unwrap_or_default();
        let transitive = stored.optional("transitive_tags", Value::texts)?.unwrap_or_default();
        stored.is_empty().then(|| record.with_tags(tags, transitive))
    }

    /// The record as it is stored.
    ///
    /// # Errors
    /// What [`SessionRecord::parse`] would refuse: its public members may have been set to anything.
    pub fn to_json(&self) -> Result<String, BrokenRecord> {
        self.check()?;
        let text = serde_json::to_string(self).map_err(|_| BrokenRecord::Schema)?;
        Self::parse(&text).map(|_| text)
    }

    /// The rules between members, and those that their types do not hold.
    fn check(&self) -> Result<(), BrokenRecord> {
        if self.expires_at <= self.created_at {
            return Err(BrokenRecord::Lifetime);
        }
        if self.label.as_deref().is_some_and(|label| !is_label(label)) {
            return Err(BrokenRecord::Label);
        }
        if self.audiences.as_ref().is_some_and(|list| {
            !(1..=100).contains(&list.len()) || list.iter().enumerate().any(|(n, one)| list.iter().take(n).any(|other| other == one))
        }) {
            return Err(BrokenRecord::Audiences);
        }
        if self.max_token_ttl.is_some_and(|seconds| !TOKEN_TTL_SECONDS.contains(&seconds)) {
            return Err(BrokenRecord::MaxTokenTtl);
        }
        let is_own = |key: &TagKey| OWN_TAGS.iter().any(|own| key.folded() == *own);
        if self.tags.tags().iter().any(|(key, _)| is_own(key)) {
            return Err(BrokenRecord::OwnTag);
        }
        if self.tags.tags().len().saturating_add(OWN_TAGS.len()) > TAGS_MAX {
            return Err(BrokenRecord::TooManyTags);
        }
        let grant = serde_json::to_string(&(&self.tags, &self.roles, &self.source_identity)).map_err(|_| BrokenRecord::Schema)?;
        if grant.len() > GRANT_BYTES_MAX {
            return Err(BrokenRecord::GrantTooLong);
        }
        Ok(())
    }

    fn checked(self) -> Result<Self, BrokenRecord> {
        self.check().map(|()| self)
    }
}

/// Whether a text is a name for people: 1 to 128 characters, none of them a control character.
pub(crate) fn is_label(text: &str) -> bool {
    (1..=128).contains(&text.chars().count()) && !text.chars().any(char::is_control)
}

/// The record's members as the schema has them.
#[derive(Serialize)]
struct Stored<'a> {
    v: u64,
    wallet: &'a Wallet,
    created_at: UnixTime,
    expires_at: UnixTime,
    #[serde(skip_serializing_if = "Option::is_none")]
    label: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    audiences: Option<&'a [Audience]>,
    #[serde(skip_serializing_if = "<[_]>::is_empty", serialize_with = "as_object")]
    tags: &'a [(TagKey, TagValue)],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    transitive_tags: &'a [TagKey],
    #[serde(skip_serializing_if = "Option::is_none")]
    roles: Option<&'a Roles>,
    #[serde(skip_serializing_if = "Option::is_none")]
    source_identity: Option<&'a SourceIdentity>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_token_ttl: Option<u64>,
}

impl Serialize for SessionRecord {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let stored = Stored {
            v: VERSION,
            wallet: &self.wallet,
            created_at: self.created_at,
            expires_at: self.expires_at,
            label: self.label.as_deref(),
            audiences: self.audiences.as_deref(),
            tags: self.tags.tags(),
            transitive_tags: self.tags.transitive(),
            roles: self.roles.as_ref(),
            source_identity: self.source_identity.as_ref(),
            max_token_ttl: self.max_token_ttl,
        };
        stored.serialize(serializer)
    }
}

/// `{"Key": "value"}`, in the order given.
fn as_object<S: Serializer>(tags: &[(TagKey, TagValue)], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(tags.iter().map(|(key, value)| (key, value)))
}

/// The same read, in the order written; a repeated member stays repeated, for [`SessionTags`] to refuse.
pub(crate) fn stored_tags(value: Value<'_>) -> Option<Vec<(TagKey, TagValue)>> {
    let members = value.object()?.into_members().into_iter();
    members.map(|(key, value)| Some((key.into_owned().try_into().ok()?, value.text()?.try_into().ok()?))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_an_object_and_not_a_list_of_its_values() {
        let members = r#"{"v":1,"wallet":"0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed","created_at":1,"expires_at":2}"#;
        assert!(SessionRecord::parse(members).is_ok());
        let values = r#"[1,"0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed",1,2]"#;
        assert_eq!(SessionRecord::parse(values), Err(BrokenRecord::Schema));
    }
}
