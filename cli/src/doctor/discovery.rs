//! What the discovery document says (OpenID Connect Discovery §3, §4.3), held against the issuer and the key set.

use agentkeys_edge_broker::aws::{ISSUER_CHARACTERS_MAX, TAGS_CLAIM};
use serde_json::{Map, Value};

use super::outcome::{Check, Fault};
use crate::check::Alg;
use crate::http::is_loopback_http;

type Verdict = Result<&'static str, Fault>;

/// The issuer's URL as it was given: what is registered with AWS.
pub(super) fn issuer_form(url: &str) -> Check {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split('/').next().unwrap_or_default();
    let has_port = authority.rsplit_once(':').is_some_and(|(_, port)| !port.ends_with(']'));
    let verdict = if url.chars().count() > ISSUER_CHARACTERS_MAX {
        Err(Fault::fail("The issuer has more than 255 characters: IAM takes no such provider.", "Give it a shorter host or path."))
    } else if url.ends_with('/') {
        Err(Fault::warn(
            "The issuer's URL ends with a slash: byte for byte that is another issuer than the one without it.",
            "Leave the slash off everywhere: in ISSUER, in the registration and here.",
        ))
    } else if has_port {
        Err(Fault::warn("The issuer has a port: AWS says that it should have none.", "Serve it at the port of https."))
    } else {
        Ok("The issuer has the form that IAM takes.")
    };
    Check::of("issuer-form", verdict)
}

/// Where the keys are: `jwks_uri`, where it can be fetched.
pub(super) fn jwks_uri<'a>(discovery: &'a Map<String, Value>, url: &str) -> Option<&'a str> {
    let jwks_uri = discovery.get("jwks_uri").and_then(Value::as_str)?;
    // A remote issuer must not point this machine at itself.
    (jwks_uri.starts_with("https://") || (is_loopback_http(jwks_uri) && is_loopback_http(url))).then_some(jwks_uri)
}

/// What stands in the document.
pub(super) fn checks(discovery: &Map<String, Value>, url: &str) -> Vec<Check> {
    vec![
        Check::of("issuer", issuer(discovery, url)),
        Check::of("jwks-uri", jwks_uri_form(discovery, url)),
        Check::of("response-types", contains(discovery, "response_types_supported", "id_token")),
        Check::of("subject-types", contains(discovery, "subject_types_supported", "public")),
        Check::of("claims-tags", claims_tags(discovery)),
        Check::of("algorithms", algorithms(discovery)),
    ]
}

/// The names of these checks, and of those that need the key set as well.
pub(super) const IDS: [&str; 7] =
    ["issuer", "jwks-uri", "response-types", "subject-types", "claims-tags", "algorithms", "algorithms-published"];

fn issuer(discovery: &Map<String, Value>, url: &str) -> Verdict {
    let Some(issuer) = discovery.get("issuer").and_then(Value::as_str) else {
        return Err(Fault::fail("Discovery names no issuer.", "Set ISSUER to this very URL and deploy."));
    };
    let slashes = |text: &str| text.trim_end_matches('/').to_owned();
    let why = if issuer == url {
        return Ok("Discovery names this issuer, byte for byte.");
    } else if slashes(issuer) == slashes(url) {
        "Discovery's issuer and this URL differ in the slash at the end: to STS they are two issuers."
    } else if issuer.eq_ignore_ascii_case(url) {
        "Discovery's issuer and this URL differ in upper and lower case: to STS they are two issuers."
    } else {
        "Discovery names another issuer than this URL."
    };
    Err(Fault::fail(why, "Make ISSUER, the registered provider and this URL the same text, byte for byte."))
}

fn jwks_uri_form(discovery: &Map<String, Value>, url: &str) -> Verdict {
    let Some(jwks_uri) = jwks_uri(discovery, url) else {
        return Err(Fault::fail("Discovery has no jwks_uri with https.", "Name the key set's https URL in jwks_uri."));
    };
    let is_below = jwks_uri.strip_prefix(url.trim_end_matches('/')).is_some_and(|rest| rest.starts_with('/'));
    if is_below {
        return Ok("jwks_uri is below the issuer.");
    }
    Err(Fault::warn(
        "jwks_uri is not below the issuer: who controls that other place signs for this issuer.",
        "Serve the key set under the issuer's own URL.",
    ))
}

fn texts<'a>(discovery: &'a Map<String, Value>, member: &str) -> Option<Vec<&'a str>> {
    discovery.get(member)?.as_array()?.iter().map(Value::as_str).collect()
}

