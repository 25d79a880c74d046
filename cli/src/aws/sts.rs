//! `AssumeRoleWithWebIdentity` through AWS's SDK, and what its refusals mean.

use core::fmt;
use std::time::Duration;

use agentkeys_edge_broker::time::UnixTime;
use aws_sdk_sts::config::retry::RetryConfig;
use aws_sdk_sts::config::timeout::TimeoutConfig;
use aws_sdk_sts::config::{BehaviorVersion, Region};
use aws_sdk_sts::error::ProvideErrorMetadata;

use super::transport::{Failure, Transport, failure, wait};
use crate::error::Error;
use crate::retry::Patience;

/// New tries start within this time.
const PATIENCE: Duration = Duration::from_secs(10);

/// Temporary credentials. `Debug` does not show them.
#[derive(Clone)]
pub(crate) struct Credentials {
    pub(crate) access_key_id: String,
    pub(crate) secret_access_key: String,
    pub(crate) session_token: String,
    /// `None`: the STS that issued them did not say.
    pub(crate) expiration: Option<UnixTime>,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").field("expiration", &self.expiration).finish_non_exhaustive()
    }
}

/// What to assume.
pub(crate) struct Assume<'a> {
    pub(crate) role_arn: &'a str,
    pub(crate) session_name: &'a str,
    /// In seconds; `None` is STS's default.
    pub(crate) duration: Option<i32>,
}

/// An STS.
pub(crate) struct Sts {
    client: aws_sdk_sts::Client,
}

impl Sts {
    /// AWS's own of the region, or the one of the URL.
    pub(crate) fn new(transport: Transport, region: &str, endpoint: Option<&str>) -> Self {
        let mut config = aws_sdk_sts::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(region.to_owned()))
            .http_client(transport)
            // Tries and their limits are this tool's own: the SDK knows neither 429 nor an end.
            .retry_config(RetryConfig::disabled())
            .timeout_config(TimeoutConfig::disabled());
        config.set_endpoint_url(endpoint.map(ToOwned::to_owned));
        Self { client: aws_sdk_sts::Client::from_conf(config.build()) }
    }

    /// Exchanges a web identity token for credentials, again and again for some seconds where that may help.
    pub(crate) fn assume(&self, assume: &Assume<'_>, token: &str) -> Result<Credentials, Failure> {
        let mut patience = Patience::of(PATIENCE);
        loop {
            match self.once(assume, token) {
                Err(failure) if failure.may_pass() && patience.pause(None) => {}
                result => return result,
            }
        }
    }

    fn once(&self, assume: &Assume<'_>, token: &str) -> Result<Credentials, Failure> {
        let request = self.client.assume_role_with_web_identity();
        let request = request.role_arn(assume.role_arn).role_session_name(assume.session_name);
        let request = request.set_duration_seconds(assume.duration).web_identity_token(token);
        let answer = wait(request.send()).map_err(|error| Failure::NoAnswer { why: error.to_string(), may_pass: false })?;
        let answer = answer.map_err(|error| failure(&error, error.code()))?;
        let credentials = answer.credentials().filter(|found| ![found.access_key_id(), found.secret_access_key()].contains(&""));
        let credentials = credentials.ok_or(Failure::Foreign { status: 200 })?;
        Ok(Credentials {
            access_key_id: credentials.access_key_id().to_owned(),
            secret_access_key: credentials.secret_access_key().to_owned(),
            session_token: credentials.session_token().to_owned(),
            // The SDK writes the epoch where the answer has no time.
            expiration: u64::try_from(credentials.expiration().secs())
                .ok()
                .filter(|seconds| *seconds > 0)
                .and_then(|seconds| UnixTime::try_from(seconds).ok()),
        })
    }
}

/// What an operator does about a refusal, by STS's code.
pub(crate) fn remedy(failure: &Failure) -> &'static str {
    match failure.code() {
        Some("AccessDenied" | "AccessDeniedException") => {
            "The role's trust policy does not let this token in: it has to allow sts:AssumeRoleWithWebIdentity and sts:TagSession \
             (and sts:SetSourceIdentity, where the token has one) to the issuer's OIDC provider, for this audience and subject; or the \
             role is not among the token's roles"
        }
        Some("InvalidIdentityToken") => {
            "STS does not take the token: signature, key, issuer, audience or the form of its tags. edge-broker check says which"
        }
        Some("ExpiredTokenException" | "ExpiredToken") => "The token has expired: mint another, and look at this machine's clock",
        Some("IDPCommunicationError") => {
            "STS does not reach the issuer: its discovery document and key set have to be public, within 5 s, without a challenge in front"
        }
        Some("IDPRejectedClaim") => "The issuer refused the claim: look at the session behind the token",
        Some("PackedPolicyTooLarge") => "The session's tags are too large when packed: issue a session with fewer or shorter ones",
        Some("RegionDisabledException") => "STS is not switched on in this region: name another with --region",
        Some("ValidationError" | "ValidationException") => {
            "STS finds an argument malformed: the role's ARN, the session's name, or a duration that is longer than the role allows"
        }
        Some("NoSuchEntity" | "NoSuchRole" | "InvalidParameterValue") => {
            "The role, or the OIDC provider behind it, is not known there: look at --role-arn"
        }
        _ if failure.may_pass() => "Try again; if it stays so, look at the endpoint and the network",
        _ => {
            "Look at the endpoint (--sts-endpoint, AWS_ENDPOINT_URL_STS), the certificate authority (--ca-file, AWS_CA_BUNDLE) and the role"
        }
    }
}

/// The error of a command that cannot go on without credentials.
pub(crate) fn error(failure: &Failure) -> Error {
    let text = format!("STS {failure}. {}", remedy(failure));
    Error::outside(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_refusal_of_sts_has_a_remedy_of_its_own() {
        let of = |code: &str| remedy(&Failure::Refused { status: 400, code: Some(code.to_owned()) });
        let codes = [
            "AccessDenied",
            "InvalidIdentityToken",
            "ExpiredTokenException",
            "IDPCommunicationError",
            "IDPRejectedClaim",
            "PackedPolicyTooLarge",
            "ValidationError",
            "RegionDisabledException",
        ];
        let remedies: std::collections::BTreeSet<&str> = codes.into_iter().map(of).collect();
        assert_eq!(remedies.len(), codes.len());
        assert!(of("AccessDenied").contains("sts:TagSession"));
        assert!(!remedies.contains(of("InternalFailure")));
    }

    #[test]
    fn credentials_are_not_shown() {
        let credentials = Credentials {
            access_key_id: "AKIA".into(),
            secret_access_key: "secret".into(),
            session_token: "session".into(),
            expiration: None,
        };
        let shown = format!("{credentials:?}");
        assert!(!shown.contains("secret") && !shown.contains("AKIA") && !shown.contains("session"), "{shown}");
    }
}
