//! Reads a `.wflow.json` from disk for the commands that need no server.

use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow};
use serde_json::Value;
use troupe_engine::{files::Files, workflow_file};
use troupe_model::{
    Diagnostic, FieldError, Severity, Subject,
    workflow_file::{FORMAT_VERSION, WorkflowFile},
};

/// Parses the file. Everything that is wrong with its shape is told, each with a pointer to it.
pub fn read(path: &Path) -> anyhow::Result<WorkflowFile> {
    let text = std::fs::read(path).with_context(|| format!("cannot read `{}`", path.display()))?;
    let json: Value =
        serde_json::from_slice(&text).with_context(|| format!("`{}` is not a JSON file", path.display()))?;
    let file = workflow_file::read(&json).map_err(|errors| {
        let problems: Vec<_> = errors.iter().map(problem).collect();
        anyhow!("`{}` is not a workflow file:\n{}", path.display(), problems.join("\n"))
    })?;
    anyhow::ensure!(
        file.format_version <= FORMAT_VERSION,
        "`{}` has format version {}; this version of troupe reads up to {FORMAT_VERSION}",
        path.display(),
        file.format_version
    );
    Ok(file)
}

/// Where a workflow's relative paths start: `chosen`, or the folder of the workflow file.
pub fn files(workflow: &Path, chosen: Option<&PathBuf>) -> Files {
    let folder = workflow.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    Files::new(chosen.map_or(folder, PathBuf::as_path))
}

/// One line for people, such as `/diagram/nodes/0/id: 1 is not a text (give a text)`.
fn problem(error: &FieldError) -> String {
    let fix = error.solution.as_deref().map(|fix| format!(" ({fix})")).unwrap_or_default();
    let place = if error.pointer.is_empty() { "the file" } else { &error.pointer };
    format!("{place}: {}{fix}", error.detail)
}

/// One line for people, such as `error   filter_1/expression  …`.
pub fn describe(diagnostic: &Diagnostic) -> String {
    let severity = match diagnostic.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Info => "info",
    };
    let subject = match &diagnostic.subject {
        Subject::Node(id) => format!("node `{id}`"),
        Subject::Edge(id) => format!("edge `{id}`"),
        Subject::Diagram(()) => "diagram".to_owned(),
    };
    let field = diagnostic.field.as_deref().map(|field| format!(" at {field}")).unwrap_or_default();
    let fix = diagnostic.fix.as_deref().map(|fix| format!(" ({fix})")).unwrap_or_default();
    format!("{severity}: {subject}{field}: {} [{}]{fix}", diagnostic.message, diagnostic.code)
}
