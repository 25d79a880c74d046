//! The tool's HTTP client: one request at a time, bounded in time and size, over TLS unless the host is this machine.
//!
//! It follows no redirect and keeps no cookie; a credential goes where it is handed in for, and nowhere else. A proxy is
//! taken from the environment, as curl does. AWS's SDK sends through the same client ([`Client::send`]).

use std::fmt;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::CertificateDer;
use ureq::http::{Request, Response};
use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig, parse_pem};

use crate::error::Error;
pub(crate) use crate::loopback::is_loopback_http;
use crate::session_token::shown;

/// STS waits about this long for an issuer (AWS: `id_roles_providers_create_oidc`), and so does this client, for each answer.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(5);
/// The most bytes of an answer.
pub(crate) const BODY_BYTES_MAX: u64 = 1024 * 1024;
/// The most bytes of a file of certificates.
const CA_BYTES_MAX: u64 = 1024 * 1024;

/// A client; its connections are kept and used again.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    agent: ureq::Agent,
}

/// What a server answered.
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// `Retry-After`, where it is a number of seconds.
    pub(crate) retry_after: Option<u64>,
    pub(crate) body: Vec<u8>,
}

/// Why there is no answer. Its text says what failed and never repeats what the server sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum HttpError {
    /// Neither https nor http to this machine.
    NotHttps,
    Url,
    Host,
    Timeout,
    Connection,
    Tls,
    /// A certificate of a chain that has expired, or is not valid yet.
    TlsTime,
    /// A certificate for other hosts.
    TlsHost,
    TooLarge,
    NotHttp,
    Proxy,
}

impl fmt::Display for HttpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotHttps => f.write_str("is not an https URL (http is for loopback hosts only)"),
            Self::Url => f.write_str("is not a URL that can be fetched"),
            Self::Host => f.write_str("names a host that DNS does not know"),
            Self::Timeout => write!(f, "did not answer within {} seconds", TIMEOUT.as_secs()),
            Self::Connection => f.write_str("cannot be reached, or closed the connection"),
            Self::Tls => f.write_str("has no TLS certificate that is trusted for its host (--ca-file names a private CA)"),
            Self::TlsTime => f.write_str("has a TLS certificate that has expired or is not valid yet (or this machine's clock is wrong)"),
            Self::TlsHost => f.write_str("has a TLS certificate for other hosts"),
            Self::TooLarge => write!(f, "answered more than {BODY_BYTES_MAX} bytes"),
            Self::NotHttp => f.write_str("did not answer in HTTP"),
            Self::Proxy => f.write_str("cannot be reached through the proxy that the environment names"),
        }
    }
}

impl std::error::Error for HttpError {}

/// A file of certificates cannot be used; the text says why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct BadCa(&'static str);

impl fmt::Display for BadCa {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl Client {
    /// A client that trusts the public CAs, or only those of a PEM file.
    ///
    /// # Errors
    /// Where the file cannot be read or holds anything but certificates.
    pub(crate) fn new(ca_file: Option<&Path>) -> Result<Self, BadCa> {
        let roots = match ca_file {
            None => RootCerts::WebPki,
            Some(path) => RootCerts::new_with_certs(&certificates(path)?),
        };
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let tls = TlsConfig::builder().root_certs(roots).unversioned_rustls_crypto_provider(provider).build();
        let config = ureq::Agent::config_builder()
            .timeout_global(Some(TIMEOUT))
            .max_redirects(0)
            .http_status_as_error(false)
            .max_response_header_size(64 * 1024)
            .user_agent(concat!("edge-broker/", env!("CARGO_PKG_VERSION")))
            .accept("application/json")
            .tls_config(tls)
            .build();
        Ok(Self { agent: config.new_agent() })
    }

    /// A client for an issuer; an option that is set to nothing is not set.
    ///
    /// # Errors
    /// What [`Client::new`] refuses, in the words of `--ca-file`.
    pub(crate) fn for_issuer(ca_file: Option<&Path>) -> Result<Self, Error> {
        let file = ca_file.filter(|file| !file.as_os_str().is_empty());
        let named = || file.map(shown).unwrap_or_default();
        Self::new(file).map_err(|why| Error::file(format!("--ca-file (AWS_CA_BUNDLE) {} {why}", named())))
    }

