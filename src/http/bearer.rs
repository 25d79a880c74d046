//! The Bearer credential of a request (RFC 6750 §2.1, RFC 9110 §11.6.2).

/// What an `Authorization` header holds, as far as this broker is concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Credential<'a> {
    /// No Bearer credential: no header, an empty one, or another scheme.
    None,
    /// What stands after `Bearer`; it may be empty or malformed.
    Bearer(&'a str),
    /// More than one credential, of which at least one is Bearer.
    Several,
}

/// Reads the joined value of all `Authorization` headers of a request.
#[must_use]
pub fn bearer(header: Option<&str>) -> Credential<'_> {
    let Some(header) = header else { return Credential::None };
    // Repeated headers arrive joined by commas; a Bearer token has none (RFC 6750 §2.1, b64token).
    let mut credentials = header.split(',').map(after_scheme);
    match (credentials.next().flatten(), credentials.next()) {
        (Some(token), None) => Credential::Bearer(token),
        (Some(_), Some(_)) => Credential::Several,
        (None, _) if header.split(',').any(|part| after_scheme(part).is_some()) => Credential::Several,
        (None, _) => Credential::None,
    }
}

/// What stands after the scheme `Bearer`, in any case.
fn after_scheme(credential: &str) -> Option<&str> {
    let credential = credential.trim_matches([' ', '\t']);
    let (scheme, token) = credential.split_once([' ', '\t']).unwrap_or((credential, ""));
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim_matches([' ', '\t']))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scheme_is_bearer_in_any_case() {
        for header in ["Bearer abc", "bearer abc", "BEARER abc", "bEaReR  abc ", "Bearer\tabc"] {
            assert_eq!(bearer(Some(header)), Credential::Bearer("abc"), "{header:?}");
        }
    }

    #[test]
    fn a_bearer_credential_without_a_token_is_a_malformed_one() {
        assert_eq!(bearer(Some("Bearer")), Credential::Bearer(""));
        assert_eq!(bearer(Some("Bearer ")), Credential::Bearer(""));
        assert_eq!(bearer(Some("Bearer a b")), Credential::Bearer("a b"));
    }

    #[test]
    fn no_header_an_empty_one_and_another_scheme_are_no_credential() {
        for header in
            [None, Some(""), Some(" "), Some("Basic YTpi"), Some("Bearerabc"), Some("Digest a=\"b\", c=\"d\""), Some("aks_abc"), Some(",")]
        {
            assert_eq!(bearer(header), Credential::None, "{header:?}");
        }
    }

    #[test]
    fn two_credentials_are_several() {
        for header in
            ["Bearer a, Bearer b", "Bearer a,Bearer a", "Basic YTpi, Bearer a", "Bearer a, Basic YTpi", "Bearer a,", "Bearer a, b"]
        {
            assert_eq!(bearer(Some(header)), Credential::Several, "{header:?}");
        }
    }
}
