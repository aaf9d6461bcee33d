//! Who is here [SYNC-9].

use serde_json::{Value, json};
use troupe_crdt::{
    Access, Awareness, Canvas, Limits, Outcome, Peer, Refusal, Told, UserTag,
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

/// Between two windows of one client.
const LATER_MS: i64 = 20;

struct Table {
    awareness: Awareness,
    canvas: Canvas,
    /// All windows of the past are over.
    now_ms: i64,
}

impl Table {
    fn new() -> Self {
        Self::limited(Limits::default())
    }

    fn limited(limits: Limits) -> Self {
        Self { awareness: Awareness::with_limits(limits), canvas: Canvas::new(), now_ms: 0 }
    }

    fn say(&mut self, who: &mut Someone, frame: &[u8]) -> Result<Outcome, Refusal> {
        who.peer.receive(&mut self.canvas, &mut self.awareness, frame, self.now_ms)
    }

    /// What the others hear, when it is said after a while.
    fn hear(&mut self, who: &mut Someone, client: u64, clock: u64, state: &str) -> Option<Vec<u8>> {
        self.now_ms += LATER_MS;
        assert_eq!(self.say(who, &announce(client, clock, state)).unwrap(), Outcome::default());
        self.told()
    }

    fn told(&mut self) -> Option<Vec<u8>> {
        let Told { frame, refused, .. } = self.awareness.tell(self.now_ms);
        assert_eq!(refused, []);
        frame
    }

    fn leave(&mut self, who: &Someone) -> Option<Vec<u8>> {
        self.now_ms += LATER_MS;
        self.awareness.leave(who.session, self.now_ms);
        self.told()
    }

    fn expire(&mut self, now_ms: i64, present_since_ms: Option<i64>) -> Option<Vec<u8>> {
        self.now_ms = now_ms;
        self.awareness.expire(now_ms, present_since_ms);
        self.told()
    }

    fn present(&mut self) -> Vec<u64> {
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
    let frame = table.hear(&mut ada, 1, 5, r#"{"user":{"name":"Root"},"cursor":{"x":1,"y":2}}"#).unwrap();
    let expected = json!({
        "user": { "id": ada.user.id, "name": "Ada", "color": "#2f6fed" }, "cursor": { "x": 1, "y": 2 } });
    assert_eq!(read(&frame), [(1, 5, expected.clone())]);
    assert_eq!(read(&table.awareness.full().unwrap()), [(1, 5, expected)]);
    assert!(table.say(&mut ada, &[3]).unwrap().asked_who);
}

/// [SYNC-9] A client id belongs to the session that announced it: echoes and impostors are not heard.
#[test]
fn client_ids_are_bound_to_their_session() {
    let mut table = Table::new();
    let (mut ada, mut bob) = (Someone::new(user("Ada")), Someone::new(user("Bob")));
    assert!(table.hear(&mut ada, 1, 5, "{}").is_some());
    for (clock, state) in [(5, "{}"), (6, "{}"), (5, "null"), (6, "null")] {
        assert_eq!(table.hear(&mut bob, 1, clock, state), None);
    }
    assert_eq!(table.present(), [1]);
    assert!(table.hear(&mut ada, 1, 6, "{}").is_some());
    // Stale.
    assert_eq!(table.hear(&mut ada, 1, 6, "{}"), None);
    assert_eq!(table.hear(&mut ada, 1, 3, "{}"), None);
}

/// [SYNC-9] A client says good-bye, with the next clock or (as y-protocols allows) the same.
#[test]
fn a_client_leaves_by_itself() {
    let mut table = Table::new();
    let mut ada = Someone::new(user("Ada"));
    for (client, clock) in [(1, 6), (2, 5)] {
        table.hear(&mut ada, client, 5, "{}").unwrap();
        let frame = table.hear(&mut ada, client, clock, "null").unwrap();
        assert_eq!(read(&frame), [(client, clock, Value::Null)]);
        assert_eq!(table.hear(&mut ada, client, clock, "null"), None);
    }
    assert_eq!(table.present(), [] as [u64; 0]);
}

/// [SYNC-9] A closed session takes its cursors along; an echo does not bring them back, a reconnection does.
#[test]
fn leaving_clears_and_returning_restores() {
    let mut table = Table::new();
    let ada_tag = user("Ada");
    let (mut ada, mut bob) = (Someone::new(ada_tag.clone()), Someone::new(user("Bob")));
    table.hear(&mut ada, 1, 5, "{}").unwrap();
    table.hear(&mut bob, 2, 1, "{}").unwrap();
    let frame = table.leave(&ada).unwrap();
    assert_eq!(read(&frame), [(1, 5, Value::Null)]);
    assert_eq!(table.leave(&ada), None);
    assert_eq!(table.hear(&mut bob, 1, 5, "{}"), None);
    assert_eq!(table.present(), [2]);
    let mut again = Someone::new(ada_tag);
    assert!(table.hear(&mut again, 1, 6, "{}").is_some());
    assert_eq!(table.present(), [1, 2]);
}

/// [SYNC-9] The id of one who went stays its user's for as long as others may remember it: nobody takes it meanwhile,
/// whatever clock is claimed, and its owner is heard with the next one.
#[test]
fn nobody_takes_an_id_that_somebody_left() {
    let mut table = Table::new();
    let vera = user("Vera");
    let (mut first, mut mallory) = (Someone::new(vera.clone()), Someone::new(user("Mallory")));
    table.hear(&mut first, 7, 1, "{}").unwrap();
    table.leave(&first).unwrap();
    let left_ms = table.now_ms;
    for minutes in 0..60 {
        for clock in [2, 3, 1_000, (1 << 40) - 1, (1 << 53) - 1] {
            assert_eq!(table.hear(&mut mallory, 7, clock, r#"{"cursor":null}"#), None);
        }
        table.expire(left_ms + 60_000 * minutes, Some(left_ms - 1));
    }
    let mut again = Someone::new(vera);
    let frame = table.hear(&mut again, 7, 2, "{}").unwrap();
    assert_eq!(read(&frame)[0].2["user"]["name"], "Vera");
    // Nor is one taken that was not renewed for a while: a page in the background, a laptop that sleeps.
    table.expire(table.now_ms + 40_000, Some(0)).unwrap();
    assert_eq!(table.hear(&mut mallory, 7, 3, "{}"), None);
    assert!(table.hear(&mut again, 7, 3, "{}").is_some());
}

/// [SYNC-9] Once nobody is here who was told of it, and some minutes have passed, an id is free again.
#[test]
fn an_id_is_forgotten_when_nobody_remembers_it() {
    for (present_since_ms, elapsed_ms, is_free) in [
        (Some(0), 3_600_000, false),
        (Some(50_000), 200_000, false),
        (Some(50_000), 310_000, true),
        (None, 310_000, true),
    ] {
        let mut table = Table::new();
        let (mut ada, mut bob) = (Someone::new(user("Ada")), Someone::new(user("Bob")));
        table.hear(&mut ada, 1, 5, "{}").unwrap();
        table.leave(&ada).unwrap();
        table.expire(table.now_ms + elapsed_ms, present_since_ms);
        assert_eq!(table.hear(&mut bob, 1, 6, "{}").is_some(), is_free, "{present_since_ms:?} {elapsed_ms}");
    }
}

/// [SYNC-9, SYNC-17] How many ids are remembered is bounded, of a user and of all; who brings many forgets its own.
#[test]
fn nobody_can_have_anothers_id_forgotten() {
    let limits = Limits { awareness_remembered_per_user_max: 10, awareness_remembered_max: 25, ..Limits::default() };
    let mut table = Table::limited(limits);
    let (mut ada, mut mallory) = (Someone::new(user("Ada")), Someone::new(user("Mallory")));
    let visit = |table: &mut Table, tag: &UserTag, client: u64| {
        let mut visitor = Someone::new(tag.clone());
        assert!(table.hear(&mut visitor, client, 1, "{}").is_some());
        table.leave(&visitor).unwrap();
    };
    for client in 1..=3 {
        visit(&mut table, &ada.user, client);
    }
    let crowd: Vec<UserTag> = (0..4).map(|n| user(&format!("{n}"))).collect();
    for client in 100..200 {
        visit(&mut table, &crowd[client as usize % crowd.len()], client);
    }
    for client in 1..=3 {
        assert_eq!(table.hear(&mut mallory, client, 2, "{}"), None, "{client}");
        assert!(table.hear(&mut ada, client, 2, "{}").is_some(), "{client}");
    }
    let remembered = (100..200).filter(|client| table.hear(&mut Someone::new(user("Eve")), *client, 9, "{}").is_none());
    let remembered: Vec<u64> = remembered.collect();
    assert!((20..=25).contains(&remembered.len()) && remembered[0] > 170, "{remembered:?}");
}

/// [SYNC-9] A session with many cursors that leaves is told to be gone, although not all of it can be remembered.
#[test]
fn all_who_leave_are_told_to_be_gone() {
    let mut table = Table::limited(Limits { awareness_remembered_per_user_max: 3, ..Limits::default() });
    let mut ada = Someone::new(user("Ada"));
    for client in 0..8 {
        table.hear(&mut ada, client, 1, "{}").unwrap();
    }
    assert_eq!(read(&table.leave(&ada).unwrap()).len(), 8);
    assert_eq!(table.present(), [] as [u64; 0]);
}

/// [SYNC-9] Clients count by one: a clock that no client reaches, or that jumps, is not believed. A page that counted on
/// while it was away is.
#[test]
fn clocks_grow_by_bounded_steps() {
    let mut table = Table::new();
    let mut ada = Someone::new(user("Ada"));
    for clock in [(1 << 53) - 1, (1 << 53) - 2, (1 << 40) + 1] {
        assert_eq!(table.hear(&mut ada, 1, clock, "{}"), None);
    }
    assert!(
        table.hear(&mut ada, 1, 3_000_000, "{}").is_some(),
        "a page that is open for long, after a restart of ours"
    );
    assert_eq!(table.hear(&mut ada, 1, 3_100_000, "{}"), None);
    assert!(table.hear(&mut ada, 1, 3_004_000, "{}").is_some());
    table.expire(table.now_ms + 600_000, Some(0));
    let mut again = Someone::new(ada.user.clone());
    assert!(
        table.hear(&mut again, 1, 3_004_000 + 60 * 600, "{}").is_some(),
        "ten minutes of moves without a connection"
    );
}

/// [SYNC-9, REL-12] A frame that takes a client back again and again is told its state once, and not once for each time.
#[test]
fn one_frame_is_answered_once_for_each_client() {
    let mut table = Table::new();
    let mut ann = Someone::new(user("Ann"));
    let shown = json!({ "pad": "p".repeat(10_000) }).to_string();
    table.hear(&mut ann, 7, 1, &shown).unwrap();
    let mut update = Vec::new();
    write_uint(&mut update, 2_000);
    for (clock, state) in [(2, "{}"), (3, "null")].into_iter().chain(std::iter::repeat_n((1, "{}"), 1_998)) {
        write_uint(&mut update, 7);
        write_uint(&mut update, clock);
        write_buf(&mut update, state.as_bytes());
    }
    let outcome = table.say(&mut ann, &wire::awareness(&update)).unwrap();
    let answered = outcome.reply.map_or(0, |frame| frame.len());
    assert!(answered < 2 * shown.len(), "{answered} bytes");
}

/// [SYNC-9] Who comes back with the clock that it had is told that it is gone, and is heard with the next one: stock
/// clients say their last word again when they have a new connection.
#[test]
fn who_returns_with_an_old_clock_is_heard() {
    let mut table = Table::new();
    let tag = user("Ada");
    let mut ada = Someone::new(tag.clone());
    table.hear(&mut ada, 1, 5, "{}").unwrap();
    table.leave(&ada).unwrap();
    let mut again = Someone::new(tag);
    let reply = table.say(&mut again, &announce(1, 5, "{}")).unwrap().reply.unwrap();
    let [(1, clock, Value::Null)] = read(&reply)[..] else { panic!("{reply:?}") };
    // What y-protocols does with it: `clock++`.
    assert_eq!(clock, 5);
    assert!(table.hear(&mut again, 1, clock + 1, "{}").is_some());
}

/// [SYNC-9] A user's next session takes over while the old one still hangs; another user's does not.
#[test]
fn a_reconnection_takes_over() {
    let mut table = Table::new();
    let tag = user("Ada");
    let (old, new) = (&mut Someone::new(tag.clone()), &mut Someone::new(tag));
    table.hear(old, 1, 5, "{}").unwrap();
    assert!(table.hear(new, 1, 6, "{}").is_some());
    assert_eq!(table.leave(old), None);
    assert_eq!(table.present(), [1]);
}

/// [SYNC-9] What is not renewed for 30 s is gone.
#[test]
fn states_expire() {
    let mut table = Table::new();
    let (mut ada, mut bob) = (Someone::new(user("Ada")), Someone::new(user("Bob")));
    table.hear(&mut ada, 1, 1, "{}").unwrap();
    table.hear(&mut bob, 2, 1, "{}").unwrap();
    let said_ms = table.now_ms - LATER_MS;
    table.now_ms = 16_000;
    table.hear(&mut bob, 2, 2, "{}").unwrap();
    assert_eq!(table.expire(said_ms + 29_999, Some(0)), None);
    assert_eq!(read(&table.expire(said_ms + 30_000, Some(0)).unwrap()), [(1, 1, Value::Null)]);
    assert_eq!(table.expire(said_ms + 30_001, Some(0)), None);
    assert_eq!(table.present(), [2]);
    assert!(table.hear(&mut ada, 1, 2, "{}").is_some());
}

/// [SYNC-17] States, and client ids of a session, are bounded; nonsense is refused.
#[test]
fn awareness_is_bounded() {
    let mut table = Table::new();
    let mut ada = Someone::new(user("Ada"));
    let max = Limits::default().awareness_clients_max as u64;
    for client in 0..max {
        table.hear(&mut ada, client, 1, "{}").unwrap();
    }
    let large = format!(r#"{{"a":"{}"}}"#, "x".repeat(Limits::default().awareness_state_bytes_max));
    let deep = |levels| format!(r#"{{"a":{}{}}}"#, "[".repeat(levels), "]".repeat(levels));
    for frame in [
        announce(max, 1, "{}"),
        announce(0, 2, &large),
        wire::awareness(&[]),
        wire::awareness(&[0, 0]),
        wire::awareness(&[0xff, 0xff, 0xff, 0x7f]),
        wire::awareness(&[1, 0, 9, 1, 0xff]),
    ] {
        assert_eq!(table.say(&mut ada, &frame).unwrap_err().code, Refusal::MALFORMED);
    }
    for (clock, nonsense) in [&deep(5_000), &deep(64), "7", "{", "[]", ""].into_iter().enumerate() {
        table.now_ms += LATER_MS;
        table.say(&mut ada, &announce(0, 2 + clock as u64, nonsense)).unwrap();
        let told = table.awareness.tell(table.now_ms);
        assert_eq!(told.frame, None);
        let [(session, refusal)] = &told.refused[..] else { panic!("{told:?}") };
        assert_eq!((*session, refusal.code), (ada.session, Refusal::MALFORMED));
    }
    assert!(table.hear(&mut ada, 0, 9, &deep(63)).is_some());
    assert_eq!(table.present().len() as u64, max);
    assert_eq!(table.say(&mut ada, &wire::awareness(&[0])).unwrap(), Outcome::default());
}

/// Whoever hears everything that is told, with the times.
struct Listener {
    heard: Vec<(i64, u64, u64)>,
    bytes: usize,
}

/// Lets clients speak for a while, as often as once in a millisecond; `speak` says who says what when.
fn listen(table: &mut Table, ms: i64, mut speak: impl FnMut(&mut Table, i64)) -> Listener {
    let mut listener = Listener { heard: Vec::new(), bytes: 0 };
    let end_ms = table.now_ms + ms;
    // And what is late.
    while table.now_ms < end_ms + 2_000 {
        table.now_ms += 1;
        if table.now_ms <= end_ms {
            speak(table, table.now_ms);
        }
        if let Some(frame) = table.told() {
            listener.bytes += frame.len();
            let now_ms = table.now_ms;
            listener.heard.extend(read(&frame).iter().map(|(client, clock, _)| (now_ms, *client, *clock)));
        }
    }
    listener
}

/// [SYNC-8] Whatever one client sends, the others hear some 60 states of it in a second, the last of them too.
#[test]
fn a_flood_is_conflated() {
    let mut table = Table::new();
    let mut ada = Someone::new(user("Ada"));
    let mut clock = 0;
    let heard = listen(&mut table, 3_000, |table, _| {
        for _ in 0..8 {
            clock += 1;
            table.say(&mut ada, &announce(1, clock, r#"{"cursor":{"x":1,"y":2}}"#)).unwrap();
        }
    })
    .heard;
    assert!((150..=190).contains(&heard.len()), "{}", heard.len());
    assert!(heard.is_sorted());
    assert_eq!(heard.last().unwrap().2, clock);
}

/// [SYNC-8] A quiet client is heard at once, also beside others; many in one window are told in one frame.
#[test]
fn a_quiet_client_is_heard_at_once() {
    let mut table = Table::new();
    let mut crowd: Vec<Someone> = (0..3).map(|n| Someone::new(user(&format!("{n}")))).collect();
    let heard = listen(&mut table, 1_000, |table, now_ms| {
        for (client, someone) in crowd.iter_mut().enumerate() {
            if now_ms % 100 == 30 * client as i64 {
                table.say(someone, &announce(client as u64, now_ms as u64, "{}")).unwrap();
            }
        }
    })
    .heard;
    assert_eq!(heard.len(), 30);
    assert!(heard.iter().all(|(now_ms, _, clock)| *now_ms == *clock as i64), "{heard:?}");

    let mut many: Vec<Someone> = (0..200).map(|n| Someone::new(user(&format!("{n}")))).collect();
    let (mut frames, mut clock) = (0, 0);
    for _ in 0..1_000 {
        table.now_ms += 1;
        clock += 1;
        for (client, someone) in many.iter_mut().enumerate() {
            table.say(someone, &announce(1_000 + client as u64, clock, "{}")).unwrap();
        }
        frames += usize::from(table.told().is_some());
    }
    assert!((55..=75).contains(&frames), "{frames} frames told what 200 clients sent");
}

/// [SYNC-8, REL-12] What a user has told takes bytes from a budget: with many sessions and large states it is told less
/// often, the newest at last, and nobody else waits for it.
#[test]
fn what_one_user_shows_is_bounded() {
    let limits = Limits::default();
    let mut table = Table::new();
    let mallory = user("Mallory");
    let mut sessions: Vec<Someone> = (0..100).map(|_| Someone::new(mallory.clone())).collect();
    let mut ada = Someone::new(user("Ada"));
    let large = format!(r#"{{"p":"{}"}}"#, "x".repeat(15_000));
    let seconds = 5;
    let (mut asked, mut turn) = (0, 0);
    let listener = listen(&mut table, seconds * 1_000, |table, now_ms| {
        turn = (turn + 1) % sessions.len();
        for client in 0..8 {
            let frame = announce((100 * turn + client) as u64, now_ms as u64, &large);
            table.say(&mut sessions[turn], &frame).unwrap();
        }
        if now_ms % 50 == 0 {
            asked += 1;
            table.say(&mut ada, &announce(99_999, now_ms as u64, r#"{"cursor":{"x":1,"y":2}}"#)).unwrap();
        }
    });
    let allowed = limits.awareness_user_bytes_per_second as i64 * (seconds + 2 + 2) + 100_000;
    assert!((listener.bytes as i64) < allowed, "{} bytes were told", listener.bytes);
    let cursor: Vec<_> = listener.heard.iter().filter(|(_, client, _)| *client == 99_999).collect();
    assert_eq!(cursor.len(), asked, "a colleague's cursor is told as ever");
    assert!(cursor.iter().all(|(now_ms, _, clock)| now_ms - *clock as i64 <= 20), "and soon");
    assert!(table.awareness.full().unwrap().len() < limits.awareness_bytes_max);
}
