//! `keygen`: a new signing key, as the private JWK that a `SIGNING_KEY_*` secret holds.
//!
//! stdout has the JWK and nothing else, in one line, so that it pipes into `wrangler secret put` and touches no file. What
//! an operator writes down (kid, algorithm, from when it signs) goes to stderr. What is printed was read back by the
//! broker's own parser first.

mod certificate;
mod jwk;

use std::io::IsTerminal;
use std::process::ExitCode;

use agentkeys_edge_broker::keys::{Alg, PrivateKey};
use agentkeys_edge_broker::time::UnixTime;
use clap::{Args, ValueEnum};
use serde_json::json;

use crate::clock::{now, rfc3339};
use crate::duration::Seconds;
use crate::error::Error;
use crate::output::Output;
use jwk::{KeyPair, Kind};

/// What a Worker secret holds: 5 KB, read as the smaller of its two meanings.
const SECRET_BYTES_MAX: usize = 5_000;
/// The longest wait before a key signs: a year.
const ACTIVATE_IN_MAX: Seconds = Seconds(31_536_000);

const EXAMPLES: &str = "\
Examples:
  A first key, for a broker that has none:
    edge-broker keygen | npx wrangler secret put SIGNING_KEY_A --env production

  Rotation: publish a key today that signs from tomorrow, in the slot that is not signing now:
    edge-broker keygen --activate-in 24h | npx wrangler secret put SIGNING_KEY_B --env production

  A key for relying parties that take no ES256 (an RSA key of 2048 bits):
    edge-broker keygen --alg RS256 | npx wrangler secret put SIGNING_KEY_RSA_A --env production

  A key for Ceph RGW, which reads an EC key from a certificate only:
    edge-broker keygen --x5c | npx wrangler secret put SIGNING_KEY_A --env production

A relying party may keep the old key set for a while: publish a key 24 hours before it signs,
and keep the old one for 24 hours after its last token has expired.";

