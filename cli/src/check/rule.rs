//! Rules and findings: what STS refuses, where that is known from, and what to do about it.

use std::borrow::Cow;

use serde::{Serialize, Serializer};

/// The error codes that STS answers a refused token with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Code {
    InvalidIdentityToken,
    ExpiredToken,
    Validation,
    InternalFailure,
}

impl Code {
    /// The code as it stands in STS's answer.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::InvalidIdentityToken => "InvalidIdentityToken",
            Self::ExpiredToken => "ExpiredTokenException",
            Self::Validation => "ValidationError",
            Self::InternalFailure => "InternalFailure",
        }
    }

    /// The HTTP status it comes with.
    pub(crate) fn http_status(self) -> u16 {
        if self == Self::InternalFailure { 500 } else { 400 }
    }
}

/// Where a rule is known from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Basis {
    /// AWS's documentation or API model.
    Doc,
    /// Recorded against the real STS endpoint.
    Seen,
    /// Both.
    DocAndSeen,
    /// Neither: the verdict takes the cautious side.
    NotRecorded,
}

impl Basis {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Doc => "doc",
            Self::Seen => "seen",
            Self::DocAndSeen => "doc, seen",
            Self::NotRecorded => "not recorded",
        }
    }
}

impl Serialize for Basis {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// A rule of STS. Its text says what must hold, its remedy what to do where it does not.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Rule {
    pub(crate) id: &'static str,
    pub(crate) basis: Basis,
    pub(crate) text: &'static str,
    #[serde(skip)]
    pub(crate) code: Code,
    /// Whether it is recorded that a broken rule has this code.
    #[serde(skip)]
    pub(crate) code_recorded: bool,
    #[serde(skip)]
    pub(crate) remedy: &'static str,
}

impl Rule {
    /// A rule whose breach is `InvalidIdentityToken`; where the rule is not recorded, neither is the code.
    pub(crate) const fn new(id: &'static str, basis: Basis, text: &'static str, remedy: &'static str) -> Self {
        Self { id, basis, text, code: Code::InvalidIdentityToken, code_recorded: !matches!(basis, Basis::NotRecorded), remedy }
    }

    /// The same rule with another code.
    pub(crate) const fn with_code(self, code: Code) -> Self {
        Self { code, ..self }
    }

    /// The same rule, of which it is known that a breach is refused and not with which code.
    pub(crate) const fn with_unrecorded_code(self) -> Self {
        Self { code_recorded: false, ..self }
    }

    /// This rule is broken.
    pub(crate) fn broken(&'static self) -> Finding {
        Finding { rule: self, message: None, message_recorded: false, detail: None }
    }
}

/// A broken rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Finding {
    pub(crate) rule: &'static Rule,
    /// STS's words, as far as they are known.
    pub(crate) message: Option<Cow<'static, str>>,
    /// Whether they are recorded, and not only told in public.
    pub(crate) message_recorded: bool,
    /// What it is about this very token: never the token, never a key.
    pub(crate) detail: Option<Cow<'static, str>>,
}

impl Finding {
    /// With the words that STS was seen to say.
    pub(crate) fn saying(self, message: impl Into<Cow<'static, str>>) -> Self {
        Self { message: Some(message.into()), message_recorded: true, ..self }
    }

    /// With words that STS is said to use, which no record here vouches for.
    pub(crate) fn said_to_say(self, message: impl Into<Cow<'static, str>>) -> Self {
        Self { message: Some(message.into()), message_recorded: false, ..self }
    }

    /// With what it is about this very token.
    pub(crate) fn because(self, detail: impl Into<Cow<'static, str>>) -> Self {
        Self { detail: Some(detail.into()), ..self }
    }
}

/// What STS takes and a careful team would not send.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Warning {
    pub(crate) id: &'static str,
    pub(crate) message: Cow<'static, str>,
    pub(crate) remedy: &'static str,
}

impl Warning {
    pub(crate) fn new(id: &'static str, message: impl Into<Cow<'static, str>>, remedy: &'static str) -> Self {
        Self { id, message: message.into(), remedy }
    }
}
