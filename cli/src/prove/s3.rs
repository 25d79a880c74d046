//! The four requests of a proof, through AWS's SDK, and what came of each.

use std::time::Duration;

use aws_sdk_s3::config::retry::RetryConfig;
use aws_sdk_s3::config::timeout::TimeoutConfig;
use aws_sdk_s3::config::{
    BehaviorVersion, Credentials as S3Credentials, IdentityCache, Region, RequestChecksumCalculation, ResponseChecksumValidation,
    StalledStreamProtectionConfig,
};
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::primitives::{AggregatedBytes, ByteStream};

use crate::aws::endpoints::S3Place;
use crate::aws::sts::Credentials;
use crate::aws::transport::{Failure, Transport, failure, wait};
use crate::retry::Patience;

/// New tries of one request start within this time.
const PATIENCE: Duration = Duration::from_secs(5);
/// The most keys that are listed; a proof looks for one.
const KEYS_MAX: i32 = 100;

/// S3 with one wallet's credentials.
pub(super) struct S3 {
    client: aws_sdk_s3::Client,
    bucket: String,
}

impl S3 {
    pub(super) fn new(transport: Transport, region: &str, place: &S3Place, bucket: &str, credentials: &Credentials) -> Self {
        // Without a session token none is sent: an empty one would be signed.
        let session = Some(credentials.session_token.clone()).filter(|token| !token.is_empty());
        let credentials =
            S3Credentials::new(&credentials.access_key_id, &credentials.secret_access_key, session, None, "AssumeRoleWithWebIdentity");
        let mut config = aws_sdk_s3::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(region.to_owned()))
            .http_client(transport)
            .credentials_provider(credentials)
            .identity_cache(IdentityCache::no_cache())
            .force_path_style(place.path_style)
            .disable_s3_express_session_auth(true)
            // An S3 that is not AWS's may know none of the newer checksums.
            .request_checksum_calculation(RequestChecksumCalculation::WhenRequired)
            .response_checksum_validation(ResponseChecksumValidation::WhenRequired)
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
            .retry_config(RetryConfig::disabled())
            .timeout_config(TimeoutConfig::disabled());
        config.set_endpoint_url(place.endpoint.clone());
        Self { client: aws_sdk_s3::Client::from_conf(config.build()), bucket: bucket.to_owned() }
    }

    pub(super) fn put(&self, key: &str, content: &[u8]) -> Result<(), Failure> {
        Self::attempt(|| {
            let body = ByteStream::from(content.to_vec());
            self.client.put_object().bucket(&self.bucket).key(key).content_type("text/plain").body(body).send()
        })
        .map(|_| ())
    }

    /// The object's content.
    pub(super) fn get(&self, key: &str) -> Result<Vec<u8>, Failure> {
        let answer = Self::attempt(|| self.client.get_object().bucket(&self.bucket).key(key).send())?;
        let broken = |_| Failure::NoAnswer { why: "broke off in the middle of an object".to_owned(), may_pass: false };
        let content = wait(answer.body.collect()).map_err(|error| Failure::NoAnswer { why: error.to_string(), may_pass: false })?;
        content.map(AggregatedBytes::to_vec).map_err(broken)
    }

    /// The first keys under a prefix, or of the whole bucket.
    pub(super) fn list(&self, prefix: Option<&str>) -> Result<Vec<String>, Failure> {
        let answer = Self::attempt(|| {
            let request = self.client.list_objects_v2().bucket(&self.bucket).max_keys(KEYS_MAX);
            request.set_prefix(prefix.map(ToOwned::to_owned)).send()
        })?;
        Ok(answer.contents().iter().filter_map(|object| object.key().map(ToOwned::to_owned)).collect())
    }

    pub(super) fn delete(&self, key: &str) -> Result<(), Failure> {
        Self::attempt(|| self.client.delete_object().bucket(&self.bucket).key(key).send()).map(|_| ())
    }

    /// A request, again and again for some seconds where that may help.
    fn attempt<F, T, E>(request: impl Fn() -> F) -> Result<T, Failure>
    where
        F: Future<Output = Result<T, SdkError<E>>>,
        E: ProvideErrorMetadata,
    {
        let mut patience = Patience::of(PATIENCE);
        loop {
            let answer = wait(request()).map_err(|error| Failure::NoAnswer { why: error.to_string(), may_pass: false })?;
            match answer.map_err(|error| failure(&error, error.code())) {
                Err(failure) if failure.may_pass() && patience.pause(None) => {}
                result => return result,
            }
        }
    }
}
