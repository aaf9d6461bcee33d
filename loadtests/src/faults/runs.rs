//! Runs that execute meanwhile, and what must be true of them: each ends well, and nothing that was journaled as
//! completed happens again.

use std::{collections::BTreeMap, fs, path::Path, time::Duration};

use anyhow::{Context, Result, ensure};
use rand::{RngExt, SeedableRng, rngs::StdRng};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::{
    sync::watch,
    task::JoinSet,
    time::{Instant, sleep},
};
use troupe_loadtests::api::{Api, text};

use super::{provider::Phase, witness::Calls};

const STEPS: usize = 4;
const WORKFLOWS: usize = 4;
const LOOK_EVERY: Duration = Duration::from_millis(100);
const END_WITHIN: Duration = Duration::from_secs(180);
const FINAL: [&str; 4] = ["success", "error", "canceled", "timeout"];

pub struct Runs {
    workflows: Vec<String>,
    tasks: JoinSet<Result<()>>,
}

/// What became of all runs.
#[derive(Debug, Default)]
pub struct Tally {
    pub runs: usize,
    pub nodes_completed: usize,
    /// Runs that lived through a fault.
    pub survivors: usize,
    pub calls: usize,
    pub faults: Vec<String>,
}

impl Runs {
    /// Keeps so many runs executing while the phase is typing.
    pub async fn start(
        api: &Api,
        data_dir: &Path,
        witness: &str,
        live: usize,
        phase: watch::Receiver<Phase>,
        seed: u64,
    ) -> Result<Self> {
        let mut random = StdRng::seed_from_u64(seed);
        let folder = data_dir.join("files").join(&api.tenant);
        fs::create_dir_all(&folder)?;
        let rows: String = (0..5_000).map(|row| format!("{row},{}\n", row % 7)).collect();
        fs::write(folder.join("rows.csv"), format!("id,kind\n{rows}"))?;
        let workspace = api.workspace().await?;
        let mut workflows = Vec::new();
        for number in 0..WORKFLOWS {
            let file = json!({
                "name": format!("Run {number}"), "format_version": 1, "diagram": diagram(witness, &mut random)
            });
            let imported = api.create("workflows/import", json!({ "workspace_id": workspace, "file": file })).await?;
            workflows.push(text(&imported, "/id")?);
        }
        let mut tasks = JoinSet::new();
        for place in 0..live {
            let (api, workflow, phase) = (api.clone(), workflows[place % WORKFLOWS].clone(), phase.clone());
            tasks.spawn(async move { keep_one_live(&api, &workflow, &phase).await });
        }
        Ok(Self { workflows, tasks })
    }

    /// After the phase is over: waits until the last has ended.
    pub async fn ended(&mut self) -> Result<()> {
        while let Some(ended) = self.tasks.join_next().await {
            ended??;
        }
        Ok(())
    }

    /// Looks at every run there was, also those whose start was never answered.
    /// `faults`: when they came, in milliseconds.
    pub async fn check(&self, api: &Api, calls: &Calls, faults: &[i64]) -> Result<Tally> {
        let mut tally = Tally { calls: calls.count(), ..Tally::default() };
        for workflow in &self.workflows {
            for run in api.list(&format!("runs?workflow_id={workflow}&limit=200"), "cursor").await? {
                let id = text(&run, "/id")?;
                check_end(&end(api, &id).await?, faults, &mut tally);
                let events = api.list(&format!("runs/{id}/events"), "after").await?;
                check_journal(&id, &events, calls, &mut tally);
            }
        }
        Ok(tally)
    }
}

async fn keep_one_live(api: &Api, workflow: &str, phase: &watch::Receiver<Phase>) -> Result<()> {
    while *phase.borrow() == Phase::Typing {
        match api.ask(Method::POST, &format!("workflows/{workflow}/runs"), Some(&json!({}))).await {
            Ok(answer) if answer.status.is_success() => drop(end(api, &text(&answer.body, "/id")?).await?),
            Ok(answer) => {
                let retry = answer.status.is_server_error() || answer.status.as_u16() == 429;
                ensure!(retry, "a run was refused: {} {}", answer.status, answer.body);
                sleep(LOOK_EVERY).await;
            }
            // Killed.
            Err(_) => sleep(LOOK_EVERY).await,
        }
    }
    Ok(())
}

