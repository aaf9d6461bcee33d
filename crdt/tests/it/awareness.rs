//! Who is here [SYNC-9].

use serde_json::{Value, json};
use troupe_crdt::{
    Access, Awareness, Canvas, Limits, Outcome, Peer, Refusal, UserTag,
    wire::{self, Message, Reader, write_buf, write_uint},
};
use troupe_model::SessionId;

use crate::world::user;

pub fn announce(client: u64, clock: u64, state: &str) -> Vec<u8> {
    let mut update = Vec::new();
    for number in [1, client, clock] {
        write_uint(&mut update, number);
    }
    write_buf(&mut update, state.as_bytes());
    wire::awareness(&update)
}

/// `(client, clock, state)` of a frame.
fn read(frame: &[u8]) -> Vec<(u64, u64, Value)> {
    let Ok(Message::Awareness(update)) = wire::decode(frame) else { panic!("not awareness: {frame:?}") };
    let mut reader = Reader::new(update);
    (0..reader.uint().unwrap())
        .map(|_| {
            let (client, clock) = (reader.uint().unwrap(), reader.uint().unwrap());
            (client, clock, serde_json::from_str(reader.str().unwrap()).unwrap())
        })
        .collect()
}

struct Table {
    awareness: Awareness,
    canvas: Canvas,
}

impl Table {
    fn new() -> Self {
        Self { awareness: Awareness::new(), canvas: Canvas::new() }
    }

    fn say(&mut self, who: &mut Someone, frame: &[u8], now_ms: i64) -> Result<Outcome, Refusal> {
        who.peer.receive(&mut self.canvas, &mut self.awareness, frame, now_ms)
    }

    /// What the others hear.
    fn hear(&mut self, who: &mut Someone, client: u64, clock: u64, state: &str, now_ms: i64) -> Option<Vec<u8>> {
        self.say(who, &announce(client, clock, state), now_ms).unwrap().awareness
    }

    fn present(&self) -> Vec<u64> {
        self.awareness.full().map_or(Vec::new(), |frame| read(&frame).iter().map(|(client, ..)| *client).collect())
    }
}

struct Someone {
    session: SessionId,
    user: UserTag,
    peer: Peer,
}

impl Someone {
    fn new(user: UserTag) -> Self {
        let session = SessionId::generate();
        Self { session, peer: Peer::new(session, Access::ReadWrite, user.clone()), user }
    }
}

