//! A double of the broker's sign-in, on a loopback port: it writes its own message, recovers the signer by itself, and can be
//! made to ask for something else, to refuse, and to answer nonsense.

use std::collections::{BTreeMap, VecDeque};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};

use agentkeys_edge_broker::encoding::{base64url, lower_hex};
use agentkeys_edge_broker::signin::address::checksummed;
use agentkeys_edge_broker::wallet::Wallet;
use chrono::{DateTime, SecondsFormat, Utc};
use k256::ecdsa::{RecoveryId, Signature, VerifyingKey};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use sha3::Keccak256;

use crate::CANARY;
use crate::server::{Answer, Request, serve};

pub(crate) const START: &str = "/v1/auth/wallet/start";
pub(crate) const VERIFY: &str = "/v1/auth/wallet/verify";
pub(crate) const SESSION: &str = "/v1/session";
pub(crate) const MINT: &str = "/v1/mint-oidc-jwt";

pub(crate) type Edit = Box<dyn Fn(&mut Value) + Send + Sync>;

/// What a broker knows, and what it was asked.
pub(crate) struct Broker {
    pub(crate) url: String,
    state: Mutex<State>,
    pub(crate) edit: BTreeMap<&'static str, Edit>,
}

#[derive(Default)]
struct State {
    challenges: BTreeMap<String, (Wallet, String)>,
    sessions: BTreeMap<String, Wallet>,
    /// Answers in place of its own, by the end of the path, one after the other.
    pub(crate) script: BTreeMap<&'static str, VecDeque<Answer>>,
    log: Vec<(String, Value)>,
    made: u64,
}

/// A broker before it runs.
#[derive(Default)]
pub(crate) struct Setup {
    pub(crate) path: &'static str,
    pub(crate) edit: BTreeMap<&'static str, Edit>,
    pub(crate) script: BTreeMap<&'static str, VecDeque<Answer>>,
    pub(crate) tls: Option<Arc<rustls::ServerConfig>>,
}

impl Setup {
    /// Changes the good answer of a route.
    pub(crate) fn edit(mut self, route: &'static str, edit: impl Fn(&mut Value) + Send + Sync + 'static) -> Self {
        self.edit.insert(route, Box::new(edit));
        self
    }

    /// The next answers of a route; after them come its own.
    pub(crate) fn script(mut self, route: &'static str, answers: impl IntoIterator<Item = Answer>) -> Self {
        self.script.entry(route).or_default().extend(answers);
        self
    }

    /// Runs until the test process ends.
    pub(crate) fn run(self) -> Arc<Broker> {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let origin = if self.tls.is_some() { format!("https://localhost:{port}") } else { format!("http://127.0.0.1:{port}") };
        let state = Mutex::new(State { script: self.script, ..State::default() });
        let broker = Arc::new(Broker { url: format!("{origin}{}", self.path), state, edit: self.edit });
        let answering = Arc::clone(&broker);
        serve(listener, self.tls, Arc::new(move |request| answering.answer(request)));
        broker
    }
}

impl Broker {
    /// The bodies that a route was sent.
    pub(crate) fn asked(&self, route: &str) -> Vec<Value> {
        let state = self.state.lock().unwrap();
        state.log.iter().filter(|(path, _)| path.ends_with(route)).map(|(_, body)| body.clone()).collect()
    }

    /// Live sessions, by their tokens.
    pub(crate) fn sessions(&self) -> BTreeMap<String, Wallet> {
        self.state.lock().unwrap().sessions.clone()
    }

    /// Ends all sessions, as an operator does.
    pub(crate) fn revoke_all(&self) {
        self.state.lock().unwrap().sessions.clear();
    }

    /// The next answer of a route.
    pub(crate) fn answers(&self, route: &'static str, answer: Answer) {
        self.state.lock().unwrap().script.entry(route).or_default().push_back(answer);
    }

    fn answer(&self, request: &Request) -> Answer {
        let mut state = self.state.lock().unwrap();
        let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
        state.log.push((request.path.clone(), body.clone()));
        if let Some((_, answers)) = state.script.iter_mut().find(|(route, _)| request.path.ends_with(*route))
            && let Some(answer) = answers.pop_front()
        {
            return answer;
        }
        let bearer = request.header("authorization").and_then(|text| text.strip_prefix("Bearer ")).unwrap_or_default();
        let own = self.url.splitn(4, '/').nth(3).map(|path| format!("/{path}")).unwrap_or_default();
        let route = request.path.strip_prefix(own.as_str()).unwrap_or_default();
        let is_json = request.header("content-type") == Some("application/json");
        let (route, mut value) = match (request.method.as_str(), route) {
            ("POST", START) if is_json => (START, self.start(&mut state, &body)),
            ("POST", VERIFY) if is_json => match verify(&mut state, &body) {
                Some(value) => (VERIFY, value),
                None => return refusal(401),
            },
            ("POST", MINT) => match state.sessions.get(bearer) {
                Some(wallet) => (MINT, json!({ "jwt": web_identity(wallet), "wallet": wallet, "expiration": now() + 300 })),
                None => return refusal(401),
            },
            ("DELETE", SESSION) => {
                return if state.sessions.remove(bearer).is_some() { Answer { status: 204, ..Answer::default() } } else { refusal(401) };
            }
            _ => return refusal(404),
        };
        if let Some(edit) = self.edit.get(route) {
            edit(&mut value);
        }
        Answer::new(200, &value)
    }

