//! Documents of JavaScript's Yjs, in a Node.js process (`tests/e2e/support/documents.mjs`).

use std::{path::Path, process::Stdio, sync::Arc};

use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines},
    process::{Child, ChildStdin, ChildStdout, Command},
    sync::Mutex,
};

use super::document::Edit;

/// Ends with its last document.
pub struct Node {
    _process: Child,
    commands: ChildStdin,
    answers: Lines<BufReader<ChildStdout>>,
}

impl Node {
    pub fn start() -> Arc<Mutex<Self>> {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/e2e/support/documents.mjs");
        let mut process = Command::new("node")
            .arg(script)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("this test needs Node.js");
        let commands = process.stdin.take().unwrap();
        let answers = BufReader::new(process.stdout.take().unwrap()).lines();
        Arc::new(Mutex::new(Self { _process: process, commands, answers }))
    }

    async fn ask(&mut self, command: &Value) -> Value {
        self.commands.write_all(format!("{command}\n").as_bytes()).await.unwrap();
        let answer = self.answers.next_line().await.unwrap();
        serde_json::from_str(&answer.expect("Node.js ended: run `npm ci` in tests/e2e")).unwrap()
    }
}

pub struct Yjs {
    node: Arc<Mutex<Node>>,
    document: u64,
}

impl Yjs {
    pub async fn open(node: Arc<Mutex<Node>>, client: u64) -> Self {
        let opened = Self { node, document: client };
        opened.ask("open", json!({ "client": client })).await;
        opened
    }

    pub async fn edit(&self, edit: &Edit) -> Vec<Vec<u8>> {
        let updates = self.ask("edit", json!({ "edit": edit })).await;
        updates.as_array().unwrap().iter().map(bytes).collect()
    }

    pub async fn apply(&self, update: &[u8]) {
        self.ask("apply", json!({ "update": text(update) })).await;
    }

    pub async fn state_vector(&self) -> Vec<u8> {
        bytes(&self.ask("state", json!({})).await)
    }

    pub async fn diff(&self, since: &[u8]) -> Vec<u8> {
        bytes(&self.ask("diff", json!({ "since": text(since) })).await)
    }

    pub async fn json(&self) -> Value {
        self.ask("json", json!({})).await
    }

    async fn ask(&self, command: &str, mut with: Value) -> Value {
        with["command"] = command.into();
        with["document"] = self.document.into();
        self.node.lock().await.ask(&with).await
    }
}

fn text(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn bytes(text: &Value) -> Vec<u8> {
    let text = text.as_str().unwrap();
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}
