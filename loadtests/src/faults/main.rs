//! `troupe-faults`: real servers under real faults. Each program starts what it needs, breaks it, checks what must
//! hold, prints a tally, and ends with a code.

mod book;
mod canvas;
mod database;
mod disk_full;
mod editor;
mod hostile;
mod kill;
mod pause;
mod postgres;
mod provider;
mod room;
mod runs;
mod server;
mod stage;
mod stalled;
mod stamp;
mod view;
mod witness;

use std::process::ExitCode;

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
    /// The owner is stopped past its lease; a second server takes over; the first wakes [REL-4].
    Pause(pause::Pause),
    /// PostgreSQL is restarted, and is gone for a while, under editing [REL-2].
    Database(database::Outage),
    /// Some readers stop reading, and go on later [REL-6].
    Stalled(stalled::Stalled),
    /// The disk of the embedded store fills up, and has room again [REL-8].
    DiskFull(disk_full::DiskFull),
    /// Attackers do the worst known things at once, while others edit [REL-7, SYNC-4].
    Hostile(hostile::Hostile),
}

/// Many threads: what one client does with a large document is not to keep the others from hearing.
#[tokio::main(worker_threads = 16)]
async fn main() -> ExitCode {
    let program = async {
        match Cli::parse().program {
            Program::Kill(program) => kill::run(&program).await,
            Program::Pause(program) => pause::run(&program).await,
            Program::Database(program) => database::run(&program).await,
            Program::Stalled(program) => stalled::run(&program).await,
            Program::DiskFull(program) => disk_full::run(&program).await,
            Program::Hostile(program) => hostile::run(&program).await,
        }
    };
    let outcome = tokio::select! {
        outcome = program => outcome,
        // What was started ends with its handles.
        _ = tokio::signal::ctrl_c() => Err(anyhow::anyhow!("interrupted")),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("FAILED: {error:#}");
            ExitCode::FAILURE
        }
    }
}
