//! What a failure of wrangler means for an operator.
//!
//! Its words are looked through for the few failures that have a remedy, and never repeated: they are another program's,
//! and what they hold is not known. `--verbose` shows them as they are.

use super::process::Finished;
use crate::error::Error;

/// Words of wrangler 4, and what they mean. The first that is found counts.
const MEANINGS: [(&[&str], &str); 13] = [
    (
        &["requires at least Node.js"],
        "wrangler needs a newer Node.js (22.12 or later): put one first on PATH, such as the one that the scripts install under .tools",
    ),
    (
        &["env: node", "env: 'node'", "env: \u{2018}node\u{2019}", "node: not found", "node: command not found"],
        "wrangler needs Node.js (22.12 or later) on PATH",
    ),
    (
        &["CLOUDFLARE_API_TOKEN", "not authenticated", "not logged in", "Authentication error", "[code: 10000]", "[code: 9109]"],
        "wrangler may not use the account: run npx wrangler login, or set CLOUDFLARE_API_TOKEN to a token that may edit Workers KV",
    ),
    (&["More than one account"], "wrangler knows more than one account: set CLOUDFLARE_ACCOUNT_ID, or account_id in its configuration"),
    (&["No environment found"], "wrangler's configuration has no such environment: --env names a section [env.NAME] of wrangler.toml"),
    (
        &["No KV namespace ID found", "[code: 10007]"],
        "the environment's worker is not deployed yet, so that its KV namespace is not known: deploy it first, or put the namespace's id into wrangler.toml",
    ),
    (
        &["namespace not found", "[code: 10013]"],
        "the id of SESSIONS in that environment is no KV namespace of this account: look at wrangler.toml and at npx wrangler kv namespace list",
    ),
    (&["No KV namespaces are configured", "No KV namespace with binding"], NO_BINDING),
    (
        &["No namespace ID is configured"],
        "the binding SESSIONS has no id in that environment: make the namespace with npx wrangler kv namespace create, and put its id into wrangler.toml",
    ),
    (
        &["Could not read file", "ENOENT", "no such file or directory"],
        "wrangler cannot read a file: name its configuration with --config, or run this in the project",
    ),
    (
        &["Unknown argument", "Unknown command", "Unknown arguments"],
        "this wrangler does not know the KV commands of version 4: use the project's own (npm ci)",
    ),
    (&["Invalid expiration"], "Cloudflare refused the session's lifetime: a stored value lives for 60 seconds at least"),
    (
        &["fetch failed", "ENOTFOUND", "ECONNREFUSED", "ECONNRESET", "ETIMEDOUT", "EAI_AGAIN", "Service unavailable"],
        "wrangler did not reach Cloudflare, or Cloudflare did not answer: try again",
    ),
];

const NO_BINDING: &str = "that environment has no KV binding SESSIONS: run this in the project or name its wrangler.toml with --config, and look \
                          whether the environment has its own kv_namespaces (they are not inherited)";

/// The error of a run that ended by itself, but not well.
pub(super) fn failure(finished: &Finished) -> Error {
    // Errors are on stderr; stdout has the banner, and in some versions the error too.
    let holds = |words: &&str| finished.stderr.contains(words) || finished.stdout.contains(words);
    let meaning = MEANINGS.iter().find(|(words, _)| words.iter().any(holds)).map(|(_, meaning)| *meaning);
    let how = finished.code.map_or_else(|| "was ended by a signal".to_owned(), |code| format!("ended with exit code {code}"));
    let meaning = meaning.map_or_else(|| format!("wrangler {how}"), ToOwned::to_owned);
    Error::outside(format!("{meaning} (--verbose shows what wrangler says)"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finished(stdout: &str, stderr: &str) -> Finished {
        Finished { success: false, code: Some(1), stdout: stdout.to_owned(), stderr: stderr.to_owned() }
    }

    #[test]
    fn known_failures_have_a_remedy() {
        for (said, remedy) in [
            ("Wrangler requires at least Node.js v22.12.0. You are using v20.20.2.", "newer Node.js"),
            ("env: 'node': No such file or directory", "Node.js (22.12 or later) on PATH"),
            ("In a non-interactive environment, it's necessary to set a CLOUDFLARE_API_TOKEN environment variable", "wrangler login"),
            ("A request to the Cloudflare API (/accounts/…) failed. Authentication error [code: 10000]", "wrangler login"),
            ("No environment found in configuration with name \"nope\".", "[env.NAME]"),
            ("No KV namespaces are configured in your wrangler config file.", "binding SESSIONS"),
            ("No KV namespace with binding \"SESSIONS\" was found", "binding SESSIONS"),
            ("No KV namespace ID found for binding \"SESSIONS\" in the deployed Worker settings", "deploy it first"),
            ("put: 'namespace not found' [code: 10013]", "no KV namespace of this account"),
            ("Unknown argument: force", "version 4"),
            ("TypeError: fetch failed", "try again"),
        ] {
            for one in [finished("", said), finished(said, "")] {
                let message = failure(&one).to_string();
                assert!(message.contains(remedy), "{said}: {message}");
            }
        }
    }

    #[test]
    fn what_wrangler_said_is_never_repeated() {
        let message = failure(&finished("secret-on-stdout", "[ERROR] secret-on-stderr CLOUDFLARE_API_TOKEN=secret")).to_string();
        assert!(!message.contains("secret"), "{message}");
        let message = failure(&finished("secret-on-stdout", "secret-on-stderr")).to_string();
        assert!(!message.contains("secret"), "{message}");
        assert!(message.contains("exit code 1"), "{message}");
    }

    #[test]
    fn a_signal_is_no_exit_code() {
        let message = failure(&Finished { success: false, code: None, stdout: String::new(), stderr: String::new() }).to_string();
        assert!(message.contains("signal"), "{message}");
    }
}
