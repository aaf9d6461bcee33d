//! Edits without a document. An author owns one node and overwrites its label: bytes that differ from one edit to the
//! next only in clocks and in the mark, and are the same that Yjs would send.

use yrs::{Doc, Map, MapPrelim, ReadTxn, StateVector, Transact};

use crate::{
    mark::Mark,
    wire::{put_bytes, put_uint},
};

const ITEM_WITH_ORIGIN_AND_KEY: u8 = 0x80 | 0x20 | CONTENT_ANY;
const CONTENT_ANY: u8 = 8;
const ANY_STRING: u8 = 119;

pub struct Author {
    pub index: u32,
    made: u32,
    last_label: String,
}

/// What the author's node takes: the node, its type, data, node type, config and empty label.
const FIRST_CLOCK: u32 = 6;

impl Author {
    /// The author, and the update that puts its node on the canvas.
    pub fn new(index: u32) -> (Self, Vec<u8>) {
        let doc = Doc::with_client_id(Self::client_of(index));
        let nodes = doc.get_or_insert_map("nodes");
        let mut txn = doc.transact_mut();
        let node = nodes.insert(&mut txn, node_name(index), MapPrelim::default());
        node.insert(&mut txn, "type", "custom-node");
        let data = node.insert(&mut txn, "data", MapPrelim::default());
        data.insert(&mut txn, "nodeType", "manual_trigger");
        data.insert(&mut txn, "config", MapPrelim::default());
        data.insert(&mut txn, "label", "");
        (Self { index, made: 0, last_label: String::new() }, txn.encode_state_as_update_v1(&StateVector::default()))
    }

    /// How many edits there are.
    pub fn made(&self) -> u32 {
        self.made
    }

    /// The next edit. `due_us` is when it is meant to be sent.
    pub fn edit(&mut self, due_us: u64) -> Vec<u8> {
        let label = Mark { author: self.index, number: self.made, due_us }.text();
        let update = overwrite(Self::client_of(self.index), Self::clock_of(self.made), &label);
        self.made += 1;
        self.last_label = label;
        update
    }

    /// What everybody should see in the end.
    pub fn last_label(&self) -> &str {
        &self.last_label
    }

    /// The client id of an author's edits.
    pub fn client_of(index: u32) -> u64 {
        0x1000_0000 + u64::from(index)
    }

    /// The clock of an author's edit by its number.
    pub fn clock_of(number: u32) -> u32 {
        FIRST_CLOCK + number
    }
}

pub fn node_name(author: u32) -> String {
    format!("author-{author}")
}

/// A V1 update: an item after the one before it under the same key, and that one deleted.
fn overwrite(client: u64, clock: u32, text: &str) -> Vec<u8> {
    let mut update = Vec::with_capacity(96);
    update.extend([1, 1]);
    put_uint(&mut update, client);
    put_uint(&mut update, u64::from(clock));
    update.push(ITEM_WITH_ORIGIN_AND_KEY);
    put_uint(&mut update, client);
    put_uint(&mut update, u64::from(clock - 1));
    update.extend([1, ANY_STRING]);
    put_bytes(&mut update, text.as_bytes());
    update.push(1);
    put_uint(&mut update, client);
    update.push(1);
    put_uint(&mut update, u64::from(clock - 1));
    update.push(1);
    update
}

#[cfg(test)]
mod tests {
    use yrs::{MapRef, Update, updates::decoder::Decode};

    use super::*;

    /// The same edits through yrs, byte for byte.
    #[test]
    fn edits_are_what_yjs_would_send() {
        let (mut author, first) = Author::new(3);
        let doc = Doc::with_client_id(Author::client_of(3));
        doc.transact_mut().apply_update(Update::decode_v1(&first).unwrap()).unwrap();
        let nodes = doc.get_or_insert_map("nodes");
        for due_us in [5, 200_000] {
            let expected = Mark { author: 3, number: author.made, due_us }.text();
            let edit = author.edit(due_us);
            let mut txn = doc.transact_mut();
            let node = nodes.get(&txn, &node_name(3)).unwrap().cast::<MapRef>().unwrap();
            let data = node.get(&txn, "data").unwrap().cast::<MapRef>().unwrap();
            data.insert(&mut txn, "label", expected);
            assert_eq!(edit, txn.encode_update_v1());
        }
    }
}
