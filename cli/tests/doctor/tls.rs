//! Certificates: of a private CA, expired, for another host, and in order.

use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, date_time_ymd};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

use crate::issuer::Issuer;
use crate::{Said, doctor, run};

/// A CA, and an issuer at `https://localhost` with a certificate of it.
struct Site {
    ca_file: tempfile::NamedTempFile,
    config: Arc<rustls::ServerConfig>,
}

fn site(host: &str, edit: impl Fn(&mut CertificateParams)) -> Site {
    let mut ca = CertificateParams::default();
    ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let ca = CertifiedIssuer::self_signed(ca, KeyPair::generate().unwrap()).unwrap();
    let mut leaf = CertificateParams::new(vec![host.to_owned()]).unwrap();
    edit(&mut leaf);
    let key = KeyPair::generate().unwrap();
    let certificate = leaf.signed_by(&key, &ca).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der())))
        .unwrap();
    let ca_file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(ca_file.path(), ca.pem()).unwrap();
    Site { ca_file, config: Arc::new(config) }
}

fn examined(site: &Site, with_ca: bool) -> Said {
    let running = Issuer::new().with_tls(Arc::clone(&site.config), "localhost").start();
    let mut command = doctor(&[&running.url, "--json"]);
    if with_ca {
        command.arg("--ca-file").arg(site.ca_file.path());
    }
    run(&mut command)
}

/// The certificate fails, for this reason, and nothing is asked past it.
fn refuses(site: &Site, with_ca: bool, words: &str) {
    let said = examined(site, with_ca);
    assert_eq!(said.code, 1, "{said:?}");
    assert_eq!(said.found().into_iter().collect::<Vec<_>>(), [("tls-certificate".to_owned(), "fail".to_owned())]);
    assert!(said.why("tls-certificate").contains(words), "{said:?}");
    assert_eq!(said.json()["checks"].as_array().unwrap().len(), 2);
}

#[test]
fn a_certificate_of_a_private_ca_is_trusted_where_the_ca_is_named() {
    let site = site("localhost", |_| {});
    let said = examined(&site, true);
    // The port of localhost, and that STS goes by public CAs.
    assert_eq!(said.found().into_keys().collect::<Vec<_>>(), ["issuer-form", "tls-certificate"], "{said:?}");
    assert_eq!((said.found()["tls-certificate"].as_str(), said.code), ("warn", 0));
    refuses(&site, false, "trusted");
}

#[test]
fn a_certificate_of_another_ca() {
    let (site, other) = (site("localhost", |_| {}), site("localhost", |_| {}));
    refuses(&Site { ca_file: other.ca_file, config: site.config }, true, "trusted");
}

#[test]
fn a_certificate_that_has_expired() {
    let expired = site("localhost", |leaf| {
        leaf.not_before = date_time_ymd(2020, 1, 1);
        leaf.not_after = date_time_ymd(2021, 1, 1);
    });
    refuses(&expired, true, "expired");
}

#[test]
fn a_certificate_for_another_host() {
    refuses(&site("keys.example.com", |_| {}), true, "other hosts");
}