/// [SYNC-9] The server says who a cursor belongs to, whatever the client claims.
#[test]
fn the_user_is_the_servers_word() {
    let mut table = Table::new();
    let mut ada = Someone::new(user("Ada"));
    let frame = table.hear(&mut ada, 1, 5, r#"{"user":{"name":"Root"},"cursor":{"x":1,"y":2}}"#, 0).unwrap();
    let expected = json!({
        "user": { "id": ada.user.id, "name": "Ada", "color": "#2f6fed" }, "cursor": { "x": 1, "y": 2 } });
    assert_eq!(read(&frame), [(1, 5, expected.clone())]);
    assert_eq!(read(&table.awareness.full().unwrap()), [(1, 5, expected)]);
    let asked = table.say(&mut ada, &[3], 0).unwrap();
    assert_eq!(asked.replies, [table.awareness.full().unwrap()]);
}

/// [SYNC-9] A client id belongs to the session that announced it: echoes and impostors are not heard.
#[test]
fn client_ids_are_bound_to_their_session() {
    let mut table = Table::new();
    let (mut ada, mut bob) = (Someone::new(user("Ada")), Someone::new(user("Bob")));
    assert!(table.hear(&mut ada, 1, 5, "{}", 0).is_some());
    for (clock, state) in [(5, "{}"), (6, "{}"), (5, "null"), (6, "null")] {
        assert_eq!(table.hear(&mut bob, 1, clock, state, 0), None);
    }
    assert_eq!(table.present(), [1]);
    assert!(table.hear(&mut ada, 1, 6, "{}", 0).is_some());
    // Stale.
    assert_eq!(table.hear(&mut ada, 1, 6, "{}", 0), None);
    assert_eq!(table.hear(&mut ada, 1, 3, "{}", 0), None);
}

/// [SYNC-9] A client says good-bye, with the next clock or (as y-protocols allows) the same.
#[test]
fn a_client_leaves_by_itself() {
    let mut table = Table::new();
    let mut ada = Someone::new(user("Ada"));
    for (client, clock) in [(1, 6), (2, 5)] {
        table.hear(&mut ada, client, 5, "{}", 0).unwrap();
        let frame = table.hear(&mut ada, client, clock, "null", 0).unwrap();
        assert_eq!(read(&frame), [(client, clock, Value::Null)]);
        assert_eq!(table.hear(&mut ada, client, clock, "null", 0), None);
    }
    assert_eq!(table.present(), [] as [u64; 0]);
}

/// [SYNC-9] A closed session takes its cursors along; an echo does not bring them back, a reconnection does.
#[test]
fn leaving_clears_and_returning_restores() {
    let mut table = Table::new();
    let ada_tag = user("Ada");
    let (mut ada, mut bob) = (Someone::new(ada_tag.clone()), Someone::new(user("Bob")));
    table.hear(&mut ada, 1, 5, "{}", 0).unwrap();
    table.hear(&mut bob, 2, 1, "{}", 0).unwrap();
    let frame = table.awareness.leave(ada.session).unwrap();
    assert_eq!(read(&frame), [(1, 5, Value::Null)]);
    assert_eq!(table.awareness.leave(ada.session), None);
    assert_eq!(table.hear(&mut bob, 1, 5, "{}", 0), None);
    assert_eq!(table.present(), [2]);
    let mut again = Someone::new(ada_tag);
    assert!(table.hear(&mut again, 1, 6, "{}", 0).is_some());
    assert_eq!(table.present(), [1, 2]);
}

/// [SYNC-9] A user's next session takes over while the old one still hangs; another user's does not.
#[test]
fn a_reconnection_takes_over() {
    let mut table = Table::new();
    let tag = user("Ada");
    let (old, new) = (&mut Someone::new(tag.clone()), &mut Someone::new(tag));
    table.hear(old, 1, 5, "{}", 0).unwrap();
    assert!(table.hear(new, 1, 6, "{}", 0).is_some());
    assert_eq!(table.awareness.leave(old.session), None);
    assert_eq!(table.present(), [1]);
}

/// [SYNC-9] What is not renewed for 30 s is gone.
#[test]
fn states_expire() {
    let mut table = Table::new();
    let (mut ada, mut bob) = (Someone::new(user("Ada")), Someone::new(user("Bob")));
    table.hear(&mut ada, 1, 1, "{}", 1_000).unwrap();
    table.hear(&mut bob, 2, 1, "{}", 1_000).unwrap();
    table.hear(&mut bob, 2, 2, "{}", 16_000).unwrap();
    assert_eq!(table.awareness.expire(30_999), None);
    assert_eq!(read(&table.awareness.expire(31_000).unwrap()), [(1, 1, Value::Null)]);
    assert_eq!(table.awareness.expire(31_001), None);
    assert_eq!(table.present(), [2]);
    assert!(table.hear(&mut ada, 1, 2, "{}", 32_000).is_some());
}

/// [SYNC-17] States, and client ids of a session, are bounded; nonsense is refused.
#[test]
fn awareness_is_bounded() {
    let mut table = Table::new();
    let mut ada = Someone::new(user("Ada"));
    let max = Limits::default().awareness_clients_max as u64;
    for client in 0..max {
        table.hear(&mut ada, client, 1, "{}", 0).unwrap();
    }
    let large = format!(r#"{{"a":"{}"}}"#, "x".repeat(Limits::default().awareness_state_bytes_max));
    let deep = format!(r#"{{"a":{}{}}}"#, "[".repeat(5000), "]".repeat(5000));
    for frame in [
        announce(max, 1, "{}"),
        announce(0, 2, &large),
        announce(0, 2, &deep),
        announce(0, 2, "7"),
        announce(0, 2, "{"),
        wire::awareness(&[]),
        wire::awareness(&[0, 0]),
        wire::awareness(&[0xff, 0xff, 0xff, 0x7f]),
        wire::awareness(&[1, 0, 9, 1, 0xff]),
    ] {
        assert_eq!(table.say(&mut ada, &frame, 0).unwrap_err().code, Refusal::MALFORMED);
    }
    assert_eq!(table.present().len() as u64, max);
    assert_eq!(table.say(&mut ada, &wire::awareness(&[0]), 0).unwrap(), Outcome::default());
}
