//! A wallet's private key: read from a private file, used to sign a message (EIP-191), and wiped when it goes out of scope.
//!
//! Neither the key nor what a key file holds is in any error.

use core::fmt;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use agentkeys_edge_broker::encoding::lower_hex;
use agentkeys_edge_broker::signin::{WalletSignature, personal_message_hash};
use agentkeys_edge_broker::wallet::Wallet;
use k256::ecdsa::SigningKey;
use k256::elliptic_curve::zeroize::Zeroizing;
use sha3::{Digest, Keccak256};

use crate::error::Error;
use crate::session_token::shown;

/// The bytes of a key.
const KEY_BYTES: usize = 32;
/// The most bytes of a key file: 64 digits, the prefix, and blanks around them.
const FILE_BYTES_MAX: usize = 128;

/// A wallet that can sign.
pub(super) struct WalletKey {
    /// Wiped when it is dropped.
    key: SigningKey,
    wallet: Wallet,
}

impl fmt::Debug for WalletKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WalletKey").field("wallet", &self.wallet).finish_non_exhaustive()
    }
}

impl WalletKey {
    /// Reads a file that nobody but its owner may read; `-` is stdin.
    pub(super) fn read(path: &Path) -> Result<Self, Error> {
        let named =
            if path.as_os_str() == "-" { "stdin (--wallet-key-file -)".to_owned() } else { format!("--wallet-key-file {}", shown(path)) };
        let cannot = |error: std::io::Error| Error::file(format!("{named} cannot be read: {}", error.kind()));
        let mut text = Zeroizing::new([0; FILE_BYTES_MAX + 1]);
        let length = if path.as_os_str() == "-" {
            stdin().and_then(|stdin| fill(stdin, &mut *text))
        } else {
            let file = File::open(path).map_err(cannot)?;
            // Of the open file, so that it is the one that is read.
            if let Some(mode) = open_to_others(&file).map_err(cannot)? {
                return Err(Error::input(format!(
                    "{named} can be read by others (mode {mode:04o}): chmod 600 it, or hand the key over on stdin (--wallet-key-file -)"
                )));
            }
            fill(file, &mut *text)
        };
        let length = length.map_err(cannot)?;
        // What was not read to its end may hold more than a key.
        let text = text.get(..length).filter(|_| length <= FILE_BYTES_MAX).unwrap_or_default();
        Self::parse(text).ok_or_else(|| {
            Error::input(format!(
                "{named} holds no private key: it is 32 bytes as 64 hex digits, with or without 0x, and nothing else (no keystore, no seed words)"
            ))
        })
    }

    /// A key file's content.
    fn parse(text: &[u8]) -> Option<Self> {
        let text = text.trim_ascii();
        let digits = text.strip_prefix(b"0x").unwrap_or(text);
        let mut bytes = Zeroizing::new([0; KEY_BYTES]);
        if digits.len() != bytes.len().saturating_mul(2) {
            return None;
        }
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
            let [high, low] = *pair else { return None };
            *byte = nibble(high)? << 4 | nibble(low)?;
        }
        let key = SigningKey::from_slice(bytes.as_slice()).ok()?;
        let wallet = wallet_of(&key)?;
        Some(Self { key, wallet })
    }

    /// Whose key it is.
    pub(super) fn wallet(&self) -> &Wallet {
        &self.wallet
    }

    /// The signature over a message, as `personal_sign` makes it: `0x` and 130 hex digits, s in the lower half, v 27 or 28.
    pub(super) fn sign(&self, message: &str) -> Result<String, Error> {
        let unmakeable = || Error::input("no signature of this key verifies: nothing was sent");
        let (signature, recovery) = self.key.sign_prehash_recoverable(&personal_message_hash(message));
        let v = recovery.to_byte().checked_add(27).ok_or_else(unmakeable)?;
        let text = format!("0x{}{v:02x}", lower_hex(&signature.to_bytes()));
        // As the broker will see it.
        let is_ours = text.parse::<WalletSignature>().is_ok_and(|signature| signature.signer(message).as_ref() == Ok(&self.wallet));
        if is_ours { Ok(text) } else { Err(unmakeable()) }
    }
}

/// The last 20 bytes of the Keccak-256 of the public key's coordinates (Ethereum Yellow Paper, appendix F).
fn wallet_of(key: &SigningKey) -> Option<Wallet> {
    let point = key.verifying_key().to_sec1_point(false);
    let coordinates: &[u8; 64] = point.as_bytes().last_chunk()?;
    let hash: [u8; 32] = Keccak256::digest(coordinates).into();
    format!("0x{}", lower_hex(hash.last_chunk::<20>()?)).parse().ok()
}

fn nibble(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

/// Stdin without the standard library's buffer, which nobody wipes.
#[cfg(unix)]
fn stdin() -> std::io::Result<File> {
    use std::os::fd::AsFd;
    Ok(std::io::stdin().as_fd().try_clone_to_owned()?.into())
}

#[cfg(not(unix))]
fn stdin() -> std::io::Result<std::io::StdinLock<'static>> {
    Ok(std::io::stdin().lock())
}

