//! A workbench for tests of node types: a folder, and the context that a run would give.

use std::{collections::BTreeMap, sync::Arc};

use serde_json::{Map, Value, json};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;
use troupe_model::{NodeFailure, Output, Payload, RunEventKind, RunId, Schema, Timestamp};

use crate::{
    Registry,
    egress::Egress,
    execute,
    files::Files,
    fuel::Fuel,
    node::{CheckContext, Checked, Logger, Progress, RunContext},
    payloads::Payloads,
};

pub(crate) struct Bench {
    folder: TempDir,
    registry: Registry,
    pub egress: Egress,
    pub cancel: CancellationToken,
}

impl Bench {
    pub fn new() -> Self {
        Self {
            folder: TempDir::new().expect("a temporary folder"),
            registry: Registry::standard(),
            egress: Egress::new(true).expect("a client"),
            cancel: CancellationToken::new(),
        }
    }

    /// Executes a node whose port `in` gets these payloads.
    pub async fn execute(&self, node_type: &str, config: Value, inputs: Vec<Payload>) -> RunEventKind {
        let registered = self.registry.get(node_type).expect("a node type");
        assert_eq!(registered.validator().check(&object(&config)), []);
        execute(registered.node_type().as_ref(), self.context(&config, inputs)).await
    }

    pub fn check(&self, node_type: &str, config: &Value, input: Option<Schema>) -> Checked {
        let inputs = BTreeMap::from([("in".to_owned(), vec![input.map(Arc::new)])]);
        let config = object(config);
        let (parameters, files, fuel) = (parameters(), Files::new(self.folder.path()), Fuel::unlimited());
        let ctx = CheckContext::new(&config, &inputs, &parameters, &files, &fuel);
        self.registry.get(node_type).expect("a node type").node_type().check(&ctx)
    }

    pub fn payloads(&self) -> Payloads {
        Payloads::new(self.folder.path().join("payloads"))
    }

    pub fn context(&self, config: &Value, inputs: Vec<Payload>) -> RunContext {
        RunContext {
            run: RunId::generate(),
            node: "tested".to_owned(),
            attempt: 1,
            idempotency_key: "run/tested".to_owned(),
            config: object(config),
            parameters: parameters(),
            inputs: BTreeMap::from([("in".to_owned(), inputs)]),
            payloads: self.payloads(),
            files: Files::new(self.folder.path()),
            egress: self.egress.clone(),
            now: Timestamp::from_millis(1_000),
            cancel: self.cancel.clone(),
            progress: Progress::default(),
            log: Logger::new(|_, _| ()),
        }
    }
}

fn parameters() -> Map<String, Value> {
    object(&json!({"limit": 2}))
}

fn object(value: &Value) -> Map<String, Value> {
    value.as_object().expect("an object").clone()
}

/// The outputs of a node that completed.
pub(crate) fn outputs(report: RunEventKind) -> Vec<Output> {
    match report {
        RunEventKind::NodeCompleted { outputs, .. } => outputs,
        other => panic!("the node did not complete: {other:?}"),
    }
}

/// Why a node failed.
pub(crate) fn failure(report: RunEventKind) -> NodeFailure {
    match report {
        RunEventKind::NodeFailed { failure, .. } => failure,
        other => panic!("the node did not fail: {other:?}"),
    }
}
