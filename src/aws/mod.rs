//! What AWS STS takes from an OIDC issuer, as types: whoever holds one holds a value that STS accepts.
//!
//! The limits are those of `AssumeRoleWithWebIdentity` and of session tags (AWS: `id_session-tags`,
//! `API_AssumeRoleWithWebIdentity`). The worker mints from these types and the tool checks foreign tokens with the
//! same ones, so that the two cannot drift.

mod audience;
mod characters;
mod roles;
mod source_identity;
mod tags;

use core::fmt;

pub use audience::Audience;
pub use roles::{RoleArn, Roles};
pub use source_identity::SourceIdentity;
pub use tags::{SessionTags, TagKey, TagValue};

/// The claim that STS turns into session tags, in its nested form.
pub const TAGS_CLAIM: &str = "https://aws.amazon.com/tags";
/// The claim that lists the roles a token may assume.
pub const ROLES_CLAIM: &str = "https://aws.amazon.com/roles";
/// The claim that STS records as the session's source identity.
pub const SOURCE_IDENTITY_CLAIM: &str = "https://aws.amazon.com/source_identity";

/// The least and the most characters of a token (API model of `WebIdentityToken`).
pub const TOKEN_CHARACTERS: core::ops::RangeInclusive<usize> = 4..=20_000;
/// The characters of a subject in AWS's API model. STS itself was seen to take any text (and a number).
pub const SUBJECT_CHARACTERS: core::ops::RangeInclusive<usize> = 6..=255;
/// The seconds by which the clocks of an issuer and of STS may differ, both ways.
pub const CLOCK_TOLERANCE_SECONDS: u64 = 300;
/// The most session tags a token may carry.
pub const TAGS_MAX: usize = 50;
/// The most characters of an issuer URL that IAM registers.
pub const ISSUER_CHARACTERS_MAX: usize = 255;
/// The audience that STS itself is known by.
pub const STS_AUDIENCE: &str = "sts.amazonaws.com";
/// The most keys of one type in a key set; one more and STS refuses the tokens of that type.
pub const KEYS_OF_ONE_TYPE_MAX: usize = 100;

/// A limit of AWS that a value breaks. Its text names the rule and never the value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Violation {
    /// A tag key is empty or longer than 128 characters.
    TagKeyLength,
    /// A tag key has a character outside the allowed set.
    TagKeyCharacters,
    /// A tag key starts `aws:` in some case.
    TagKeyReserved,
    /// A tag value is longer than 256 characters.
    TagValueLength,
    /// A tag value has a character outside the allowed set.
    TagValueCharacters,
    /// A tag value starts `aws:` in some case.
    TagValueReserved,
    /// More than 50 tags.
    TooManyTags,
    /// Two tag keys differ in case only, or not at all.
    TagKeyRepeated,
    /// A transitive key has no tag.
    TransitiveKeyWithoutTag,
    /// A source identity is shorter than 2 or longer than 64 characters.
    SourceIdentityLength,
    /// A source identity has a character outside `[\w+=,.@-]`.
    SourceIdentityCharacters,
    /// A source identity starts `aws:`.
    SourceIdentityReserved,
    /// A text is not the ARN of one role.
    NotARoleArn,
    /// A list of roles has no role in it.
    NoRole,
    /// An audience is empty or longer than 255 characters.
    AudienceLength,
    /// An audience has a character other than printable ASCII.
    AudienceCharacters,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TagKeyLength => "a tag key has 1 to 128 characters",
            Self::TagKeyCharacters => "a tag key has letters, digits, blanks and _ . : / = + - @ only",
            Self::TagKeyReserved => "a tag key must not start with aws:, in any case",
            Self::TagValueLength => "a tag value has at most 256 characters",
            Self::TagValueCharacters => "a tag value has letters, digits, blanks and _ . : / = + - @ only",
            Self::TagValueReserved => "a tag value must not start with aws:, in any case",
            Self::TooManyTags => "a token carries at most 50 tags",
            Self::TagKeyRepeated => "tag keys are unique, ignoring case",
            Self::TransitiveKeyWithoutTag => "every transitive tag key names a tag of the same token",
            Self::SourceIdentityLength => "a source identity has 2 to 64 characters",
            Self::SourceIdentityCharacters => "a source identity has letters, digits and _ + = , . @ - only",
            Self::SourceIdentityReserved => "a source identity must not start with aws:",
            Self::NotARoleArn => "a role is its exact ARN, arn:aws:iam::<12 digits>:role/<path and name>",
            Self::NoRole => "a list of roles names at least one role ARN",
            Self::AudienceLength => "an audience has 1 to 255 characters",
            Self::AudienceCharacters => "an audience is printable ASCII without blanks",
        })
    }
}

impl core::error::Error for Violation {}
