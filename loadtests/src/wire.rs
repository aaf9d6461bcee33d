//! The y-protocols' bytes, as far as a load test needs them: what it sends, and what kind of message it got.

/// A varUint: 7 bits a byte, the lowest first.
pub fn put_uint(out: &mut Vec<u8>, mut value: u64) {
    while value > 0x7f {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

pub fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    put_uint(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

/// Takes a varUint off the front.
pub fn take_uint(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let (first, rest) = bytes.split_first()?;
        *bytes = rest;
        value |= u64::from(first & 0x7f) << shift;
        if first & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

/// A message from a server, without the name of a document before it. A big one may be cut off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Message<'a> {
    SyncStep1,
    SyncStep2(&'a [u8]),
    Update(&'a [u8]),
    Awareness(&'a [u8]),
    /// Hocuspocus: the reader may go on.
    Granted,
    Denied,
    /// Troupe's: so many update-carrying frames of this session are committed.
    Ack(u64),
    /// Hocuspocus': one more update-carrying frame is applied.
    SyncStatus,
    /// Hocuspocus': to be answered.
    Ping,
    Other,
}

/// What Hocuspocus calls its message types, beyond those of the y-protocols.
pub mod hocuspocus {
    pub const TOKEN: [u8; 2] = [2, 0];
    pub const PONG: u8 = 10;
}

pub fn read(mut bytes: &[u8]) -> Option<Message<'_>> {
    Some(match take_uint(&mut bytes)? {
        0 | 4 => match take_uint(&mut bytes)? {
            0 => Message::SyncStep1,
            kind @ (1 | 2) => {
                take_uint(&mut bytes)?;
                if kind == 1 { Message::SyncStep2(bytes) } else { Message::Update(bytes) }
            }
            _ => Message::Other,
        },
        1 => {
            take_uint(&mut bytes)?;
            Message::Awareness(bytes)
        }
        2 if bytes.first() == Some(&2) => Message::Granted,
        2 => Message::Denied,
        8 => Message::SyncStatus,
        9 => Message::Ping,
        100 => Message::Ack(take_uint(&mut bytes)?),
        _ => Message::Other,
    })
}

/// Asks for the whole document.
pub const SYNC_STEP_1: &[u8] = &[0, 0, 1, 0];
/// Has nothing to add.
pub const EMPTY_SYNC_STEP_2: &[u8] = &[0, 1, 2, 0, 0];

pub fn update(update: &[u8]) -> Vec<u8> {
    let mut message = vec![0, 2];
    put_bytes(&mut message, update);
    message
}

/// One client's awareness state.
pub fn awareness(client: u64, clock: u64, state: &str) -> Vec<u8> {
    let mut states = vec![1];
    put_uint(&mut states, client);
    put_uint(&mut states, clock);
    put_bytes(&mut states, state.as_bytes());
    let mut message = vec![1];
    put_bytes(&mut message, &states);
    message
}

#[cfg(test)]
mod tests {
    use yrs::{
        StateVector,
        sync::{Message as Theirs, SyncMessage},
        updates::encoder::Encode,
    };

    use super::*;

    #[test]
    fn messages_are_those_of_the_protocol() {
        let step_1 = Theirs::Sync(SyncMessage::SyncStep1(StateVector::default())).encode_v1();
        let step_2 = Theirs::Sync(SyncMessage::SyncStep2(vec![0, 0])).encode_v1();
        let long = vec![7; 300];
        assert_eq!((SYNC_STEP_1, EMPTY_SYNC_STEP_2), (step_1.as_slice(), step_2.as_slice()));
        assert_eq!(update(&long), Theirs::Sync(SyncMessage::Update(long.clone())).encode_v1());
        assert_eq!(read(&update(&long)), Some(Message::Update(&long)));
        assert_eq!(read(&step_1), Some(Message::SyncStep1));
        assert_eq!(read(&[100, 0xac, 0x02]), Some(Message::Ack(300)));
        assert_eq!(read(&[100, 0xac]), None);
    }
}
