//! The claim `https://aws.amazon.com/source_identity` (AWS: `id_credentials_temp_control-access_monitor`).

use serde::Serialize;

use super::Violation;
use super::characters::{is_name_character, is_reserved};

/// Who is behind a role session: 2 to 64 characters of `[\w+=,.@-]`, not starting `aws:`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(into = "String")]
pub struct SourceIdentity(String);

impl SourceIdentity {
    /// The identity as it is sent.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for SourceIdentity {
    type Error = Violation;

    fn try_from(text: String) -> Result<Self, Violation> {
        if !(2..=64).contains(&text.chars().count()) {
            return Err(Violation::SourceIdentityLength);
        }
        if is_reserved(&text) {
            return Err(Violation::SourceIdentityReserved);
        }
        if !text.chars().all(is_name_character) {
            return Err(Violation::SourceIdentityCharacters);
        }
        Ok(Self(text))
    }
}

impl From<SourceIdentity> for String {
    fn from(identity: SourceIdentity) -> Self {
        identity.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_identity_has_2_to_64_name_characters() {
        for good in ["ab", "agent-7@example.com", &"a".repeat(64), "0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed"] {
            assert!(SourceIdentity::try_from(good.to_owned()).is_ok(), "{good}");
        }
        for (bad, violation) in [
            ("", Violation::SourceIdentityLength),
            ("a", Violation::SourceIdentityLength),
            (&*"a".repeat(65), Violation::SourceIdentityLength),
            ("aws:agent", Violation::SourceIdentityReserved),
            ("a b", Violation::SourceIdentityCharacters),
            ("a:b", Violation::SourceIdentityCharacters),
            ("é1", Violation::SourceIdentityCharacters),
        ] {
            assert_eq!(SourceIdentity::try_from(bad.to_owned()), Err(violation), "{bad}");
        }
    }
}
