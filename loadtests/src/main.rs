//! `troupe-loadtests`: measures collaboration servers on this machine. Each is started here, so nobody else's is hit.

use std::{path::PathBuf, process::ExitCode};

use anyhow::Result;
use clap::{Args, Parser, Subcommand, ValueEnum};
use troupe_loadtests::{
    scenario::Scenario,
    server::{Kind, Programs},
    usage,
};

#[derive(Parser)]
#[command(about = "Measures Troupe and other collaboration servers, each started on this machine")]
struct Cli {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    options: Options,
}

#[derive(Args)]
struct Options {
    /// Which servers; all if not given.
    #[arg(long, global = true, value_enum, value_delimiter = ',')]
    servers: Vec<Kind>,
    #[command(flatten)]
    programs: Programs,
    /// Appends the measurements to this file, a line of JSON for each server.
    #[arg(long, global = true)]
    json: Option<PathBuf>,
}

#[derive(Subcommand)]
enum Command {
    /// Every scenario, as in RESULTS.md.
    All,
    #[command(flatten)]
    One(Scenario),
}

/// What `all` runs, as one would type it.
const ALL: [&[&str]; 9] = [
    &["fan-out"],
    &["fan-out", "--editors", "5", "--rate", "5"],
    &["idle"],
    &["join-storm"],
    &["observers"],
    &["slow-readers"],
    &["soak"],
    &["start"],
    &["open"],
];

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<ExitCode> {
    let Cli { command, options } = Cli::parse();
    usage::raise_open_files()?;
    let scenarios = match command {
        Command::One(scenario) => vec![scenario],
        Command::All => all(),
    };
    let mut complete = true;
    for scenario in scenarios {
        complete &= run(&scenario, &options).await?;
    }
    Ok(if complete { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// False if some server could not be measured.
async fn run(scenario: &Scenario, options: &Options) -> Result<bool> {
    let servers = if options.servers.is_empty() { Kind::value_variants() } else { &options.servers };
    let table = scenario.run(servers, &options.programs).await;
    println!("{}", table.text());
    if let Some(file) = &options.json {
        table.append_to(file)?;
    }
    Ok(table.outcomes.iter().all(|outcome| outcome.metrics.is_ok()))
}

fn all() -> Vec<Scenario> {
    let typed = ALL.iter().map(|words| Cli::parse_from(["troupe-loadtests"].iter().chain(*words)).command);
    typed.filter_map(|command| if let Command::One(scenario) = command { Some(scenario) } else { None }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_that_all_runs_is_a_scenario() {
        assert_eq!(all().len(), ALL.len());
    }
}
