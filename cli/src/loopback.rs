//! Which URLs are of this very machine: over http these alone are taken, for development.

/// An http URL of this very machine.
pub(crate) fn is_loopback_http(url: &str) -> bool {
    let authority = url.strip_prefix("http://").map(|rest| rest.split(['/', '?', '#']).next().unwrap_or_default());
    let host = authority.map(|authority| match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        _ => authority,
    });
    matches!(host, Some("localhost" | "127.0.0.1" | "[::1]"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_of_this_machine_is_one_by_its_host() {
        for good in ["http://localhost", "http://localhost:8787/a", "http://127.0.0.1:1/", "http://[::1]:80/a:b", "http://[::1]"] {
            assert!(is_loopback_http(good), "{good}");
        }
        for bad in [
            "https://localhost",
            "http://localhost.example.com",
            "http://localhost@example.com/",
            "http://localhost:80@example.com/",
            "http://127.0.0.1.example.com",
            "http://example.com/localhost",
            "http://example.com#localhost",
            "localhost",
            "",
        ] {
            assert!(!is_loopback_http(bad), "{bad}");
        }
    }
}
