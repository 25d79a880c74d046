//! The two public documents: discovery (OpenID Connect Discovery §3) and the key set (RFC 7517 §5).

use serde::Serialize;

use crate::claims;
use crate::config::Config;
use crate::http::{Document, Route};
use crate::keys::{Alg, KeyRing, PublicJwk};
use crate::oauth;

/// `/.well-known/openid-configuration`. Every URL is the configured issuer's.
#[derive(Serialize)]
struct ProviderMetadata<'a> {
    issuer: &'a str,
    jwks_uri: String,
    token_endpoint: String,
    grant_types_supported: [&'static str; 1],
    response_types_supported: [&'static str; 1],
    subject_types_supported: [&'static str; 1],
    id_token_signing_alg_values_supported: Vec<Alg>,
    scopes_supported: [&'static str; 1],
    token_endpoint_auth_methods_supported: [&'static str; 1],
    claims_supported: Vec<&'static str>,
}

/// The discovery document of a configuration and its keys.
#[must_use]
pub fn provider_metadata(config: &Config, ring: &KeyRing) -> Document {
    Document::new(&ProviderMetadata {
        issuer: config.issuer.as_str(),
        jwks_uri: config.issuer.url_of(Route::Jwks.path()),
        token_endpoint: config.issuer.url_of(Route::Token.path()),
        grant_types_supported: [oauth::GRANT_TYPE],
        response_types_supported: ["id_token"],
        subject_types_supported: ["public"],
        id_token_signing_alg_values_supported: ring.algs(),
        scopes_supported: ["openid"],
        token_endpoint_auth_methods_supported: ["none"],
        claims_supported: claims::supported(config),
    })
}

/// `{"keys":[…]}`: every key of the ring, once.
#[derive(Serialize)]
struct KeySet<'a> {
    keys: Vec<&'a PublicJwk>,
}

/// The key set of a ring.
#[must_use]
pub fn key_set(ring: &KeyRing) -> Document {
    Document::new(&KeySet { keys: ring.published() })
}
