//! The two requests of a sign-in: `POST /v1/auth/wallet/start` and `/v1/auth/wallet/verify`.
//!
//! A challenge is consumed by its first verify, so whatever may pass is tried again from the start.

use agentkeys_edge_broker::config::{Issuer, SESSION_TTL_SECONDS};
use agentkeys_edge_broker::session::SessionToken;
use agentkeys_edge_broker::signin::{ChainId, RequestId};
use agentkeys_edge_broker::time::UnixTime;
use agentkeys_edge_broker::wallet::Wallet;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::key::WalletKey;
use super::message::{Expected, check};
use crate::address::checksummed;
use crate::broker_client::{Refusal, explain, explain_status, patiently};
use crate::clock::now;
use crate::error::Error;
use crate::http::{Answer, Client};
use crate::stored_login::StoredLogin;

/// The digits of a nonce.
const NONCE_LENGTH: usize = 32;
/// How far the broker's clock may be ahead of this machine's, in seconds.
const CLOCKS_APART_MAX: u64 = 300;

/// The answer of `start`, as far as it is used; members that are not known are ignored.
#[derive(Deserialize)]
struct Started {
    request_id: String,
    siwe_message: String,
    nonce: String,
}

/// The answer of `verify`, as far as it is used. It is read once and dropped.
#[derive(Deserialize)]
struct SignedIn {
    session_token: String,
    expires_at: UnixTime,
    omni_account: String,
    wallet_address: Wallet,
}

/// Signs in, and tries again for some seconds where that may help.
pub(super) fn sign_in(client: &Client, issuer: &Issuer, key: &WalletKey, chain_id: ChainId) -> Result<StoredLogin, Error> {
    Ok(patiently(|| attempt(client, issuer, key, chain_id))?)
}

fn attempt(client: &Client, issuer: &Issuer, key: &WalletKey, chain_id: ChainId) -> Result<StoredLogin, Refusal> {
    // 1. what to sign
    let request = json!({ "address": checksummed(key.wallet()), "chain_id": chain_id });
    let answer = post(client, &issuer.url_of("/v1/auth/wallet/start"), &request, |answer| explain_start(answer, chain_id))?;
    let (request_id, started) = read_started(&answer).ok_or_else(|| foreign("what to sign"))?;
    // 2. is a sign-in of this wallet, here and now
    let at = now().map_err(Refusal::lasting)?;
    let expected = Expected { issuer, wallet: key.wallet(), chain_id, nonce: &started.nonce };
    check(&started.siwe_message, expected, at).map_err(|unsignable| {
        Refusal::lasting(Error::outside(format!(
            "nothing was signed: what the broker asks to sign is no sign-in of this wallet at this issuer: {}",
            unsignable.reason()
        )))
    })?;
    // 3. the signature, for a session
    let request = json!({ "request_id": request_id.as_str(), "signature": key.sign(&started.siwe_message).map_err(Refusal::lasting)? });
    let answer = post(client, &issuer.url_of("/v1/auth/wallet/verify"), &request, |answer| explain_verify(answer, key.wallet()))?;
    read_signed_in(&answer, issuer, key.wallet(), at).ok_or_else(|| foreign("a session of this wallet"))
}

fn post(client: &Client, url: &str, body: &impl Serialize, explain_refusal: impl FnOnce(&Answer) -> Refusal) -> Result<Vec<u8>, Refusal> {
    let body = serde_json::to_string(body).map_err(|_| Refusal::lasting(Error::input("the request cannot be written as JSON")))?;
    match client.post(url, None, &body) {
        Ok(answer) if answer.status == 200 => Ok(answer.body),
        Ok(answer) => Err(explain_refusal(&answer)),
        Err(error) => Err(explain(&error)),
    }
}

/// The name and the nonce go into what is sent and signed, so they have to be what they are called.
fn read_started(body: &[u8]) -> Option<(RequestId, Started)> {
    let started: Started = serde_json::from_slice(body).ok()?;
    let is_nonce = started.nonce.len() == NONCE_LENGTH && started.nonce.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    Some((started.request_id.parse().ok()?, started)).filter(|_| is_nonce)
}

/// The session, if it is one of this wallet, and live.
fn read_signed_in(body: &[u8], issuer: &Issuer, wallet: &Wallet, now: UnixTime) -> Option<StoredLogin> {
    let SignedIn { session_token, expires_at, omni_account, wallet_address } = serde_json::from_slice(body).ok()?;
    let token: SessionToken = session_token.parse().ok()?;
    let is_ours = wallet_address == *wallet && omni_account == wallet.actor_omni();
    let is_live = (1..=SESSION_TTL_SECONDS.end().saturating_add(CLOCKS_APART_MAX)).contains(&expires_at.since(now));
    (is_ours && is_live).then(|| StoredLogin {
        issuer: issuer.as_str().to_owned(),
        wallet: wallet_address,
        token,
        signed_in_at: now,
        expires_at,
    })
}

fn foreign(what: &str) -> Refusal {
    Refusal::lasting(Error::outside(format!("the issuer answered with something else than {what}: is --issuer an edge broker?")))
}

fn explain_start(answer: &Answer, chain_id: ChainId) -> Refusal {
    match answer.status {
        400 => Refusal::lasting(Error::input(format!(
            "the broker refuses to let this wallet sign in on chain {chain_id} (400): name a chain that it takes with --chain-id (its SIGNIN_CHAINS)"
        ))),
        401 | 403 => Refusal::lasting(Error::outside(format!(
            "the issuer lets nobody ask for a sign-in ({}): what answers is not the broker but something in front of it; name the broker's own URL with --issuer",
            answer.status
        ))),
        404 | 405 => Refusal::lasting(Error::outside(format!(
            "the issuer has no sign-in ({}): is --issuer an edge broker, with the path of its ISSUER?",
            answer.status
        ))),
        429 => Refusal::passing(limited(answer), answer.retry_after),
        _ => explain_status(answer),
    }
}

