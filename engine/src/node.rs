//! What a node type is: the one trait that every node type implements, and all that its code may touch.
//!
//! `check` runs at design time and may read a file's head; `run` executes. A node type knows nothing else:
//! no store, no actors, no other nodes.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use futures::future::BoxFuture;
use serde_json::{Map, Value};
use tokio_util::sync::CancellationToken;
use troupe_model::{LogLevel, NodeFailure, NodeTypeSpec, Output, Payload, RunId, Schema, Timestamp};

use crate::{egress::Egress, files::Files, frames::watch::Watch, fuel::Fuel, payloads::Payloads};

pub use crate::{
    finding::Finding,
    progress::{Progress, ProgressView},
};

/// A node type: its description, its design-time check, its execution.
pub trait NodeType: Send + Sync + 'static {
    fn spec(&self) -> &NodeTypeSpec;

    /// Infers the output schemas and finds what is wrong. The config is already valid against the JSON Schema.
    /// What it finds depends on the context alone, and is not asked again before that has changed. The context's fuel
    /// was paid for reading config and input schemas once; whoever does more pays for it before.
    fn check(&self, ctx: &CheckContext<'_>) -> Checked;

    /// Does the work. Called at least once per node of a run; `ctx.idempotency_key` is the same every time.
    fn run(&self, ctx: RunContext) -> BoxFuture<'_, Result<Outcome, NodeFailure>>;
}

/// Input port → the schemas of its edges, in edge order. `None`: not known at design time.
pub type Inputs = BTreeMap<String, Vec<Option<Arc<Schema>>>>;

/// What a design-time check sees.
#[derive(Debug)]
pub struct CheckContext<'a> {
    pub config: &'a Map<String, Value>,
    pub inputs: &'a Inputs,
    /// The workflow's parameters and their defaults.
    pub parameters: &'a Map<String, Value>,
    pub fuel: &'a Fuel,
    files: &'a Files,
    looked_at_files: AtomicBool,
}

/// What a design-time check found.
#[derive(Clone, Debug, Default)]
pub struct Checked {
    /// Output port → its schema. A port left out, or `None`: not known at design time.
    pub outputs: BTreeMap<String, Option<Arc<Schema>>>,
    pub findings: Vec<Finding>,
}

/// All that running code may touch.
#[derive(Debug)]
pub struct RunContext {
    pub run: RunId,
    pub node: String,
    /// Counts from 1.
    pub attempt: u32,
    /// `(run, node)`: the same for every attempt and after every restart.
    pub idempotency_key: String,
    pub config: Map<String, Value>,
    /// Workflow parameters of this run.
    pub parameters: Map<String, Value>,
    /// Input port → its live payloads, in edge order.
    pub inputs: BTreeMap<String, Vec<Payload>>,
    /// Where this run's frames are written and read.
    pub payloads: Payloads,
    /// The tenant's files.
    pub files: Files,
    /// The only way to the network.
    pub egress: Egress,
    /// When this attempt started.
    pub now: Timestamp,
    pub cancel: CancellationToken,
    pub progress: Progress,
    pub log: Logger,
}

/// How a node ended well.
#[derive(Debug)]
pub enum Outcome {
    Completed(Vec<Output>),
    /// Complete with these outputs, but not before `until`. No task waits meanwhile.
    WaitUntil(Timestamp, Vec<Output>),
}

impl<'a> CheckContext<'a> {
    pub fn new(
        config: &'a Map<String, Value>,
        inputs: &'a Inputs,
        parameters: &'a Map<String, Value>,
        files: &'a Files,
        fuel: &'a Fuel,
    ) -> Self {
        Self { config, inputs, parameters, fuel, files, looked_at_files: AtomicBool::new(false) }
    }

    /// The tenant's files. Whoever asks for them is checked again every time: they may change.
    pub fn files(&self) -> &'a Files {
        self.looked_at_files.store(true, Ordering::Relaxed);
        self.files
    }

    pub(crate) fn looked_at_files(&self) -> bool {
        self.looked_at_files.load(Ordering::Relaxed)
    }
}

impl RunContext {
    /// What watches its queries.
    pub(crate) fn watch(&self) -> Watch {
        Watch { cancel: self.cancel.clone(), progress: self.progress.clone(), rows_expected: None }
    }
}

/// Where a node's log lines go. The sink bounds and stores them.
#[derive(Clone)]
pub struct Logger(Arc<dyn Fn(LogLevel, String) + Send + Sync>);

impl Logger {
    pub fn new(sink: impl Fn(LogLevel, String) + Send + Sync + 'static) -> Self {
        Self(Arc::new(sink))
    }

    pub fn info(&self, message: impl Into<String>) {
        (self.0)(LogLevel::Info, message.into());
    }

    pub fn warn(&self, message: impl Into<String>) {
        (self.0)(LogLevel::Warn, message.into());
    }
}

impl std::fmt::Debug for Logger {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Logger")
    }
}
