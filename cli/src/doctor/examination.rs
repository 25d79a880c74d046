//! The order of the checks, and what each is handed.

use std::collections::BTreeSet;

use agentkeys_edge_broker::aws::STS_AUDIENCE;
use agentkeys_edge_broker::http::Route;
use agentkeys_edge_broker::session::SessionToken;
use agentkeys_edge_broker::time::UnixTime;
use serde_json::{Map, Value};

use super::clock::Reading;
use super::outcome::Check;
use super::probe::{Probe, Reply, Seen, Unseen};
use super::transport::{DISCOVERY, JWKS};
use super::{caching, clock, discovery, keys, mint, readiness, routes, token, transport};
use crate::http::HttpError;

/// What is examined, and with what.
pub(super) struct Patient<'a> {
    pub(super) url: &'a str,
    pub(super) has_ca_file: bool,
    pub(super) session: Option<&'a SessionToken>,
    pub(super) audience: Option<&'a str>,
}

/// Every check, or why nothing can be said.
pub(super) fn examine(probe: &Probe, patient: &Patient<'_>) -> Result<Vec<Check>, Unseen> {
    let first = probe.get(&probe.url(Route::Discovery.path()));
    let is_tls = |error: &HttpError| matches!(error, HttpError::Tls | HttpError::TlsTime | HttpError::TlsHost);
    let mut checks = transport::tls(patient.url, patient.has_ca_file, &first);
    match &first {
        // No answer at all can be this machine's fault. A certificate is the issuer's, and nothing is asked past a bad one.
        Err(Unseen::Failed(error)) if is_tls(error) => return Ok(checks),
        Err(Unseen::Failed(HttpError::TooLarge)) | Ok(_) => {}
        Err(unseen) => return Err(unseen.clone()),
    }

    checks.push(discovery::issuer_form(patient.url));
    let discovery = transport::document(&DISCOVERY, &first, &mut checks);
    cached(probe, &DISCOVERY, &probe.url(Route::Discovery.path()), &first, &mut checks);

    // Where discovery does not say where the keys are, they may still be where this broker has them.
    let jwks_uri = discovery.as_ref().and_then(|document| discovery::jwks_uri(document, patient.url));
    let jwks_uri = jwks_uri.map_or_else(|| probe.url(Route::Jwks.path()), str::to_owned);
    let jwks = probe.get(&jwks_uri);
    let key_set = transport::document(&JWKS, &jwks, &mut checks);
    cached(probe, &JWKS, &jwks_uri, &jwks, &mut checks);

    let mut of_keys = Vec::new();
    let keys = key_set.as_ref().and_then(|key_set| keys::read(key_set, &mut of_keys));
    if key_set.is_none() {
        of_keys.extend(std::iter::once("keys").chain(keys::IDS).map(|id| Check::skip(id, "There is no key set.")));
    }
    match &discovery {
        Some(discovery) => {
            checks.extend(discovery::checks(discovery, patient.url));
            checks.push(match &keys {
                Some(keys) => discovery::algorithms_published(discovery, &keys.algs()),
                None => Check::skip("algorithms-published", "There is no key set."),
            });
        }
        None => checks.extend(discovery::IDS.map(|id| Check::skip(id, "There is no discovery document."))),
    }
    checks.extend(of_keys);
    checks.extend(keys.iter().flat_map(keys::Keys::checks));

    let (refusals, anonymous) = routes::checks(probe);
    checks.extend(refusals);
    let (ready, report) = readiness::checks(probe, keys.as_ref().map(keys::Keys::kids).as_ref());
    checks.extend(ready);

    let reading = [&anonymous, &report, &first].into_iter().find_map(|reply| reply.as_ref().ok().and_then(Reading::of));
    let published = keys.as_ref().and(jwks.as_ref().ok()).map(|seen| seen.body.as_slice());
    let by_token = session(probe, patient, discovery.as_ref(), published, &mut checks);
    checks.push(clock::check(reading.or(by_token)));
    Ok(checks)
}

fn cached(probe: &Probe, names: &transport::Names, url: &str, first: &Reply, checks: &mut Vec<Check>) {
    if let Ok(first) = first
        && first.status == 200
    {
        checks.extend(caching::checks(probe, names, url, first));
    }
}

/// The checks that a session makes possible; the issuer's clock by the token's `iat`.
fn session(
    probe: &Probe,
    patient: &Patient<'_>,
    discovery: Option<&Map<String, Value>>,
    keys: Option<&[u8]>,
    checks: &mut Vec<Check>,
) -> Option<Reading> {
    let Some(session) = patient.session else {
        let why = "No session was given: hand one over with --session-token-file.";
        checks.extend(mint::IDS.into_iter().chain(token::IDS).map(|id| Check::skip(id, why)));
        return None;
    };
    let Some((seen, minted)) = mint::mint(probe, session, patient.audience, checks) else {
        checks.extend(token::IDS.map(|id| Check::skip(id, "The session gets no token.")));
        return None;
    };
    let issued = minted.issued_at();
    if let Some(at) = clock_of(&seen).or(issued) {
        let announced = discovery.and_then(|document| document.get("claims_supported")).and_then(Value::as_array);
        let announced: Option<BTreeSet<&str>> = announced.map(|claims| claims.iter().filter_map(Value::as_str).collect());
        let audience = patient.audience.unwrap_or(STS_AUDIENCE);
        checks.extend(token::checks(&minted, &token::Against { issuer: patient.url, audience, keys, announced, at }));
    } else {
        checks.extend(token::IDS.map(|id| Check::skip(id, "There is no clock to judge the token by.")));
    }
    checks.extend(mint::limits(probe, session, &minted));
    Reading::new(issued?, seen.at?, seen.took)
}

/// The issuer's clock at the mint, else this machine's.
fn clock_of(seen: &Seen) -> Option<UnixTime> {
    clock::date(seen).or(seen.at)
}
