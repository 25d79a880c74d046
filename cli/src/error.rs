//! What went wrong, in words that say what to do, and the exit code it has.

use core::fmt;
use std::borrow::Cow;

/// The exit codes, as `--help` prints them. Commands that judge document their own 0, 1, 2 and 3.
pub(crate) const EXIT_CODES: &str = "\
Exit codes:
  0    done
  2    the command line is wrong
  64   an input is wrong (a wallet, a key, a file's content)
  65   what is stored is broken (a record, a listing)
  66   the session asked for is not there
  69   something outside did not answer or refused (wrangler, the issuer, AWS)
  74   a file cannot be read or written
  130  interrupted";

/// An error for the caller's eyes: never a token, a key or what a server sent.
#[derive(Debug)]
pub(crate) struct Error {
    code: u8,
    message: Cow<'static, str>,
}

impl Error {
    /// The command line is wrong, in a way that its parser cannot see: 2.
    pub(crate) fn usage(message: impl Into<Cow<'static, str>>) -> Self {
        Self { code: 2, message: message.into() }
    }

    /// An input is wrong: 64.
    pub(crate) fn input(message: impl Into<Cow<'static, str>>) -> Self {
        Self { code: 64, message: message.into() }
    }

    /// What is stored is broken: 65.
    pub(crate) fn stored(message: impl Into<Cow<'static, str>>) -> Self {
        Self { code: 65, message: message.into() }
    }

    /// What was asked for is not there: 66.
    pub(crate) fn absent(message: impl Into<Cow<'static, str>>) -> Self {
        Self { code: 66, message: message.into() }
    }

    /// Something outside did not answer or refused: 69.
    pub(crate) fn outside(message: impl Into<Cow<'static, str>>) -> Self {
        Self { code: 69, message: message.into() }
    }

    /// A file cannot be read or written: 74.
    pub(crate) fn file(message: impl Into<Cow<'static, str>>) -> Self {
        Self { code: 74, message: message.into() }
    }

    /// The operator stopped it: 130, as shells say it.
    pub(crate) fn interrupted(message: impl Into<Cow<'static, str>>) -> Self {
        Self { code: 130, message: message.into() }
    }

    /// The same error with one more sentence.
    pub(crate) fn and(self, sentence: &str) -> Self {
        Self { message: format!("{}\n{sentence}", self.message).into(), ..self }
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
