use super::*;

/// [SYNC-1] The byte strings of the y-protocols, both ways.
#[test]
fn messages_have_the_documented_bytes() {
    let table: [(Message<'_>, &[u8]); 10] = [
        (Message::SyncStep1(&[0]), &[0, 0, 1, 0]),
        (Message::SyncStep2(&[0, 0]), &[0, 1, 2, 0, 0]),
        (Message::Update(&[0, 0]), &[0, 2, 2, 0, 0]),
        (Message::Awareness(&[0]), &[1, 1, 0]),
        (Message::Denied("no"), &[2, 0, 2, b'n', b'o']),
        (Message::QueryAwareness, &[3]),
        (Message::Ack(1), &[100, 1]),
        (Message::Ack(300), &[100, 0xac, 2]),
        (Message::Session { access: Access::ReadOnly, document_epoch: 0 }, &[101, 0, 0]),
        (Message::Session { access: Access::ReadWrite, document_epoch: 300 }, &[101, 1, 0xac, 2]),
    ];
    for (message, bytes) in table {
        assert_eq!(encode(message), bytes);
        assert_eq!(decode(bytes), Ok(message));
    }
}

/// [SYNC-4] Leftovers, truncation, overlong numbers and unknown kinds are refused.
#[test]
fn frames_that_are_not_exact_are_refused() {
    let table: [(&[u8], Malformed); 12] = [
        (&[], Malformed::Truncated),
        (&[0], Malformed::Truncated),
        (&[0, 0, 1], Malformed::Truncated),
        (&[0, 2, 5, 0, 0], Malformed::Truncated),
        (&[0, 2, 2, 0, 0, 0], Malformed::Leftover),
        (&[3, 3], Malformed::Leftover),
        (&[0, 3, 0], Malformed::Kind),
        (&[2, 1, 0], Malformed::Kind),
        (&[101, 2, 0], Malformed::Kind),
        (&[4], Malformed::Kind),
        (&[2, 0, 1, 0xff], Malformed::Text),
        (&[0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1], Malformed::Number),
    ];
    for (bytes, refused) in table {
        assert_eq!(decode(bytes), Err(refused), "{bytes:?}");
    }
}
