//! `fan-out`: N documents × M editors × R edits a second each; every edit goes to the M − 1 others.

use std::time::{Duration, Instant};

use anyhow::Result;
use clap::Args;

use crate::{editing::Editing, report::Metrics, server::Server, usage, verify};

#[derive(Args, Clone, Debug)]
pub struct FanOut {
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..))]
    pub documents: u32,
    /// Editors of each document.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(2..))]
    pub editors: u32,
    /// Edits a second of each editor.
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u32).range(1..))]
    pub rate: u32,
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..))]
    pub seconds: u64,
}

const WARM_UP: Duration = Duration::from_secs(2);
/// Nothing comes for so long: what is missing will not come.
const PATIENCE: Duration = Duration::from_secs(10);

impl FanOut {
    pub fn parameters(&self) -> String {
        let Self { documents, editors, rate, seconds } = self;
        format!("{documents} documents × {editors} editors × {rate} edits/s, {seconds} s")
    }

    pub async fn measure(&self, server: &Server) -> Result<Metrics> {
        let documents = server.documents(self.documents as usize).await?;
        let mut editing = Editing::open(&documents, self.editors, 0, self.rate)?;
        editing.begin();
        editing.drive_for(WARM_UP)?;
        editing.tally.restart();
        let (before, own_before, begun) = (server.usage()?, usage::own_cpu()?, Instant::now());
        editing.drive_for(Duration::from_secs(self.seconds))?;
        let (after, own_after, took) = (server.usage()?, usage::own_cpu()?, begun.elapsed().as_secs_f64());
        let delivered = editing.tally.delivered as f64;
        editing.end();
        editing.settle(PATIENCE)?;

        let cpu = (after.cpu - before.cpu).as_secs_f64();
        let mut metrics = Metrics::default();
        metrics.fact("deliveries/s", delivered / took);
        metrics.cost("server CPU µs/delivery", cpu * 1e6 / delivered);
        metrics.fact("server CPU cores", cpu / took);
        metrics.fact("client CPU cores", (own_after - own_before).as_secs_f64() / took);
        metrics.latency("delivery", &editing.tally.latency, &[0.5, 0.99, 0.999]);
        if server.kind.acknowledges() {
            metrics.latency("durable", &editing.tally.acknowledged, &[0.5, 0.99, 0.999]);
        }
        metrics.fact("superseded", editing.tally.superseded as f64);
        metrics.fact("lost", editing.lost());
        metrics.fact("documents that differ", verify::differing(&documents, &editing.authors)? as f64);
        metrics.cost("server MB", after.anonymous_bytes as f64 / 1e6);
        Ok(metrics)
    }
}
