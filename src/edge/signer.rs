//! The signer on Web Crypto: keys are imported once for a set of secrets, not extractable, and prove themselves before they sign.

use js_sys::{Array, JSON, Object, Reflect, Uint8Array};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{CryptoKey, SubtleCrypto, WorkerGlobalScope};

use super::exchange::settled;
use crate::keys::{Alg, PrivateKey};
use crate::{Signer, SigningError};

/// What a key signs to show that its halves belong together.
const PROOF: &[u8] = b"agentkeys-edge-broker proves a key pair";

/// The imported keys, by kid.
pub(super) struct WebCrypto {
    subtle: Option<SubtleCrypto>,
    keys: Vec<Imported>,
}

struct Imported {
    kid: String,
    private: CryptoKey,
    /// Imported from the very entry that is published.
    public: CryptoKey,
    algorithm: Object,
}

impl WebCrypto {
    pub(super) fn new() -> Self {
        let subtle = js_sys::global().unchecked_into::<WorkerGlobalScope>().crypto().ok().map(|crypto| crypto.subtle());
        Self { subtle, keys: Vec::new() }
    }

    /// Imports a key and its published entry, and lets the one sign for the other.
    pub(super) async fn import(&mut self, key: &PrivateKey) -> Result<(), SigningError> {
        let subtle = self.subtle.clone().ok_or(SigningError)?;
        let algorithm = algorithm(key.alg());
        let published = serde_json::to_string(key.public()).map_err(|_| SigningError)?;
        let private = import_jwk(&subtle, key.expose_import(), &algorithm, "sign").await?;
        let public = import_jwk(&subtle, &published, &algorithm, "verify").await?;
        let imported = Imported { kid: key.public().kid().to_owned(), private, public, algorithm };
        imported.prove(&subtle).await?;
        self.keys.push(imported);
        Ok(())
    }

    fn find(&self, kid: &str) -> Result<(&SubtleCrypto, &Imported), SigningError> {
        let key = self.keys.iter().find(|key| key.kid == kid);
        self.subtle.as_ref().zip(key).ok_or(SigningError)
    }
}

impl Imported {
    async fn sign(&self, subtle: &SubtleCrypto, message: &[u8]) -> Result<Vec<u8>, SigningError> {
        let signature = outcome(subtle.sign_with_object_and_u8_array(&self.algorithm, &self.private, message)).await?;
        Ok(Uint8Array::new(&signature).to_vec())
    }

    async fn prove(&self, subtle: &SubtleCrypto) -> Result<(), SigningError> {
        let signature = self.sign(subtle, PROOF).await?;
        let verified =
            outcome(subtle.verify_with_object_and_u8_array_and_u8_array(&self.algorithm, &self.public, &signature, PROOF)).await?;
        if verified.is_truthy() { Ok(()) } else { Err(SigningError) }
    }
}

impl Signer for WebCrypto {
    async fn sign(&self, kid: &str, message: &[u8]) -> Result<Vec<u8>, SigningError> {
        let (subtle, key) = self.find(kid)?;
        key.sign(subtle, message).await
    }

    async fn prove(&self, kid: &str) -> bool {
        match self.find(kid) {
            Ok((subtle, key)) => key.prove(subtle).await.is_ok(),
            Err(SigningError) => false,
        }
    }
}

/// The parameters of import, signature and verification alike: a member that one of them does not need does it no harm.
fn algorithm(alg: Alg) -> Object {
    let members: &[(&str, &str)] = match alg {
        Alg::Es256 => &[("name", "ECDSA"), ("namedCurve", "P-256"), ("hash", "SHA-256")],
        Alg::Rs256 => &[("name", "RSASSA-PKCS1-v1_5"), ("hash", "SHA-256")],
    };
    let object = Object::new();
    for (name, value) in members {
        // Setting a member of a fresh object cannot fail.
        let _ = Reflect::set(&object, &JsValue::from_str(name), &JsValue::from_str(value));
    }
    object
}

async fn import_jwk(subtle: &SubtleCrypto, jwk: &str, algorithm: &Object, usage: &str) -> Result<CryptoKey, SigningError> {
    let jwk: Object = JSON::parse(jwk).map_err(|_| SigningError)?.unchecked_into();
    let usages = Array::of1(&JsValue::from_str(usage));
    outcome(subtle.import_key_with_object("jwk", &jwk, algorithm, false, &usages)).await.map(JsCast::unchecked_into)
}

/// What a promise comes to. What the runtime says of a failure is dropped here: it may quote a key.
async fn outcome(promise: Result<js_sys::Promise, JsValue>) -> Result<JsValue, SigningError> {
    settled(promise).await.map_err(|_| SigningError)
}
