//! `prove`: isolation, shown.
//!
//! 1. two wallets' web identity tokens, minted by the broker or ready made ([`wallets`]);
//! 2. `AssumeRoleWithWebIdentity` with each;
//! 3. every request that tells, by both, and everything put away again ([`course`]);
//! 4. the verdict, and where isolation is broken the diagnosis ([`diagnosis`]).
//!
//! A run that cannot decide says so, and never that the wallets are isolated.

mod course;
mod diagnosis;
mod probe;
mod report;
mod s3;
mod wallets;

use std::process::ExitCode;

use clap::Args;

use crate::aws::endpoints::{S3Args, StsArgs, is_in_the_clear, role_arn, transport};
use crate::aws::sts::{self, Assume, Credentials, Sts};
use crate::aws::transport::Failure;
use crate::error::Error;
use crate::interrupt::interrupts;
use crate::output::Output;
use course::{Course, Seen};
use diagnosis::{Diagnosis, NO_ENTRY, NO_ENTRY_FOR_ONE, Verdict, diagnose, verdict};
use report::{Report, lines, text};
use s3::S3;
use wallets::{Identity, WalletArgs, identities};

/// The name of the AWS sessions of a proof.
const SESSION_NAME: &str = "edge-broker-proof";
/// STS's least lifetime, in seconds; a proof takes less.
const DURATION: i32 = 900;

const AFTER_HELP: &str = "\
Exit codes:
  0    isolated: each wallet works in its own prefix, and is denied everything else
  2    undecided: an argument or a file is wrong, something did not answer, or an answer does not decide
  3    ISOLATION BROKEN, with the diagnosis
  130  interrupted; what was put is deleted first

Every object it puts has edge-broker-proof- and a random number in its name, and is deleted again. In a versioned bucket
old versions stay. STS and S3 may be any: --sts-endpoint, --s3-endpoint, or the variables of every AWS SDK
(AWS_ENDPOINT_URL_STS, AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL, AWS_REGION, AWS_CA_BUNDLE).

Examples:
  edge-broker prove --issuer https://broker.example.com --session-token-file one --other-session-token-file other \\
    --role-arn arn:aws:iam::123456789012:role/agentkeys-wallet --bucket my-wallets
  edge-broker prove --issuer https://broker.example.com --wallet 0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed \\
    --other-wallet 0x52908400098527886E0F7030069857D2E4169EE7 --role-arn arn:aws:iam::123456789012:role/agentkeys-wallet --bucket my-wallets
  edge-broker prove --token-file one.jwt --other-token-file other.jwt --role-arn arn:aws:iam:::role/wallet --bucket wallets \\
    --sts-endpoint https://rgw.example.com --s3-endpoint https://rgw.example.com --ca-file ca.pem";

/// Show that two wallets are kept apart, by trying everything that must work and everything that must not.
#[derive(Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct ProveArgs {
    /// The role to assume.
    #[arg(long, value_name = "ARN", value_parser = role_arn)]
    role_arn: String,
    /// The bucket that the wallets share.
    #[arg(long, value_name = "BUCKET", value_parser = bucket)]
    bucket: String,
    #[command(flatten)]
    wallets: WalletArgs,
    #[command(flatten)]
    sts: StsArgs,
    #[command(flatten)]
    s3: S3Args,
}

/// Runs a proof and exits with 0, 2, 3 or 130.
pub(crate) fn run(args: &ProveArgs, output: &Output) -> Result<ExitCode, Error> {
    match prove(args, output) {
        Ok(code) => Ok(code),
        Err(error) => {
            let cause = error.to_string();
            let report = Report {
                verdict: Verdict::Undecided,
                diagnosis: None,
                cause: Some(&cause),
                role_arn: &args.role_arn,
                bucket: &args.bucket,
                wallets: Vec::new(),
                warnings: Vec::new(),
                requests: Vec::new(),
                leftovers: &[],
            };
            if output.is_json() {
                output.result(&report, String::new)?;
            }
            output.remark(&format!("edge-broker: undecided: {cause}"));
            Ok(ExitCode::from(2))
        }
    }
}

fn prove(args: &ProveArgs, output: &Output) -> Result<ExitCode, Error> {
    let client = args.sts.client()?;
    let (region, sts_endpoint, place) = (args.sts.region(), args.sts.endpoint()?, args.s3.place()?);
    let identities = identities(&args.wallets, &client)?;
    let [one, other] = &identities;
    let mut warnings = warnings(&identities);
    if is_in_the_clear(sts_endpoint.as_deref()) || is_in_the_clear(place.endpoint.as_deref()) {
        warnings.push("An endpoint is http and not this machine: token and credentials go over the network in the clear.".to_owned());
    }
    let mut report = Report {
        verdict: Verdict::Undecided,
        diagnosis: None,
        cause: None,
        role_arn: &args.role_arn,
        bucket: &args.bucket,
        wallets: vec![&one.prefix, &other.prefix],
        warnings,
        requests: Vec::new(),
        leftovers: &[],
    };

    let sts = Sts::new(transport(&client), &region, sts_endpoint.as_deref());
    let assume = |identity: &Identity| {
        let assume = Assume { role_arn: &args.role_arn, session_name: SESSION_NAME, duration: Some(DURATION) };
        sts.assume(&assume, &identity.token)
    };
    // From here on an interrupt is noticed between requests, so that what was put can be put away.
    let stop = interrupts();
    let credentials = match entry(assume(one), || assume(other)) {
        Ok(credentials) => credentials,
        Err(NoEntry::Broken(diagnosis)) => {
            (report.verdict, report.diagnosis) = (Verdict::Broken, Some(diagnosis));
            return end(&report, None, false, output);
        }
        Err(NoEntry::Undecided(failure)) => {
            let cause = format!("STS {failure}. {}", sts::remedy(&failure));
            report.cause = Some(&cause);
            return end(&report, None, false, output);
        }
    };

    let stores = credentials.map(|credentials| S3::new(transport(&client), &region, &place, &args.bucket, &credentials));
    let seen = Course::new(stores, [&one.prefix, &other.prefix], &random()?, &stop).run();
    let Seen { observations, leftovers, silence, interrupted } = &seen;
    report.verdict = verdict(observations);
    report.diagnosis = (report.verdict == Verdict::Broken).then(|| diagnose(observations, one.tagged && other.tagged));
    report.requests = lines(observations, [&one.prefix, &other.prefix]);
    report.leftovers = leftovers;
    let silence = silence
        .as_ref()
        .map(|why| format!("S3 {why}: look at --s3-endpoint (AWS_ENDPOINT_URL_S3), --region and --ca-file (AWS_CA_BUNDLE)"));
    report.cause = if *interrupted { Some("interrupted") } else { silence.as_deref() };
    end(&report, Some(observations), *interrupted, output)
}

