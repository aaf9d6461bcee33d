//! `soak`: everything at once for a long time: editors, idle sessions, and clients that come and go. What must be flat
//! is memory and open files [REL-10].

use std::time::Duration;

use anyhow::Result;
use clap::Args;

use crate::{editing::Editing, fleet::Fleet, report::Metrics, server::Server, verify};

#[derive(Args, Clone, Debug)]
pub struct Soak {
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..))]
    pub documents: u32,
    /// Editors of each document.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    pub editors: u32,
    /// Edits a second of each editor.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    pub rate: u32,
    /// Clients that join and leave again in each round.
    #[arg(long, default_value_t = 50)]
    pub visitors: u32,
    /// Sessions that say nothing.
    #[arg(long, default_value_t = 500)]
    pub idle: u32,
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u64).range(10..))]
    pub seconds: u64,
}

/// Rounds are so long, and visitors stay for one.
const ROUND: Duration = Duration::from_secs(2);
const PATIENCE: Duration = Duration::from_secs(10);

impl Soak {
    pub fn parameters(&self) -> String {
        let Self { documents, editors, rate, visitors, idle, seconds } = self;
        format!(
            "{documents} documents × {editors} editors × {rate} edits/s, {idle} idle, {visitors} come and go each \
             {ROUND:?}, {seconds} s"
        )
    }

    pub async fn measure(&self, server: &Server) -> Result<Metrics> {
        let all = server.documents(2 * self.documents as usize).await?;
        // The idle sessions have documents of their own, so that nothing comes to them.
        let (documents, quiet) = all.split_at(self.documents as usize);
        let mut idle = Fleet::new()?;
        idle.open(quiet.iter().cycle().take(self.idle as usize), &mut |_, _| {})?;
        let mut editing = Editing::open(documents, self.editors, 0, self.rate)?;
        editing.begin();
        let rounds = self.seconds / ROUND.as_secs();
        let (mut usages, mut not_joined) = (Vec::new(), 0);
        for _ in 0..rounds {
            let visiting = documents.iter().cycle().take(self.visitors as usize);
            let visitors = visiting.map(|document| editing.fleet.connect(document)).collect::<Result<Vec<_>>>()?;
            editing.drive_for(ROUND)?;
            idle.count_closed()?;
            for visitor in visitors {
                not_joined += u32::from(!editing.fleet.session(visitor).is_synced());
                editing.fleet.disconnect(visitor);
            }
            usages.push(server.usage()?);
        }
        editing.end();
        editing.settle(PATIENCE)?;

        // The first third is for caches and pools to fill.
        let (settled, last) = (usages[usages.len() / 3], usages[usages.len() - 1]);
        let minutes = (rounds - rounds / 3) as f64 * ROUND.as_secs_f64() / 60.0;
        let mut metrics = Metrics::default();
        metrics.fact("edits", editing.authors.iter().map(|author| f64::from(author.made())).sum());
        metrics.fact("joins", rounds as f64 * f64::from(self.visitors));
        metrics.fact("visitors who did not get in", f64::from(not_joined));
        metrics.latency("delivery", &editing.tally.latency, &[0.5, 0.99, 0.999]);
        if server.kind.acknowledges() {
            metrics.latency("durable", &editing.tally.acknowledged, &[0.99]);
        }
        metrics.cost("server MB", last.anonymous_bytes as f64 / 1e6);
        metrics.fact(
            "memory growth MB/min, last two thirds",
            (last.anonymous_bytes as f64 - settled.anonymous_bytes as f64) / 1e6 / minutes,
        );
        metrics.fact("open files, growth", last.open_files as f64 - settled.open_files as f64);
        metrics.fact("lost", editing.lost());
        metrics.fact("idle sessions that ended", idle.count_closed()? as f64);
        metrics.fact("documents that differ", verify::differing(documents, &editing.authors)? as f64);
        Ok(metrics)
    }
}
