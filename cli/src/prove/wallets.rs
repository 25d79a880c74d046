//! Two wallets and their web identity tokens: minted by the broker for two sessions, or ready made in two files.

use std::path::{Path, PathBuf};

use agentkeys_edge_broker::aws::Audience;
use agentkeys_edge_broker::wallet::Wallet;
use clap::Args;

use crate::address::wallet_argument;
use crate::broker_client::{Broker, Request, own_session};
use crate::check::Token;
use crate::clock::now;
use crate::error::Error;
use crate::http::Client;
use crate::session_token::{self, Named};

/// The variable with the other wallet's session token.
const OTHER_VARIABLE: &str = "EDGE_BROKER_OTHER_SESSION_TOKEN";
/// More than the longest token.
const TOKEN_BYTES_MAX: u64 = 64 * 1024;
/// How the subject of a wallet's tokens starts.
const SUBJECT: &str = "agentkeys:agent:";

/// Whose isolation is proven.
#[derive(Args)]
#[allow(clippy::doc_markdown, reason = "these are help texts")]
pub(super) struct WalletArgs {
    /// The issuer that mints for both: the URL of the broker.
    #[arg(long, value_name = "URL", env = "EDGE_BROKER_ISSUER")]
    issuer: Option<String>,
    /// A file with one wallet's session token [env: EDGE_BROKER_SESSION_TOKEN_FILE]. Without it:
    /// EDGE_BROKER_SESSION_TOKEN, then the last login at the issuer.
    #[arg(long, value_name = "FILE")]
    session_token_file: Option<PathBuf>,
    /// The one wallet, one that has logged in.
    #[arg(long, value_name = "WALLET", value_parser = wallet_argument, conflicts_with = "session_token_file")]
    wallet: Option<Wallet>,
    /// A file with another wallet's session token. Without it: EDGE_BROKER_OTHER_SESSION_TOKEN.
    #[arg(long, value_name = "FILE")]
    other_session_token_file: Option<PathBuf>,
    /// The other wallet, one that has logged in.
    #[arg(long, value_name = "WALLET", value_parser = wallet_argument, conflicts_with = "other_session_token_file")]
    other_wallet: Option<Wallet>,
    /// A file with one wallet's web identity token, ready made; nothing is minted then.
    #[arg(long, value_name = "FILE", requires = "other_token_file")]
    token_file: Option<PathBuf>,
    /// A file with another wallet's web identity token.
    #[arg(long, value_name = "FILE", requires = "token_file")]
    other_token_file: Option<PathBuf>,
    /// The audience of the tokens; without it: the sessions' first.
    #[arg(long, value_name = "AUDIENCE", value_parser = audience)]
    audience: Option<Audience>,
    /// The session tag whose value is a wallet's prefix.
    #[arg(long, value_name = "KEY", default_value = "agentkeys_user_wallet")]
    tag: String,
}

/// A wallet and its token.
pub(super) struct Identity {
    pub(super) token: String,
    /// The tag's value, which is the wallet's prefix in the bucket.
    pub(super) prefix: String,
    /// Whether the token carries the tag itself.
    pub(super) tagged: bool,
}

/// Both, and never twice the same.
pub(super) fn identities(args: &WalletArgs, client: &Client) -> Result<[Identity; 2], Error> {
    let (one, other) = match (&args.token_file, &args.other_token_file) {
        (Some(one), Some(other)) => (ready_made(one, "--token-file")?, ready_made(other, "--other-token-file")?),
        _ => minted(args, client)?,
    };
    let pair = [identity(one, &args.tag, "the one token")?, identity(other, &args.tag, "the other token")?];
    let [one, other] = &pair;
    if one.prefix == other.prefix {
        return Err(Error::input("both tokens are of the same wallet: a proof takes two"));
    }
    if [one, other].iter().any(|identity| identity.prefix.contains('/')) {
        return Err(Error::input("a tag's value has a / in it: wallets are kept apart by the first part of a key"));
    }
    Ok(pair)
}

