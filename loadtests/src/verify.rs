//! What a newcomer sees in the end: a session with a real document.

use std::{sync::Arc, time::Duration};

use anyhow::{Result, ensure};
use yrs::{Doc, Map, MapRef, Transact, Update, updates::decoder::Decode};

use crate::{
    author::{Author, node_name},
    connection::{Document, Event},
    fleet::Fleet,
};

const JOINS_WITHIN: Duration = Duration::from_secs(30);

/// In how many of the documents, over which the authors are spread evenly, some author's last edit is missing.
pub fn differing(documents: &[Arc<Document>], authors: &[Author]) -> Result<usize> {
    let each = authors.len() / documents.len();
    let mut differing = 0;
    for (document, authors) in documents.iter().zip(authors.chunks(each)) {
        let doc = read(document)?;
        differing +=
            usize::from(!authors.iter().all(|author| label(&doc, author).as_deref() == Some(author.last_label())));
    }
    Ok(differing)
}

/// The document as a fresh session gets it.
pub fn read(document: &Arc<Document>) -> Result<Doc> {
    let mut fleet = Fleet::new()?;
    let session = fleet.connect(document)?;
    fleet.session(session).reads_all = true;
    let deadline_us = fleet.now_us() + JOINS_WITHIN.as_micros() as u64;
    let (mut updates, mut synced, mut closed) = (Vec::new(), false, None);
    while !synced {
        fleet.turn(deadline_us, &mut |_, event| match event {
            Event::Update(update) => updates.push(update.to_vec()),
            Event::Synced(_) => synced = true,
            Event::Closed(why) => closed = Some(why),
            _ => {}
        })?;
        ensure!(closed.is_none(), "{}: {}", document.name, closed.unwrap_or_default());
        ensure!(fleet.now_us() < deadline_us, "{}: nothing came within {JOINS_WITHIN:?}", document.name);
    }
    let doc = Doc::new();
    for update in updates {
        doc.transact_mut().apply_update(Update::decode_v1(&update)?)?;
    }
    Ok(doc)
}

fn label(doc: &Doc, author: &Author) -> Option<String> {
    let nodes = doc.get_or_insert_map("nodes");
    let txn = doc.transact();
    let node = nodes.get(&txn, &node_name(author.index))?.cast::<MapRef>().ok()?;
    let data = node.get(&txn, "data")?.cast::<MapRef>().ok()?;
    Some(data.get(&txn, "label")?.to_string(&txn))
}
