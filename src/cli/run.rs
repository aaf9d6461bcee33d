//! `troupe run FILE`: a workflow here and now, without server or store. Exit code 0 only on success.

mod headless;
mod report;
mod screen;

use std::{io::IsTerminal, path::PathBuf, process::ExitCode, sync::Arc};

use anyhow::{Context, bail};
use serde_json::{Map, Value};
use tokio_util::sync::CancellationToken;
use troupe_engine::{Plan, Registry, egress::Egress, payloads::Payloads};
use troupe_model::{RunStatus, workflow_file::WorkflowFile};

use self::{headless::Headless, screen::Screen};
use super::workflow;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// A .wflow.json file
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// A parameter of the workflow; the value is JSON, or else text
    #[arg(long = "param", value_name = "NAME=VALUE")]
    pub parameters: Vec<String>,
    /// Print one JSON object with statuses and the first rows of every result
    #[arg(long)]
    pub json: bool,
    /// Folder of the files that the workflow reads and writes (default: where FILE is)
    #[arg(long, value_name = "DIR")]
    pub files: Option<PathBuf>,
    /// Let nodes reach private network addresses
    #[arg(long)]
    pub allow_private: bool,
}

pub async fn execute(args: Args) -> anyhow::Result<ExitCode> {
    let file = workflow::read(&args.file)?;
    let parameters = parameters(&file, &args.parameters)?;
    let plan = match Plan::build(&file.diagram, &Registry::standard()) {
        Ok(plan) => Arc::new(plan),
        Err(diagnostics) => {
            let problems: Vec<_> = diagnostics.iter().map(workflow::describe).collect();
            bail!("`{}` cannot run:\n{}", args.file.display(), problems.join("\n"));
        }
    };
    let frames = tempfile::tempdir().context("cannot make a folder for the run's frames")?;
    let run = Headless {
        plan: plan.clone(),
        parameters,
        payloads: Payloads::new(frames.path()),
        files: workflow::files(&args.file, args.files.as_ref()),
        egress: Egress::new(args.allow_private).context("cannot set up outgoing requests")?,
    };
    let screen = if !args.json && std::io::stderr().is_terminal() { Screen::bars(&plan) } else { Screen::none() };
    let payloads = run.payloads.clone();
    let ended = run.finish(&screen, cancel_on_interrupt()).await;
    screen.clear();
    if args.json {
        println!("{}", report::json(&plan, &ended, &payloads).await?);
    } else {
        print!("{}", report::table(&plan, &ended));
    }
    Ok(if ended.status == RunStatus::Success { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The file's defaults, overridden by `NAME=VALUE`s.
fn parameters(file: &WorkflowFile, given: &[String]) -> anyhow::Result<Map<String, Value>> {
    let mut parameters = file.parameters.clone();
    for pair in given {
        let (name, value) = pair.split_once('=').with_context(|| format!("--param {pair}: write NAME=VALUE"))?;
        let Some(slot) = parameters.get_mut(name) else {
            let known: Vec<_> = file.parameters.keys().map(String::as_str).collect();
            bail!("the workflow has no parameter `{name}`; it has: {}", known.join(", "));
        };
        *slot = serde_json::from_str(value).unwrap_or_else(|_| Value::String(value.to_owned()));
    }
    Ok(parameters)
}

fn cancel_on_interrupt() -> CancellationToken {
    let cancel = CancellationToken::new();
    let canceled = cancel.clone();
    troupe_actors::task::spawn("interrupt", async move {
        if tokio::signal::ctrl_c().await.is_ok() {
            canceled.cancel();
        }
    });
    cancel
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn file() -> WorkflowFile {
        serde_json::from_value(json!({
            "format_version": 1, "name": "x", "parameters": { "limit": 3, "carrier": "UA" }, "diagram": {}
        }))
        .unwrap()
    }

    #[test]
    fn parameters_override_defaults() {
        let given = ["limit=5".to_owned(), "carrier=AA".to_owned()];
        let parameters = parameters(&file(), &given).unwrap();
        assert_eq!(Value::Object(parameters), json!({ "limit": 5, "carrier": "AA" }));
    }

    #[test]
    fn an_unknown_parameter_is_refused() {
        let error = parameters(&file(), &["limits=5".to_owned()]).unwrap_err().to_string();
        assert!(error.contains("`limits`") && error.contains("carrier"), "{error}");
        assert!(parameters(&file(), &["limit".to_owned()]).is_err());
    }
}
