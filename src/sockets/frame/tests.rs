use proptest::prelude::*;
use tungstenite::protocol::frame::Frame;

use super::*;

const MESSAGE_BYTES_MAX: usize = 100_000;

/// A frame as a client writes it.
fn client_frame(opcode: OpCode, is_final: bool, payload: &[u8]) -> Vec<u8> {
    let mask = [1, 2, 3, 4];
    let header = FrameHeader { opcode, is_final, mask: Some(mask), ..FrameHeader::default() };
    let mut bytes = Vec::new();
    header.format(payload.len() as u64, &mut bytes).unwrap();
    bytes.extend(payload.iter().enumerate().map(|(index, byte)| byte ^ mask[index % 4]));
    bytes
}

fn binary(payload: &[u8]) -> Vec<u8> {
    client_frame(OpCode::Data(Data::Binary), true, payload)
}

fn decode(bytes: &[u8]) -> Result<Vec<Message>, Fault> {
    let mut decoder = Decoder::new(Sizes::fixed(MESSAGE_BYTES_MAX));
    decoder.feed(bytes);
    std::iter::from_fn(|| decoder.next().transpose()).collect()
}

#[test]
fn a_message_in_parts_with_a_ping_between_them() {
    let mut bytes = client_frame(OpCode::Data(Data::Text), false, "a→".as_bytes());
    bytes.extend(client_frame(OpCode::Control(Control::Ping), true, b"?"));
    bytes.extend(client_frame(OpCode::Data(Data::Continue), true, b"b"));
    let messages = [Message::Ping(Bytes::from_static(b"?")), Message::Text("a→b".into())];
    assert_eq!(decode(&bytes).unwrap(), messages);
}

#[test]
fn a_close_with_and_without_a_reason() {
    let bare = client_frame(OpCode::Control(Control::Close), true, &[]);
    assert_eq!(decode(&bare).unwrap(), [Message::Close(None)]);
    let reason = client_frame(OpCode::Control(Control::Close), true, b"\x03\xe8bye");
    assert_eq!(decode(&reason).unwrap(), [Message::Close(Some(Close::new(1000, "bye")))]);
}

/// [SYNC-17] What the protocol forbids ends the connection.
#[test]
fn violations_are_refused() {
    let unmasked = vec![0x82, 1, 0];
    let reserved = vec![0xc2, 0x80, 0, 0, 0, 0];
    let unknown = vec![0x83, 0x80, 0, 0, 0, 0];
    let cases = [
        unmasked,
        reserved,
        unknown,
        client_frame(OpCode::Data(Data::Continue), true, b"x"),
        client_frame(OpCode::Control(Control::Ping), false, b"x"),
        client_frame(OpCode::Control(Control::Ping), true, &[0; 126]),
        client_frame(OpCode::Control(Control::Close), true, &[3]),
        client_frame(OpCode::Control(Control::Close), true, b"\x03\xe8\xff"),
        client_frame(OpCode::Data(Data::Text), true, b"\xff"),
        [client_frame(OpCode::Data(Data::Text), false, b"x"), binary(b"y")].concat(),
    ];
    for case in cases {
        assert!(matches!(decode(&case), Err(Fault::Protocol(_))), "{case:?}");
    }
}

/// [SYNC-17] A message over the limit is refused by its header, in one frame or in many.
#[test]
fn a_large_message_is_refused_early() {
    let whole = binary(&vec![0; MESSAGE_BYTES_MAX + 1]);
    assert_eq!(decode(&whole[..14]), Err(Fault::TooLarge));
    let half = vec![0; MESSAGE_BYTES_MAX / 2 + 1];
    let first = client_frame(OpCode::Data(Data::Binary), false, &half);
    let second = client_frame(OpCode::Data(Data::Continue), true, &half);
    assert_eq!(decode(&[first, second].concat()), Err(Fault::TooLarge));
}

/// Whatever is written as a frame is what `tungstenite` writes.
#[test]
fn frames_are_written_as_tungstenite_writes_them() {
    for len in [0, 1, 125, 126, 65_535, 65_536] {
        let payload = Bytes::from(vec![7; len]);
        let mut expected = Vec::new();
        Frame::message(vec![7; len], OpCode::Data(Data::Binary), true).format(&mut expected).unwrap();
        for envelope in [0, len / 3] {
            let message = Message::Binary(payload.slice(envelope..));
            let mut written = BytesMut::new();
            message.write_head(&payload[..envelope], &mut written);
            written.extend_from_slice(&message.into_payload());
            assert!(written == expected, "{len} bytes");
        }
    }
}

/// [SYNC-11] A reason that is too long for a close is cut between two characters.
#[test]
fn a_long_reason_is_cut() {
    let close = Close::new(4400, "é".repeat(100));
    let payload = Message::Close(Some(close)).into_payload();
    assert_eq!(payload.len(), 124);
    assert_eq!(std::str::from_utf8(&payload[2..]).unwrap(), "é".repeat(61));
}

proptest! {
    /// However a stream is cut by the network, the same messages come out, and nothing is held when it is silent.
    #[test]
    fn messages_survive_any_cut(
        payloads in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..300), 1..20),
        cuts in prop::collection::vec(1..200usize, 1..100),
    ) {
        let stream: Vec<u8> = payloads.iter().flat_map(|payload| binary(payload)).collect();
        let mut decoder = Decoder::new(Sizes::fixed(MESSAGE_BYTES_MAX));
        let (mut rest, mut messages) = (&stream[..], Vec::new());
        for cut in cuts.iter().cycle() {
            if rest.is_empty() {
                break;
            }
            let (piece, tail) = rest.split_at((*cut).min(rest.len()));
            rest = tail;
            decoder.feed(piece);
            while let Some(message) = decoder.next().unwrap() {
                messages.push(message.into_payload().to_vec());
            }
        }
        prop_assert_eq!(messages, payloads);
        prop_assert_eq!(decoder.unread.capacity(), 0);
    }

    /// No bytes make it panic, or hold more than it was fed.
    #[test]
    fn nonsense_is_harmless(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let mut decoder = Decoder::new(Sizes::fixed(MESSAGE_BYTES_MAX));
        decoder.feed(&bytes);
        while let Ok(Some(_)) = decoder.next() {}
    }
}
