//! Hocuspocus' framing (4.x): several documents over one socket [SYNC-2].
//!
//! A frame is `str(document)`, a kind, and its content; a document's name may be followed by `\0` and a name for one of
//! several sessions on it. Answers carry the name as the client gave it. Only a ping and a pong are of no document: one
//! byte each. What is inside for the canvas is a [`Message`] of the y-protocols.

use super::{AWARENESS, Malformed, Message, QUERY_AWARENESS, Reader, SYNC, sync, write_buf, write_uint};

const AUTH: u64 = 2;
const SYNC_REPLY: u64 = 4;
const STATELESS: u64 = 5;
const BROADCAST_STATELESS: u64 = 6;
const CLOSE: u64 = 7;
const SYNC_STATUS: u64 = 8;

const TOKEN: u64 = 0;
const PERMISSION_DENIED: u64 = 1;
const AUTHENTICATED: u64 = 2;

/// Asks whether the other end is still there. Without anything to read for 30 s, the stock provider reconnects.
pub const PING: &[u8] = &[9];
pub const PONG: &[u8] = &[10];

/// A name that is longer names nothing.
const NAME_BYTES_MAX: usize = 256;

/// What a client sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Frame<'a> {
    Ping,
    Pong,
    Document(Name<'a>, Request<'a>),
}

/// A document's name, with the session that the client may have added.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Name<'a>(pub &'a str);

impl<'a> Name<'a> {
    pub fn document(self) -> &'a str {
        self.0.split_once('\0').map_or(self.0, |(document, _)| document)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Request<'a> {
    Authenticate(&'a str),
    /// For the canvas.
    Canvas(Message<'a>),
    /// The same, from someone who will not answer a SyncStep1 that follows it.
    Reply(Message<'a>),
    Stateless(&'a str),
    BroadcastStateless(&'a str),
    Close,
}

/// What the server says of one document, beside what its canvas does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer<'a> {
    Authenticated {
        read_only: bool,
    },
    Denied(&'a str),
    /// One change of the client is settled: durable, or refused.
    SyncStatus {
        durable: bool,
    },
    Close(&'a str),
}

pub fn decode(frame: &[u8]) -> Result<Frame<'_>, Malformed> {
    match frame {
        PING => return Ok(Frame::Ping),
        PONG => return Ok(Frame::Pong),
        _ => {}
    }
    let mut reader = Reader::new(frame);
    let name = reader.str()?;
    if name.len() > NAME_BYTES_MAX {
        return Err(Malformed::Name);
    }
    let request = match reader.uint()? {
        SYNC => Request::Canvas(sync(&mut reader)?),
        SYNC_REPLY => Request::Reply(sync(&mut reader)?),
        AWARENESS => Request::Canvas(Message::Awareness(reader.buf()?)),
        QUERY_AWARENESS => Request::Canvas(Message::QueryAwareness),
        AUTH => authenticate(&mut reader)?,
        STATELESS => Request::Stateless(reader.str()?),
        BROADCAST_STATELESS => Request::BroadcastStateless(reader.str()?),
        CLOSE => {
            optional(&mut reader)?;
            Request::Close
        }
        _ => return Err(Malformed::Kind),
    };
    reader.end()?;
    Ok(Frame::Document(Name(name), request))
}

/// The client's version may follow its token.
fn authenticate<'a>(reader: &mut Reader<'a>) -> Result<Request<'a>, Malformed> {
    if reader.uint()? != TOKEN {
        return Err(Malformed::Kind);
    }
    let token = reader.str()?;
    optional(reader)?;
    Ok(Request::Authenticate(token))
}

fn optional(reader: &mut Reader<'_>) -> Result<(), Malformed> {
    if !reader.is_empty() {
        reader.str()?;
    }
    Ok(())
}

/// What stands before an answer, or before an encoded message of the y-protocols: a sync message, awareness, or a query
/// for it.
pub fn envelope(name: Name<'_>) -> Vec<u8> {
    let mut envelope = Vec::with_capacity(name.0.len() + 2);
    write_buf(&mut envelope, name.0.as_bytes());
    envelope
}

pub fn encode(answer: Answer<'_>) -> Vec<u8> {
    let mut frame = Vec::new();
    let mut tagged = |tags: &[u64], text: &str| {
        tags.iter().for_each(|tag| write_uint(&mut frame, *tag));
        write_buf(&mut frame, text.as_bytes());
    };
    match answer {
        Answer::Authenticated { read_only: true } => tagged(&[AUTH, AUTHENTICATED], "readonly"),
        Answer::Authenticated { read_only: false } => tagged(&[AUTH, AUTHENTICATED], "read-write"),
        Answer::Denied(reason) => tagged(&[AUTH, PERMISSION_DENIED], reason),
        Answer::Close(reason) => tagged(&[CLOSE], reason),
        Answer::SyncStatus { durable } => {
            write_uint(&mut frame, SYNC_STATUS);
            write_uint(&mut frame, durable.into());
        }
    }
    frame
}

#[cfg(test)]
mod tests;
