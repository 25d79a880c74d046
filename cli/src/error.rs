//! What went wrong, in words that say what to do, and the exit code it has.

use core::fmt;
use std::borrow::Cow;

/// The exit codes, as `--help` prints them. Commands that judge document their own 0, 1, 2 and 3.
pub(crate) const EXIT_CODES: &str = "\
Exit codes:
  0   done
  2   the command line is wrong
  64  an input is wrong (a wallet, a key, a file's content)
  69  something outside did not answer or refused (wrangler, the issuer, AWS)
  74  a file cannot be read or written";

/// An error for the caller's eyes: never a token, a key or what a server sent.
#[derive(Debug)]
pub(crate) struct Error {
    code: u8,
    message: Cow<'static, str>,
}

impl Error {
    /// An input is wrong: 64.
    pub(crate) fn input(message: impl Into<Cow<'static, str>>) -> Self {
        Self { code: 64, message: message.into() }
    }

    /// Something outside did not answer or refused: 69.
    pub(crate) fn outside(message: impl Into<Cow<'static, str>>) -> Self {
        Self { code: 69, message: message.into() }
    }

    /// A file cannot be read or written: 74.
    pub(crate) fn file(message: impl Into<Cow<'static, str>>) -> Self {
        Self { code: 74, message: message.into() }
    }

    /// The exit code.
    pub(crate) fn code(&self) -> u8 {
        self.code
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}