/// Reads until the end or until the buffer is full, into no other memory. How many bytes there are.
fn fill(mut reader: impl Read, buffer: &mut [u8]) -> std::io::Result<usize> {
    let mut length = 0_usize;
    loop {
        let rest = buffer.get_mut(length..).unwrap_or_default();
        if rest.is_empty() {
            return Ok(length);
        }
        match reader.read(rest) {
            Ok(0) => return Ok(length),
            Ok(count) => length = length.saturating_add(count),
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// The mode of a file that others than its owner may read or write; a pipe is nobody's file.
#[cfg(unix)]
fn open_to_others(file: &File) -> std::io::Result<Option<u32>> {
    use std::os::unix::fs::MetadataExt;
    let found = file.metadata()?;
    Ok(Some(found.mode() & 0o7777).filter(|mode| found.is_file() && mode & 0o077 != 0))
}

#[cfg(not(unix))]
fn open_to_others(_: &File) -> std::io::Result<Option<u32>> {
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The key behind the vectors of this wallet, made as their README says.
    fn key_of(number: usize) -> String {
        lower_hex(&Keccak256::digest(format!("agentkeys test wallet {number}")))
    }

    fn vectors() -> Vec<serde_json::Value> {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/vectors/sign-in.json");
        let vectors: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
        vectors["signatures"].as_array().unwrap().clone()
    }

    #[test]
    fn signatures_are_those_of_viem_and_ethers() {
        let keys: Vec<WalletKey> = (1..=3).map(|number| WalletKey::parse(key_of(number).as_bytes()).unwrap()).collect();
        let vectors = vectors();
        for key in &keys {
            let own = |vector: &&serde_json::Value| vector["address"].as_str().unwrap().to_lowercase() == key.wallet().as_str();
            assert!(vectors.iter().filter(own).count() > 10, "{key:?}");
            for vector in vectors.iter().filter(own) {
                // Both are deterministic (RFC 6979), so they are the same to the last bit.
                assert_eq!(key.sign(vector["message"].as_str().unwrap()).unwrap(), vector["signature"].as_str().unwrap());
            }
        }
    }

    #[test]
    fn a_key_is_64_hex_digits_and_nothing_else() {
        let key = key_of(1);
        let wallet = WalletKey::parse(key.as_bytes()).unwrap().wallet;
        for text in [
            key.clone(),
            format!("0x{key}"),
            format!("{key}\n"),
            format!("  0x{key}\r\n"),
            key.to_uppercase(),
            format!("0x{}", key.to_uppercase()),
        ] {
            assert_eq!(WalletKey::parse(text.as_bytes()).map(|key| key.wallet), Some(wallet.clone()), "{text:?}");
        }
        let order = "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141";
        assert!(WalletKey::parse(order.replace("4141", "4140").as_bytes()).is_some(), "the last key there is");
        for bad in [
            String::new(),
            "0x".to_owned(),
            key.get(1..).unwrap().to_owned(),
            format!("{key}0"),
            format!("{key}00"),
            format!("0X{key}"),
            format!("0x0x{key}"),
            key.replace(key.get(..1).unwrap(), "g"),
            format!("{}\n{}", key.get(..32).unwrap(), key.get(32..).unwrap()),
            format!("{key} # my key"),
            format!("\"{key}\""),
            "0".repeat(64),
            order.to_owned(),
            "f".repeat(64),
            "é".repeat(32),
        ] {
            assert!(WalletKey::parse(bad.as_bytes()).is_none(), "{bad:?}");
        }
    }

    #[test]
    fn neither_debug_nor_an_error_shows_a_key() {
        let key = key_of(1);
        let debug = format!("{:?}", WalletKey::parse(key.as_bytes()).unwrap());
        assert!(debug.contains("0x") && !debug.contains(&key), "{debug}");
        let file = tempfile::NamedTempFile::new().unwrap();
        for content in
            [format!("{key}0"), format!("{key} {key}"), format!("{}{key}", " ".repeat(200)), format!("0x{key}{}x", " ".repeat(200))]
        {
            std::fs::write(file.path(), &content).unwrap();
            let error = WalletKey::read(file.path()).unwrap_err();
            assert_eq!(error.code(), 64);
            assert!(!error.to_string().contains(key.get(..16).unwrap()), "{error}");
        }
        assert_eq!(WalletKey::read(Path::new("no/such/file")).unwrap_err().code(), 74);
        assert_eq!(WalletKey::read(&std::env::temp_dir()).unwrap_err().code(), 74);
    }

    #[cfg(unix)]
    #[test]
    fn a_key_that_others_may_read_is_refused_unread() {
        use std::os::unix::fs::PermissionsExt;
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), key_of(1)).unwrap();
        for (mode, good) in [
            (0o600, true),
            (0o400, true),
            (0o700, true),
            (0o640, false),
            (0o604, false),
            (0o620, false),
            (0o644, false),
            (0o666, false),
            (0o601, false),
        ] {
            std::fs::set_permissions(file.path(), std::fs::Permissions::from_mode(mode)).unwrap();
            match WalletKey::read(file.path()) {
                Ok(_) => assert!(good, "{mode:o}"),
                Err(error) => assert!(!good && error.code() == 64 && error.to_string().contains("chmod 600"), "{mode:o}: {error}"),
            }
        }
    }
}
