//! The rate limits: what is counted, and under which key.
//!
//! The figures are bindings in `wrangler.toml`, so that an operator changes them without a build. They hold per Cloudflare
//! location and roughly, which is what Workers' rate limits are: a brake, no boundary. Isolation never rests on one. So a
//! limit that does not answer lets the request go on, and its event says so.
//!
//! | limit | counts | key |
//! |---|---|---|
//! | [`Limit::Mint`] | tokens asked for | the session's hash |
//! | [`Limit::Refused`] | credentials that are not a live session | the client's network |
//! | [`Limit::SigninClient`] | starts; verifies | the client's network |
//! | [`Limit::SigninWallet`] | starts that name a wallet; sign-ins by it | the wallet |
//!
//! Starts and verifies are counted apart. A wallet's sign-ins are counted once it has proven itself, so that nobody else
//! can use them up.

use core::fmt;
use core::net::IpAddr;

/// The seconds a limit is counted over, and so what `Retry-After` says.
pub const PERIOD_SECONDS: &str = "60";

/// A rate limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Limit {
    /// Tokens of one session.
    Mint,
    /// Refused credentials of one client.
    Refused,
    /// Sign-in requests of one client.
    SigninClient,
    /// Sign-in requests for one wallet.
    SigninWallet,
}

impl Limit {
    /// Every limit.
    pub const ALL: [Self; 4] = [Self::Mint, Self::Refused, Self::SigninClient, Self::SigninWallet];

    /// The name of its binding.
    #[must_use]
    pub fn binding(self) -> &'static str {
        match self {
            Self::Mint => "MINT_LIMIT",
            Self::Refused => "REFUSED_LIMIT",
            Self::SigninClient => "SIGNIN_CLIENT_LIMIT",
            Self::SigninWallet => "SIGNIN_WALLET_LIMIT",
        }
    }
}

/// Who is counted where nobody is known yet: the network that a request came from.
///
/// An IPv6 address counts as its /64, which is what one customer has: whoever has one address of it has them all. What is
/// no address, or is not there, shares one count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Client(String);

impl Client {
    /// The client of a `CF-Connecting-IP` header, which Cloudflare sets and no client can.
    #[must_use]
    pub fn of(header: Option<&str>) -> Self {
        let address = header.and_then(|text| text.trim().parse::<IpAddr>().ok()).map(|address| address.to_canonical());
        Self(match address {
            Some(IpAddr::V4(address)) => address.to_string(),
            Some(IpAddr::V6(address)) => {
                let [a, b, c, d, ..] = address.segments();
                format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
            }
            None => "unknown".to_owned(),
        })
    }
}

impl fmt::Display for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ipv4_address_counts_for_itself_and_an_ipv6_address_for_its_network() {
        for (header, key) in [
            ("192.0.2.7", "192.0.2.7"),
            (" 192.0.2.7 ", "192.0.2.7"),
            ("::ffff:192.0.2.7", "192.0.2.7"),
            ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
            ("2001:db8:1:2::", "2001:db8:1:2::/64"),
            ("2001:0DB8:0001:0002:ffff::1", "2001:db8:1:2::/64"),
            ("::1", "0:0:0:0::/64"),
        ] {
            assert_eq!(Client::of(Some(header)).to_string(), key, "{header}");
        }
        assert_ne!(Client::of(Some("2001:db8:1:2::1")), Client::of(Some("2001:db8:1:3::1")));
    }

    #[test]
    fn what_is_no_address_shares_one_count() {
        for header in [None, Some(""), Some("x"), Some("192.0.2.7, 192.0.2.8"), Some("192.0.2"), Some("[::1]"), Some("192.0.2.7:80")] {
            assert_eq!(Client::of(header), Client("unknown".to_owned()), "{header:?}");
        }
    }

    #[test]
    fn every_limit_has_a_binding_of_its_own() {
        for limit in Limit::ALL {
            assert_eq!(Limit::ALL.iter().filter(|other| other.binding() == limit.binding()).count(), 1);
        }
    }
}
