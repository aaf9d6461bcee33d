//! WebSocket frames, as far as a client needs them: no fragments, no extensions.

/// Any mask but zero, which some servers take a shortcut for.
const MASK: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opcode {
    Text,
    Binary,
    Close,
    Ping,
    Pong,
    Unsupported,
}

impl Opcode {
    fn read(first: u8) -> Self {
        match first {
            0x81 => Self::Text,
            0x82 => Self::Binary,
            0x88 => Self::Close,
            0x89 => Self::Ping,
            0x8a => Self::Pong,
            _ => Self::Unsupported,
        }
    }

    fn byte(self) -> u8 {
        match self {
            Self::Text => 0x81,
            Self::Binary | Self::Unsupported => 0x82,
            Self::Close => 0x88,
            Self::Ping => 0x89,
            Self::Pong => 0x8a,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    pub opcode: Opcode,
    pub header_bytes: usize,
    pub payload_bytes: u64,
}

/// The header at the front, once all of it is there.
pub fn header(bytes: &[u8]) -> Option<Header> {
    let [first, second, rest @ ..] = bytes else { return None };
    let (header_bytes, payload_bytes) = match second & 0x7f {
        126 => (4, u64::from(u16::from_be_bytes(*rest.first_chunk()?))),
        127 => (10, u64::from_be_bytes(*rest.first_chunk()?)),
        short => (2, u64::from(short)),
    };
    Some(Header { opcode: Opcode::read(*first), header_bytes, payload_bytes })
}

/// Appends a whole frame, masked, whose payload is the parts one after the other.
pub fn write(out: &mut Vec<u8>, opcode: Opcode, parts: [&[u8]; 2]) {
    let payload_bytes = parts[0].len() + parts[1].len();
    out.push(opcode.byte());
    match payload_bytes {
        0..126 => out.push(0x80 | payload_bytes as u8),
        126..0x1_0000 => {
            out.push(0x80 | 126);
            out.extend((payload_bytes as u16).to_be_bytes());
        }
        _ => {
            out.push(0x80 | 127);
            out.extend((payload_bytes as u64).to_be_bytes());
        }
    }
    out.extend(MASK);
    out.extend(parts.into_iter().flatten().zip(MASK.into_iter().cycle()).map(|(byte, mask)| byte ^ mask));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_tells_the_length_of_any_payload() {
        for length in [0_u64, 125, 126, 0xffff, 0x1_0000] {
            let payload = vec![9; length as usize];
            let mut frame = Vec::new();
            write(&mut frame, Opcode::Binary, [&payload, &[]]);
            let header = header(&frame).unwrap();
            assert_eq!((header.opcode, header.payload_bytes), (Opcode::Binary, length));
            // The mask lies between the two.
            assert_eq!(frame.len(), header.header_bytes + 4 + payload.len());
        }
        assert_eq!(header(&[0x82, 126, 1]), None);
    }

    #[test]
    fn the_payload_is_masked() {
        let mut frame = Vec::new();
        write(&mut frame, Opcode::Binary, [b"ab", b"cde"]);
        let unmasked: Vec<u8> =
            frame[6..].iter().zip(MASK.into_iter().cycle()).map(|(byte, mask)| byte ^ mask).collect();
        assert_eq!(unmasked, b"abcde");
    }
}
