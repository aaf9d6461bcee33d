//! `idle`: sessions that say nothing, in steps up to as many as the limit of open files allows [PERF-3].

use std::time::Instant;

use anyhow::Result;
use clap::Args;

use crate::{fleet::Fleet, report::Metrics, server::Server, usage};

#[derive(Args, Clone, Debug)]
pub struct Idle {
    /// Sessions at each step; memory is measured after each.
    #[arg(long, value_delimiter = ',', default_values_t = [1_000, 18_000])]
    pub sessions: Vec<usize>,
    /// The sessions are spread over so many documents.
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..))]
    pub documents: u32,
}

impl Idle {
    pub fn parameters(&self) -> String {
        format!("{:?} sessions on {} documents", self.sessions, self.documents)
    }

    pub async fn measure(&self, server: &Server) -> Result<Metrics> {
        let documents = server.documents(self.documents as usize).await?;
        let mut metrics = Metrics::default();
        let allowed = usage::raise_open_files()?;
        let mut fleet = Fleet::new()?;
        // One session on each document first: what is counted is a session, not a document.
        fleet.open(&documents, &mut |_, _| {})?;
        let mut before = server.usage_at_rest()?;
        let mut opened = 0;
        for sessions in &self.sessions {
            let sessions = *sessions.min(&allowed.saturating_sub(documents.len()));
            let begun = Instant::now();
            fleet.open(documents.iter().cycle().take(sessions - opened), &mut |_, _| {})?;
            let took = begun.elapsed().as_secs_f64();
            let cpu = (server.usage()?.cpu - before.cpu).as_secs_f64();
            let after = server.usage_at_rest()?;
            let each = |bytes: u64| bytes as f64 / (sessions - opened) as f64;
            let grown = after.anonymous_bytes.saturating_sub(before.anonymous_bytes);
            metrics.cost(&format!("KB/session, {opened} to {sessions}"), each(grown) / 1e3);
            metrics.cost(&format!("join CPU µs, {opened} to {sessions}"), cpu * 1e6 / (sessions - opened) as f64);
            metrics.fact(&format!("joins/s, {opened} to {sessions}"), (sessions - opened) as f64 / took);
            (before, opened) = (after, sessions);
        }
        metrics.cost("server MB", before.anonymous_bytes as f64 / 1e6);
        // Nobody was dropped meanwhile.
        metrics.fact("sessions that ended", fleet.count_closed()? as f64);
        if self.sessions.iter().any(|sessions| sessions + documents.len() > allowed) {
            metrics.fact("sessions the limit of open files allows", allowed as f64);
        }
        Ok(metrics)
    }
}
