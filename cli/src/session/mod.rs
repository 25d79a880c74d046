//! `session`: what an operator does with a wallet's sessions.
//!
//! The record is built and read by the broker's own type, so that there is one writer and one reader of it. A session token
//! is made here, printed once, and kept nowhere: what is stored is its hash.

mod issue;
mod list;
mod revoke;
mod sessions;
mod show;
mod state;
mod which;

use std::process::ExitCode;

use clap::{Args, Subcommand};

use crate::error::Error;
use crate::output::Output;

/// Issue, list, show and revoke the sessions of a wallet.
#[derive(Args)]
pub(crate) struct SessionArgs {
    #[command(subcommand)]
    command: SessionCommand,
}

#[derive(Subcommand)]
enum SessionCommand {
    Issue(issue::IssueArgs),
    List(list::ListArgs),
    Show(show::ShowArgs),
    Revoke(revoke::RevokeArgs),
    RevokeAll(revoke::RevokeAllArgs),
}

/// Runs the command.
pub(crate) fn run(args: &SessionArgs, output: &Output) -> Result<ExitCode, Error> {
    match &args.command {
        SessionCommand::Issue(args) => issue::run(args, output),
        SessionCommand::List(args) => list::run(args, output),
        SessionCommand::Show(args) => show::run(args, output),
        SessionCommand::Revoke(args) => revoke::run(args, output),
        SessionCommand::RevokeAll(args) => revoke::run_all(args, output),
    }
    .map(|()| ExitCode::SUCCESS)
}
