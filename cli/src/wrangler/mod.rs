//! Cloudflare's `wrangler`, as a program: where it is found, how it is run, what its failures mean.
//!
//! It is run without a shell, with nothing on stdin, under a time limit, and never sees a session token: neither among its
//! arguments, nor in its files, nor in its environment. Its own words stay away from ours; `--verbose` shows them.

mod explain;
mod find;
mod process;

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use crate::duration::Seconds;
use crate::error::Error;
use crate::output::Output;
use crate::session_token;
use find::{Found, find};
use process::{Finished, Trouble};

/// How to run wrangler.
pub(crate) struct Wrangler<'a> {
    found: Found,
    limit: Duration,
    /// Where to repeat what it prints, if asked to.
    verbose: Option<&'a Output>,
}

/// Wrangler did not do what it was asked to.
#[derive(Debug)]
pub(crate) struct Failure {
    /// What went wrong, and what to do.
    pub(crate) error: Error,
    /// Whether it ran at all: if so, what it was asked to do may have been done.
    pub(crate) ran: bool,
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        failure.error
    }
}

impl<'a> Wrangler<'a> {
    /// The wrangler to run: the one named, else the project's, else the one on `PATH`.
    pub(crate) fn new(
        named: Option<PathBuf>,
        config: Option<&PathBuf>,
        limit: Duration,
        verbose: Option<&'a Output>,
    ) -> Result<Self, Error> {
        Ok(Self { found: find(named, config)?, limit, verbose })
    }

    /// How long it may take.
    pub(crate) fn limit(&self) -> Duration {
        self.limit
    }

    /// Runs it and returns what it printed.
    pub(crate) fn run(&self, arguments: &[OsString]) -> Result<String, Failure> {
        let mut command = Command::new(&self.found.program);
        command.args(arguments).env("WRANGLER_SEND_METRICS", "false").env("NO_COLOR", "1").env("FORCE_COLOR", "0");
        // `--env` alone says which environment.
        command.env_remove("CLOUDFLARE_ENV").env_remove(session_token::VARIABLE);
        if let Some(path) = &self.found.path {
            command.env("PATH", path);
        }
        let finished = process::run(command, self.limit).map_err(|trouble| self.trouble(trouble))?;
        self.repeat(arguments, &finished);
        if finished.success { Ok(finished.stdout) } else { Err(Failure { error: explain::failure(&finished), ran: true }) }
    }

    fn repeat(&self, arguments: &[OsString], finished: &Finished) {
        let Some(output) = self.verbose else { return };
        let words: Vec<_> = arguments.iter().map(|argument| argument.to_string_lossy()).collect();
        output.remark(&format!("$ {} {}", self.found.program.display(), words.join(" ")));
        for text in [&finished.stdout, &finished.stderr] {
            if !text.trim().is_empty() {
                output.remark(text.trim_end());
            }
        }
    }

    fn trouble(&self, trouble: Trouble) -> Failure {
        let program = self.found.program.display();
        let (ran, error) = match trouble {
            Trouble::NotFound => (false, Error::outside(format!("wrangler is not at {program}: {}", find::REMEDY))),
            Trouble::NotStarted => {
                (false, Error::outside(format!("{program} cannot be run: it must be an executable file; {}", find::REMEDY)))
            }
            Trouble::TooSlow => (
                true,
                Error::outside(format!(
                    "wrangler had not finished after {} and was ended: look at the network and at Cloudflare's status, or \
                     give it longer with --wrangler-timeout",
                    Seconds(self.limit.as_secs())
                )),
            ),
            Trouble::HeldOpen => {
                (true, Error::outside("wrangler ended and left something running that held its output open; that was ended too: try again"))
            }
            Trouble::TooMuch => (true, Error::outside("wrangler printed more than this tool reads (32 MiB)")),
            Trouble::Interrupted => (true, Error::interrupted("interrupted; wrangler was ended")),
        };
        Failure { error, ran }
    }
}
