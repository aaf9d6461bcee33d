//! `troupe-loadtests`: measures a running server from outside, as its clients do.
//!
//! Only against this machine: a load test of somebody else's server is an attack.

mod account;
mod editor;
mod fan_out;
mod report;

use anyhow::Result;
use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(about = "Load tests for a running Troupe server on this machine")]
struct Cli {
    #[command(subcommand)]
    scenario: Scenario,
}

#[derive(Subcommand)]
enum Scenario {
    /// Editors change their nodes in shared documents; every change goes to all others in the document.
    FanOut(fan_out::FanOut),
}

#[tokio::main]
async fn main() -> Result<()> {
    match Cli::parse().scenario {
        Scenario::FanOut(scenario) => fan_out::run(scenario).await,
    }
}
