//! The broker, asked over HTTP: `POST {issuer}/v1/mint-oidc-jwt`, the session token in exchange for a web identity token, and
//! what holds for its other routes.
//!
//! What may pass is tried again: 429, 5xx, no answer. What will not is said at once. The words are this file's own, never
//! the server's.

use core::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use agentkeys_edge_broker::aws::{Audience, TOKEN_CHARACTERS};
use agentkeys_edge_broker::session::SessionToken;
use agentkeys_edge_broker::time::UnixTime;
use agentkeys_edge_broker::wallet::Wallet;
use clap::Args;
use serde::{Deserialize, Serialize};

use crate::address::wallet_argument;
use crate::error::Error;
use crate::http::{self, Answer, Client, HttpError};
use crate::retry::Patience;
use crate::session_token::{self, Named, Source};

/// New tries start within this time.
const PATIENCE: Duration = Duration::from_secs(10);

/// Where the broker is, and whose session it is.
#[derive(Args)]
#[allow(clippy::doc_markdown, reason = "these are help texts")]
pub(crate) struct BrokerArgs {
    /// The issuer: the URL of the broker.
    #[arg(long, value_name = "URL", env = "EDGE_BROKER_ISSUER")]
    pub(crate) issuer: String,
    /// A file with the session token; - for stdin [env: EDGE_BROKER_SESSION_TOKEN_FILE]. Without it:
    /// EDGE_BROKER_SESSION_TOKEN, then the last login at this issuer.
    #[arg(long, value_name = "FILE")]
    session_token_file: Option<PathBuf>,
    /// The wallet whose login is meant, where several have logged in.
    #[arg(long, value_name = "WALLET", value_parser = wallet_argument, conflicts_with = "session_token_file")]
    wallet: Option<Wallet>,
}

impl BrokerArgs {
    /// Where the session token is.
    pub(crate) fn source(&self) -> Result<Source, Error> {
        own_session(Some(&self.issuer), self.session_token_file.as_deref(), self.wallet.as_ref()).source()
    }
}

/// What a command line says about the agent's own session, by the options that every command has for it.
pub(crate) fn own_session<'a>(issuer: Option<&'a str>, file: Option<&'a Path>, wallet: Option<&'a Wallet>) -> Named<'a> {
    Named {
        file,
        file_option: "--session-token-file",
        file_variable: Some(session_token::FILE_VARIABLE),
        variable: session_token::VARIABLE,
        issuer,
        wallet,
        wallet_option: "--wallet",
        or_the_last_login: true,
    }
}

/// What is asked for; what is absent is the session's default.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Request<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) audience: Option<&'a Audience>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) ttl_seconds: Option<u64>,
}

/// A web identity token. `Debug` does not show it.
#[derive(Clone, Deserialize)]
pub(crate) struct WebIdentity {
    pub(crate) jwt: String,
    pub(crate) wallet: Wallet,
    pub(crate) expiration: UnixTime,
}

impl fmt::Debug for WebIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebIdentity").field("wallet", &self.wallet).field("expiration", &self.expiration).finish_non_exhaustive()
    }
}

/// Why the broker has not done what it was asked to.
#[derive(Debug)]
pub(crate) struct Refusal {
    /// Whether the same request may be answered another time.
    pub(crate) may_pass: bool,
    /// The seconds after which the broker wants to be asked again.
    retry_after: Option<u64>,
    pub(crate) error: Error,
}

impl Refusal {
    /// One that will last.
    pub(crate) fn lasting(error: Error) -> Self {
        Self { may_pass: false, retry_after: None, error }
    }

    /// One that may pass.
    pub(crate) fn passing(error: Error, retry_after: Option<u64>) -> Self {
        Self { may_pass: true, retry_after, error }
    }
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        refusal.error
    }
}

/// Tries again for some seconds where that may help.
pub(crate) fn patiently<T>(mut attempt: impl FnMut() -> Result<T, Refusal>) -> Result<T, Refusal> {
    let mut patience = Patience::of(PATIENCE);
    loop {
        match attempt() {
            Err(refusal) if refusal.may_pass && patience.pause(refusal.retry_after) => {}
            done => return done,
        }
    }
}

/// A broker.
pub(crate) struct Broker<'a> {
    client: &'a Client,
    mint_url: String,
}

impl<'a> Broker<'a> {
    /// The broker of this issuer.
    ///
    /// # Errors
    /// Where a session token must not be sent there.
    pub(crate) fn new(client: &'a Client, issuer: &str) -> Result<Self, Error> {
        if !issuer.starts_with("https://") && !http::is_loopback_http(issuer) {
            return Err(Error::input("--issuer is the https URL of the broker (http is for loopback hosts only)"));
        }
        if issuer.contains(['?', '#']) || issuer.chars().any(|c| c.is_whitespace() || c.is_control()) {
            return Err(Error::input("--issuer is a URL without query, fragment and blanks: the broker's ISSUER"));
        }
        Ok(Self { client, mint_url: format!("{}/v1/mint-oidc-jwt", issuer.trim_end_matches('/')) })
    }

    /// Exchanges the session token, again and again for some seconds where that may help.
    pub(crate) fn mint(&self, session: &SessionToken, request: &Request<'_>) -> Result<WebIdentity, Refusal> {
        let body = serde_json::to_string(request).map_err(|_| Refusal::lasting(Error::input("the request cannot be written as JSON")))?;
        patiently(|| match self.client.post(&self.mint_url, Some(session.expose()), &body) {
            Ok(answer) if answer.status == 200 => read(&answer.body),
            Ok(answer) => Err(explain_mint(&answer)),
            Err(error) => Err(explain(&error)),
        })
    }
}

