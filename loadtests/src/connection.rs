//! One session with a server: joins, answers what a client must answer, and reports the rest.
//!
//! It has no document. What is larger than a chunk is skipped unless somebody wants to read it.

use std::{
    io::{self, Read, Write},
    mem,
    net::SocketAddr,
    sync::Arc,
};

use mio::net::TcpStream;

use crate::{
    frames::{self, Header, Opcode},
    wire::{self, Message},
};

/// Where a document is, and how its server is spoken to.
#[derive(Debug)]
pub struct Document {
    pub name: String,
    pub address: SocketAddr,
    /// The HTTP request that opens a socket to it.
    pub upgrade: Vec<u8>,
    /// What Hocuspocus has before each message; elsewhere empty.
    pub prefix: Vec<u8>,
}

/// What a session tells.
#[derive(Debug)]
pub enum Event<'a> {
    /// The server's answer to the first sync step has come, after so many bytes.
    Synced(u64),
    /// An update-carrying message.
    Update(&'a [u8]),
    Awareness(&'a [u8]),
    /// So many of the session's update-carrying frames are acknowledged, the answer to the server's sync step included.
    Acknowledged(u64),
    Closed(String),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Connecting,
    Upgrading,
    Joining,
    Synced,
    Closed,
}

/// A frame that is not kept: its beginning, and what is still to come.
struct Skipped {
    head: Vec<u8>,
    total: u64,
    left: u64,
}

const KEPT_BYTES_MAX: u64 = 256 * 1024;
const HEAD_BYTES: usize = 64;

pub struct Connection {
    pub stream: TcpStream,
    document: Arc<Document>,
    stage: Stage,
    /// Bytes of messages until it was synced.
    received: u64,
    /// Bytes of a frame that is not all there.
    inbox: Vec<u8>,
    skipped: Option<Skipped>,
    outbox: Vec<u8>,
    /// Frames that carry updates, as acknowledgements count them.
    updates_sent: u64,
    acknowledged: u64,
    /// Reads frames of any size.
    pub reads_all: bool,
    /// Set by the fleet, which must also ask the operating system anew.
    pub(crate) reading: bool,
}

impl Connection {
    pub fn open(document: Arc<Document>) -> io::Result<Self> {
        let stream = TcpStream::connect(document.address)?;
        Ok(Self {
            stream,
            document,
            stage: Stage::Connecting,
            received: 0,
            inbox: Vec::new(),
            skipped: None,
            outbox: Vec::new(),
            updates_sent: 0,
            acknowledged: 0,
            reads_all: false,
            reading: true,
        })
    }

    pub fn is_synced(&self) -> bool {
        self.stage == Stage::Synced
    }

    pub fn is_closed(&self) -> bool {
        self.stage == Stage::Closed
    }

    pub fn updates_sent(&self) -> u64 {
        self.updates_sent
    }

    pub fn send_update(&mut self, update: &[u8]) {
        self.updates_sent += 1;
        self.send(&wire::update(update));
    }

    pub fn send(&mut self, message: &[u8]) {
        self.frame(Opcode::Binary, message);
        self.flush();
    }

    fn frame(&mut self, opcode: Opcode, payload: &[u8]) {
        let prefix = if opcode == Opcode::Binary { self.document.prefix.as_slice() } else { &[] };
        frames::write(&mut self.outbox, opcode, [prefix, payload]);
    }

    /// Writes what the socket takes. A socket that broke says so when it is read.
    pub fn flush(&mut self) {
        if self.stage == Stage::Connecting {
            return;
        }
        let mut written = 0;
        while written < self.outbox.len() {
            match self.stream.write(&self.outbox[written..]) {
                Ok(bytes) => written += bytes,
                Err(_) => break,
            }
        }
        self.outbox.drain(..written);
    }

    pub fn writable(&mut self) {
        if self.stage == Stage::Connecting {
            let _ = self.stream.set_nodelay(true);
            self.stage = Stage::Upgrading;
            self.outbox.extend_from_slice(&self.document.upgrade);
        }
        self.flush();
    }

    /// Reads what is there.
    pub fn readable(&mut self, buffer: &mut [u8], tell: &mut dyn FnMut(Event<'_>)) {
        while self.reading && self.stage != Stage::Closed {
            match self.stream.read(buffer) {
                Ok(0) => self.close("the server ended the connection".to_owned(), tell),
                Ok(bytes) => {
                    self.take(&buffer[..bytes], tell);
                    if bytes < buffer.len() {
                        break;
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => self.close(error.to_string(), tell),
            }
        }
        if !self.outbox.is_empty() {
            self.flush();
        }
    }

    fn close(&mut self, why: String, tell: &mut dyn FnMut(Event<'_>)) {
        if self.stage != Stage::Closed {
            self.stage = Stage::Closed;
            tell(Event::Closed(why));
        }
    }

    fn take(&mut self, chunk: &[u8], tell: &mut dyn FnMut(Event<'_>)) {
        if self.inbox.is_empty() {
            let taken = self.take_whole(chunk, tell);
            self.inbox.extend_from_slice(&chunk[taken..]);
        } else {
            let mut bytes = mem::take(&mut self.inbox);
            bytes.extend_from_slice(chunk);
            let taken = self.take_whole(&bytes, tell);
            bytes.drain(..taken);
            self.inbox = bytes;
        }
    }

    /// Takes whole frames off the front, and says how many bytes they were.
    fn take_whole(&mut self, bytes: &[u8], tell: &mut dyn FnMut(Event<'_>)) -> usize {
        let mut taken = 0;
        loop {
            let rest = &bytes[taken..];
            let bytes = match self.stage {
                Stage::Closed => return bytes.len(),
                Stage::Connecting | Stage::Upgrading => self.take_upgrade(rest, tell),
                _ if self.skipped.is_some() => self.skip(rest, tell),
                _ => self.take_frame(rest, tell),
            };
            match bytes {
                0 => return taken,
                bytes => taken += bytes,
            }
        }
    }

    /// The answer's key is not verified: this is a server that we started.
    fn take_upgrade(&mut self, bytes: &[u8], tell: &mut dyn FnMut(Event<'_>)) -> usize {
        let Some(end) = memchr::memmem::find(bytes, b"\r\n\r\n") else { return 0 };
        if !bytes.starts_with(b"HTTP/1.1 101") {
            let answer = String::from_utf8_lossy(&bytes[..end.min(200)]).into_owned();
            self.close(format!("the server did not open a socket: {answer}"), tell);
            return bytes.len();
        }
        self.stage = Stage::Joining;
        if self.document.prefix.is_empty() {
            self.frame(Opcode::Binary, wire::SYNC_STEP_1);
        } else {
            let mut token = wire::hocuspocus::TOKEN.to_vec();
            wire::put_bytes(&mut token, b"token");
            wire::put_bytes(&mut token, b"4.0.0");
            self.frame(Opcode::Binary, &token);
        }
        end + 4
    }

    fn take_frame(&mut self, bytes: &[u8], tell: &mut dyn FnMut(Event<'_>)) -> usize {
        let Some(Header { opcode, header_bytes, payload_bytes }) = frames::header(bytes) else { return 0 };
        let rest = &bytes[header_bytes..];
        if let Some(payload) = usize::try_from(payload_bytes).ok().and_then(|length| rest.get(..length)) {
            self.take_payload(opcode, payload, payload_bytes, tell);
            return header_bytes + payload.len();
        }
        if payload_bytes > KEPT_BYTES_MAX && !self.reads_all && rest.len() >= HEAD_BYTES {
            self.skipped =
                Some(Skipped { head: rest[..HEAD_BYTES].to_vec(), total: payload_bytes, left: payload_bytes });
            return header_bytes;
        }
        0
    }

    fn skip(&mut self, bytes: &[u8], tell: &mut dyn FnMut(Event<'_>)) -> usize {
        let Some(skipped) = &mut self.skipped else { return 0 };
        let taken = skipped.left.min(bytes.len() as u64);
        skipped.left -= taken;
        if skipped.left == 0 {
            let Skipped { head, total, .. } = self.skipped.take().expect("it was there a moment ago");
            self.take_payload(Opcode::Binary, &head, total, tell);
        }
        taken as usize
    }

    fn take_payload(&mut self, opcode: Opcode, payload: &[u8], total: u64, tell: &mut dyn FnMut(Event<'_>)) {
        match opcode {
            Opcode::Binary => self.take_message(payload, total, tell),
            Opcode::Ping => self.frame(Opcode::Pong, payload),
            Opcode::Close => {
                let code = payload.first_chunk().map_or(1005, |code| u16::from_be_bytes(*code));
                let reason = String::from_utf8_lossy(payload.get(2..).unwrap_or_default()).into_owned();
                self.close(format!("the server closed the session: {code} {reason}"), tell);
            }
            Opcode::Text | Opcode::Pong => {}
            Opcode::Unsupported => self.close("the server sent a fragment".to_owned(), tell),
        }
    }

    fn take_message(&mut self, payload: &[u8], total: u64, tell: &mut dyn FnMut(Event<'_>)) {
        let Some(message) = payload.strip_prefix(self.document.prefix.as_slice()).and_then(wire::read) else {
            return self.close("the server sent a message that cannot be read".to_owned(), tell);
        };
        if self.stage == Stage::Joining {
            self.received += total;
        }
        match message {
            Message::SyncStep1 => {
                self.updates_sent += 1;
                self.frame(Opcode::Binary, wire::EMPTY_SYNC_STEP_2);
            }
            Message::SyncStep2(update) => {
                tell(Event::Update(update));
                if self.stage == Stage::Joining {
                    self.stage = Stage::Synced;
                    tell(Event::Synced(self.received));
                }
            }
            Message::Update(update) => tell(Event::Update(update)),
            Message::Awareness(states) => tell(Event::Awareness(states)),
            Message::Granted => self.frame(Opcode::Binary, wire::SYNC_STEP_1),
            Message::Denied => self.close("the server denied access".to_owned(), tell),
            Message::Ping => self.frame(Opcode::Binary, &[wire::hocuspocus::PONG]),
            Message::Ack(count) => {
                self.acknowledged = count;
                tell(Event::Acknowledged(count));
            }
            Message::SyncStatus => {
                self.acknowledged += 1;
                tell(Event::Acknowledged(self.acknowledged));
            }
            Message::Other => {}
        }
    }
}
