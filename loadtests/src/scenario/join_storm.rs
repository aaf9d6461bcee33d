//! `join-storm`: many clients join one large document at once [PERF-4].

use std::time::Duration;

use anyhow::{Result, ensure};
use clap::Args;

use crate::{connection::Event, fleet::Fleet, large, report::Metrics, server::Server, tally, usage};

#[derive(Args, Clone, Debug)]
pub struct JoinStorm {
    #[arg(long, default_value_t = 150, value_parser = clap::value_parser!(u32).range(1..))]
    pub clients: u32,
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..))]
    pub megabytes: u32,
}

const NODES_A_MEGABYTE: u32 = 900;
const WITHIN: Duration = Duration::from_secs(120);
/// The large document gets so long to be stored and looked at before the storm.
const QUIET: Duration = Duration::from_secs(5);

impl JoinStorm {
    pub fn parameters(&self) -> String {
        format!("{} clients join a document of {} MB", self.clients, self.megabytes)
    }

    pub async fn measure(&self, server: &Server) -> Result<Metrics> {
        let documents = server.documents(1).await?;
        let document = &documents[0];
        let nodes = self.megabytes * NODES_A_MEGABYTE;
        let mut writer = large::fill(document, nodes)?;
        large::drive(&mut writer, QUIET)?;
        let before = server.usage_at_rest()?;

        let mut fleet = Fleet::new()?;
        let own_before = usage::own_cpu()?;
        let begun_us = fleet.now_us();
        for _ in 0..self.clients {
            fleet.connect(document)?;
        }
        let mut joined = tally::histogram();
        let (mut bytes, mut closed) = (0, None);
        let (epoch, deadline_us) = (fleet.epoch(), begun_us + WITHIN.as_micros() as u64);
        while joined.len() < u64::from(self.clients) && fleet.now_us() < deadline_us {
            fleet.turn(deadline_us, &mut |_, event| match event {
                Event::Synced(length) => {
                    joined.saturating_record(epoch.elapsed().as_micros() as u64 - begun_us);
                    bytes += length;
                }
                Event::Closed(why) => closed = Some(why),
                _ => {}
            })?;
            ensure!(closed.is_none(), "a client was sent away: {}", closed.unwrap_or_default());
        }
        let took = (fleet.now_us() - begun_us) as f64 / 1e6;
        let (after, own_after) = (server.usage()?, usage::own_cpu()?);
        let mut metrics = Metrics::default();
        metrics.fact("document MB", bytes as f64 / joined.len().max(1) as f64 / 1e6);
        metrics.fact("not joined", f64::from(self.clients) - joined.len() as f64);
        metrics.latency("join", &joined, &[0.5, 0.99, 1.0]);
        metrics.cost("server CPU ms/join", (after.cpu - before.cpu).as_secs_f64() * 1e3 / f64::from(self.clients));
        metrics.fact("client CPU cores", (own_after - own_before).as_secs_f64() / took);
        let grown = after.anonymous_bytes.saturating_sub(before.anonymous_bytes);
        metrics.cost("memory grown by MB", grown as f64 / 1e6);
        metrics.fact("nodes missing", f64::from(nodes) - large::present(document, nodes)? as f64);
        Ok(metrics)
    }
}