/// Make a signing key: a private JWK on stdout, what there is to know about it on stderr.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct KeygenArgs {
    /// The signature algorithm.
    #[arg(long, value_enum, ignore_case = true, default_value_t = Algorithm::Es256)]
    alg: Algorithm,
    /// The size of an RSA key [default: 2048].
    #[arg(long, value_enum)]
    bits: Option<Bits>,
    /// Sign from this long after now, like 24h or 7d; published at once all the same [default: signs at once].
    #[arg(long, value_name = "DURATION")]
    activate_in: Option<Seconds>,
    /// Add a self-signed certificate of the key, valid for ten years.
    #[arg(long)]
    x5c: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Algorithm {
    #[value(name = "ES256")]
    Es256,
    #[value(name = "RS256")]
    Rs256,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Bits {
    #[value(name = "2048")]
    B2048,
    #[value(name = "3072")]
    B3072,
    #[value(name = "4096")]
    B4096,
}

impl KeygenArgs {
    fn kind(&self) -> Result<Kind, Error> {
        match (self.alg, self.bits) {
            (Algorithm::Es256, None) => Ok(Kind::P256),
            (Algorithm::Es256, Some(_)) => Err(Error::usage("--bits is for RS256: an ES256 key has one size")),
            (Algorithm::Rs256, None | Some(Bits::B2048)) => Ok(Kind::Rsa { bits: 2048 }),
            (Algorithm::Rs256, Some(Bits::B3072)) => Ok(Kind::Rsa { bits: 3072 }),
            // Said before a key of this size is made, which takes its time.
            (Algorithm::Rs256, Some(Bits::B4096)) if self.x5c => Err(too_long()),
            (Algorithm::Rs256, Some(Bits::B4096)) => Ok(Kind::Rsa { bits: 4096 }),
        }
    }
}

/// Makes the key and prints it.
pub(crate) fn run(args: &KeygenArgs, output: &Output) -> Result<ExitCode, Error> {
    let kind = args.kind()?;
    let wait = args.activate_in.unwrap_or(Seconds(0));
    if wait > ACTIVATE_IN_MAX {
        return Err(Error::input("--activate-in is at most 365d"));
    }
    let now = now()?;
    let (secret, key) = make(kind, now, now.plus(wait.0), args.x5c)?;

    output.remark(&description(&key, wait, args.x5c, output.is_json()));
    if std::io::stdout().is_terminal() {
        output.remark(
            "The secret key is shown on this terminal. To store it without showing it:\n  \
             edge-broker keygen | npx wrangler secret put SIGNING_KEY_B --env production",
        );
    }
    output.line(&secret)?;
    Ok(ExitCode::SUCCESS)
}

/// A secret's text, and the key that the broker reads in it.
fn make(kind: Kind, now: UnixTime, not_before: UnixTime, with_certificate: bool) -> Result<(String, PrivateKey), Error> {
    let pair = KeyPair::generate(kind)?;
    let x5c = if with_certificate { Some(certificate::self_signed(&pair, now)?) } else { None };
    let secret = pair.secret(not_before, x5c)?;
    if secret.len() > SECRET_BYTES_MAX {
        return Err(too_long());
    }
    let key = PrivateKey::parse(&secret).map_err(|broken| Error::input(format!("the key that was made {broken}; nothing was printed")))?;
    Ok((secret, key))
}

fn too_long() -> Error {
    Error::input("a 4096-bit RSA key with a certificate is longer than a Worker secret may be (5 KB): leave out --x5c, or take --bits 3072")
}

/// What an operator writes down about a key.
fn description(key: &PrivateKey, wait: Seconds, certified: bool, as_json: bool) -> String {
    let (kid, alg, from) = (key.public().kid(), key.alg(), key.not_before());
    if as_json {
        return json!({ "kid": kid, "alg": alg, "nbf": from, "activates_at": rfc3339(from), "x5c": certified }).to_string();
    }
    let when = if wait == Seconds(0) { "now".to_owned() } else { format!("{} (in {wait}; published at once)", rfc3339(from)) };
    let certificate = if certified { "\nx5c         a self-signed certificate, valid for ten years" } else { "" };
    let hint = match alg {
        Alg::Es256 => "",
        Alg::Rs256 => "\nNote        it signs for the audiences whose alg is RS256, and for all others while no ES256 key is due",
    };
    format!("kid         {kid}\nalg         {}\nsigns from  {when}{certificate}{hint}", alg.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> UnixTime {
        UnixTime::try_from(seconds).unwrap()
    }

    #[test]
    fn every_kind_of_key_reads_back_with_its_times() {
        for (kind, alg) in [(Kind::P256, Alg::Es256), (Kind::Rsa { bits: 2048 }, Alg::Rs256)] {
            for with_certificate in [false, true] {
                let (secret, key) = make(kind, at(1_795_000_000), at(1_795_086_400), with_certificate).unwrap();
                assert_eq!(key.alg(), alg);
                assert_eq!(key.not_before(), at(1_795_086_400));
                assert!(!secret.contains('\n'), "one line");
                let members: serde_json::Map<String, serde_json::Value> = serde_json::from_str(&secret).unwrap();
                assert_eq!(members["kid"], key.public().kid());
                assert_eq!(members["alg"], alg.as_str());
                assert_eq!(members.contains_key("x5c"), with_certificate);
            }
        }
    }

    #[test]
    fn the_largest_secrets_that_are_made_fit_a_worker() {
        let length = |bits, with_certificate| {
            make(Kind::Rsa { bits }, at(1_795_000_000), at(1_795_000_000), with_certificate).map(|(secret, _)| secret.len())
        };
        assert!(length(4096, false).unwrap() <= SECRET_BYTES_MAX);
        assert!(length(3072, true).unwrap() <= SECRET_BYTES_MAX);
        assert!(length(4096, true).is_err(), "what is refused up front is in fact too long");
    }

    #[test]
    fn two_keys_are_never_the_same() {
        let kid = || make(Kind::P256, at(1), at(1), false).unwrap().1.public().kid().to_owned();
        assert_ne!(kid(), kid());
    }

    #[test]
    fn what_is_said_about_a_key_has_no_private_part() {
        let (secret, key) = make(Kind::P256, at(1), at(1), false).unwrap();
        let members: serde_json::Map<String, serde_json::Value> = serde_json::from_str(&secret).unwrap();
        for as_json in [false, true] {
            let said = description(&key, Seconds(0), false, as_json);
            assert!(said.contains(key.public().kid()));
            assert!(!said.contains(members["d"].as_str().unwrap()));
        }
    }
}
