//! The audience: the client ID that a relying party registers for the issuer.

use core::fmt;

use serde::Serialize;

use super::Violation;

/// One `aud` value: 1 to 255 characters (IAM: `API_CreateOpenIDConnectProvider`, client IDs), printable ASCII, no blanks.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
#[serde(into = "String")]
pub struct Audience(String);

impl Audience {
    /// The audience as it is sent.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Audience {
    type Error = Violation;

    fn try_from(text: String) -> Result<Self, Violation> {
        if !(1..=255).contains(&text.chars().count()) {
            return Err(Violation::AudienceLength);
        }
        if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(Violation::AudienceCharacters);
        }
        Ok(Self(text))
    }
}

impl From<Audience> for String {
    fn from(audience: Audience) -> Self {
        audience.0
    }
}

impl fmt::Display for Audience {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_audience_has_1_to_255_characters_without_blanks() {
        for good in ["sts.amazonaws.com", "api://AzureADTokenExchange", "https://iam.example.com/pool", &"a".repeat(255)] {
            assert!(Audience::try_from(good.to_owned()).is_ok(), "{good}");
        }
        for (bad, violation) in [
            ("", Violation::AudienceLength),
            (&*"a".repeat(256), Violation::AudienceLength),
            ("a b", Violation::AudienceCharacters),
            ("a\u{0}", Violation::AudienceCharacters),
            ("é", Violation::AudienceCharacters),
        ] {
            assert_eq!(Audience::try_from(bad.to_owned()), Err(violation), "{bad}");
        }
    }
}