    /// Fetches one document. A redirect is an answer like another.
    ///
    /// # Errors
    /// [`HttpError`], after [`TIMEOUT`] at the latest.
    pub(crate) fn get(&self, url: &str) -> Result<Answer, HttpError> {
        safe(url)?;
        answer(self.agent.get(url).call())
    }

    /// Posts a JSON text, with a Bearer credential where there is one.
    ///
    /// # Errors
    /// [`HttpError`], after [`TIMEOUT`] at the latest.
    pub(crate) fn post(&self, url: &str, bearer: Option<&str>, json: &str) -> Result<Answer, HttpError> {
        safe(url)?;
        let request = self.agent.post(url).content_type("application/json");
        answer(match bearer {
            Some(bearer) => request.header("Authorization", format!("Bearer {bearer}")).send(json),
            None => request.send(json),
        })
    }

    /// Asks for a deletion with a Bearer credential.
    ///
    /// # Errors
    /// [`HttpError`], after [`TIMEOUT`] at the latest.
    pub(crate) fn delete(&self, url: &str, bearer: &str) -> Result<Answer, HttpError> {
        safe(url)?;
        answer(self.agent.delete(url).header("Authorization", format!("Bearer {bearer}")).call())
    }

    /// Sends what somebody else has made, to any http or https URL, and waits for the whole answer.
    ///
    /// # Errors
    /// [`HttpError`], after `limit` at the latest.
    pub(crate) fn send(&self, request: Request<Vec<u8>>, limit: Duration) -> Result<Response<Vec<u8>>, HttpError> {
        let response = if request.body().is_empty() {
            let request = self.agent.configure_request(request.map(|_| ())).timeout_global(Some(limit)).build();
            self.agent.run(request)
        } else {
            self.agent.run(self.agent.configure_request(request).timeout_global(Some(limit)).build())
        };
        let (parts, mut body) = response.map_err(|error| explain(&error))?.into_parts();
        let body = body.with_config().limit(BODY_BYTES_MAX).read_to_vec().map_err(|error| explain(&error))?;
        Ok(Response::from_parts(parts, body))
    }
}

/// No document and no credential goes over a network in the clear.
fn safe(url: &str) -> Result<(), HttpError> {
    if url.starts_with("https://") || is_loopback_http(url) { Ok(()) } else { Err(HttpError::NotHttps) }
}

fn answer(response: Result<Response<ureq::Body>, ureq::Error>) -> Result<Answer, HttpError> {
    let mut response = response.map_err(|error| explain(&error))?;
    let retry_after = response.headers().get("retry-after").and_then(|value| value.to_str().ok()?.trim().parse().ok());
    let body = response.body_mut().with_config().limit(BODY_BYTES_MAX).read_to_vec().map_err(|error| explain(&error))?;
    Ok(Answer { status: response.status().as_u16(), retry_after, body })
}

/// What is wrong with a certificate, where that is known.
fn explain_tls(error: &rustls::Error) -> HttpError {
    use rustls::CertificateError as Bad;
    match error {
        rustls::Error::InvalidCertificate(
            Bad::Expired | Bad::ExpiredContext { .. } | Bad::NotValidYet | Bad::NotValidYetContext { .. },
        ) => HttpError::TlsTime,
        rustls::Error::InvalidCertificate(Bad::NotValidForName | Bad::NotValidForNameContext { .. }) => HttpError::TlsHost,
        _ => HttpError::Tls,
    }
}

fn tls_error(io: &std::io::Error) -> Option<&rustls::Error> {
    io.get_ref()?.downcast_ref()
}

fn explain(error: &ureq::Error) -> HttpError {
    use ureq::Error;
    match error {
        Error::Timeout(_) => HttpError::Timeout,
        Error::HostNotFound => HttpError::Host,
        Error::BodyExceedsLimit(_) => HttpError::TooLarge,
        Error::BadUri(_) | Error::Http(_) => HttpError::Url,
        Error::Rustls(error) => explain_tls(error),
        Error::Tls(_) | Error::TlsRequired | Error::Pem(_) => HttpError::Tls,
        Error::Io(io) if tls_error(io).is_some() => tls_error(io).map_or(HttpError::Tls, explain_tls),
        Error::Io(io) if matches!(io.kind(), std::io::ErrorKind::TimedOut | std::io::ErrorKind::WouldBlock) => HttpError::Timeout,
        Error::Protocol(_) | Error::LargeResponseHeader(..) => HttpError::NotHttp,
        Error::InvalidProxyUrl | Error::ConnectProxyFailed(_) => HttpError::Proxy,
        _ => HttpError::Connection,
    }
}

/// The certificates of a PEM file, each of which must be one.
fn certificates(path: &Path) -> Result<Vec<Certificate<'static>>, BadCa> {
    let pem = read_at_most(path, CA_BYTES_MAX).map_err(|_| BadCa("cannot be read"))?.ok_or(BadCa("is longer than 1 MiB"))?;
    let mut store = rustls::RootCertStore::empty();
    let mut found = Vec::new();
    for item in parse_pem(&pem) {
        match item {
            Ok(PemItem::Certificate(certificate)) => {
                store.add(CertificateDer::from(certificate.der())).map_err(|_| BadCa("holds a certificate that cannot be read"))?;
                found.push(certificate.to_owned());
            }
            Ok(_) => {}
            Err(_) => return Err(BadCa("is not PEM")),
        }
    }
    if found.is_empty() { Err(BadCa("holds no PEM certificate")) } else { Ok(found) }
}