fn read(body: &[u8]) -> Result<WebIdentity, Refusal> {
    let minted: Option<WebIdentity> = serde_json::from_slice(body).ok();
    let is_jwt = |minted: &WebIdentity| {
        let characters = minted.jwt.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'));
        characters && TOKEN_CHARACTERS.contains(&minted.jwt.len())
    };
    minted.filter(is_jwt).ok_or_else(|| {
        Refusal::lasting(Error::outside("the issuer answered with something else than a token: is --issuer an edge broker?"))
    })
}

fn explain_mint(answer: &Answer) -> Refusal {
    match answer.status {
        400 => Refusal::lasting(Error::input(
            "the broker refuses the request (400): ask for a lifetime within the session's limit, and for an audience that the broker knows",
        )),
        401 => Refusal::lasting(Error::absent(
            "the broker sees no such session (401): it has expired, was revoked, is of another environment, or is so new that the edge \
             does not see it yet (about a minute). edge-broker login or edge-broker session issue makes another; edge-broker session show \
             tells what is stored",
        )),
        403 => Refusal::lasting(Error::input("the session does not allow this audience (403): name one that it was issued for")),
        _ => explain_status(answer),
    }
}

/// What a status means on every route that has no words of its own for it.
pub(crate) fn explain_status(answer: &Answer) -> Refusal {
    let (status, retry_after) = (answer.status, answer.retry_after);
    let again = retry_after.map_or_else(|| "try again later".to_owned(), |seconds| format!("try again in {seconds} s"));
    let passing = |error| Refusal::passing(error, retry_after);
    match status {
        429 => passing(Error::outside(format!("the broker limits the rate of requests (429): {again}"))),
        500..=599 => {
            passing(Error::outside(format!("the broker is not able to answer ({status}): {again}; its /readyz says what is wrong")))
        }
        300..=399 => Refusal::lasting(Error::outside(format!(
            "the issuer answered with a redirect ({status}): name the broker's own URL with --issuer"
        ))),
        _ => Refusal::lasting(Error::outside(format!("the issuer answered with status {status}: is --issuer an edge broker?"))),
    }
}

/// What no answer means.
pub(crate) fn explain(error: &HttpError) -> Refusal {
    let said = Error::outside(format!("the issuer {error}"));
    let may_pass = matches!(error, HttpError::Timeout | HttpError::Connection | HttpError::NotHttp);
    if may_pass { Refusal::passing(said, None) } else { Refusal::lasting(said) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_pass_is_tried_again_and_nothing_else() {
        for (status, may_pass, code) in [
            (400, false, 64),
            (401, false, 66),
            (403, false, 64),
            (404, false, 69),
            (405, false, 69),
            (413, false, 69),
            (415, false, 69),
            (302, false, 69),
            (204, false, 69),
            (429, true, 69),
            (500, true, 69),
            (502, true, 69),
            (503, true, 69),
            (599, true, 69),
        ] {
            let refusal = explain_mint(&Answer { status, retry_after: Some(7), body: Vec::new() });
            assert_eq!((refusal.may_pass, refusal.error.code()), (may_pass, code), "{status}");
            assert_eq!(refusal.error.to_string().contains("in 7 s"), may_pass, "{status}");
        }
        for error in [HttpError::Timeout, HttpError::Connection, HttpError::NotHttp] {
            assert!(explain(&error).may_pass, "{error}");
        }
        for error in [HttpError::Tls, HttpError::Host, HttpError::Url, HttpError::NotHttps, HttpError::TooLarge, HttpError::Proxy] {
            assert!(!explain(&error).may_pass, "{error}");
        }
    }

    #[test]
    fn an_answer_is_a_token_or_no_answer() {
        let good = r#"{"jwt":"aa.bb.cc","wallet":"0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed","expiration":1795470116,"more":1}"#;
        assert_eq!(read(good.as_bytes()).unwrap().jwt, "aa.bb.cc");
        assert!(!format!("{:?}", read(good.as_bytes()).unwrap()).contains("aa.bb.cc"));
        for bad in [
            String::new(),
            "<html>".to_owned(),
            "{}".to_owned(),
            good.replace("aa.bb.cc", "a"),
            good.replace("aa.bb.cc", "a b c d"),
            good.replace("aa.bb.cc", &"a".repeat(20_001)),
            good.replace("0x5", "0X5"),
            good.replace("1795470116", "-1"),
            good.replace("1795470116", "\"2026-01-01T00:00:00Z\""),
        ] {
            assert_eq!(read(bad.as_bytes()).unwrap_err().error.code(), 69, "{bad}");
        }
    }

    #[test]
    fn a_session_token_goes_nowhere_in_the_clear() {
        let client = Client::new(None).unwrap();
        for good in ["https://keys.example.com", "https://keys.example.com/broker/", "http://localhost:8787", "http://127.0.0.1:1"] {
            assert!(Broker::new(&client, good).is_ok_and(|broker| broker.mint_url.ends_with("/v1/mint-oidc-jwt")), "{good}");
        }
        for bad in
            ["", "keys.example.com", "http://keys.example.com", "https://keys.example.com?a", "https://keys.example.com#a", "https://a b"]
        {
            assert!(Broker::new(&client, bad).is_err(), "{bad}");
        }
    }
}
