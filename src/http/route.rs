//! The routes: path to route, route to methods.

use super::Method;
use crate::error::Refusal;

/// What a request is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Route {
    /// `/.well-known/openid-configuration`
    Discovery,
    /// `/.well-known/jwks.json`
    Jwks,
    /// `/v1/mint-oidc-jwt`
    Mint,
    /// `/v1/token`
    Token,
    /// `/v1/auth/wallet/start`
    SigninStart,
    /// `/v1/auth/wallet/verify`
    SigninVerify,
    /// `/v1/session`
    Session,
    /// `/healthz`
    Health,
    /// `/readyz`
    Ready,
}

impl Route {
    /// Every route with its path below the issuer's own.
    pub const ALL: [(Self, &'static str); 9] = [
        (Self::Mint, "/v1/mint-oidc-jwt"),
        (Self::Jwks, "/.well-known/jwks.json"),
        (Self::Discovery, "/.well-known/openid-configuration"),
        (Self::Token, "/v1/token"),
        (Self::Session, "/v1/session"),
        (Self::SigninStart, "/v1/auth/wallet/start"),
        (Self::SigninVerify, "/v1/auth/wallet/verify"),
        (Self::Health, "/healthz"),
        (Self::Ready, "/readyz"),
    ];

    /// The route's path below the issuer's own.
    #[must_use]
    pub fn path(self) -> &'static str {
        Self::ALL.iter().find(|(route, _)| *route == self).map_or("", |(_, path)| path)
    }

    /// The methods the route answers.
    #[must_use]
    pub fn methods(self) -> &'static [Method] {
        match self {
            Self::Discovery | Self::Jwks => &[Method::Get, Method::Head, Method::Options],
            Self::Mint | Self::Token | Self::SigninStart | Self::SigninVerify => &[Method::Post],
            Self::Session => &[Method::Get, Method::Delete],
            Self::Health | Self::Ready => &[Method::Get, Method::Head],
        }
    }

    /// The route of a path, compared byte for byte below `base`, which is empty or `/a/b`.
    #[must_use]
    pub fn find(base: &str, path: &str) -> Option<Self> {
        let below = path.strip_prefix(base)?;
        Self::ALL.iter().find(|(_, known)| *known == below).map(|(route, _)| *route)
    }

    /// The route of a request.
    ///
    /// # Errors
    /// [`Refusal::NotFound`] and [`Refusal::MethodNotAllowed`].
    pub fn of(base: &str, path: &str, method: Method) -> Result<Self, Refusal> {
        let route = Self::find(base, path).ok_or(Refusal::NotFound)?;
        if route.methods().contains(&method) { Ok(route) } else { Err(Refusal::MethodNotAllowed(route.methods())) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_route_is_found_under_the_issuer_s_path_and_nowhere_else() {
        for (route, path) in Route::ALL {
            assert_eq!(route.path(), path);
            assert_eq!(Route::find("", path), Some(route));
            assert_eq!(Route::find("/a/b", &format!("/a/b{path}")), Some(route));
            assert_eq!(Route::find("/a/b", path), None);
            assert_eq!(Route::find("", &format!("/a/b{path}")), None);
        }
    }

    #[test]
    fn other_spellings_of_a_path_are_not_found() {
        for path in [
            "",
            "/",
            "/v1/mint-oidc-jwt/",
            "//v1/mint-oidc-jwt",
            "/V1/mint-oidc-jwt",
            "/v1%2fmint-oidc-jwt",
            "/v1/mint-oidc-jwt;x",
            "/v1",
            "/healthz.json",
        ] {
            assert_eq!(Route::of("", path, Method::Get), Err(Refusal::NotFound), "{path}");
        }
    }

    #[test]
    fn a_method_that_a_route_does_not_have_is_refused_with_the_ones_it_has() {
        assert_eq!(Route::of("", "/v1/mint-oidc-jwt", Method::Get), Err(Refusal::MethodNotAllowed(&[Method::Post])));
        assert_eq!(Route::of("", "/v1/session", Method::Other), Err(Refusal::MethodNotAllowed(&[Method::Get, Method::Delete])));
        assert_eq!(Route::of("", "/v1/session", Method::Delete), Ok(Route::Session));
    }

    #[test]
    fn methods_are_case_sensitive() {
        assert_eq!(Method::from("POST"), Method::Post);
        assert_eq!(Method::from("post"), Method::Other);
        assert_eq!(Method::from("PATCH"), Method::Other);
    }
}