/// A whole file; `None` where it is longer than allowed.
pub(crate) fn read_at_most(path: &Path, bytes: u64) -> std::io::Result<Option<Vec<u8>>> {
    read_all_at_most(std::fs::File::open(path)?, bytes)
}

/// All there is to read; `None` where it is more than allowed.
pub(crate) fn read_all_at_most(reader: impl Read, bytes: u64) -> std::io::Result<Option<Vec<u8>>> {
    let mut content = Vec::new();
    reader.take(bytes.saturating_add(1)).read_to_end(&mut content)?;
    Ok(u64::try_from(content.len()).is_ok_and(|length| length <= bytes).then_some(content))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn http_is_for_this_machine_only() {
        let client = Client::new(None).unwrap();
        for url in ["http://keys.example.com/", "file:///etc/passwd", "ftp://localhost/", ""] {
            assert_eq!(client.get(url).err(), Some(HttpError::NotHttps), "{url}");
        }
    }

    #[test]
    fn a_file_is_read_up_to_its_limit() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "abcd").unwrap();
        assert_eq!(read_at_most(file.path(), 4).unwrap().as_deref(), Some(&b"abcd"[..]));
        assert_eq!(read_at_most(file.path(), 3).unwrap(), None);
    }

    #[test]
    fn a_file_of_cas_holds_certificates() {
        let certificate = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let (pem, key) = (certificate.cert.pem(), certificate.signing_key.serialize_pem());
        let file = tempfile::NamedTempFile::new().unwrap();
        let read = |content: &str| {
            std::fs::write(file.path(), content).unwrap();
            certificates(file.path()).map(|found| found.len())
        };
        for (content, count) in [(pem.clone(), 1), (format!("{pem}{pem}"), 2), (format!("a comment\n{key}{pem}"), 1)] {
            assert_eq!(read(&content), Ok(count));
        }
        let broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        for content in
            ["", "nonsense", &key, broken, "-----BEGIN CERTIFICATE-----\n*\n-----END CERTIFICATE-----\n", &format!("{pem}{broken}")]
        {
            assert!(read(content).is_err(), "{content}");
        }
        assert_eq!(certificates(Path::new("/nowhere/ca.pem")).err(), Some(BadCa("cannot be read")));
        assert_eq!(certificates(&std::env::temp_dir()).err(), Some(BadCa("cannot be read")));
    }
}
