//! The binary: parses the command line and tells how it ended.

use std::process::ExitCode;

use clap::Parser;
use mimalloc::MiMalloc;
use troupe::cli::Cli;

/// Many small values of many sessions come and go at once.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

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
