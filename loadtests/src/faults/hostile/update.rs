//! Updates as no honest client writes them, in the V1 format.

use troupe_loadtests::wire::{put_bytes, put_uint};

const ORIGIN: u8 = 0x80;
const RIGHT_ORIGIN: u8 = 0x40;
const KEY: u8 = 0x20;
const SHARED_TYPE: u8 = 7;

/// What an item holds: its kind, and its bytes.
pub type Content = (u8, Vec<u8>);

pub fn list() -> Content {
    (SHARED_TYPE, vec![0])
}

pub fn shared_text() -> Content {
    (SHARED_TYPE, vec![2])
}

/// One `true`.
pub fn single() -> Content {
    (8, vec![1, 120])
}

/// One string as a value.
pub fn string(text: &str) -> Content {
    let mut bytes = vec![1, 119];
    put_bytes(&mut bytes, text.as_bytes());
    (8, bytes)
}

pub fn letters(text: &str) -> Content {
    let mut bytes = Vec::new();
    put_bytes(&mut bytes, text.as_bytes());
    (4, bytes)
}

/// What one client wrote, from its first clock on.
pub struct Section {
    pub client: u64,
    count: u64,
    items: Vec<u8>,
}

impl Section {
    pub fn new(client: u64) -> Self {
        Self { client, count: 0, items: Vec::new() }
    }

    /// Under a key of a root.
    pub fn under(mut self, root: &str, key: &str, content: &Content) -> Self {
        self.items.push(KEY | content.0);
        put_uint(&mut self.items, 1);
        put_bytes(&mut self.items, root.as_bytes());
        put_bytes(&mut self.items, key.as_bytes());
        self.put(content)
    }

    /// The first in the list or text that is another item.
    pub fn first_in(mut self, parent: (u64, u32), content: &Content) -> Self {
        self.items.push(content.0);
        put_uint(&mut self.items, 0);
        self.put_id(parent);
        self.put(content)
    }

    /// Behind the item of this clock.
    pub fn after(mut self, clock: u32, content: &Content) -> Self {
        self.items.push(ORIGIN | content.0);
        self.put_id((self.client, clock));
        self.put(content)
    }

    /// In front of the item of this clock.
    pub fn before(mut self, clock: u32, content: &Content) -> Self {
        self.items.push(RIGHT_ORIGIN | content.0);
        self.put_id((self.client, clock));
        self.put(content)
    }

    fn put_id(&mut self, (client, clock): (u64, u32)) {
        put_uint(&mut self.items, client);
        put_uint(&mut self.items, clock.into());
    }

    fn put(mut self, content: &Content) -> Self {
        self.items.extend_from_slice(&content.1);
        self.count += 1;
        self
    }
}

/// Sections stand in the order of their clients, the highest first.
pub fn update(mut sections: Vec<Section>, deleted: &[u8]) -> Vec<u8> {
    sections.sort_by_key(|section| std::cmp::Reverse(section.client));
    let mut out = Vec::new();
    put_uint(&mut out, sections.len() as u64);
    for section in sections {
        put_uint(&mut out, section.count);
        put_uint(&mut out, section.client);
        put_uint(&mut out, 0);
        out.extend(section.items);
    }
    out.extend_from_slice(deleted);
    out
}

pub const NOTHING_DELETED: &[u8] = &[0];

/// Every second of a client's clocks, from one on: so many ranges.
pub fn every_second(client: u64, from: u32, ranges: u32) -> Vec<u8> {
    let mut out = vec![1];
    put_uint(&mut out, client);
    put_uint(&mut out, ranges.into());
    for number in 0..ranges {
        put_uint(&mut out, u64::from(from + 2 * number));
        put_uint(&mut out, 1);
    }
    out
}

#[cfg(test)]
mod tests {
    use yrs::{Doc, GetString, Map, Out, ReadTxn, Transact, Update, updates::decoder::Decode};

    use super::*;

    /// They are hostile by what they cost, not by their form: `yrs` takes them whole.
    #[test]
    fn updates_are_of_the_format() {
        let text = Section::new(9).under("notes", "t", &shared_text()).first_in((9, 0), &letters("abcdef"));
        let values = Section::new(5).under("meta", "o", &single()).after(0, &string("last"));
        let list = Section::new(3).under("notes", "l", &list()).first_in((3, 0), &single()).before(1, &single());
        let doc = Doc::new();
        let mut txn = doc.transact_mut();
        let bytes = update(vec![values, text, list], &every_second(9, 1, 3));
        txn.apply_update(Update::decode_v1(&bytes).unwrap()).unwrap();
        assert!(!txn.has_missing_updates());
        let text = txn.get_map("notes").unwrap().get(&txn, "t").unwrap().cast::<yrs::TextRef>().unwrap();
        assert_eq!(text.get_string(&txn), "bdf");
        let last = txn.get_map("meta").unwrap().get(&txn, "o").unwrap();
        assert_eq!(last, Out::Any("last".into()));
    }
}
