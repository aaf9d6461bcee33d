//! A folder of files, a folder of payloads, and nodes run one at a time.

use std::{
    collections::BTreeMap,
    fs,
    path::PathBuf,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
};

use serde_json::{Map, Value};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;
use troupe_engine::{
    Fuel, Registry,
    egress::Egress,
    files::Files,
    node::{CheckContext, Checked, Finding, Logger, Outcome, Progress, RunContext},
    payloads::Payloads,
    preview,
};
use troupe_model::{NodeFailure, Payload, RunId, Schema, Timestamp};

pub struct World {
    folder: TempDir,
    files: Files,
    pub payloads: Payloads,
    pub cancel: CancellationToken,
    pub progress: Progress,
    log: Arc<Mutex<Vec<String>>>,
    nodes: AtomicU32,
    registry: Registry,
}

impl World {
    /// With no files.
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let files = folder.path().join("files");
        fs::create_dir(&files).unwrap();
        Self::over(folder, files)
    }

    /// With the files of the example.
    pub fn of_flights() -> Self {
        let files = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../examples/nycflights13");
        Self::over(tempfile::tempdir().unwrap(), files)
    }

    fn over(folder: TempDir, files: PathBuf) -> Self {
        Self {
            payloads: Payloads::new(folder.path().join("payloads")),
            files: Files::new(files),
            folder,
            cancel: CancellationToken::new(),
            progress: Progress::default(),
            log: Arc::default(),
            nodes: AtomicU32::new(0),
            registry: Registry::standard(),
        }
    }

    pub fn files(&self) -> &Files {
        &self.files
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.files.root().join(name)
    }

    pub fn file(&self, name: &str, content: impl AsRef<[u8]>) {
        fs::write(self.path(name), content).unwrap();
    }

    /// What is left in the payload folder.
    pub fn payload_files(&self) -> Vec<String> {
        let Ok(entries) = fs::read_dir(self.folder.path().join("payloads")) else { return Vec::new() };
        let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    pub fn log(&self) -> Vec<String> {
        self.log.lock().unwrap().clone()
    }

    pub fn check(&self, node_type: &str, config: Value, inputs: &[(&str, Option<Schema>)]) -> Checked {
        let config = object(config);
        let inputs = grouped(inputs.iter().map(|(port, schema)| (*port, schema.clone().map(Arc::new))));
        let (parameters, fuel) = (Map::new(), Fuel::unlimited());
        let ctx = CheckContext::new(&config, &inputs, &parameters, &self.files, &fuel);
        self.registry.get(node_type).unwrap().node_type().check(&ctx)
    }

    /// The one finding of a check.
    pub fn finding(&self, node_type: &str, config: Value, inputs: &[(&str, Option<Schema>)]) -> Finding {
        let mut findings = self.check(node_type, config, inputs).findings;
        assert_eq!(findings.len(), 1, "{findings:?}");
        findings.remove(0)
    }

    /// Runs a node; its output has the schema that the check inferred [CANVAS-5].
    pub async fn run(
        &self,
        node_type: &str,
        config: Value,
        inputs: &[(&str, &Payload)],
    ) -> Result<Payload, NodeFailure> {
        let schemas: Vec<_> = inputs.iter().map(|(port, payload)| (*port, schema(payload))).collect();
        let checked = self.check(node_type, config.clone(), &schemas);
        let outcome = self.execute(node_type, config, inputs).await?;
        let Outcome::Completed(mut outputs) = outcome else { panic!("waits") };
        let output = outputs.remove(0);
        if let Payload::Frame { schema, .. } = &output.payload {
            assert!(checked.findings.is_empty(), "{:?}", checked.findings);
            assert_eq!(checked.outputs[&output.port].as_deref(), Some(schema));
        }
        Ok(output.payload)
    }

    pub async fn execute(
        &self,
        node_type: &str,
        config: Value,
        inputs: &[(&str, &Payload)],
    ) -> Result<Outcome, NodeFailure> {
        let log = self.log.clone();
        let ctx = RunContext {
            run: RunId::generate(),
            node: format!("{node_type}/../{}", self.nodes.fetch_add(1, Ordering::Relaxed)),
            attempt: 1,
            idempotency_key: "key".to_owned(),
            config: object(config),
            parameters: Map::new(),
            inputs: grouped(inputs.iter().map(|(port, payload)| (*port, (*payload).clone()))),
            payloads: self.payloads.clone(),
            files: self.files.clone(),
            egress: Egress::new(false).unwrap(),
            now: Timestamp::from_millis(0),
            cancel: self.cancel.clone(),
            progress: self.progress.clone(),
            log: Logger::new(move |_, message| log.lock().unwrap().push(message)),
        };
        self.registry.get(node_type).unwrap().node_type().run(ctx).await
    }

    /// A CSV text as a payload.
    pub async fn table(&self, csv: &str) -> Payload {
        let name = format!("table{}.csv", self.nodes.fetch_add(1, Ordering::Relaxed));
        self.file(&name, csv);
        self.run("read_file", serde_json::json!({ "path": name }), &[]).await.unwrap()
    }

    pub fn rows(&self, payload: &Payload) -> Vec<Value> {
        preview::preview(&self.payloads, payload, 0, preview::ROWS_MAX).unwrap().items
    }
}

pub fn schema(payload: &Payload) -> Option<Schema> {
    match payload {
        Payload::Frame { schema, .. } => Some(schema.clone()),
        _ => None,
    }
}

fn object(config: Value) -> Map<String, Value> {
    let Value::Object(config) = config else { panic!("a config is an object") };
    config
}

fn grouped<T>(items: impl Iterator<Item = (impl ToString, T)>) -> BTreeMap<String, Vec<T>> {
    let mut ports: BTreeMap<String, Vec<T>> = BTreeMap::new();
    items.for_each(|(port, item)| ports.entry(port.to_string()).or_default().push(item));
    ports
}
