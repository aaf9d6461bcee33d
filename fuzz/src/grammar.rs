//! Writes V1 updates by hand, those that no client would write included.

use troupe_crdt::wire::{write_buf, write_uint};

pub type Id = (u64, u32);

#[derive(Clone, Debug)]
pub enum Parent {
    Root(&'static str),
    Item(u64, u32),
    /// The same as the neighbour's.
    Neighbour,
}

#[derive(Clone, Debug)]
pub enum Content {
    Plain(u8),
    Text(String),
    Map,
    SharedText,
    Deleted(u32),
    Gc(u32),
    Skip(u32),
    /// Kind and bytes.
    Raw(u8, Vec<u8>),
}

#[derive(Clone, Debug)]
pub struct Item {
    pub left: Option<Id>,
    pub right: Option<Id>,
    pub parent: Parent,
    pub key: Option<&'static str>,
    pub content: Content,
}

impl Item {
    pub fn new(parent: Parent, key: Option<&'static str>) -> Self {
        Self { left: None, right: None, parent, key, content: Content::Plain(7) }
    }

    fn write(&self, out: &mut Vec<u8>) {
        let (kind, content) = self.content.encode();
        if matches!(self.content, Content::Gc(_) | Content::Skip(_)) {
            out.push(kind);
            out.extend(content);
            return;
        }
        let mut info = kind;
        let copies_parent = self.left.is_some() || self.right.is_some();
        info |= if self.left.is_some() { 0x80 } else { 0 };
        info |= if self.right.is_some() { 0x40 } else { 0 };
        info |= if self.key.is_some() { 0x20 } else { 0 };
        out.push(info);
        for (client, clock) in [self.left, self.right].into_iter().flatten() {
            write_uint(out, client);
            write_uint(out, clock.into());
        }
        if !copies_parent {
            match self.parent {
                Parent::Root(name) => {
                    write_uint(out, 1);
                    write_buf(out, name.as_bytes());
                }
                Parent::Item(client, clock) => {
                    write_uint(out, 0);
                    write_uint(out, client);
                    write_uint(out, clock.into());
                }
                Parent::Neighbour => panic!("a neighbour's parent needs a neighbour"),
            }
            if let Some(key) = self.key {
                write_buf(out, key.as_bytes());
            }
        }
        out.extend(content);
    }
}

impl Content {
    fn encode(&self) -> (u8, Vec<u8>) {
        let counted = |count: u32| {
            let mut bytes = Vec::new();
            write_uint(&mut bytes, count.into());
            bytes
        };
        match self {
            Self::Plain(number) => (8, vec![1, 125, number & 0x3f]),
            Self::Text(text) => {
                let mut bytes = Vec::new();
                write_buf(&mut bytes, text.as_bytes());
                (4, bytes)
            }
            Self::Map => (7, vec![1]),
            Self::SharedText => (7, vec![2]),
            Self::Deleted(len) => (1, counted(*len)),
            Self::Gc(len) => (0, counted(*len)),
            Self::Skip(len) => (10, counted(*len)),
            Self::Raw(kind, bytes) => (*kind, bytes.clone()),
        }
    }
}

/// Sections `(client, first clock, items)` and deletions `(client, clock, length)`.
pub fn update(sections: &[(u64, u32, Vec<Item>)], deletes: &[(u64, u32, u32)]) -> Vec<u8> {
    let mut out = Vec::new();
    write_uint(&mut out, sections.len() as u64);
    for (client, clock, items) in sections {
        write_uint(&mut out, items.len() as u64);
        write_uint(&mut out, *client);
        write_uint(&mut out, (*clock).into());
        for item in items {
            item.write(&mut out);
        }
    }
    write_uint(&mut out, deletes.len() as u64);
    for (client, clock, len) in deletes {
        write_uint(&mut out, *client);
        write_uint(&mut out, 1);
        write_uint(&mut out, (*clock).into());
        write_uint(&mut out, (*len).into());
    }
    out
}
