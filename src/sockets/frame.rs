//! WebSocket frames (RFC 6455), without I/O: bytes in, messages out, and back.
//!
//! Headers are read and written by `tungstenite`. The buffers are ours, because they decide what a connection costs: a
//! connection that is silent holds none, and a large payload goes from its shared bytes to the socket without a copy.

use std::io::Cursor;

use bytes::{Buf, BufMut, Bytes, BytesMut};
use thiserror::Error;
use troupe_actors::{Close, FREE_BYTES_MAX, MEDIUM_BYTES_MAX};
use troupe_crdt::Refusal;
use tungstenite::{
    Utf8Bytes,
    protocol::frame::{
        FrameHeader,
        coding::{Control, Data, OpCode},
    },
};

use super::code;
use crate::config;

/// What a control frame may carry.
const CONTROL_BYTES_MAX: usize = 125;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    Binary(Bytes),
    Text(Utf8Bytes),
    Ping(Bytes),
    Pong(Bytes),
    Close(Option<Close>),
}

/// Why nothing more is read from a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Fault {
    #[error("a message is too large")]
    TooLarge,
    /// It is larger than what is granted: see [`Decoder::grant`].
    #[error("a message of up to {0} bytes needs a loan")]
    NeedsLoan(usize),
    #[error("{0}")]
    Protocol(&'static str),
}

/// Assembles the messages of a client.
#[derive(Debug)]
pub struct Decoder {
    /// What was read and is not decoded.
    unread: BytesMut,
    /// The first frames of a message in several.
    begun: Option<(Data, BytesMut)>,
    sizes: Sizes,
    /// What the message that arrives may take now.
    granted_bytes: usize,
}

/// What a message may take.
#[derive(Clone, Copy, Debug)]
pub struct Sizes {
    /// Without a loan.
    pub free_bytes_max: usize,
    /// With one.
    pub bytes_max: usize,
}

impl Sizes {
    /// Nothing is lent.
    pub const fn fixed(bytes_max: usize) -> Self {
        Self { free_bytes_max: bytes_max, bytes_max }
    }

    /// What is said to whoever sends more, even with a loan.
    pub fn refusal(&self) -> Close {
        let Self { free_bytes_max, bytes_max } = self;
        if free_bytes_max == bytes_max {
            return Close::new(code::MALFORMED, format!("a message may have {bytes_max} bytes"));
        }
        Close::new(Refusal::TOO_LARGE, format!("a change may have {bytes_max} bytes"))
    }

    /// Up to a whole canvas.
    pub fn canvas(limits: &config::Limits) -> Self {
        Self { free_bytes_max: FREE_BYTES_MAX, bytes_max: limits.canvas_bytes_max + limits.frame_bytes_max }
    }
}

impl Decoder {
    pub fn new(sizes: Sizes) -> Self {
        Self { unread: BytesMut::new(), begun: None, sizes, granted_bytes: sizes.free_bytes_max }
    }

    /// The message that arrives may take so much.
    pub fn grant(&mut self, bytes: usize) {
        self.granted_bytes = bytes;
    }

    /// Bytes of the message that arrives, as far as it is here.
    pub fn arrived_bytes(&self) -> usize {
        self.unread.len() + self.begun.as_ref().map_or(0, |(_, bytes)| bytes.len())
    }

    pub fn feed(&mut self, bytes: &[u8]) {
        self.unread.extend_from_slice(bytes);
    }

    /// The next whole message of what was fed.
    pub fn next(&mut self) -> Result<Option<Message>, Fault> {
        while let Some((header, payload)) = self.frame()? {
            let message = match header.opcode {
                OpCode::Control(control) => Some(control_message(control, payload.freeze())?),
                OpCode::Data(data) => self.data_message(data, header.is_final, payload)?,
            };
            if message.is_some() {
                return Ok(message);
            }
        }
        Ok(None)
    }

    fn frame(&mut self) -> Result<Option<(FrameHeader, BytesMut)>, Fault> {
        if self.unread.is_empty() {
            // A silent connection holds no buffer.
            self.unread = BytesMut::new();
            return Ok(None);
        }
        let mut cursor = Cursor::new(&self.unread[..]);
        let header = FrameHeader::parse(&mut cursor).map_err(|_| Fault::Protocol("a frame is of no known kind"))?;
        let Some((header, len)) = header else { return Ok(None) };
        let header_len = cursor.position() as usize;
        let len = usize::try_from(len).map_err(|_| Fault::TooLarge)?;
        let mask = header.mask.ok_or(Fault::Protocol("a client must mask its frames"))?;
        self.check(&header, len)?;
        if self.unread.len() < header_len + len {
            self.unread.reserve(header_len + len - self.unread.len());
            return Ok(None);
        }
        self.unread.advance(header_len);
        let mut payload = self.unread.split_to(len);
        unmask(&mut payload, mask);
        Ok(Some((header, payload)))
    }