fn contains(discovery: &Map<String, Value>, member: &str, value: &str) -> Result<String, Fault> {
    if texts(discovery, member).is_some_and(|values| values.contains(&value)) {
        return Ok(format!("{member} has {value}."));
    }
    Err(Fault::fail(
        format!("{member} does not have {value}, which OpenID Connect Discovery asks for."),
        "Deploy the broker's own discovery document, unchanged.",
    ))
}

fn claims_tags(discovery: &Map<String, Value>) -> Verdict {
    if texts(discovery, "claims_supported").is_some_and(|claims| claims.contains(&TAGS_CLAIM)) {
        return Ok("claims_supported has https://aws.amazon.com/tags.");
    }
    Err(Fault::fail(
        "claims_supported does not have https://aws.amazon.com/tags: tokens without session tags are not isolated from each other.",
        "Deploy a broker that puts the tags claim into its tokens, and run doctor with a session to see the token itself.",
    ))
}

/// The announced algorithms that STS verifies; `None` where one is not among them.
fn announced(discovery: &Map<String, Value>) -> Option<Vec<Alg>> {
    let names = texts(discovery, "id_token_signing_alg_values_supported")?;
    let algs: Vec<Alg> = names.into_iter().map(Alg::named).collect::<Option<_>>()?;
    (!algs.is_empty()).then_some(algs)
}

fn algorithms(discovery: &Map<String, Value>) -> Verdict {
    announced(discovery).map(|_| "STS verifies every announced algorithm.").ok_or_else(|| {
        Fault::fail(
            "id_token_signing_alg_values_supported is empty, or has what STS does not verify: it takes RS256 to RS512 and ES256 to ES512.",
            "Sign with ES256 or RS256 keys alone, and announce the algorithms of the published keys.",
        )
    })
}

/// What is announced is what is published.
pub(super) fn algorithms_published(discovery: &Map<String, Value>, published: &[Alg]) -> Check {
    const ID: &str = "algorithms-published";
    let Some(announced) = announced(discovery) else { return Check::skip(ID, "The announced algorithms are not all known.") };
    let names = |algs: &mut dyn Iterator<Item = &Alg>| algs.map(|alg| alg.as_str()).collect::<Vec<_>>().join(", ");
    let without_key = names(&mut announced.iter().filter(|alg| !published.contains(alg)));
    let unannounced = names(&mut published.iter().filter(|alg| !announced.contains(alg)));
    Check::of(
        ID,
        match (without_key.is_empty(), unannounced.is_empty()) {
            (true, true) => Ok("The announced algorithms are those of the published keys."),
            (false, _) => Err(Fault::fail(
                format!("{without_key} is announced and no published key has it: a client that chooses it finds no key."),
                "Announce the algorithms of the published keys and no other; a key may have been left out of the deployment.",
            )),
            (true, false) => Err(Fault::fail(
                format!("A key for {unannounced} is published and not announced: strict clients refuse its tokens."),
                "Announce the algorithms of all published keys.",
            )),
        },
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::outcome::Outcome;
    use super::*;

    #[test]
    fn the_form_of_an_issuer_is_judged_as_iam_does() {
        for (url, result) in [
            ("https://keys.example.com", Outcome::Pass),
            ("https://keys.example.com/a/b:c", Outcome::Pass),
            ("http://[::1]", Outcome::Pass),
            ("https://keys.example.com:8443/a", Outcome::Warn),
            ("http://[::1]:80", Outcome::Warn),
            ("https://keys.example.com/", Outcome::Warn),
            (&format!("https://keys.example.com/{}", "a".repeat(255)), Outcome::Fail),
        ] {
            assert_eq!(issuer_form(url).result, result, "{url}");
        }
    }

    #[test]
    fn a_remote_issuer_cannot_point_at_this_machine() {
        let discovery = |jwks_uri: &str| json!({ "jwks_uri": jwks_uri }).as_object().cloned().unwrap();
        for (issuer, jwks_uri, is_fetched) in [
            ("https://keys.example.com", "https://keys.example.com/jwks", true),
            ("https://keys.example.com", "http://localhost/jwks", false),
            ("https://keys.example.com", "file:///etc/passwd", false),
            ("http://localhost:1", "http://localhost:1/jwks", true),
            ("http://localhost:1", "http://keys.example.com/jwks", false),
        ] {
            assert_eq!(super::jwks_uri(&discovery(jwks_uri), issuer).is_some(), is_fetched, "{issuer} {jwks_uri}");
        }
    }
}
