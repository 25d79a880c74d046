//! `aws revoke-policy`: the statement that ends AWS sessions which are out already.
//!
//! No broker can end one: STS has issued it. A denial on the role can, by the wallet's tag and the time the session was
//! issued at. The document is the one of `aws/policies/revoke-session.json`.

use std::process::ExitCode;

use agentkeys_edge_broker::aws::CLOCK_TOLERANCE_SECONDS;
use agentkeys_edge_broker::time::UnixTime;
use agentkeys_edge_broker::wallet::Wallet;
use chrono::DateTime;
use clap::Args;
use serde_json::Value;

use crate::clock::{now, rfc3339};
use crate::duration::Seconds;
use crate::error::Error;
use crate::output::Output;

const TEMPLATE: &str = include_str!("../../../aws/policies/revoke-session.json");

const AFTER_HELP: &str = "\
First end the broker's sessions, or the wallet's agents come back with a new AWS session:
  edge-broker session revoke-all WALLET --env production --remote
A token that was minted before can still open an AWS session until it expires; --before +15m denies those too.

Examples:
  edge-broker aws revoke-policy --wallet 0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed >revoke.json
  edge-broker aws revoke-policy --wallet 0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed --before 2026-03-01T12:00:00Z
  aws iam put-role-policy --role-name agentkeys-wallet --policy-name agentkeys-revoked-sessions \\
    --policy-document file://revoke.json

A role has one policy of that name: to add a second wallet, add its statement to the document.";

/// Print the policy that ends a wallet's AWS sessions issued before a time.
#[derive(Args)]
#[command(after_help = AFTER_HELP)]
pub(super) struct RevokeArgs {
    /// The wallet whose sessions end.
    #[arg(long, value_name = "WALLET")]
    wallet: String,
    /// Sessions issued before this time end: RFC 3339, Unix seconds, or +DURATION from now; without it: now.
    #[arg(long, value_name = "TIME")]
    before: Option<String>,
}

pub(super) fn run(args: &RevokeArgs, output: &Output) -> Result<ExitCode, Error> {
    let wallet = crate::address::wallet(&args.wallet)?;
    let now = now()?;
    let before = args.before.as_deref().map_or(Ok(now), |text| time(text, now))?;
    let policy = policy(&wallet, before);
    let json: Value = serde_json::from_str(&policy).map_err(|_| Error::input("the policy is not JSON"))?;
    output.result(&json, || policy)?;
    output.remark(&format!(
        "Denies everything to the wallet's AWS sessions issued before {}. Put it on the role (--help shows how).",
        rfc3339(before)
    ));
    if before.since(now) > 0 {
        output.remark("That time is ahead: until then the wallet's new sessions are denied too.");
    } else if now.since(before) < CLOCK_TOLERANCE_SECONDS.saturating_mul(3) {
        output.remark(
            "A token minted before its broker session ended can still open an AWS session until it expires, plus five minutes: \
             --before +15m denies those too.",
        );
    }
    Ok(ExitCode::SUCCESS)
}

/// The document for one wallet.
fn policy(wallet: &Wallet, before: UnixTime) -> String {
    TEMPLATE.replace("@WALLET@", wallet.as_str()).replace("@TIME@", &rfc3339(before))
}

/// A time as people and programs write it.
fn time(text: &str, now: UnixTime) -> Result<UnixTime, Error> {
    let wrong = || {
        Error::input(
            "--before is a time like 2026-03-01T12:00:00Z, in Unix seconds, or ahead of now like +15m; within the years 1970 to 9999",
        )
    };
    let time = if let Some(ahead) = text.strip_prefix('+') {
        now.plus(ahead.parse::<Seconds>().map_err(|_| wrong())?.0)
    } else if text.bytes().all(|byte| byte.is_ascii_digit()) {
        text.parse::<u64>().ok().and_then(|seconds| UnixTime::try_from(seconds).ok()).ok_or_else(wrong)?
    } else {
        let date = DateTime::parse_from_rfc3339(text).map_err(|_| wrong())?;
        // A part of a second counts as the whole: the denial is never short of what was asked for.
        let up = i64::from(date.timestamp_subsec_nanos() > 0);
        let seconds = u64::try_from(date.timestamp().saturating_add(up)).map_err(|_| wrong())?;
        UnixTime::try_from(seconds).map_err(|_| wrong())?
    };
    // Beyond the year 9999 there is no RFC 3339.
    if time.seconds() < 253_402_300_800 { Ok(time) } else { Err(wrong()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_795_470_116;

    fn read(text: &str) -> Result<u64, u8> {
        time(text, UnixTime::try_from(NOW).unwrap()).map(UnixTime::seconds).map_err(|error| error.code())
    }

    #[test]
    fn a_time_is_read_in_three_forms() {
        for (text, seconds) in [
            ("2026-11-23T21:41:56Z", NOW),
            ("2026-11-23T22:41:56+01:00", NOW),
            ("2026-11-23T21:41:56.001Z", NOW + 1),
            ("1795470116", NOW),
            ("0", 0),
            ("+0s", NOW),
            ("+15m", NOW + 900),
        ] {
            assert_eq!(read(text), Ok(seconds), "{text}");
        }
    }

    #[test]
    fn anything_else_is_refused() {
        for text in [
            "",
            "now",
            "-1",
            "+",
            "+15",
            "1.5",
            "2026-11-23",
            "2026-11-23T21:41:56",
            "1969-12-31T23:59:59Z",
            "253402300800",
            "+9999999999d",
            "99999999999999999999",
        ] {
            assert_eq!(read(text), Err(64), "{text}");
        }
    }

    #[test]
    fn nothing_of_the_template_is_left() {
        let wallet: Wallet = "0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed".parse().unwrap();
        let policy = policy(&wallet, UnixTime::try_from(NOW).unwrap());
        assert!(!policy.contains('@'), "{policy}");
        let policy: Value = serde_json::from_str(&policy).unwrap();
        let condition = &policy["Statement"][0]["Condition"];
        assert_eq!(policy["Statement"][0]["Effect"], "Deny");
        assert_eq!(condition["StringEquals"]["aws:PrincipalTag/agentkeys_user_wallet"], wallet.as_str());
        assert_eq!(condition["DateLessThan"]["aws:TokenIssueTime"], "2026-11-23T21:41:56Z");
    }
}
