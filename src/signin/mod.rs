//! Sign-in by wallet: `POST /v1/auth/wallet/start` and `/verify` (EIP-4361, EIP-191, EIP-55).
//!
//! start:
//! 1. parse: address and chain;
//! 2. make the challenge: a message of our own, from the configuration and random bytes;
//! 3. store it, for one answer and some minutes;
//! 4. answer: what to sign.
//!
//! verify:
//! 1. parse: request id and signature; what is malformed consumes nothing;
//! 2. consume the challenge;
//! 3. decide: in time, and signed by its own wallet; all that is not is one 401 in the same words;
//! 4. where only some may sign in: whether this wallet may;
//! 5. open a session, store its record and its index entry, end the oldest ones beyond the limit;
//! 6. answer: the session token.
//!
//! Accounts with a private key only: a contract's signature (EIP-1271) can be checked on its chain alone, which is not
//! asked here.

pub mod address;
mod allow;
mod answer;
mod chain;
mod challenge;
mod message;
mod request;
mod session;
mod signature;
mod verify;

pub use allow::{ALLOW_BYTES_MAX, ALLOW_PREFIX, AllowRecord, BrokenAllowRecord, allow_key};
pub use answer::{signed_in, started};
pub use chain::{ChainId, NotAChainId};
pub use challenge::{BrokenChallenge, Challenge, NotARequestId, RANDOM_BYTES, RequestId};
pub use message::{DateTimeText, SiweMessage};
pub use request::{BODY_BYTES_MAX, StartRequest, VerifyRequest};
pub use session::{open, surplus};
pub use signature::{BadSignature, NotASignature, WalletSignature, personal_message_hash, recover};
pub use verify::SigninReason;
