//! A large document: many nodes with a text each.

use std::{sync::Arc, time::Duration};

use anyhow::{Result, ensure};
use yrs::{Doc, Map, MapPrelim, Text, TextPrelim, Transact};

use crate::{
    connection::{Document, Event},
    fleet::Fleet,
    verify,
};

/// Of the text in each node.
const TEXT_BYTES: usize = 1_000;
const NODES_AN_UPDATE: u32 = 300;

/// Writes the document as its author would, and gives back the author's session.
pub fn fill(document: &Arc<Document>, nodes: u32) -> Result<Fleet> {
    let mut fleet = Fleet::new()?;
    let session = fleet.open([document], &mut |_, _| {})?[0];
    let doc = Doc::with_client_id(1);
    let map = doc.get_or_insert_map("nodes");
    let text = "select carrier, avg(dep_delay) from flights group by carrier; ".repeat(TEXT_BYTES / 60);
    let numbers: Vec<u32> = (0..nodes).collect();
    for some in numbers.chunks(NODES_AN_UPDATE as usize) {
        let mut txn = doc.transact_mut();
        for number in some {
            let node = map.insert(&mut txn, name(*number), MapPrelim::default());
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

/// Takes what comes, for so long.
pub fn drive(fleet: &mut Fleet, time: Duration) -> Result<()> {
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
pub fn present(document: &Arc<Document>, nodes: u32) -> Result<usize> {
    let doc = verify::read(document)?;
    let map = doc.get_or_insert_map("nodes");
    let txn = doc.transact();
    Ok((0..nodes).filter(|number| map.get(&txn, &name(*number)).is_some()).count())
}

fn name(number: u32) -> String {
    format!("step-{number}")
}
