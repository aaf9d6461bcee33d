//! `start`: how long until the first request is served, with many workflows stored [PERF-13].

use std::time::Duration;

use anyhow::Result;
use clap::Args;

use crate::{
    report::Metrics,
    server::{Kind, Server},
};

#[derive(Args, Clone, Debug)]
pub struct Start {
    #[arg(long, default_value_t = 10_000)]
    pub workflows: u32,
    /// Starts, of which the median counts.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    pub starts: u32,
}

impl Start {
    pub fn parameters(&self) -> String {
        format!("{} documents stored, median of {} starts", self.workflows, self.starts)
    }

    /// The floor is the same server with nothing stored. The others load a document when somebody asks for it, so only
    /// their floor is measured.
    pub async fn measure(&self, server: Server) -> Result<Metrics> {
        let mut metrics = Metrics::default();
        let (server, floor) = self.median(server).await?;
        metrics.cost("ms to serve, nothing stored", floor.as_secs_f64() * 1e3);
        if server.kind == Kind::Troupe {
            server.documents(self.workflows as usize).await?;
            let (server, start) = self.median(server).await?;
            metrics.fact("ms to serve, all stored", start.as_secs_f64() * 1e3);
            metrics.fact("× nothing stored", start.as_secs_f64() / floor.as_secs_f64());
            metrics.fact("server MB", server.usage()?.anonymous_bytes as f64 / 1e6);
        }
        Ok(metrics)
    }

    async fn median(&self, mut server: Server) -> Result<(Server, Duration)> {
        let mut times = Vec::new();
        for _ in 0..self.starts {
            let (started, time) = server.restart().await?;
            server = started;
            times.push(time);
        }
        times.sort_unstable();
        Ok((server, times[times.len() / 2]))
    }
}
