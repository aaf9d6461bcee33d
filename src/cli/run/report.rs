//! What a run came to: one JSON object, or a table.

use std::{collections::BTreeSet, fmt::Write};

use anyhow::Context;
use serde_json::{Map, Value, json};
use troupe_engine::{Plan, payloads::Payloads, preview};

use super::headless::{Ended, NodeEnd};

/// Rows of each result that `--json` prints.
const ITEMS_MAX: u64 = 1_000;

/// `{status, nodes: {id: {…}}, outputs: {id: {rows, schema, items}}}`; outputs of every node that nothing consumes.
pub async fn json(plan: &Plan, ended: &Ended, payloads: &Payloads) -> anyhow::Result<String> {
    let each = || plan.nodes().iter().zip(&ended.nodes);
    let nodes: Map<String, Value> = each()
        .map(|(planned, end)| {
            let mut node = json!({
                "label": planned.label,
                "node_type": planned.type_id,
                "status": end.status,
                "rows": end.metrics.rows_out,
                "duration_ms": end.metrics.duration_ms,
            });
            if let Some(failure) = &end.failure {
                node["failure"] = json!(failure);
            }
            (planned.id.to_string(), node)
        })
        .collect();
    let mut outputs = Map::new();
    for (planned, end) in each().filter(|(planned, _)| planned.targets.is_empty()) {
        if let Some(output) = output(end, payloads).await? {
            outputs.insert(planned.id.to_string(), output);
        }
    }
    let object = json!({ "status": ended.status, "nodes": nodes, "outputs": outputs });
    Ok(serde_json::to_string_pretty(&object)?)
}

async fn output(end: &NodeEnd, payloads: &Payloads) -> anyhow::Result<Option<Value>> {
    let Some(output) = end.outputs.first() else { return Ok(None) };
    let (payload, payloads) = (output.payload.clone(), payloads.clone());
    let preview = tokio::task::spawn_blocking(move || preview::preview(&payloads, &payload, 0, ITEMS_MAX))
        .await?
        .map_err(|failure| anyhow::anyhow!(failure.message))
        .context("a result could not be read")?;
    Ok(Some(json!({ "rows": preview.rows, "schema": preview.schema, "items": preview.items })))
}

pub fn table(plan: &Plan, ended: &Ended) -> String {
    let rows: Vec<[String; 5]> = plan
        .nodes()
        .iter()
        .zip(&ended.nodes)
        .map(|(planned, end)| {
            let NodeEnd { status, metrics, .. } = end;
            [
                planned.label.clone(),
                planned.type_id.clone(),
                status.name().to_owned(),
                metrics.rows_out.to_string(),
                format!("{} ms", metrics.duration_ms),
            ]
        })
        .collect();
    let head = ["node", "type", "status", "rows", "duration"].map(str::to_owned);
    let width = |column: usize| rows.iter().chain([&head]).map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: [usize; 5] = std::array::from_fn(width);
    let mut text = String::new();
    for row in [&head].into_iter().chain(&rows) {
        let [label, kind, status, rows, duration] = row;
        let [a, b, c, d, e] = widths;
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{label:a$}  {kind:b$}  {status:c$}  {rows:>d$}  {duration:>e$}");
    }
    // A failure that stopped several branches is told once.
    let failures: BTreeSet<String> = plan
        .nodes()
        .iter()
        .zip(&ended.nodes)
        .filter_map(|(planned, end)| {
            let failure = end.failure.as_ref()?;
            let more = [&failure.reason, &failure.solution]
                .into_iter()
                .flatten()
                .fold(String::new(), |text, line| text + "\n  " + line);
            Some(format!("{}: {} [{}]{more}", planned.label, failure.message, failure.code))
        })
        .collect();
    for failure in failures {
        let _ = writeln!(text, "\n{failure}");
    }
    let _ = writeln!(text, "\n{}", ended.status.name());
    text
}
