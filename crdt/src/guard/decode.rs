//! The V1 format, read without building anything of it.
//!
//! update = clients × { blocks count, client, first clock, blocks }, then the delete set = clients × { client,
//! ranges × { clock, length } }. Every count is checked against the bytes that remain.

use std::collections::HashSet;

use super::{
    At, Block, Content, Deleted, Hostile, Id, JSON_DEPTH_MAX, Kind, ROOTS, Section, Sketch, UPDATE_CLIENTS_MAX,
};
use crate::wire::{Malformed, Reader};

const HAS_LEFT: u8 = 0x80;
const HAS_RIGHT: u8 = 0x40;
const HAS_KEY: u8 = 0x20;
const KIND: u8 = 0x0f;

const GC: u8 = 0;
const DELETED: u8 = 1;
const STRING: u8 = 4;
const EMBED: u8 = 5;
const FORMAT: u8 = 6;
const TYPE: u8 = 7;
const ANY: u8 = 8;
const SKIP: u8 = 10;

/// Room that a declared count is given before its blocks are read.
const BLOCKS_AT_ONCE: usize = 4_096;

/// Reads an update whole, or says why no client of ours wrote it.
pub fn sketch(update: &[u8]) -> Result<Sketch, Hostile> {
    read(update, UPDATE_CLIENTS_MAX)
}

/// Reads a whole document of ours, which may have any number of authors.
pub(crate) fn document(whole: &[u8]) -> Result<Sketch, Hostile> {
    read(whole, usize::MAX)
}

fn read(update: &[u8], clients_max: usize) -> Result<Sketch, Hostile> {
    let mut reader = Reader::new(update);
    let mut sketch = Sketch::default();
    // A section is at least a count, a client, a clock and two bytes of block.
    let clients = reader.count(5)?;
    if clients > clients_max {
        return Err(Hostile::Clients);
    }
    let mut seen = HashSet::new();
    sketch.sections.reserve(clients);
    for _ in 0..clients {
        let section = section(&mut reader, &mut sketch.values)?;
        if clients > 1 && !seen.insert(section.client) {
            return Err(Hostile::RepeatedClient);
        }
        sketch.sections.push(section);
    }
    deletes(&mut reader, &mut sketch.deletes)?;
    sketch.deletes.sort_unstable_by_key(|deleted| (deleted.client, deleted.start));
    reader.end()?;
    Ok(sketch)
}

/// Checks an encoded state vector, and shows whom it names.
pub(crate) fn state_vector(bytes: &[u8], mut named: impl FnMut(u64)) -> Result<(), Hostile> {
    let mut reader = Reader::new(bytes);
    for _ in 0..reader.count(2)? {
        named(reader.uint()?);
        reader.small()?;
    }
    reader.end()?;
    Ok(())
}

/// `values`: how many there are so far.
fn section(reader: &mut Reader<'_>, values: &mut usize) -> Result<Section, Hostile> {
    let count = reader.count(2)?;
    let client = reader.uint()?;
    let mut clock = reader.small()?;
    if count == 0 {
        return Err(Hostile::EmptyClient);
    }
    let mut blocks: Vec<Block> = Vec::with_capacity(count.min(BLOCKS_AT_ONCE));
    for _ in 0..count {
        let block = block(reader, clock, values)?;
        if block.len == 0 {
            return Err(Hostile::EmptyItem);
        }
        clock = advance(clock, block.len)?;
        match blocks.last_mut() {
            // Two bytes each: as many as there may be of them, they are one.
            Some(last) if is_garbage(last) && is_garbage(&block) => last.len += block.len,
            _ => blocks.push(block),
        }
    }
    Ok(Section { client, blocks })
}

fn is_garbage(block: &Block) -> bool {
    block.content == Content::Collected
}

fn advance(clock: u32, len: u32) -> Result<u32, Hostile> {
    clock.checked_add(len).filter(|end| *end <= i32::MAX as u32).ok_or(Hostile::Clock)
}

