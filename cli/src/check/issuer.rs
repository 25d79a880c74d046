//! `iss`: the issuer as it is registered with IAM, byte for byte.

use agentkeys_edge_broker::aws::ISSUER_CHARACTERS_MAX;

use crate::loopback::is_loopback_http;

use super::json::Json;
use super::rule::{Basis, Finding, Rule};

const FORM: Rule = Rule::new(
    "issuer-form",
    Basis::Doc,
    "An issuer is an https URL of at most 255 characters, without query and fragment: IAM registers no other.",
    "Serve the issuer under such a URL, register it with IAM, and put the same text into iss.",
);

const REGISTERED: Rule = Rule::new(
    "issuer-not-registered",
    Basis::Doc,
    "iss equals the URL of the registered IAM OIDC provider byte for byte.",
    "Make iss and the registered URL the same text: scheme, case, port, path and trailing slash.",
);

/// The issuer's URL: one that IAM could have registered. A loopback one over http is let through, for development.
pub(crate) fn url(iss: &Json) -> Result<&str, Finding> {
    let Some(url) = iss.as_str() else { return Err(FORM.broken().because(format!("iss is {}.", iss.kind()))) };
    registrable(url).map(|()| url)
}

fn registrable(url: &str) -> Result<(), Finding> {
    let host_and_path = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://").filter(|_| is_loopback_http(url)));
    let because = if host_and_path.is_none() {
        "It does not start with https://."
    } else if host_and_path.is_some_and(|rest| rest.is_empty() || rest.starts_with('/')) {
        "It has no host."
    } else if url.chars().count() > ISSUER_CHARACTERS_MAX {
        "It is longer than 255 characters."
    } else if url.contains(['?', '#']) {
        "It has a query or a fragment."
    } else {
        return Ok(());
    };
    Err(FORM.broken().because(because))
}

/// Whether the URL names a port, which a registered one should not.
pub(crate) fn has_port(url: &str) -> bool {
    let authority = url.split_once("://").map_or(url, |(_, rest)| rest).split('/').next().unwrap_or_default();
    authority.rsplit_once(':').is_some_and(|(_, port)| !port.ends_with(']'))
}

/// Whether `iss` is the registered issuer.
pub(crate) fn registered(iss: &str, registered: &str) -> Result<(), Finding> {
    if iss == registered {
        return Ok(());
    }
    let because = if iss.trim_end_matches('/') == registered.trim_end_matches('/') {
        "The two differ in a trailing slash."
    } else if iss.eq_ignore_ascii_case(registered) {
        "The two differ in case."
    } else {
        "The two differ."
    };
    Err(REGISTERED.broken().said_to_say(format!("No OpenIDConnect provider found in your account for {iss}")).because(because))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_issuer_is_a_url_that_iam_registers() {
        for good in [
            "https://keys.example.com",
            "https://keys.example.com/",
            "https://keys.example.com/a/b",
            "https://keys.example.com:8443",
            "http://localhost:8787",
            "http://127.0.0.1/a",
            "http://[::1]:8787",
            &format!("https://{}", "a".repeat(247)),
        ] {
            assert_eq!(url(&Json::String(good.to_owned())), Ok(good), "{good}");
        }
        for bad in [
            "",
            "keys.example.com",
            "http://keys.example.com",
            "http://localhost.example.com",
            "http://localhost@keys.example.com",
            "HTTPS://keys.example.com",
            "https://",
            "https:///a",
            "https://keys.example.com?a",
            "https://keys.example.com#a",
            &format!("https://{}", "a".repeat(248)),
        ] {
            assert_eq!(url(&Json::String(bad.to_owned())).unwrap_err().rule, &FORM, "{bad}");
        }
        for bad in [Json::Null, Json::Integer(1), Json::Array(vec![Json::String("https://keys.example.com".to_owned())])] {
            assert_eq!(url(&bad).unwrap_err().rule, &FORM, "{bad:?}");
        }
    }

    #[test]
    fn an_issuer_is_registered_byte_for_byte() {
        assert_eq!(registered("https://keys.example.com/a", "https://keys.example.com/a"), Ok(()));
        for (iss, because) in [
            ("https://keys.example.com/a/", "The two differ in a trailing slash."),
            ("https://keys.example.com/A", "The two differ in case."),
            ("https://Keys.example.com/a", "The two differ in case."),
            ("https://keys.example.com", "The two differ."),
            ("https://keys.example.com:443/a", "The two differ."),
        ] {
            let finding = registered(iss, "https://keys.example.com/a").unwrap_err();
            assert_eq!((finding.rule, finding.detail.as_deref()), (&REGISTERED, Some(because)), "{iss}");
        }
    }

    #[test]
    fn a_port_is_seen() {
        for (url, has) in [
            ("https://keys.example.com", false),
            ("https://keys.example.com/a:1", false),
            ("https://keys.example.com:443", true),
            ("http://[::1]", false),
            ("http://[::1]:8787/a", true),
        ] {
            assert_eq!(has_port(url), has, "{url}");
        }
    }
}
