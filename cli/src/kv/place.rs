//! Where the broker's records are: the KV namespace `SESSIONS` of an environment, on this machine or at Cloudflare.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::namespace::Namespace;
use crate::duration::Seconds;
use crate::error::Error;
use crate::output::Output;
use crate::wrangler::Wrangler;

/// The environment that the top level of `wrangler.toml` describes.
const DEVELOPMENT: &str = "development";
/// The longest time that wrangler may be given.
const LIMIT_MAX: Seconds = Seconds(3_600);

/// Which namespace, and which wrangler reads and writes it.
#[derive(Args)]
#[allow(clippy::doc_markdown, reason = "these are help texts")]
#[command(next_help_heading = "Where it is stored")]
pub(crate) struct PlaceArgs {
    /// The environment, a section [env.NAME] of wrangler.toml [default: its top level, for development].
    #[arg(long, value_name = "NAME")]
    env: Option<String>,
    /// The namespace on this machine, which wrangler dev reads.
    #[arg(long, conflicts_with = "remote")]
    local: bool,
    /// The namespace at Cloudflare; takes --env.
    #[arg(long)]
    remote: bool,
    /// The directory of the local namespace, as for wrangler dev [default: .wrangler/state].
    #[arg(long, value_name = "DIR", conflicts_with = "remote")]
    persist_to: Option<PathBuf>,
    /// Wrangler's configuration [default: the nearest wrangler.toml].
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The wrangler to run, a program's path [env: EDGE_BROKER_WRANGLER] [default: the project's own].
    #[arg(long, value_name = "PROGRAM")]
    wrangler: Option<PathBuf>,
    /// How long wrangler may take.
    #[arg(long, value_name = "DURATION", default_value = "120s")]
    wrangler_timeout: Seconds,
    /// Show on stderr what wrangler is asked and what it says.
    #[arg(long)]
    verbose: bool,
}

/// One namespace, by what people call it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    environment: Option<String>,
    remote: bool,
}

impl Place {
    /// The environment's name.
    pub(crate) fn environment(&self) -> &str {
        self.environment.as_deref().unwrap_or(DEVELOPMENT)
    }

    /// `local` or `remote`.
    pub(crate) fn storage(&self) -> &'static str {
        if self.remote { "remote" } else { "local" }
    }

    /// Whether it is Cloudflare's own, eventually consistent.
    pub(crate) fn is_remote(&self) -> bool {
        self.remote
    }

    /// What is kept there, in words: `the local sessions of development`.
    pub(crate) fn of(&self, what: &str) -> String {
        format!("the {} {what} of {}", self.storage(), self.environment())
    }

    /// The options that name it again; empty for development.
    pub(crate) fn options(&self) -> String {
        self.environment.as_ref().map_or_else(String::new, |name| format!(" --env {name} --{}", self.storage()))
    }
}

impl PlaceArgs {
    /// The place that the arguments name. Nothing remote, and no environment's data, is ever touched by default.
    fn place(&self) -> Result<Place, Error> {
        if let Some(name) = &self.env
            && (name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')))
        {
            return Err(Error::usage("--env names a section [env.NAME] of wrangler.toml: letters, digits, - and _"));
        }
        match (&self.env, self.local, self.remote) {
            (None, _, true) => Err(Error::usage(
                "--remote takes --env: without one it is development, which is on this machine only. Say --env production --remote, \
                 or whichever environment you mean",
            )),
            (Some(name), false, false) => {
                Err(Error::usage(format!("--env {name} has two namespaces: say --local for this machine's or --remote for Cloudflare's")))
            }
            (environment, _, remote) => Ok(Place { environment: environment.clone(), remote }),
        }
    }

    /// The namespace, ready to be read and written.
    pub(crate) fn open<'a>(&self, output: &'a Output) -> Result<Namespace<'a>, Error> {
        let place = self.place()?;
        if !(Seconds(1)..=LIMIT_MAX).contains(&self.wrangler_timeout) {
            return Err(Error::usage("--wrangler-timeout is 1s to 1h"));
        }
        let limit = Duration::from_secs(self.wrangler_timeout.0);
        let wrangler = Wrangler::new(self.wrangler.clone(), self.config.as_ref(), limit, self.verbose.then_some(output))?;
        Ok(Namespace::new(wrangler, self.flags(&place), place))
    }

    /// What wrangler is told about the place, each argument in one word so that no value is taken for an option.
    fn flags(&self, place: &Place) -> Vec<OsString> {
        let joined = |option: &str, value: &std::ffi::OsStr| {
            let mut word = OsString::from(option);
            word.push(value);
            word
        };
        // Reads would take the main namespace of a binding that has a preview one too, and writes would ask.
        let mut flags: Vec<OsString> = ["--binding=SESSIONS", "--preview=false"].map(OsString::from).into();
        flags.push(joined("--env=", place.environment.as_deref().unwrap_or_default().as_ref()));
        flags.push(OsString::from(if place.remote { "--remote" } else { "--local" }));
        flags.extend(self.persist_to.as_ref().map(|directory| joined("--persist-to=", directory.as_os_str())));
        flags.extend(self.config.as_ref().map(|file| joined("--config=", file.as_os_str())));
        flags
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        place: PlaceArgs,
    }

    fn parsed(line: &str) -> PlaceArgs {
        Line::try_parse_from(std::iter::once("x").chain(line.split_whitespace())).ok().unwrap().place
    }

    fn place(line: &str) -> Result<(String, &'static str), u8> {
        parsed(line).place().map(|place| (place.environment().to_owned(), place.storage())).map_err(|error| error.code())
    }

    #[test]
    fn the_default_is_development_on_this_machine() {
        assert_eq!(place(""), Ok(("development".to_owned(), "local")));
        assert_eq!(place("--local"), Ok(("development".to_owned(), "local")));
    }

    #[test]
    fn an_environment_is_named_together_with_its_storage() {
        assert_eq!(place("--env production --remote"), Ok(("production".to_owned(), "remote")));
        assert_eq!(place("--env production --local"), Ok(("production".to_owned(), "local")));
        assert_eq!(place("--env production"), Err(2));
        assert_eq!(place("--remote"), Err(2));
        for name in ["--env= --local", "--env=a.b --local", "--env=a/b --local", "--env=-x=y --local"] {
            assert_eq!(place(name), Err(2), "{name}");
        }
        assert!(Line::try_parse_from(["x", "--env=a", "--local", "--remote"]).is_err());
        assert!(Line::try_parse_from(["x", "--env=a", "--remote", "--persist-to", "d"]).is_err());
    }

    #[test]
    fn wrangler_is_told_everything_in_single_words() {
        let flags = |line: &str| {
            let args = parsed(line);
            args.flags(&args.place().unwrap())
        };
        assert_eq!(flags(""), ["--binding=SESSIONS", "--preview=false", "--env=", "--local"], "and not what CLOUDFLARE_ENV says");
        assert_eq!(
            flags("--env e --local --persist-to=-d --config=-c.toml"),
            ["--binding=SESSIONS", "--preview=false", "--env=e", "--local", "--persist-to=-d", "--config=-c.toml"]
        );
        assert_eq!(flags("--env e --remote").last().unwrap(), "--remote");
    }

    #[test]
    fn the_time_limit_has_limits() {
        for line in ["--wrangler-timeout 0s", "--wrangler-timeout 2h"] {
            assert_eq!(parsed(line).open(&Output::new(false)).err().map(|error| error.code()), Some(2), "{line}");
        }
    }
}