    fn start(&self, state: &mut State, body: &Value) -> Value {
        state.made += 1;
        let nonce = lower_hex(&Sha256::digest(state.made.to_string())[..16]);
        let wallet: Wallet = body["address"].as_str().unwrap().to_lowercase().parse().unwrap();
        let time = |seconds: u64| {
            let time = DateTime::<Utc>::from_timestamp(i64::try_from(seconds).unwrap(), 0).unwrap();
            time.to_rfc3339_opts(SecondsFormat::Secs, true)
        };
        // EIP-4361: the scheme is left out where it is https.
        let domain = self.url.trim_start_matches("https://");
        let host = domain.trim_start_matches("http://");
        let authority = domain.replace(host, host.split('/').next().unwrap());
        let message = format!(
            "{authority} wants you to sign in with your Ethereum account:\n{}\n\nSign in to a test.\n\nURI: {}\nVersion: 1\n\
             Chain ID: {}\nNonce: {nonce}\nIssued At: {}\nExpiration Time: {}",
            checksummed(&wallet),
            self.url,
            body["chain_id"],
            time(now()),
            time(now() + 600),
        );
        let request_id = format!("siwe-{nonce}");
        state.challenges.insert(request_id.clone(), (wallet, message.clone()));
        json!({
            "request_id": request_id, "expires_in_seconds": 600, "siwe_message": message, "nonce": nonce, "expires_at_iso": time(now() + 600),
        })
    }
}

/// Consumes the challenge; a session for the wallet that has signed it.
fn verify(state: &mut State, body: &Value) -> Option<Value> {
    let (wallet, message) = state.challenges.remove(body["request_id"].as_str()?)?;
    if signer(&message, body["signature"].as_str()?)? != wallet {
        return None;
    }
    state.made += 1;
    let token = format!("aks_{}", base64url(&Sha256::digest(format!("{message}{}", state.made))));
    state.sessions.insert(token.clone(), wallet.clone());
    Some(json!({
        "session_token": token, "session_jwt": token, "session_jwt_kid": "opaque", "expires_at": now() + 3_600,
        "omni_account": wallet.actor_omni(), "wallet_address": wallet, "identity_type": "evm", "identity_value": wallet,
    }))
}

/// Who signed a message (EIP-191), by a signature whose v is 27 or 28 and whose s is low.
fn signer(message: &str, signature: &str) -> Option<Wallet> {
    let digits = signature.strip_prefix("0x").filter(|digits| digits.len() == 130)?;
    let bytes: Vec<u8> = (0..65).map(|n| u8::from_str_radix(&digits[2 * n..2 * n + 2], 16).unwrap()).collect();
    let text = format!("\u{19}Ethereum Signed Message:\n{}{message}", message.len());
    let signature = Signature::from_slice(&bytes[..64]).ok()?;
    assert_eq!(signature.normalize_s(), signature, "s is low");
    let v = RecoveryId::from_byte(bytes[64].checked_sub(27)?)?;
    let key = VerifyingKey::recover_from_prehash(&Keccak256::digest(text), &signature, v).ok()?;
    Some(wallet_of(&key))
}

/// The wallet of a public key.
pub(crate) fn wallet_of(key: &VerifyingKey) -> Wallet {
    let point = key.to_sec1_point(false);
    format!("0x{}", lower_hex(&Keccak256::digest(&point.as_bytes()[1..])[12..])).parse().unwrap()
}

/// A JWT's form, for what only hands it on.
fn web_identity(wallet: &Wallet) -> String {
    let claims = json!({ "sub": format!("agentkeys:agent:{wallet}") }).to_string();
    format!("{}.{}.{}", base64url(br#"{"alg":"ES256"}"#), base64url(claims.as_bytes()), base64url(&[7; 64]))
}

/// An answer in the broker's form of errors.
pub(crate) fn refusal(status: u16) -> Answer {
    Answer::new(status, &json!({ "error": CANARY, "message": CANARY }))
}

pub(crate) fn now() -> u64 {
    std::time::UNIX_EPOCH.elapsed().unwrap().as_secs()
}
