//! The command line. Knows what can be asked for; each command's file does it.

use std::{io::Write, process::ExitCode};

use clap::{Parser, Subcommand};

use crate::{config::Config, config::Flags, docs, examination, server, telemetry};

pub mod migrate;
pub mod run;
pub mod validate;
mod workflow;

#[derive(Debug, Parser)]
#[command(name = "troupe", version, about = "A multiplayer workflow server", max_term_width = 100)]
pub struct Cli {
    #[command(flatten)]
    pub flags: Flags,
    #[command(subcommand)]
    pub command: Option<Command>,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Start the server (the default)
    Serve,
    /// Run a workflow file here, without a server
    Run(run::Args),
    /// Check a workflow file and tell every problem at once
    Validate(validate::Args),
    /// Bring the database to this version's schema
    Migrate,
    /// Print the OpenAPI description
    Openapi,
    /// Print the effective configuration, secrets masked
    Config,
    /// Try a canvas that made trouble; a server starts this
    #[command(hide = true)]
    ExamineCanvas {
        #[arg(long)]
        memory_bytes_max: u64,
    },
}

impl Cli {
    pub async fn execute(self) -> anyhow::Result<ExitCode> {
        match self.command {
            Some(Command::Run(args)) => run::execute(args).await,
            Some(Command::Validate(args)) => validate::execute(&args).await,
            Some(Command::Openapi) => print(&docs::openapi_json()?),
            Some(Command::Config) => print(&Config::load(&self.flags)?.to_string()),
            Some(Command::ExamineCanvas { memory_bytes_max }) => examination::execute(memory_bytes_max).await,
            Some(Command::Migrate) => migrate::execute(&configured(&self.flags)?).await,
            Some(Command::Serve) | None => server::serve(configured(&self.flags)?).await,
        }
    }
}

/// Whoever reads may have had enough.
fn print(text: &str) -> anyhow::Result<ExitCode> {
    match std::io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(ExitCode::SUCCESS),
    }
}

fn configured(flags: &Flags) -> anyhow::Result<Config> {
    let config = Config::load(flags)?;
    telemetry::start_logs(&config.log)?;
    Ok(config)
}