fn ready_made(file: &Path, option: &str) -> Result<String, Error> {
    session_token::text(file, option, TOKEN_BYTES_MAX)
}

fn minted(args: &WalletArgs, client: &Client) -> Result<(String, String), Error> {
    let issuer = args.issuer.as_deref().ok_or_else(|| {
        Error::usage(
            "whose isolation? Name the --issuer and two session tokens, or two web identity tokens: --token-file and --other-token-file",
        )
    })?;
    let broker = Broker::new(client, issuer)?;
    let one = own_session(Some(issuer), args.session_token_file.as_deref(), args.wallet.as_ref());
    let other = Named {
        file: args.other_session_token_file.as_deref(),
        file_option: "--other-session-token-file",
        file_variable: None,
        variable: OTHER_VARIABLE,
        issuer: Some(issuer),
        wallet: args.other_wallet.as_ref(),
        wallet_option: "--other-wallet",
        or_the_last_login: false,
    };
    let (one, other) = (one.source()?.read(Some(issuer))?, other.source()?.read(Some(issuer))?);
    let (now, request) = (now()?, Request { audience: args.audience.as_ref(), ttl_seconds: None });
    Ok((broker.mint(one.live(now)?, &request)?.jwt, broker.mint(other.live(now)?, &request)?.jwt))
}

/// The wallet is read from the tag; of a token without it from its subject, so that the run can show what that does.
fn identity(text: String, tag: &str, which: &str) -> Result<Identity, Error> {
    let token =
        Token::parse(&text).map_err(|_| Error::input(format!("{which} is no signed JWT: edge-broker check says what is wrong with it")))?;
    let value = token.tag(tag).filter(|value| !value.is_empty());
    let tagged = value.is_some();
    let subject = || Some(token.subject()?.strip_prefix(SUBJECT)?.parse::<Wallet>().ok()?.to_string());
    let prefix = value.or_else(subject).ok_or_else(|| {
        Error::input(format!("{which} names no wallet: it has neither the session tag of --tag nor a subject {SUBJECT}<wallet>; edge-broker check shows its tags"))
    })?;
    Ok(Identity { token: text, prefix, tagged })
}

fn audience(text: &str) -> Result<Audience, String> {
    Audience::try_from(text.to_owned()).map_err(|violation| violation.to_string())
}

#[cfg(test)]
mod tests {
    use agentkeys_edge_broker::encoding::base64url;

    use super::*;

    fn token(claims: &str) -> String {
        format!("{}.{}.{}", base64url(br#"{"alg":"ES256"}"#), base64url(claims.as_bytes()), base64url(&[7; 64]))
    }

    #[test]
    fn the_wallet_is_the_tag_or_the_subject() {
        let of = |claims: &str| identity(token(claims), "agentkeys_user_wallet", "x").map(|identity| (identity.prefix, identity.tagged));
        let wallet = "0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed";
        let tags =
            |tags: &str| format!(r#"{{"sub":"agentkeys:agent:{wallet}","https://aws.amazon.com/tags":{{"principal_tags":{tags}}}}}"#);
        assert_eq!(of(&tags(r#"{"agentkeys_user_wallet":["0xa"]}"#)).unwrap(), ("0xa".to_owned(), true));
        assert_eq!(of(r#"{"https://aws.amazon.com/tags/principal_tags/agentkeys_user_wallet":"0xb"}"#).unwrap(), ("0xb".to_owned(), true));
        for untagged in
            [tags(r#"{"team":["blue"]}"#), tags(r#"{"agentkeys_user_wallet":[""]}"#), tags(r#"{"agentkeys_user_wallet":"0xa"}"#)]
        {
            assert_eq!(of(&untagged).unwrap(), (wallet.to_owned(), false), "{untagged}");
        }
        for nobody in ["{}", r#"{"sub":"somebody"}"#, r#"{"sub":"agentkeys:agent:0xa"}"#] {
            assert_eq!(of(nobody).unwrap_err().code(), 64, "{nobody}");
        }
        assert_eq!(identity("no token".to_owned(), "t", "x").err().unwrap().code(), 64);
    }
}
