//! AWS: ending sessions that are out already (`aws revoke-policy`), and what `credentials` and `prove` share: the SDK over
//! the tool's own HTTP client, its endpoints, and `AssumeRoleWithWebIdentity`.

pub(crate) mod endpoints;
mod revoke;
pub(crate) mod sts;
pub(crate) mod transport;

use std::process::ExitCode;

use clap::{Args, Subcommand};

use crate::error::Error;
use crate::output::Output;

/// Policies for AWS.
#[derive(Args)]
pub(crate) struct AwsArgs {
    #[command(subcommand)]
    command: AwsCommand,
}

#[derive(Subcommand)]
enum AwsCommand {
    RevokePolicy(revoke::RevokeArgs),
}

pub(crate) fn run(args: &AwsArgs, output: &Output) -> Result<ExitCode, Error> {
    match &args.command {
        AwsCommand::RevokePolicy(args) => revoke::run(args, output),
    }
}
