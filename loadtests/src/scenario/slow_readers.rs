//! `slow-readers`: some observers stop reading for a while; the others must not notice, the server must not keep
//! everything for them, and then they must catch up [SYNC-7, REL-6].

use std::time::{Duration, Instant};

use anyhow::Result;
use clap::Args;

use crate::{editing::Editing, report::Metrics, server::Server};

#[derive(Args, Clone, Debug)]
pub struct SlowReaders {
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..))]
    pub documents: u32,
    /// Editors of each document.
    #[arg(long, default_value_t = 9, value_parser = clap::value_parser!(u32).range(1..))]
    pub editors: u32,
    /// Observers of each document, who will stop reading.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    pub stalled: u32,
    /// Edits a second of each editor.
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u32).range(1..))]
    pub rate: u32,
    /// How long they do not read.
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u64).range(1..))]
    pub seconds: u64,
}

const WARM_UP: Duration = Duration::from_secs(2);
const PATIENCE: Duration = Duration::from_secs(10);

impl SlowReaders {
    pub fn parameters(&self) -> String {
        let Self { documents, editors, stalled, rate, seconds } = self;
        format!("{documents} documents × ({editors} editors × {rate} edits/s + {stalled} stalled for {seconds} s)")
    }

    pub async fn measure(&self, server: &Server) -> Result<Metrics> {
        let time = Duration::from_secs(self.seconds);
        let documents = server.documents(self.documents as usize).await?;
        let mut editing = Editing::open(&documents, self.editors, self.stalled, self.rate)?;
        let stalled = editing.observers().to_vec();
        for session in &stalled {
            editing.fleet.session(*session).reads_all = true;
        }
        editing.begin();
        editing.drive_for(WARM_UP)?;

        // The same time with all reading, to compare with.
        let calm_before = server.usage()?;
        editing.tally.restart();
        editing.drive_for(time)?;
        let calm_p99 = editing.tally.latency.value_at_quantile(0.99);
        let calm_growth = grown(calm_before.anonymous_bytes, server.usage()?.anonymous_bytes);

        let before = server.usage()?;
        editing.tally.restart();
        for session in &stalled {
            editing.fleet.set_reading(*session, false)?;
        }
        editing.drive_for(time)?;
        let growth = grown(before.anonymous_bytes, server.usage()?.anonymous_bytes);
        let (latency, delivered) = (editing.tally.latency.clone(), editing.tally.delivered);

        // They read again while the others go on.
        let frames_before = editing.tally.frames_to(&stalled);
        let resumed = Instant::now();
        for session in &stalled {
            editing.fleet.set_reading(*session, true)?;
        }
        editing.drive_for(Duration::from_secs(2))?;
        editing.end();
        editing.settle(PATIENCE)?;
        let caught_up = resumed.elapsed();

        let mut metrics = Metrics::default();
        metrics.fact("deliveries/s to the others", delivered as f64 / self.seconds as f64);
        metrics.latency("others", &latency, &[0.5, 0.99, 0.999]);
        metrics.fact("others p99, all reading, ms", calm_p99 as f64 / 1e3);
        metrics.fact("memory growth MB, all reading", calm_growth / 1e6);
        metrics.cost("memory growth MB, stalled", growth / 1e6);
        metrics.cost("MB for each stalled reader", (growth - calm_growth).max(0.0) / stalled.len() as f64 / 1e6);
        metrics.fact("superseded", editing.tally.superseded as f64);
        metrics.fact(
            "frames to each who came back",
            (editing.tally.frames_to(&stalled) - frames_before) as f64 / stalled.len() as f64,
        );
        metrics.fact("lost", editing.lost());
        metrics.fact("all at rest after s", caught_up.as_secs_f64());
        Ok(metrics)
    }
}

fn grown(before: u64, after: u64) -> f64 {
    after as f64 - before as f64
}
