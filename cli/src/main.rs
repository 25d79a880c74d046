//! `edge-broker`: the tool of the operator and of the agent.
//!
//! Every command is a module with its arguments and a `run`. Results go to stdout, everything said about them to stderr;
//! `--json` makes the result one JSON value. What went wrong is an [`Error`] with the exit code that `--help` documents.

mod address;
mod allow;
mod arguments;
mod aws;
mod broker_client;
mod check;
mod clock;
mod credentials;
mod doctor;
mod duration;
mod error;
mod http;
mod interrupt;
mod keygen;
mod kv;
mod login;
mod logout;
mod loopback;
mod output;
mod private_file;
mod prove;
mod retry;
mod session;
mod session_token;
mod stored_login;
mod terminal;
mod token;
mod wrangler;

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
#[allow(clippy::large_enum_variant, reason = "there is one, parsed once")]
enum Command {
    Allow(allow::AllowArgs),
    Aws(aws::AwsArgs),
    Check(check::CheckArgs),
    Credentials(credentials::CredentialsArgs),
    Doctor(doctor::DoctorArgs),
    Keygen(keygen::KeygenArgs),
    Login(login::LoginArgs),
    Logout(logout::LogoutArgs),
    Prove(prove::ProveArgs),
    Session(session::SessionArgs),
    Token(token::TokenArgs),
}

fn main() -> ExitCode {
    // Before anything is parsed: the parser's own messages repeat what they do not understand.
    if let Err(error) = arguments::refuse_secrets(std::env::args_os()) {
        return Output::new(std::env::args_os().any(|argument| argument == "--json")).fail(&error);
    }
    let cli = Cli::parse();
    let output = Output::new(cli.json);
    match run(cli.command, &output) {
        Ok(code) => code,
        Err(error) => output.fail(&error),
    }
}

fn run(command: Command, output: &Output) -> Result<ExitCode, Error> {
    match command {
        Command::Allow(args) => allow::run(&args, output),
        Command::Aws(args) => aws::run(&args, output),
        Command::Check(args) => check::run(&args, output),
        Command::Credentials(args) => credentials::run(&args, output),
        Command::Doctor(args) => doctor::run(&args, output),
        Command::Keygen(args) => keygen::run(&args, output),
        Command::Login(args) => login::run(&args, output),
        Command::Logout(args) => logout::run(&args, output),
        Command::Prove(args) => prove::run(&args, output),
        Command::Session(args) => session::run(&args, output),
        Command::Token(args) => token::run(&args, output),
    }
}
