//! The binary: parses the command line and tells how it ended.

use std::process::ExitCode;

use clap::Parser;
use troupe::cli::Cli;

#[tokio::main]
async fn main() -> ExitCode {
    match Cli::parse().execute().await {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
