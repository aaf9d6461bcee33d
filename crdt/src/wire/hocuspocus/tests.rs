use super::*;

fn named(name: &str, rest: &[u8]) -> Vec<u8> {
    let mut frame = Vec::new();
    write_buf(&mut frame, name.as_bytes());
    frame.extend_from_slice(rest);
    frame
}

/// [SYNC-2] What `@hocuspocus/provider` 4.8 sends, byte for byte.
#[test]
fn requests_have_the_providers_bytes() {
    let table: [(&[u8], Request<'_>); 11] = [
        (&[2, 0, 2, b't', b'k'], Request::Authenticate("tk")),
        (&[2, 0, 2, b't', b'k', 5, b'4', b'.', b'8', b'.', b'0'], Request::Authenticate("tk")),
        (&[0, 0, 1, 0], Request::Canvas(Message::SyncStep1(&[0]))),
        (&[0, 1, 2, 0, 0], Request::Canvas(Message::SyncStep2(&[0, 0]))),
        (&[0, 2, 2, 0, 0], Request::Canvas(Message::Update(&[0, 0]))),
        (&[4, 1, 2, 0, 0], Request::Reply(Message::SyncStep2(&[0, 0]))),
        (&[1, 1, 0], Request::Canvas(Message::Awareness(&[0]))),
        (&[3], Request::Canvas(Message::QueryAwareness)),
        (&[5, 1, b'x'], Request::Stateless("x")),
        (&[6, 1, b'x'], Request::BroadcastStateless("x")),
        (&[7], Request::Close),
    ];
    for (rest, request) in table {
        assert_eq!(decode(&named("doc", rest)), Ok(Frame::Document(Name("doc"), request)), "{rest:?}");
    }
    assert_eq!(decode(&[9]), Ok(Frame::Ping));
    assert_eq!(decode(&[10]), Ok(Frame::Pong));
}

/// [SYNC-2] What the provider reads, byte for byte.
#[test]
fn answers_have_the_providers_bytes() {
    let table: [(Answer<'_>, &[u8]); 6] = [
        (Answer::Authenticated { read_only: false }, b"\x02\x02\x0aread-write"),
        (Answer::Authenticated { read_only: true }, b"\x02\x02\x08readonly"),
        (Answer::Denied("no"), b"\x02\x01\x02no"),
        (Answer::SyncStatus { durable: true }, &[8, 1]),
        (Answer::SyncStatus { durable: false }, &[8, 0]),
        (Answer::Close("bye"), b"\x07\x03bye"),
    ];
    for (answer, rest) in table {
        assert_eq!([envelope(Name("doc\0s1")), encode(answer)].concat(), named("doc\0s1", rest));
    }
}

/// [SYNC-2] A session after the name is part of the name, and not of the document.
#[test]
fn a_name_may_hold_a_session() {
    assert_eq!(Name("doc\0s1").document(), "doc");
    assert_eq!(Name("doc").document(), "doc");
    assert_eq!(Name("\0").document(), "");
}

/// [SYNC-4] Leftovers, truncation, overlong names and numbers, unknown kinds, and what only servers send are refused.
#[test]
fn frames_that_are_not_exact_are_refused() {
    let table: [(Vec<u8>, Malformed); 15] = [
        (vec![], Malformed::Truncated),
        (vec![0], Malformed::Truncated),
        (vec![200, 1, b'd'], Malformed::Truncated),
        (vec![0xff; 12], Malformed::Number),
        (vec![1, 0xff, 3], Malformed::Text),
        (named("doc", &[]), Malformed::Truncated),
        (named("doc", &[0]), Malformed::Truncated),
        (named("doc", &[0, 2, 5, 0, 0]), Malformed::Truncated),
        (named("doc", &[0, 2, 2, 0, 0, 0]), Malformed::Leftover),
        (named("doc", &[3, 3]), Malformed::Leftover),
        (named("doc", &[2, 0, 1, b't', 1, b'v', 0]), Malformed::Leftover),
        (named("doc", &[2, 2, 1, b't']), Malformed::Kind),
        (named("doc", &[8, 1]), Malformed::Kind),
        (named("doc", &[100, 1]), Malformed::Kind),
        (named(&"d".repeat(NAME_BYTES_MAX + 1), &[3]), Malformed::Name),
    ];
    for (frame, refused) in table {
        assert_eq!(decode(&frame), Err(refused), "{frame:?}");
    }
}

/// [SYNC-4] No prefix and no flipped byte of a frame panics, and none is taken for a frame with bytes missing.
#[test]
fn mutilated_frames_do_no_harm() {
    let whole = named("doc", &[0, 2, 4, 1, 2, 3, 4]);
    for end in 0..whole.len() {
        assert!(decode(&whole[..end]).is_err(), "{end}");
        for byte in 0..=u8::MAX {
            let mut frame = whole.clone();
            frame[end] = byte;
            if let Ok(Frame::Document(name, _)) = decode(&frame) {
                assert!(name.0.len() < frame.len());
            }
        }
    }
}
