//! The frames of the y-protocols, and our own two: acknowledgement and session [SYNC-1, SYNC-3, SYNC-10].
//!
//! Decoding borrows. A frame holds one message and nothing after it.

pub mod hocuspocus;
mod lib0;

use thiserror::Error;

use crate::Access;

pub use lib0::{Reader, write_buf, write_uint};

const SYNC: u64 = 0;
const AWARENESS: u64 = 1;
const AUTH: u64 = 2;
const QUERY_AWARENESS: u64 = 3;
/// Ours: `varUint(100) varUint(n)`: the first `n` update-carrying frames (SyncStep2 and Update) of this session are
/// settled: committed, or refused by a Denied that came before.
pub const ACK: u64 = 100;
/// Ours: `varUint(101) varUint(access) varUint(document epoch)`: what the session may do, 0 read or 1 read and write,
/// and which epoch of the document it has. First when it joins, and again when its access changes.
pub const SESSION: u64 = 101;

/// Ours: `varUint(102) varUint(remaining) buf(part)`: a part of a frame that is larger than a frame may be, and how many
/// bytes of it are still to come. Only clients send it.
pub const PART: u64 = 102;

const STEP_1: u64 = 0;
const STEP_2: u64 = 1;
const UPDATE: u64 = 2;
const DENIED: u64 = 0;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Message<'a> {
    /// What the sender has, as a state vector; asks for the rest.
    SyncStep1(&'a [u8]),
    /// What the receiver lacked, as a V1 update.
    SyncStep2(&'a [u8]),
    /// A V1 update.
    Update(&'a [u8]),
    /// An awareness update: see [`crate::Awareness`].
    Awareness(&'a [u8]),
    Denied(&'a str),
    QueryAwareness,
    Ack(u64),
    Session {
        access: Access,
        document_epoch: u64,
    },
    Part {
        remaining: u64,
        part: &'a [u8],
    },
}

/// Why bytes are not what they should be. The text goes to the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Malformed {
    #[error("a frame ends before its content does")]
    Truncated,
    #[error("a frame has bytes after its content")]
    Leftover,
    #[error("a number is larger than any that Yjs writes there")]
    Number,
    #[error("a text is not UTF-8")]
    Text,
    #[error("a frame declares more than it holds")]
    Count,
    #[error("a document's name is too long")]
    Name,
    #[error("a frame is of an unknown kind")]
    Kind,
}

/// Whether a frame tells of awareness. Nothing after that is read.
pub fn is_awareness(frame: &[u8]) -> bool {
    Reader::new(frame).uint() == Ok(AWARENESS)
}

/// What a frame of awareness tells: each client with its entry as it is encoded. `None`: it is another frame.
pub fn awareness_entries(frame: &[u8]) -> Option<Vec<(u64, &[u8])>> {
    let Ok(Message::Awareness(update)) = is_awareness(frame).then(|| decode(frame))? else { return None };
    let mut reader = Reader::new(update);
    let mut entries = Vec::new();
    for _ in 0..reader.count(3).ok()? {
        let mut entry = reader.clone();
        let client = entry.uint().ok()?;
        entry.uint().ok()?;
        entry.buf().ok()?;
        entries.push((client, reader.take(reader.len() - entry.len()).ok()?));
        reader = entry;
    }
    Some(entries)
}

/// A frame of such entries.
pub fn awareness_of(entries: &[(u64, &[u8])]) -> Vec<u8> {
    let mut update = Vec::new();
    write_uint(&mut update, entries.len() as u64);
    entries.iter().for_each(|(_, entry)| update.extend_from_slice(entry));
    awareness(&update)
}

/// A part of a frame, and how many bytes of it are still to come; `None`: it is a frame itself.
pub fn part(frame: &[u8]) -> Result<Option<(&[u8], u64)>, Malformed> {
    match Reader::new(frame).uint()? {
        PART => match decode(frame)? {
            Message::Part { remaining, part } => Ok(Some((part, remaining))),
            _ => Err(Malformed::Kind),
        },
        _ => Ok(None),
    }
}

pub fn decode(frame: &[u8]) -> Result<Message<'_>, Malformed> {
    let mut reader = Reader::new(frame);
    let message = match reader.uint()? {
        SYNC => sync(&mut reader)?,
        AWARENESS => Message::Awareness(reader.buf()?),
        AUTH => match reader.uint()? {
            DENIED => Message::Denied(reader.str()?),
            _ => return Err(Malformed::Kind),
        },
        QUERY_AWARENESS => Message::QueryAwareness,
        ACK => Message::Ack(reader.uint()?),
        SESSION => {
            let access = match reader.uint()? {
                0 => Access::ReadOnly,
                1 => Access::ReadWrite,
                _ => return Err(Malformed::Kind),
            };
            Message::Session { access, document_epoch: reader.uint()? }
        }
        PART => Message::Part { remaining: reader.uint()?, part: reader.buf()? },
        _ => return Err(Malformed::Kind),
    };
    reader.end()?;
    Ok(message)
}

fn sync<'a>(reader: &mut Reader<'a>) -> Result<Message<'a>, Malformed> {
    match reader.uint()? {
        STEP_1 => Ok(Message::SyncStep1(reader.buf()?)),
        STEP_2 => Ok(Message::SyncStep2(reader.buf()?)),
        UPDATE => Ok(Message::Update(reader.buf()?)),
        _ => Err(Malformed::Kind),
    }
}

