//! `edge-broker`: the tool of the operator and of the agent.
//!
//! Every command is a module with its arguments and a `run`. Results go to stdout, everything said about them to stderr;
//! `--json` makes the result one JSON value. What went wrong is an [`Error`] with the exit code that `--help` documents.

mod check;
mod error;
mod http;
mod output;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use error::Error;
use output::Output;

/// Keys, sessions and proofs for the edge broker.
#[derive(Parser)]
#[command(version, arg_required_else_help = true, after_help = error::EXIT_CODES)]
struct Cli {
    /// Print the result as JSON.
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Check(check::CheckArgs),
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let output = Output::new(cli.json);
    match run(cli.command, &output) {
        Ok(code) => code,
        Err(error) => output.fail(&error),
    }
}

fn run(command: Command, output: &Output) -> Result<ExitCode, Error> {
    match command {
        Command::Check(args) => check::run(&args, output),
    }
}