fn explain_verify(answer: &Answer, wallet: &Wallet) -> Refusal {
    match answer.status {
        401 => Refusal::lasting(Error::outside(
            "the broker does not take the signature (401): what it asked to sign has expired or was answered already. Log in again; \
             if that does not help, --issuer is not the broker that asked",
        )),
        403 => Refusal::lasting(Error::outside(format!(
            "the wallet is not on the broker's list of those that may sign in (403). Its operator adds it with edge-broker allow add {}; \
             it may take a minute to be seen",
            checksummed(wallet)
        ))),
        429 => Refusal::passing(limited(answer), answer.retry_after),
        _ => explain_status(answer),
    }
}

fn limited(answer: &Answer) -> Error {
    let again = answer.retry_after.map_or_else(|| "later".to_owned(), |seconds| format!("in {seconds} s"));
    Error::outside(format!(
        "the broker limits how often a wallet, or an address, signs in (429): try again {again}, and keep the session for as long as it lives"
    ))
}

#[cfg(test)]
mod tests {
    use agentkeys_edge_broker::config::Config;

    use super::*;

    const WALLET: &str = "0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed";

    fn at(seconds: u64) -> UnixTime {
        UnixTime::try_from(seconds).unwrap()
    }

    #[test]
    fn a_start_is_a_name_a_nonce_and_a_message() {
        let good = format!(
            r#"{{"request_id":"siwe-{0}","nonce":"{0}","siwe_message":"text","expires_in_seconds":600,"more":1}}"#,
            "0f".repeat(16)
        );
        assert!(read_started(good.as_bytes()).is_some());
        for bad in [
            String::new(),
            "[]".to_owned(),
            "{}".to_owned(),
            good.replace("siwe-0", "siwe-g"),
            good.replace("\"siwe-", "\"siwe-0"),
            good.replace("\"nonce\":\"0f", "\"nonce\":\"0F"),
            good.replace("\"nonce\":\"0f", "\"nonce\":\"\\nf"),
            good.replace("\"nonce\":\"0f", "\"nonce\":\""),
            good.replace("\"text\"", "null"),
        ] {
            assert_ne!(bad, good);
            assert!(read_started(bad.as_bytes()).is_none(), "{bad}");
        }
    }

    #[test]
    fn a_session_is_this_wallet_s_and_live() {
        let issuer = Config::parse(|name| (name == "ISSUER").then(|| "https://broker.example.com".to_owned())).unwrap().issuer;
        let wallet: Wallet = WALLET.parse().unwrap();
        let token = SessionToken::from_random(&[7; 32]);
        let good = json!({
            "session_token": token.expose(), "session_jwt": token.expose(), "session_jwt_kid": "opaque", "expires_at": 2_000,
            "omni_account": wallet.actor_omni(), "wallet_address": WALLET, "identity_type": "evm", "identity_value": WALLET,
        });
        let read = |answer: &serde_json::Value| read_signed_in(answer.to_string().as_bytes(), &issuer, &wallet, at(1_000));
        let login = read(&good).unwrap();
        assert_eq!(
            (login.issuer.as_str(), login.wallet.as_str(), login.expires_at, login.signed_in_at),
            ("https://broker.example.com", WALLET, at(2_000), at(1_000))
        );
        assert_eq!(login.token, token);
        for (member, value) in [
            ("session_token", json!("aks_short")),
            ("session_token", json!(null)),
            ("expires_at", json!(1_000)),
            ("expires_at", json!(31_537_301)),
            ("expires_at", json!("2000")),
            ("expires_at", json!(2_000.5)),
            ("omni_account", json!("0".repeat(64))),
            ("wallet_address", json!("0x52908400098527886e0f7030069857d2e4169ee7")),
            ("wallet_address", json!("0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed")),
        ] {
            let mut bad = good.clone();
            bad[member] = value;
            assert!(read(&bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn each_refusal_says_what_to_do_and_what_may_pass_is_tried_again() {
        let wallet: Wallet = WALLET.parse().unwrap();
        let answer = |status| Answer { status, retry_after: Some(7), body: Vec::new() };
        let start = |status| explain_start(&answer(status), 1.try_into().unwrap());
        let verify = |status| explain_verify(&answer(status), &wallet);
        for (refusal, may_pass, code, words) in [
            (start(400), false, 64, "--chain-id"),
            (start(401), false, 69, "in front of it"),
            (start(403), false, 69, "in front of it"),
            (start(404), false, 69, "no sign-in"),
            (start(405), false, 69, "no sign-in"),
            (start(429), true, 69, "in 7 s"),
            (start(500), true, 69, "/readyz"),
            (start(503), true, 69, "in 7 s"),
            (start(302), false, 69, "redirect"),
            (start(204), false, 69, "edge broker"),
            (verify(400), false, 69, "edge broker"),
            (verify(401), false, 69, "Log in again"),
            (verify(403), false, 69, "edge-broker allow add 0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"),
            (verify(429), true, 69, "in 7 s"),
            (verify(503), true, 69, "in 7 s"),
            (verify(307), false, 69, "redirect"),
        ] {
            assert_eq!((refusal.may_pass, refusal.error.code()), (may_pass, code), "{}", refusal.error);
            assert!(refusal.error.to_string().contains(words), "{words}: {}", refusal.error);
        }
    }
}
