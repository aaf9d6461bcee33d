//! `fan-out`: N documents × M editors × R edits a second each; every edit goes to the M − 1 others.
//!
//! Deliveries and acknowledgements are timed in this process, which shares the machine with the server. In the end a
//! fresh session joins each document and must see everybody's last edit.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use clap::Args;
use reqwest::Url;
use tokio::{sync::Barrier, task::JoinSet, time};

use crate::{
    account::Account,
    editor::{Editor, Measured},
    report,
};

#[derive(Args, Clone)]
pub struct FanOut {
    /// The server, on this machine.
    #[arg(long, default_value = "http://127.0.0.1:8080")]
    url: Url,
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..))]
    documents: u32,
    /// Editors of each document.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(2..))]
    editors: u32,
    /// Edits a second of each editor.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    rate: u32,
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..))]
    seconds: u64,
}

/// How long the last deliveries may take after the last edit.
const SETTLE: Duration = Duration::from_secs(3);

struct Document {
    workflow: String,
    last_edits: Vec<(String, String)>,
}

pub async fn run(scenario: FanOut) -> Result<()> {
    let account = Arc::new(Account::register(&scenario.url).await?);
    let workspace = account.create_workspace().await?;
    let epoch = Instant::now();
    let ready = Arc::new(Barrier::new((scenario.documents * scenario.editors) as usize));
    let mut editors = JoinSet::new();
    let mut documents = Vec::new();
    for number in 0..scenario.documents {
        let workflow = account.create_workflow(&workspace, &format!("Document {number}")).await?;
        for editor in 0..scenario.editors {
            let (account, workflow, ready) = (account.clone(), workflow.clone(), ready.clone());
            let (scenario, name) = (scenario.clone(), format!("editor-{editor}"));
            editors.spawn(async move {
                let url = account.collab_url(&workflow).await?;
                let editor = Editor::join(&url, name, epoch).await?;
                let (measured, last_edit) = edit(editor, &scenario, &ready).await?;
                anyhow::Ok((number as usize, measured, last_edit))
            });
        }
        documents.push(Document { workflow, last_edits: Vec::new() });
    }
    let mut total = Measured::default();
    while let Some(done) = editors.join_next().await {
        let (number, measured, last_edit) = done??;
        total.edits += measured.edits;
        total.deliveries.extend(measured.deliveries);
        total.acknowledgements.extend(measured.acknowledgements);
        documents[number].last_edits.push(last_edit);
    }
    let expected = total.edits * u64::from(scenario.editors - 1);
    report::print(&report::Summary { seconds: scenario.seconds, expected, measured: total });
    for document in &documents {
        verify(&account, document, epoch).await?;
    }
    println!("every document shows everybody's last edit");
    Ok(())
}

/// Edits at the scenario's rate, then listens until what is under way has arrived.
async fn edit(mut editor: Editor, scenario: &FanOut, ready: &Barrier) -> Result<(Measured, (String, String))> {
    editor.add_node().await?;
    wait_for_others(&mut editor, ready).await?;
    let mut ticks = time::interval(Duration::from_secs(1) / scenario.rate);
    let end = time::Instant::now() + Duration::from_secs(scenario.seconds);
    while time::Instant::now() < end {
        tokio::select! {
            _ = ticks.tick() => editor.edit().await?,
            received = editor.receive() => { received?; }
        }
    }
    while let Ok(received) = time::timeout(SETTLE, editor.receive()).await {
        received?;
        ensure!(time::Instant::now() < end + 10 * SETTLE, "the server still delivers {:?} after the end", 10 * SETTLE);
    }
    let last_edit = editor.last_edit();
    Ok((editor.measured, last_edit))
}

async fn wait_for_others(editor: &mut Editor, ready: &Barrier) -> Result<()> {
    let all = ready.wait();
    tokio::pin!(all);
    loop {
        tokio::select! {
            _ = &mut all => return Ok(()),
            received = editor.receive() => { received?; }
        }
    }
}

async fn verify(account: &Account, document: &Document, epoch: Instant) -> Result<()> {
    let url = account.collab_url(&document.workflow).await?;
    let reader = Editor::join(&url, "reader".to_owned(), epoch).await?;
    for (node, label) in &document.last_edits {
        let seen = reader.label(node).with_context(|| format!("{node} is lost"))?;
        ensure!(seen == *label, "{node} of {} shows {seen} instead of {label}", document.workflow);
    }
    Ok(())
}