async fn end(api: &Api, run: &str) -> Result<Value> {
    let deadline = Instant::now() + END_WITHIN;
    loop {
        let row = api.get(&format!("runs/{run}")).await?;
        if FINAL.contains(&row["status"].as_str().unwrap_or_default()) {
            return Ok(row);
        }
        ensure!(Instant::now() < deadline, "run {run} did not end within {END_WITHIN:?}: {row}");
        sleep(LOOK_EVERY).await;
    }
}

fn check_end(run: &Value, faults: &[i64], tally: &mut Tally) {
    tally.runs += 1;
    if let (Some(begin), Some(end)) = (run["started_at"].as_i64(), run["finished_at"].as_i64()) {
        tally.survivors += usize::from(faults.iter().any(|fault| (begin..end).contains(fault)));
    }
    if run["status"] != "success" {
        tally.faults.push(format!("run {} ended with {}: {}", run["id"], run["status"], run["failure"]));
    }
}

/// The journal has no hole, each node completed once and nothing happened to it after, and no call was made for a node
/// after it had completed.
fn check_journal(run: &str, events: &[Value], calls: &Calls, tally: &mut Tally) {
    let mut completed: BTreeMap<&str, i64> = BTreeMap::new();
    for (index, event) in events.iter().enumerate() {
        let mut fault = |what: &str| tally.faults.push(format!("run {run}: {what}: {event}"));
        if event["seq"] != index + 1 {
            fault("the journal has a hole");
        }
        let Some(node) = event["node_id"].as_str() else { continue };
        if completed.contains_key(node) {
            fault("something happened to a completed node");
        }
        if event["type"] == "node_completed" {
            completed.insert(node, event["timestamp"].as_i64().unwrap_or_default());
        }
    }
    for (node, at) in &completed {
        for call in calls.of(&format!("{run}:{node}")).into_iter().filter(|call| call > at) {
            tally.faults.push(format!("run {run}: {node} completed at {at} and was executed again at {call}"));
        }
    }
    tally.nodes_completed += completed.len();
}

/// A chain of waits and calls beside a query over a file, so that a crash finds all kinds at work.
fn diagram(witness: &str, random: &mut StdRng) -> Value {
    let node = |id: String, node_type: &str, config: Value| json!({ "id": id, "data": { "label": id, "nodeType": node_type, "config": config } });
    let mut nodes = vec![node("start".to_owned(), "manual_trigger", json!({}))];
    let mut chain = vec!["start".to_owned()];
    for step in 0..STEPS {
        let wait = random.random_range(100..600);
        nodes.push(node(format!("wait-{step}"), "delay", json!({ "duration_ms": wait })));
        nodes.push(node(
            format!("call-{step}"),
            "http_request",
            json!({ "method": "POST", "url": witness, "body": "{}" }),
        ));
        chain.extend([format!("wait-{step}"), format!("call-{step}")]);
    }
    nodes.push(node("rows".to_owned(), "read_file", json!({ "path": "rows.csv", "format": "csv" })));
    let query = "SELECT kind, COUNT(*) AS n FROM input GROUP BY kind";
    nodes.push(node("kinds".to_owned(), "sql", json!({ "query": query })));
    let pairs = chain.windows(2).map(|pair| (pair[0].as_str(), pair[1].as_str()));
    let edges = pairs
        .chain([("start", "rows"), ("rows", "kinds")])
        .map(|(source, target)| json!({ "id": format!("{source}-{target}"), "source": source, "target": target }));
    json!({ "nodes": nodes, "edges": edges.collect::<Vec<_>>() })
}

pub fn first_fault(tally: &Tally) -> Result<()> {
    tally.faults.first().map_or(Ok(()), |fault| Err(anyhow::anyhow!("{fault}"))).context("a run went wrong")
}