pub fn encode(message: Message<'_>) -> Vec<u8> {
    match message {
        Message::SyncStep1(state_vector) => framed(&[SYNC, STEP_1], state_vector),
        Message::SyncStep2(update) => framed(&[SYNC, STEP_2], update),
        Message::Update(update) => framed(&[SYNC, UPDATE], update),
        Message::Awareness(update) => framed(&[AWARENESS], update),
        Message::Denied(reason) => framed(&[AUTH, DENIED], reason.as_bytes()),
        Message::QueryAwareness => vec![QUERY_AWARENESS as u8],
        Message::Ack(count) => numbers(&[ACK, count]),
        Message::Session { access, document_epoch } => {
            numbers(&[SESSION, (access == Access::ReadWrite).into(), document_epoch])
        }
        Message::Part { remaining, part } => framed(&[PART, remaining], part),
    }
}

pub fn sync_step1(state_vector: &[u8]) -> Vec<u8> {
    encode(Message::SyncStep1(state_vector))
}

pub fn sync_step2(update: &[u8]) -> Vec<u8> {
    encode(Message::SyncStep2(update))
}

pub fn update(update: &[u8]) -> Vec<u8> {
    encode(Message::Update(update))
}

pub fn awareness(update: &[u8]) -> Vec<u8> {
    encode(Message::Awareness(update))
}

/// The answer to an edit of a session that may not edit, and what tells a stock client that it may not any more
/// [SYNC-10].
pub fn denied(reason: &str) -> Vec<u8> {
    encode(Message::Denied(reason))
}

pub fn ack(count: u64) -> Vec<u8> {
    encode(Message::Ack(count))
}

pub fn session(access: Access, document_epoch: u64) -> Vec<u8> {
    encode(Message::Session { access, document_epoch })
}

fn numbers(numbers: &[u64]) -> Vec<u8> {
    let mut frame = Vec::with_capacity(8);
    numbers.iter().for_each(|number| write_uint(&mut frame, *number));
    frame
}

fn framed(head: &[u64], content: &[u8]) -> Vec<u8> {
    let mut frame = Vec::with_capacity(head.len() + 5 + content.len());
    for number in head {
        write_uint(&mut frame, *number);
    }
    write_buf(&mut frame, content);
    frame
}

#[cfg(test)]
mod tests;
