//! `join-storm`: many clients join one large document at once [PERF-4].

use std::{sync::Arc, time::Duration};

use anyhow::{Result, ensure};
use clap::Args;
use yrs::{Doc, Map, MapPrelim, Text, TextPrelim, Transact};

use crate::{
    author::node_name,
    connection::{Document, Event},
    fleet::Fleet,
    report::Metrics,
    server::Server,
    tally, usage, verify,
};

#[derive(Args, Clone, Debug)]
pub struct JoinStorm {
    #[arg(long, default_value_t = 150, value_parser = clap::value_parser!(u32).range(1..))]
    pub clients: u32,
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..))]
    pub megabytes: u32,
}

/// Of the text in each node.
const TEXT_BYTES: usize = 1_000;
const NODES_A_MEGABYTE: u32 = 900;
const NODES_AN_UPDATE: u32 = 300;
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
        let mut writer = fill(document, nodes)?;
        drive(&mut writer, QUIET)?;
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
        metrics.fact("nodes missing", f64::from(nodes) - present(document, nodes)? as f64);
        Ok(metrics)
    }
}

/// Writes the document as its author would, and gives back the author's session.
fn fill(document: &Arc<Document>, nodes: u32) -> Result<Fleet> {
    let mut fleet = Fleet::new()?;
    let session = fleet.open([document], &mut |_, _| {})?[0];
    let doc = Doc::with_client_id(1);
    let map = doc.get_or_insert_map("nodes");
    let text = "select carrier, avg(dep_delay) from flights group by carrier; ".repeat(TEXT_BYTES / 60);
    let numbers: Vec<u32> = (0..nodes).collect();
    for some in numbers.chunks(NODES_AN_UPDATE as usize) {
        let mut txn = doc.transact_mut();
        for number in some {
            let node = map.insert(&mut txn, node_name(*number), MapPrelim::default());
            node.insert(&mut txn, "type", "custom-node");
            let data = node.insert(&mut txn, "data", MapPrelim::default());
            data.insert(&mut txn, "nodeType", "sql");
            data.insert(&mut txn, "label", format!("Step {number}"));
            let config = data.insert(&mut txn, "config", MapPrelim::default());
            let sql = config.insert(&mut txn, "query", TextPrelim::default());
            sql.push(&mut txn, &text);
        }
        let update = txn.encode_update_v1();
        drop(txn);
        fleet.session(session).send_update(&update);
        drive(&mut fleet, Duration::from_millis(50))?;
    }
    Ok(fleet)
}

fn drive(fleet: &mut Fleet, time: Duration) -> Result<()> {
    let until_us = fleet.now_us() + time.as_micros() as u64;
    let mut closed = None;
    while fleet.now_us() < until_us {
        fleet.turn(until_us, &mut |_, event| {
            if let Event::Closed(why) = event {
                closed = Some(why);
            }
        })?;
        ensure!(closed.is_none(), "the author was sent away: {}", closed.unwrap_or_default());
    }
    Ok(())
}

/// How many of the nodes a newcomer sees.
fn present(document: &Arc<Document>, nodes: u32) -> Result<usize> {
    let doc = verify::read(document)?;
    let map = doc.get_or_insert_map("nodes");
    let txn = doc.transact();
    Ok((0..nodes).filter(|number| map.get(&txn, &node_name(*number)).is_some()).count())
}
