//! The binary: parses the command line and tells how it ended.

use std::process::ExitCode;

use clap::Parser;
use mimalloc::MiMalloc;
use tokio::runtime::Runtime;
use troupe::cli::Cli;

/// Many small values of many sessions come and go at once.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    end_when_the_store_panics();
    let cli = Cli::parse();
    let runtime = match Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => return failed(&error.into()),
    };
    let ended = runtime.block_on(cli.execute());
    // What works on a blocking thread cannot be stopped, and would keep the process for as long as it works.
    runtime.shutdown_background();
    ended.unwrap_or_else(|error| failed(&error))
}

/// A thread of SQLite's that panics, as when it finds no memory, leaves whoever waits for it waiting for ever. The process
/// ends, as it does wherever else memory is lacking: whoever runs it starts it anew, and nothing that was saved is lost.
fn end_when_the_store_panics() {
    let report = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        report(panic);
        if troupe_store::is_worker(&std::thread::current()) {
            std::process::abort();
        }
    }));
}

fn failed(error: &anyhow::Error) -> ExitCode {
    eprintln!("error: {error:#}");
    ExitCode::FAILURE
}
