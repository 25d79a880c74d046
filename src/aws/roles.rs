//! The roles a token may assume: the claim `https://aws.amazon.com/roles`.

use core::fmt;

use serde::Serialize;

use super::Violation;

/// The exact ARN of one IAM role: `arn:aws:iam::123456789012:role/path/name`, no wildcards.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
#[serde(into = "String")]
pub struct RoleArn(String);

/// A list of roles, never empty: STS refuses a claim without a valid ARN in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(into = "Vec<RoleArn>")]
pub struct Roles(Vec<RoleArn>);

impl RoleArn {
    /// The ARN as it is sent.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for RoleArn {
    type Error = Violation;

    /// Partition, twelve digits of account, then path and name of at most 512 and 64 characters (AWS: `API_Role`).
    fn try_from(text: String) -> Result<Self, Violation> {
        let mut fields = text.splitn(6, ':');
        let mut next = || fields.next().unwrap_or_default();
        let (arn, partition, service, region, account, resource) = (next(), next(), next(), next(), next(), next());
        let partition_is_aws = partition == "aws"
            || partition
                .strip_prefix("aws-")
                .is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_lowercase() || b == b'-'));
        let account_is_one = account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit());
        let role_is_one = resource.strip_prefix("role/").is_some_and(is_path_and_name);
        if arn == "arn" && partition_is_aws && service == "iam" && region.is_empty() && account_is_one && role_is_one {
            Ok(Self(text))
        } else {
            Err(Violation::NotARoleArn)
        }
    }
}

/// `path/…/name`: printable ASCII in the path, `[\w+=,.@-]` in the name.
fn is_path_and_name(text: &str) -> bool {
    let (path, name) = text.rsplit_once('/').map_or((None, text), |(path, name)| (Some(path), name));
    let name_fits = (1..=64).contains(&name.len()) && name.chars().all(super::characters::is_name_character);
    // Wildcards and the claim's own separator are printable, and yet never part of an exact ARN.
    let path_fits = path.is_none_or(|path| {
        (1..=510).contains(&path.len()) && path.bytes().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'*' | b'?' | b';'))
    });
    name_fits && path_fits
}

impl TryFrom<Vec<RoleArn>> for Roles {
    type Error = Violation;

    fn try_from(roles: Vec<RoleArn>) -> Result<Self, Violation> {
        if roles.is_empty() { Err(Violation::NoRole) } else { Ok(Self(roles)) }
    }
}

impl From<RoleArn> for String {
    fn from(role: RoleArn) -> Self {
        role.0
    }
}

impl From<Roles> for Vec<RoleArn> {
    fn from(roles: Roles) -> Self {
        roles.0
    }
}

impl fmt::Display for RoleArn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_is_its_exact_arn() {
        for good in [
            "arn:aws:iam::123456789012:role/agent",
            "arn:aws-us-gov:iam::123456789012:role/a/b/agent",
            "arn:aws-cn:iam::000000000000:role/Agent+=,.@-_1",
        ] {
            assert!(RoleArn::try_from(good.to_owned()).is_ok(), "{good}");
        }
        for bad in [
            "",
            "agent",
            "arn:aws:iam::123456789012:role/",
            "arn:aws:iam::123456789012:role/*",
            "arn:aws:iam::123456789012:role//agent",
            "arn:aws:iam::123456789012:role/a*/agent",
            "arn:aws:iam::12345678901:role/agent",
            "arn:aws:iam:us-east-1:123456789012:role/agent",
            "arn:aws:iam::123456789012:user/agent",
            "arn:aws:sts::123456789012:role/agent",
            "arn:gcp:iam::123456789012:role/agent",
            "arn:aws-:iam::123456789012:role/agent",
            " arn:aws:iam::123456789012:role/agent",
            "arn:aws:iam::123456789012:role/agent;arn:aws:iam::123456789012:role/b",
            "arn:aws:iam::123456789012:role/agent\n",
        ] {
            assert_eq!(RoleArn::try_from(bad.to_owned()), Err(Violation::NotARoleArn), "{bad}");
        }
        let name = |length: usize| format!("arn:aws:iam::123456789012:role/{}", "a".repeat(length));
        assert!(RoleArn::try_from(name(64)).is_ok());
        assert_eq!(RoleArn::try_from(name(65)), Err(Violation::NotARoleArn));
    }

    #[test]
    fn a_list_of_roles_is_never_empty() {
        assert_eq!(Roles::try_from(vec![]), Err(Violation::NoRole));
    }
}
