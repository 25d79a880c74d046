//! Where STS and S3 are: AWS's own, or any that speak their protocols, named as every AWS SDK names them.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::transport::Transport;
use crate::error::Error;
use crate::http::{Client, is_loopback_http};

/// The region where nothing names one. An S3 that is not AWS's mostly takes any.
const REGION: &str = "us-east-1";

/// Where STS is, and whom to trust.
#[derive(Args)]
pub(crate) struct StsArgs {
    /// The region of STS and S3; without it: `AWS_DEFAULT_REGION`, else us-east-1.
    #[arg(long, value_name = "REGION", env = "AWS_REGION", value_parser = region)]
    region: Option<String>,
    /// Another STS than AWS's; without it: `AWS_ENDPOINT_URL`, if that is set.
    #[arg(long, value_name = "URL", env = "AWS_ENDPOINT_URL_STS")]
    sts_endpoint: Option<String>,
    /// Certificates (PEM) to trust in place of the public CAs, for the issuer too.
    #[arg(long, value_name = "FILE", env = "AWS_CA_BUNDLE")]
    ca_file: Option<PathBuf>,
}

/// Where S3 is.
#[derive(Args)]
pub(crate) struct S3Args {
    /// Another S3 than AWS's; without it: `AWS_ENDPOINT_URL`, if that is set.
    #[arg(long, value_name = "URL", env = "AWS_ENDPOINT_URL_S3")]
    s3_endpoint: Option<String>,
    /// Where the bucket's name goes: into the path or into the host. Without it: path for another S3 than AWS's.
    #[arg(long, value_name = "STYLE", value_enum)]
    addressing: Option<Addressing>,
    /// The same as --addressing path.
    #[arg(long, conflicts_with = "addressing")]
    path_style: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Addressing {
    Path,
    Virtual,
}

/// S3's address.
pub(crate) struct S3Place {
    pub(crate) endpoint: Option<String>,
    pub(crate) path_style: bool,
}

impl StsArgs {
    /// The region that requests are signed for.
    pub(crate) fn region(&self) -> String {
        let named = self.region.clone().filter(|region| !region.is_empty());
        let named = named.or_else(|| variable("AWS_DEFAULT_REGION").and_then(|text| region(&text).ok()));
        named.unwrap_or_else(|| REGION.to_owned())
    }

    /// STS's URL; `None` is AWS's own of the region.
    pub(crate) fn endpoint(&self) -> Result<Option<String>, Error> {
        endpoint(self.sts_endpoint.as_deref(), "--sts-endpoint (AWS_ENDPOINT_URL_STS)")
    }

    /// The HTTP client for everybody that is asked.
    pub(crate) fn client(&self) -> Result<Client, Error> {
        Client::for_issuer(self.ca_file.as_deref())
    }
}

impl S3Args {
    /// Where S3 is.
    pub(crate) fn place(&self) -> Result<S3Place, Error> {
        let endpoint = endpoint(self.s3_endpoint.as_deref(), "--s3-endpoint (AWS_ENDPOINT_URL_S3)")?;
        let path_style = match self.addressing {
            Some(addressing) => addressing == Addressing::Path,
            None => self.path_style || endpoint.is_some(),
        };
        Ok(S3Place { endpoint, path_style })
    }
}

/// The SDK's HTTP.
pub(crate) fn transport(client: &Client) -> Transport {
    Transport(client.clone())
}

/// Whether requests to this endpoint can be read on the way.
pub(crate) fn is_in_the_clear(endpoint: Option<&str>) -> bool {
    endpoint.is_some_and(|url| url.starts_with("http://") && !is_loopback_http(url))
}

fn endpoint(named: Option<&str>, option: &str) -> Result<Option<String>, Error> {
    let (url, option) = match named.filter(|url| !url.is_empty()) {
        Some(url) => (Some(url.to_owned()), option),
        None => (variable("AWS_ENDPOINT_URL"), "AWS_ENDPOINT_URL"),
    };
    let Some(url) = url else { return Ok(None) };
    let uri: Option<ureq::http::Uri> = url.parse().ok();
    let is_endpoint =
        uri.is_some_and(|uri| matches!(uri.scheme_str(), Some("http" | "https")) && uri.host().is_some() && uri.query().is_none());
    if is_endpoint && !url.contains(['#', '@']) {
        Ok(Some(url.trim_end_matches('/').to_owned()))
    } else {
        Err(Error::input(format!("{option} is an http or https URL of a host, without a query or a user")))
    }
}

/// A variable that is set to something.
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// A region becomes part of a host name.
fn region(text: &str) -> Result<String, String> {
    // A variable that is set to nothing is not set.
    let is_label = text.len() <= 63 && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    if is_label { Ok(text.to_owned()) } else { Err("a region is letters, digits and hyphens, like eu-central-1".to_owned()) }
}

/// The ARN of a role. Any partition and any account: an STS that is not AWS's has its own.
pub(crate) fn role_arn(text: &str) -> Result<String, String> {
    let fields: Vec<&str> = text.splitn(6, ':').collect();
    let is_arn =
        matches!(fields.as_slice(), ["arn", partition, "iam", _, _, resource] if !partition.is_empty() && resource.starts_with("role/"));
    let fits = (20..=2_048).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
    if is_arn && fits {
        Ok(text.to_owned())
    } else {
        Err("a role is named by its ARN, like arn:aws:iam::123456789012:role/agentkeys-wallet".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_is_a_url_of_a_host() {
        for (good, url) in [
            ("https://s3.example.com", "https://s3.example.com"),
            ("https://s3.example.com/", "https://s3.example.com"),
            ("http://127.0.0.1:9000/path/", "http://127.0.0.1:9000/path"),
        ] {
            assert_eq!(endpoint(Some(good), "x").unwrap().as_deref(), Some(url));
        }
        for bad in [
            "s3.example.com",
            "ftp://s3.example.com",
            "https://",
            "https://a b",
            "https://s3.example.com?a",
            "https://s3.example.com#a",
            "https://user@s3.example.com",
        ] {
            assert_eq!(endpoint(Some(bad), "x").unwrap_err().code(), 64, "{bad}");
        }
        assert!(is_in_the_clear(Some("http://minio:9000")) && !is_in_the_clear(Some("http://localhost:9000")) && !is_in_the_clear(None));
    }

    #[test]
    fn a_role_has_an_arn_of_any_account() {
        for good in [
            "arn:aws:iam::123456789012:role/agentkeys-wallet",
            "arn:aws:iam:::role/S3Access",
            "arn:minio:iam:::role/dGVzdA",
            "arn:aws-cn:iam::123456789012:role/path/name",
        ] {
            assert!(role_arn(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "agentkeys-wallet",
            "arn:aws:iam::123456789012:user/somebody",
            "arn:aws:s3:::bucket/role/abc",
            "arn:aws:iam::123456789012:role/a b",
            "arn::iam::123456789012:role/abc",
        ] {
            assert!(role_arn(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_region_is_a_label() {
        assert!(region("eu-central-1").is_ok() && region("default").is_ok());
        for bad in ["a/b", "a.b", "@evil"] {
            assert!(region(bad).is_err(), "{bad}");
        }
    }
}
