//! `observers`: one document that very many watch; a few edit and move their cursors [PERF-5].

use std::time::{Duration, Instant};

use anyhow::Result;
use clap::Args;

use crate::{editing::Editing, report::Metrics, server::Server, usage};

#[derive(Args, Clone, Debug)]
pub struct Observers {
    #[arg(long, default_value_t = 500)]
    pub observers: u32,
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..))]
    pub editors: u32,
    /// Edits a second of each editor.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    pub rate: u32,
    /// Cursor moves a second of each editor.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..))]
    pub cursor_rate: u32,
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..))]
    pub seconds: u64,
}

const WARM_UP: Duration = Duration::from_secs(2);
const PATIENCE: Duration = Duration::from_secs(10);

impl Observers {
    pub fn parameters(&self) -> String {
        let Self { observers, editors, rate, cursor_rate, seconds } = self;
        format!(
            "one document, {observers} observers, {editors} editors × {rate} edits/s and {cursor_rate} cursor moves/s, \
             {seconds} s"
        )
    }

    pub async fn measure(&self, server: &Server) -> Result<Metrics> {
        let documents = server.documents(1).await?;
        let mut editing = Editing::open(&documents, self.editors, self.observers, self.rate)?;
        editing.announce()?;
        editing.begin();
        editing.begin_cursors(self.cursor_rate);
        editing.drive_for(WARM_UP)?;
        editing.restart_tallies();
        let (before, own_before, begun) = (server.usage()?, usage::own_cpu()?, Instant::now());
        editing.drive_for(Duration::from_secs(self.seconds))?;
        let (after, own_after, took) = (server.usage()?, usage::own_cpu()?, begun.elapsed().as_secs_f64());
        let (delivered, moves) = (editing.tally.delivered as f64, editing.cursors.tally.delivered as f64);
        editing.end();
        editing.settle(PATIENCE)?;

        let cpu = (after.cpu - before.cpu).as_secs_f64();
        let mut metrics = Metrics::default();
        metrics.fact("edits delivered/s", delivered / took);
        metrics.fact("cursor moves delivered/s", moves / took);
        metrics.fact("cursor moves passed over", editing.cursors.tally.superseded as f64);
        metrics.cost("server CPU µs/delivery", cpu * 1e6 / (delivered + moves));
        metrics.fact("client CPU cores", (own_after - own_before).as_secs_f64() / took);
        metrics.latency("edit", &editing.tally.latency, &[0.5, 0.99, 0.999]);
        metrics.latency("cursor", &editing.cursors.tally.latency, &[0.5, 0.99]);
        metrics.fact("edits lost", editing.lost());
        metrics.fact("last cursors missing", editing.cursors.outstanding() as f64);
        metrics.cost("server MB", after.anonymous_bytes as f64 / 1e6);
        Ok(metrics)
    }
}