/// Prints the report; the exit code.
fn end(report: &Report<'_>, seen: Option<&probe::Observations>, interrupted: bool, output: &Output) -> Result<ExitCode, Error> {
    output.result(report, || text(report, seen))?;
    Ok(match report.verdict {
        Verdict::Broken => ExitCode::from(3),
        _ if interrupted => ExitCode::from(130),
        Verdict::Isolated => ExitCode::SUCCESS,
        Verdict::Undecided => ExitCode::from(2),
    })
}

fn warnings(identities: &[Identity; 2]) -> Vec<String> {
    let untagged = identities.iter().filter(|identity| !identity.tagged);
    let warn =
        |identity: &Identity| format!("The token of {} carries no session tag: no policy can tell whose session it is.", identity.prefix);
    untagged.map(warn).collect()
}

/// Why there are no two sessions.
#[derive(Debug)]
enum NoEntry {
    /// STS denies: nothing leaks, and nobody works either.
    Broken(Diagnosis),
    Undecided(Failure),
}

/// Both wallets' credentials. The second is asked for where the first was answered.
fn entry(one: Result<Credentials, Failure>, other: impl FnOnce() -> Result<Credentials, Failure>) -> Result<[Credentials; 2], NoEntry> {
    let denied = |failure: &Failure| matches!(failure, Failure::Refused { code: Some(code), .. } if code.starts_with("AccessDenied"));
    match (one, other) {
        (Err(failure), _) if !denied(&failure) => Err(NoEntry::Undecided(failure)),
        (Err(_), other) => match other() {
            Ok(_) => Err(NoEntry::Broken(NO_ENTRY_FOR_ONE)),
            Err(failure) if denied(&failure) => Err(NoEntry::Broken(NO_ENTRY)),
            Err(failure) => Err(NoEntry::Undecided(failure)),
        },
        (Ok(one), other) => match other() {
            Ok(other) => Ok([one, other]),
            Err(failure) if denied(&failure) => Err(NoEntry::Broken(NO_ENTRY_FOR_ONE)),
            Err(failure) => Err(NoEntry::Undecided(failure)),
        },
    }
}

/// 16 hex digits of this run.
fn random() -> Result<String, Error> {
    let mut bytes = [0; 8];
    getrandom::fill(&mut bytes).map_err(|_| Error::outside("this machine has no randomness"))?;
    Ok(format!("{:016x}", u64::from_be_bytes(bytes)))
}

/// The name of a bucket; those of a foreign S3 may be stranger than AWS's, and none is a path.
fn bucket(text: &str) -> Result<String, String> {
    let characters = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_'));
    if characters && (3..=255).contains(&text.len()) {
        Ok(text.to_owned())
    } else {
        Err("a bucket is named by 3 to 255 letters, digits, hyphens, dots and underscores".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[allow(clippy::unnecessary_wraps, reason = "stands for a call to STS")]
    fn credentials() -> Result<Credentials, Failure> {
        Ok(Credentials { access_key_id: "a".into(), secret_access_key: "b".into(), session_token: "c".into(), expiration: None })
    }

    fn refused(code: &str) -> Result<Credentials, Failure> {
        Err(Failure::Refused { status: 403, code: Some(code.to_owned()) })
    }

    #[test]
    fn a_denied_role_is_broken_and_any_other_refusal_undecided() {
        assert!(entry(credentials(), credentials).is_ok());
        for (one, other, id) in [
            (refused("AccessDenied"), refused("AccessDenied"), "no-entry"),
            (credentials(), refused("AccessDenied"), "no-entry-for-one"),
            (refused("AccessDenied"), credentials(), "no-entry-for-one"),
        ] {
            assert!(matches!(entry(one, || other), Err(NoEntry::Broken(diagnosis)) if diagnosis.id == id), "{id}");
        }
        for (one, other) in [
            (refused("InvalidIdentityToken"), refused("AccessDenied")),
            (refused("AccessDenied"), refused("ExpiredTokenException")),
            (credentials(), refused("IDPCommunicationError")),
            (Err(Failure::Foreign { status: 403 }), credentials()),
        ] {
            assert!(matches!(entry(one, || other), Err(NoEntry::Undecided(_))));
        }
    }

    #[test]
    fn a_bucket_is_no_path() {
        for good in ["my-wallets", "a.b.c", "under_score", "ABC"] {
            assert!(bucket(good).is_ok(), "{good}");
        }
        for bad in ["", "ab", "a/b", "..a/", "a b c", "arn:aws:s3:::b"] {
            assert!(bucket(bad).is_err(), "{bad}");
        }
    }
}