fn block(reader: &mut Reader<'_>, clock: u32, values: &mut usize) -> Result<Block, Hostile> {
    let info = reader.byte()?;
    let mut block = Block { clock, len: 0, content: Content::Value, at: At::Nowhere, has_key: false };
    match info {
        SKIP => {
            block.content = Content::Skip;
            block.len = reader.small()?;
            return Ok(block);
        }
        GC => {
            block.content = Content::Collected;
            block.len = reader.small()?;
            return Ok(block);
        }
        _ => {}
    }
    block.at = match (info & HAS_LEFT != 0, info & HAS_RIGHT != 0) {
        (true, true) => At::Between(id(reader)?, id(reader)?),
        (true, false) => At::After(id(reader)?),
        (false, true) => At::Before(id(reader)?),
        (false, false) => holder(reader)?,
    };
    if !block.has_neighbour() && info & HAS_KEY != 0 {
        reader.str()?;
        block.has_key = true;
    }
    (block.len, block.content) = content(reader, info & KIND, values)?;
    Ok(block)
}

fn holder(reader: &mut Reader<'_>) -> Result<At, Hostile> {
    match reader.uint()? {
        1 => {
            let name = reader.str()?;
            let root = ROOTS.iter().position(|root| *root == name).ok_or(Hostile::Root)?;
            Ok(At::Root(root as u8))
        }
        0 => Ok(At::Within(id(reader)?)),
        _ => Err(Hostile::Content),
    }
}

fn id(reader: &mut Reader<'_>) -> Result<Id, Malformed> {
    Ok(Id { client: reader.uint()?, clock: reader.small()? })
}

/// Sub-documents, XML, bytes and the JSON content of Yjs before version 13 have no place on a canvas. `yrs` 0.28 misreads
/// the last, and cannot read a V2 snapshot with bytes in it: the canvas could never be compacted again.
fn content(reader: &mut Reader<'_>, kind: u8, values: &mut usize) -> Result<(u32, Content), Hostile> {
    Ok(match kind {
        DELETED => (reader.small()?, Content::Deleted),
        STRING => (reader.str()?.encode_utf16().count() as u32, Content::Text),
        EMBED => {
            reader.str()?;
            (1, Content::Format)
        }
        FORMAT => {
            reader.str()?;
            reader.str()?;
            (1, Content::Format)
        }
        TYPE => (1, Content::Type(shared_type(reader)?)),
        ANY => {
            let count = reader.count(1)?;
            for _ in 0..count {
                *values += json(reader, 0)?;
            }
            (count as u32, Content::Value)
        }
        _ => return Err(Hostile::Content),
    })
}

fn shared_type(reader: &mut Reader<'_>) -> Result<Kind, Hostile> {
    const ARRAY: u8 = 0;
    const MAP: u8 = 1;
    const TEXT: u8 = 2;
    match reader.byte()? {
        MAP => Ok(Kind::Map),
        ARRAY | TEXT => Ok(Kind::Sequence),
        _ => Err(Hostile::Content),
    }
}

/// How many values it is.
fn json(reader: &mut Reader<'_>, depth: usize) -> Result<usize, Hostile> {
    if depth > JSON_DEPTH_MAX {
        return Err(Hostile::JsonDepth);
    }
    let mut values = 1;
    match reader.byte()? {
        120 | 121 | 126 | 127 => {}
        125 => integer(reader)?,
        124 => {
            reader.take(4)?;
        }
        122 | 123 => {
            reader.take(8)?;
        }
        119 => {
            reader.str()?;
        }
        118 => {
            for _ in 0..reader.count(2)? {
                reader.str()?;
                values += json(reader, depth + 1)?;
            }
        }
        117 => {
            for _ in 0..reader.count(1)? {
                values += json(reader, depth + 1)?;
            }
        }
        116 => {
            reader.buf()?;
        }
        _ => return Err(Hostile::Content),
    }
    Ok(values)
}

/// lib0's signed number: six bits, then seven at a time.
fn integer(reader: &mut Reader<'_>) -> Result<(), Malformed> {
    for _ in 0..9 {
        if reader.byte()? & 0x80 == 0 {
            return Ok(());
        }
    }
    Err(Malformed::Number)
}

/// Clients send all deletions that they know of, so these may have many authors.
fn deletes(reader: &mut Reader<'_>, deletes: &mut Vec<Deleted>) -> Result<(), Hostile> {
    let clients = reader.count(2)?;
    let mut seen = HashSet::new();
    for _ in 0..clients {
        let client = reader.uint()?;
        if clients > 1 && !seen.insert(client) {
            return Err(Hostile::RepeatedClient);
        }
        for _ in 0..reader.count(2)? {
            let start = reader.small()?;
            let len = reader.small()?;
            if len == 0 {
                return Err(Hostile::EmptyItem);
            }
            deletes.push(Deleted { client, start, end: advance(start, len)? });
        }
    }
    Ok(())
}
