//! `troupe-faults`: real servers under real faults. Each program starts what it needs, breaks it, checks what must
//! hold, prints a tally, and ends with a code.

mod api;
mod book;
mod canvas;
mod editor;
mod kill;
mod postgres;
mod provider;
mod room;
mod runs;
mod server;
mod stage;
mod view;
mod witness;

use anyhow::{Result, bail};
use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(about = "Fault tests of Troupe servers that it starts on this machine")]
struct Cli {
    #[command(subcommand)]
    program: Program,
}

#[derive(Subcommand)]
enum Program {
    /// The server is killed at random moments under editing and runs [REL-1].
    Kill(kill::Kill),
}

#[tokio::main]
async fn main() -> Result<()> {
    let program = async {
        match Cli::parse().program {
            Program::Kill(program) => kill::run(&program).await,
        }
    };
    tokio::select! {
        outcome = program => outcome,
        // What was started ends with its handles.
        _ = tokio::signal::ctrl_c() => bail!("interrupted"),
    }
}