    fn check(&self, header: &FrameHeader, len: usize) -> Result<(), Fault> {
        if header.rsv1 || header.rsv2 || header.rsv3 {
            return Err(Fault::Protocol("a frame uses an extension that was not agreed on"));
        }
        match header.opcode {
            OpCode::Control(_) if !header.is_final || len > CONTROL_BYTES_MAX => {
                Err(Fault::Protocol("a control frame is too long or in parts"))
            }
            OpCode::Control(_) => Ok(()),
            OpCode::Data(_) => {
                let total = self.begun.as_ref().map_or(0, |(_, bytes)| bytes.len()) + len;
                let is_whole = header.is_final && self.begun.is_none();
                match self.sizes.bytes_max {
                    max if total > max => Err(Fault::TooLarge),
                    _ if total <= self.granted_bytes => Ok(()),
                    _ if is_whole => Err(Fault::NeedsLoan(total)),
                    // How much of a message in several frames is still to come, nobody knows.
                    max if total > MEDIUM_BYTES_MAX => Err(Fault::NeedsLoan(max)),
                    max => Err(Fault::NeedsLoan(MEDIUM_BYTES_MAX.min(max))),
                }
            }
        }
    }

    fn data_message(&mut self, data: Data, last: bool, payload: BytesMut) -> Result<Option<Message>, Fault> {
        let (kind, bytes) = match (data, self.begun.take()) {
            (Data::Continue, Some((kind, mut bytes))) => {
                bytes.extend_from_slice(&payload);
                (kind, bytes)
            }
            (Data::Continue, None) => return Err(Fault::Protocol("a frame continues nothing")),
            (kind, None) => (kind, payload),
            (_, Some(_)) => return Err(Fault::Protocol("a message begins inside another")),
        };
        if !last {
            self.begun = Some((kind, bytes));
            return Ok(None);
        }
        self.granted_bytes = self.sizes.free_bytes_max;
        let bytes = bytes.freeze();
        Ok(Some(match kind {
            Data::Text => {
                Message::Text(Utf8Bytes::try_from(bytes).map_err(|_| Fault::Protocol("a text is not UTF-8"))?)
            }
            _ => Message::Binary(bytes),
        }))
    }
}

fn control_message(control: Control, payload: Bytes) -> Result<Message, Fault> {
    Ok(match control {
        Control::Ping => Message::Ping(payload),
        Control::Pong => Message::Pong(payload),
        _ => Message::Close(close(&payload)?),
    })
}

fn close(payload: &[u8]) -> Result<Option<Close>, Fault> {
    match payload {
        [] => Ok(None),
        [high, low, reason @ ..] => {
            let reason = std::str::from_utf8(reason).map_err(|_| Fault::Protocol("a close's reason is not UTF-8"))?;
            Ok(Some(Close::new(u16::from_be_bytes([*high, *low]), reason)))
        }
        [_] => Err(Fault::Protocol("a close has half a code")),
    }
}

fn unmask(payload: &mut [u8], mask: [u8; 4]) {
    let mut words = payload.chunks_exact_mut(4);
    for word in &mut words {
        for (byte, mask) in word.iter_mut().zip(mask) {
            *byte ^= mask;
        }
    }
    for (byte, mask) in words.into_remainder().iter_mut().zip(mask) {
        *byte ^= mask;
    }
}

impl Message {
    /// Appends the header of its one frame, in which `envelope` stands before the payload, and the envelope.
    pub fn write_head(&self, envelope: &[u8], to: &mut BytesMut) {
        let (opcode, len) = match self {
            Self::Binary(bytes) => (OpCode::Data(Data::Binary), bytes.len()),
            Self::Text(text) => (OpCode::Data(Data::Text), text.len()),
            Self::Ping(bytes) => (OpCode::Control(Control::Ping), bytes.len()),
            Self::Pong(bytes) => (OpCode::Control(Control::Pong), bytes.len()),
            Self::Close(close) => (OpCode::Control(Control::Close), close.as_ref().map_or(0, close_len)),
        };
        let header = FrameHeader { opcode, ..FrameHeader::default() };
        header.format((envelope.len() + len) as u64, &mut to.writer()).expect("memory takes every write");
        to.put_slice(envelope);
    }

    pub fn into_payload(self) -> Bytes {
        match self {
            Self::Binary(bytes) | Self::Ping(bytes) | Self::Pong(bytes) => bytes,
            Self::Text(text) => text.into(),
            Self::Close(None) => Bytes::new(),
            Self::Close(Some(close)) => {
                let mut payload = BytesMut::with_capacity(close_len(&close));
                payload.put_u16(close.code);
                payload.put_slice(&close.reason.as_bytes()[..reason_len(&close)]);
                payload.freeze()
            }
        }
    }
}

fn close_len(close: &Close) -> usize {
    2 + reason_len(close)
}

/// As much of the reason as a control frame holds.
fn reason_len(close: &Close) -> usize {
    close.reason.floor_char_boundary(CONTROL_BYTES_MAX - 2)
}

#[cfg(test)]
mod tests;
