//! `troupe validate FILE`: every problem at once; the exit code says whether it would run.

use std::{path::PathBuf, process::ExitCode};

use troupe_engine::{Fuel, Registry, analyse};

use super::workflow;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// A .wflow.json file
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Folder of the files that the workflow reads (default: where FILE is)
    #[arg(long, value_name = "DIR")]
    pub files: Option<PathBuf>,
}

pub async fn execute(args: &Args) -> anyhow::Result<ExitCode> {
    let file = workflow::read(&args.file)?;
    let files = workflow::files(&args.file, args.files.as_ref());
    let nodes = file.diagram.nodes.len();
    // Checks read the heads of files, so not here.
    let analyse = move || analyse(&file.diagram, &file.parameters, &Registry::standard(), &files, &Fuel::unlimited());
    let analysis = tokio::task::spawn_blocking(analyse).await?;
    for diagnostic in &analysis.diagnostics {
        println!("{}", workflow::describe(diagnostic));
    }
    let errors = analysis.diagnostics.iter().filter(|diagnostic| diagnostic.is_error()).count();
    if errors > 0 {
        println!("{errors} of {} problems would keep it from running", analysis.diagnostics.len());
        return Ok(ExitCode::FAILURE);
    }
    println!("{}: {nodes} nodes, would run", args.file.display());
    Ok(ExitCode::SUCCESS)
}
