//! The issuer URL (OpenID Connect Discovery §3, IAM: `API_CreateOpenIDConnectProvider`).

use core::fmt;

use crate::aws::ISSUER_CHARACTERS_MAX;

/// The configured issuer: `https://host[:port][/path]`, compared byte for byte by every relying party.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issuer {
    url: String,
    host: core::ops::Range<usize>,
}

const RULE: &str = "is an https URL (http for localhost, 127.0.0.1 and [::1] only) of at most 255 characters: a lower-case host name, \
                    a port other than the scheme's own and a path if wanted, no user, query, fragment, empty or dot segment, \
                    and no trailing slash";

impl Issuer {
    pub(super) fn parse(text: &str) -> Result<Self, &'static str> {
        let (scheme, rest) = text.split_once(':').ok_or(RULE)?;
        let rest = rest.strip_prefix("//").ok_or(RULE)?;
        let (authority, path) = rest.split_once('/').map_or((rest, None), |(authority, path)| (authority, Some(path)));
        let (host, port) = host_and_port(authority).ok_or(RULE)?;
        let scheme_fits = scheme == "https" || (scheme == "http" && matches!(host, "localhost" | "127.0.0.1" | "[::1]"));
        // A URL parser drops the scheme's own port, and a relying party then compares something else.
        let port_fits = !matches!((scheme, port), ("https", Some(443)) | ("http", Some(80)));
        let path_fits = path.is_none_or(|path| path.split('/').all(is_segment));
        if text.len() <= ISSUER_CHARACTERS_MAX && scheme_fits && port_fits && path_fits {
            let start = scheme.len().saturating_add("://".len());
            Ok(Self { url: text.to_owned(), host: start..start.saturating_add(authority.len()) })
        } else {
            Err(RULE)
        }
    }

    /// The URL, as it stands in `iss`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.url
    }

    /// `https`, or `http` on a loopback host.
    #[must_use]
    pub fn scheme(&self) -> &str {
        self.url.split(':').next().unwrap_or_default()
    }

    /// Host, and port where there is one.
    #[must_use]
    pub fn authority(&self) -> &str {
        self.url.get(self.host.clone()).unwrap_or_default()
    }

    /// The path under which every route lies: empty, or `/a/b`.
    #[must_use]
    pub fn path(&self) -> &str {
        self.url.get(self.host.end..).unwrap_or_default()
    }

    /// The URL of a route, `path` starting with a slash.
    #[must_use]
    pub fn url_of(&self, path: &str) -> String {
        format!("{}{path}", self.url)
    }
}

impl fmt::Display for Issuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.url)
    }
}

/// Host and port of `host[:port]`, where both are well formed.
fn host_and_port(authority: &str) -> Option<(&str, Option<u16>)> {
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
        _ => (authority, None),
    };
    let port = match port {
        Some(digits) if digits.starts_with('0') || !digits.bytes().all(|byte| byte.is_ascii_digit()) => return None,
        Some(digits) => Some(digits.parse().ok()?),
        None => None,
    };
    (matches!(host, "127.0.0.1" | "[::1]") || is_name(host)).then_some((host, port))
}

/// A host name in lower case. A last label that starts with a digit is no top-level domain but a number, which a URL parser
/// rewrites to an IP address.
fn is_name(host: &str) -> bool {
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let last_starts_with_a_digit = host.rsplit('.').next().is_some_and(|label| label.starts_with(|first: char| first.is_ascii_digit()));
    host.split('.').all(is_label) && !last_starts_with_a_digit
}

/// A path segment that no URL parser rewrites: unreserved characters (RFC 3986 §2.3), not a dot segment.
fn is_segment(segment: &str) -> bool {
    let unreserved = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~');
    !segment.is_empty() && segment != "." && segment != ".." && segment.bytes().all(unreserved)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_issuer_is_host_and_path() {
        for (url, authority, path) in [
            ("https://keys.example.com", "keys.example.com", ""),
            ("https://keys.example.com/a/b", "keys.example.com", "/a/b"),
            ("https://localhost:8787", "localhost:8787", ""),
            ("https://keys.example.com:80", "keys.example.com:80", ""),
            ("https://7.keys.example.com", "7.keys.example.com", ""),
            ("http://localhost:8787/x", "localhost:8787", "/x"),
            ("http://127.0.0.1", "127.0.0.1", ""),
            ("http://[::1]:8787", "[::1]:8787", ""),
        ] {
            let issuer = Issuer::parse(url).unwrap();
            assert_eq!((issuer.as_str(), issuer.authority(), issuer.path()), (url, authority, path));
            assert_eq!(issuer.scheme(), if url.starts_with("https") { "https" } else { "http" });
            assert_eq!(issuer.url_of("/healthz"), format!("{url}/healthz"));
        }
    }

    #[test]
    fn an_issuer_that_a_relying_party_might_read_otherwise_is_refused() {
        for url in [
            "",
            "keys.example.com",
            "http://keys.example.com",
            "http://localhost.example.com",
            "ftp://localhost",
            "HTTPS://keys.example.com",
            "https:keys.example.com",
            "https:/keys.example.com",
            "://keys.example.com",
            "a:https://keys.example.com",
            "https://",
            "https:///a",
            "https://Keys.example.com",
            "https://keys.example.com/",
            "https://keys.example.com/a/",
            "https://keys.example.com//a",
            "https://keys.example.com/./a",
            "https://keys.example.com/../a",
            "https://keys.example.com/a?b",
            "https://keys.example.com#a",
            "https://keys.example.com/a%2fb",
            "https://user@keys.example.com",
            "https://user:secret@keys.example.com",
            "https://keys.example.com:0443",
            "https://keys.example.com:99999",
            "https://keys.example.com:",
            "https://keys.example.com:443",
            "https://keys.example.com:+8443",
            "http://localhost:80",
            "https://127.1",
            "https://0x7f.0.0.1",
            "https://10.0.0.010",
            "https://2130706433",
            "https://[::2]",
            "https://keys..example.com",
            "https://-keys.example.com",
            "https://keys_a.example.com",
            " https://keys.example.com",
            "https://keys.example.com\n",
            "https://kéys.example.com",
            &format!("https://keys.example.com/{}", "a".repeat(255)),
        ] {
            assert_eq!(Issuer::parse(url), Err(RULE), "{url:?}");
        }
    }
}
