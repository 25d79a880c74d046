//! Configurations, wallets with their keys, and vector files.

use std::fs;

use agentkeys_edge_broker::config::Config;
use agentkeys_edge_broker::signin::personal_message_hash;
use agentkeys_edge_broker::time::UnixTime;
use agentkeys_edge_broker::wallet::Wallet;
use k256::ecdsa::signature::hazmat::PrehashSigner;
use k256::ecdsa::{RecoveryId, Signature, SigningKey};
use serde::de::DeserializeOwned;
use sha2::Sha256;
use sha3::{Digest, Keccak256};

/// The time of all tests.
pub(crate) const NOW: u64 = 1_795_470_811;

pub(crate) fn at(seconds: u64) -> UnixTime {
    UnixTime::EPOCH.plus(seconds)
}

/// A configuration with these variables besides its issuer.
pub(crate) fn config(variables: &[(&str, &str)]) -> Config {
    try_config(variables).unwrap()
}

/// The same, or the names of the variables that are wrong.
pub(crate) fn try_config(variables: &[(&str, &str)]) -> Result<Config, Vec<&'static str>> {
    let variable = |name: &str| {
        let set = variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
        set.or_else(|| (name == "ISSUER").then(|| "https://keys.example.com".to_owned()))
    };
    Config::parse(variable).map_err(|problems| problems.into_iter().map(|problem| problem.variable).collect())
}

/// A file of `tests/vectors/`, held against its hash.
pub(crate) fn vectors<T: DeserializeOwned>(file: &str) -> T {
    let read = |file: &str| fs::read_to_string(format!("{}/tests/vectors/{file}", env!("CARGO_MANIFEST_DIR"))).unwrap();
    let text = read(file);
    let line = format!("{}  {file}", to_hex(&Sha256::digest(&text)));
    assert!(read("SHA256SUMS").lines().any(|known| known == line), "{file} is not the file of SHA256SUMS");
    serde_json::from_str(&text).unwrap()
}

pub(crate) fn hex(text: &str) -> Vec<u8> {
    assert!(text.len().is_multiple_of(2), "{text}");
    (0..text.len()).step_by(2).map(|start| u8::from_str_radix(&text[start..start + 2], 16).unwrap()).collect()
}

pub(crate) fn to_hex(bytes: &[u8]) -> String {
    agentkeys_edge_broker::encoding::lower_hex(bytes)
}

/// A wallet with its private key.
pub(crate) struct Signer {
    key: SigningKey,
    pub(crate) wallet: Wallet,
}

impl Signer {
    /// The wallet of a label: its key is the label's Keccak-256.
    pub(crate) fn new(label: &str) -> Self {
        let key = SigningKey::from_slice(&Keccak256::digest(label)).unwrap();
        let point = key.verifying_key().to_sec1_point(false);
        let address = &Keccak256::digest(&point.as_bytes()[1..])[12..];
        Self { wallet: format!("0x{}", to_hex(address)).parse().unwrap(), key }
    }

    /// r and s in their low form, and v: 0 or 1.
    pub(crate) fn sign_hash(&self, hash: &[u8; 32]) -> ([u8; 64], u8) {
        let (signature, id): (Signature, RecoveryId) = self.key.sign_prehash(hash).unwrap();
        (<[u8; 64]>::try_from(&*signature.to_bytes()).unwrap(), id.to_byte())
    }

    /// `0x`, r, s and v: 27 or 28, as wallets answer `personal_sign`.
    pub(crate) fn sign(&self, message: &str) -> String {
        let (r_and_s, v) = self.sign_hash(&personal_message_hash(message));
        wire(&r_and_s, v + 27)
    }
}

/// The form of a signature on the wire.
pub(crate) fn wire(r_and_s: &[u8], v: u8) -> String {
    format!("0x{}{v:02x}", to_hex(r_and_s))
}
