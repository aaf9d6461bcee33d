//! `open`: a large document with a past is opened by its first client, right after the server was started.

use std::{sync::Arc, time::Duration};

use anyhow::{Result, ensure};
use clap::Args;

use crate::{
    connection::{Document, Event},
    editing::Editing,
    fleet::Fleet,
    large,
    report::Metrics,
    server::Server,
    verify,
};

#[derive(Args, Clone, Debug)]
pub struct Open {
    #[arg(long, default_value_t = 5_000, value_parser = clap::value_parser!(u32).range(1..))]
    pub nodes: u32,
    /// Made before it is opened.
    #[arg(long, default_value_t = 100_000, value_parser = clap::value_parser!(u32).range(1..))]
    pub edits: u32,
    /// Starts, of which the median counts.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    pub starts: u32,
}

const AUTHORS: u32 = 4;
/// Edits a second of each.
const RATE: u32 = 2_000;
const PATIENCE: Duration = Duration::from_secs(10);
/// What the others take to store a document.
const QUIET: Duration = Duration::from_secs(5);
const OPENS_WITHIN: Duration = Duration::from_secs(120);

impl Open {
    pub fn parameters(&self) -> String {
        let Self { nodes, edits, starts } = self;
        format!("{nodes} nodes, {edits} past edits, median of {starts} starts")
    }

    pub async fn measure(&self, mut server: Server) -> Result<Metrics> {
        let documents = server.documents(1).await?;
        let document = &documents[0];
        let writer = large::fill(document, self.nodes)?;
        let mut editing = Editing::open(&documents, AUTHORS, 0, RATE)?;
        // It would not be read while the others edit.
        drop(writer);
        editing.begin();
        editing.drive_for(Duration::from_secs_f64(f64::from(self.edits) / f64::from(AUTHORS * RATE)))?;
        editing.end();
        editing.settle(PATIENCE)?;
        let lost = editing.lost();
        editing.drive_for(QUIET)?;

        let mut times = Vec::new();
        for _ in 0..self.starts {
            server = server.restart().await?.0;
            times.push(first_open(document)?);
        }
        times.sort_unstable();
        let mut metrics = Metrics::default();
        metrics.cost("ms to the document", times[times.len() / 2].as_secs_f64() * 1e3);
        metrics.cost("server MB", server.usage_at_rest()?.anonymous_bytes as f64 / 1e6);
        metrics.fact("edits lost", lost);
        metrics.fact("documents that differ", verify::differing(&documents, &editing.authors)? as f64);
        metrics.fact("nodes missing", f64::from(self.nodes) - large::present(document, self.nodes)? as f64);
        Ok(metrics)
    }
}

/// From the connection to the last byte of the document.
fn first_open(document: &Arc<Document>) -> Result<Duration> {
    let mut fleet = Fleet::new()?;
    fleet.connect(document)?;
    let deadline_us = OPENS_WITHIN.as_micros() as u64;
    let (mut synced, mut closed) = (false, None);
    while !synced {
        fleet.turn(deadline_us, &mut |_, event| match event {
            Event::Synced(_) => synced = true,
            Event::Closed(why) => closed = Some(why),
            _ => {}
        })?;
        ensure!(closed.is_none(), "the client was sent away: {}", closed.unwrap_or_default());
        ensure!(fleet.now_us() < deadline_us, "nothing came within {OPENS_WITHIN:?}");
    }
    Ok(fleet.epoch().elapsed())
}
