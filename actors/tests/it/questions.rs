//! What clients ask costs them, and nobody else [SYNC-4, SYNC-7, REL-6, REL-12].

use std::{collections::HashMap, time::Duration};

use bytes::Bytes;
use futures::future::join_all;
use serde_json::Map;
use tokio::time::{Instant, sleep, timeout};
use troupe_actors::{
    Asker, CanvasSession, DiagramEdit, FootprintLimits, Limits, LoanLimits, Next, OutFrame, StartRun, Unavailable,
    WorktimeLimits,
};
use troupe_crdt::{
    Access, Canvas,
    wire::{self, Message},
};
use troupe_model::UserId;

use crate::{
    client::closed,
    world::{World, diagram},
};

const LARGE: usize = 300_000;
const NOBODY_STAYS: FootprintLimits = FootprintLimits { bytes_max: 1 << 30, idle_bytes_max: 0 };

/// A canvas with a value of this size.
async fn fill(world: &World, bytes: usize) {
    let mut large = diagram("quick1 -> quick2 -> quick3");
    large.nodes[0].data.label = "x".repeat(bytes);
    let edit = DiagramEdit::Replace(large);
    world.system().edit_diagram(world.asker(), world.workflow, None, edit).await.unwrap();
}

/// A question of somebody whom nobody knows: it asks for everything.
fn question() -> Bytes {
    wire::sync_step1(&[1, 5, 0]).into()
}

async fn frame(session: &CanvasSession) -> Bytes {
    match session.outbox().next().await {
        Next::Frame(OutFrame::Sync(frame)) => frame,
        other => panic!("{other:?}"),
    }
}

/// Reads until a frame is so large.
async fn large_frame(session: &CanvasSession) -> Bytes {
    loop {
        let frame = frame(session).await;
        if frame.len() > LARGE / 2 {
            return frame;
        }
    }
}

fn is_answer(frame: &Bytes) -> bool {
    matches!(wire::decode(frame), Ok(Message::SyncStep2(_)))
}

/// [SYNC-7, REL-6] Thirty that ask again and again, and do not read what they get, hold one copy of the document.
#[test]
fn thirty_that_ask_and_do_not_read_hold_one_copy() {
    let world = World::on_one_thread(Limits::default());
    world.on(async |world| {
        fill(world, LARGE).await;
        let (mut sessions, mut held) = (Vec::new(), HashMap::new());
        for _ in 0..30 {
            let session = world.session_of(UserId::generate(), "Mallory", Access::ReadOnly, None).await;
            session.send(question(), None).await;
            // Its writer has the first frame in hand, and is stuck with it.
            let first = large_frame(&session).await;
            held.insert(first.as_ptr(), first.len());
            for _ in 0..8 {
                session.send(question(), None).await;
            }
            sessions.push(session);
        }
        // Every question has been heard.
        world.system().diagram(world.asker(), world.workflow).await.unwrap();
        for session in &sessions {
            while let Some(Next::Frame(OutFrame::Sync(frame))) = session.outbox().try_next() {
                held.insert(frame.as_ptr(), frame.len());
            }
        }
        let bytes: usize = held.values().sum();
        assert!((LARGE..LARGE + 10_000).contains(&bytes), "{bytes} bytes are held");
    });
}

/// [SYNC-4, REL-12] Who asks on and on is answered by a budget, and waits for it: it is not closed. Nobody else waits.
#[test]
fn who_asks_on_and_on_waits() {
    let world = World::limited(Limits { answers_at_once_max: 3, answers_per_minute_max: 600, ..Limits::default() });
    world.on(async |world| {
        fill(world, LARGE).await;
        let mallory = world.session_of(UserId::generate(), "Mallory", Access::ReadOnly, None).await;
        let (begun, mut answered) = (Instant::now(), 0);
        let asking = async {
            loop {
                mallory.send(question(), None).await;
                while !is_answer(&frame(&mallory).await) {}
                answered += 1;
            }
        };
        assert!(timeout(Duration::from_secs(1), asking).await.is_err());
        let took = begun.elapsed();
        assert!((4..=3 + 2 + took.as_millis() / 100).contains(&answered), "{answered} answers in {took:?}");
        assert!(!mallory.outbox().is_closed());
        let ann = world.session_of(UserId::generate(), "Ann", Access::ReadOnly, None).await;
        for _ in 0..3 {
            ann.send(question(), None).await;
            large_frame(&ann).await;
        }
    });
}

/// [PERF-4] The first answers of many sessions of one user, which come at once after a restart, wait for nothing.
#[test]
fn newcomers_do_not_wait() {
    let world = World::limited(Limits { answers_per_minute_max: 0, ..Limits::default() });
    world.on(async |world| {
        fill(world, LARGE).await;
        for _ in 0..150 {
            let session = world.session("Ann", Access::ReadWrite, None).await;
            session.send(question(), None).await;
            large_frame(&session).await;
        }
    });
}

/// [SYNC-7] What is not shared takes memory from a budget: a user has a share, and the others are sent what is
/// shared. Who does not read for 30 s is closed with 1013, and gives it back.
#[test]
fn what_is_not_shared_is_lent() {
    let world = World::limited(Limits {
        loans: LoanLimits { answers_bytes_max: LARGE * 5, ..LoanLimits::default() },
        stuck_after: Duration::from_millis(100),
        ..Limits::default()
    });
    world.on(async |world| {
        fill(world, 10).await;
        let mut copy = Canvas::new();
        let reader = world.session("Ann", Access::ReadOnly, None).await;
        reader.send(question(), None).await;
        loop {
            if let Ok(Message::SyncStep2(update)) = wire::decode(&frame(&reader).await) {
                copy.apply(update).unwrap();
                break;
            }
        }
        drop(reader);
        fill(world, LARGE).await;
        let rest = Bytes::from(wire::sync_step1(&copy.state_vector()));
        let ask = async |user: UserId| {
            let session = world.session_of(user, "Bob", Access::ReadOnly, None).await;
            session.send(rest.clone(), None).await;
            let frame = large_frame(&session).await;
            (session, frame)
        };
        let (bob, eve, joe) = (UserId::generate(), UserId::generate(), UserId::generate());
        let own = ask(bob).await;
        assert!(is_answer(&own.1), "the rest alone");
        let shared = [ask(bob).await, ask(bob).await];
        assert!(!is_answer(&shared[0].1) && shared[0].1.as_ptr() == shared[1].1.as_ptr());
        let other = ask(eve).await;
        assert!(is_answer(&other.1));
        assert!(!is_answer(&ask(joe).await.1), "there is no room for a third");

        // They ask again, and do not read.
        drop(shared);
        for session in [&own.0, &other.0] {
            session.send(rest.clone(), None).await;
        }
        for session in [own.0, other.0] {
            while !session.outbox().is_closed() {
                sleep(Duration::from_millis(10)).await;
            }
            assert_eq!(closed(session.outbox()).await.code, 1013);
        }
        drop((own.1, other.1));
        assert!(is_answer(&ask(joe).await.1), "what they held is free");
    });
}

const SOON: Duration = Duration::from_millis(200);

/// Reads the diagram so often at once, and says whether it can be read once more soon.
async fn may_read_again(world: &World, by: Asker, readings: usize) -> bool {
    let read = || world.system().diagram(by, world.workflow);
    assert!(join_all((0..readings).map(|_| read())).await.iter().all(Result::is_ok));
    timeout(SOON, read()).await.is_ok()
}

fn somebody(world: &World) -> Asker {
    Asker { tenant: world.tenant, user: Some(UserId::generate()) }
}

/// [REL-12] Whoever makes the server work much by reading waits, and others do not: also when they read several at once.
#[test]
fn readings_are_paid_for() {
    let little = Duration::from_millis(1);
    let worktime = WorktimeLimits { at_once: little, per_second: little, shared_per_second: little };
    let world = World::limited(Limits { worktime, ..Limits::default() });
    world.on(async |world| {
        fill(world, 100 * 1024).await;
        assert!(!may_read_again(world, somebody(world), 100).await);
        assert!(may_read_again(world, somebody(world), 1).await);
    });
}

/// [REL-12, SYNC-7] A user gets the whole of a large canvas so often, by whichever door; runs are not readings.
#[test]
fn large_diagrams_are_answered_so_often() {
    let world = World::limited(Limits { answers_at_once_max: 4, ..Limits::default() });
    world.on(async |world| {
        fill(world, LARGE).await;
        let greedy = somebody(world);
        assert!(!may_read_again(world, greedy, 5).await);
        // Who would wait long is told so at once.
        let read = || timeout(SOON, world.system().diagram(greedy, world.workflow));
        let [waits, refused] = join_all([read(), read()]).await.try_into().unwrap();
        assert!(waits.is_err() && matches!(refused, Ok(Err(Unavailable::ReadOften { wait_s: 5..=10 }))), "{refused:?}");
        assert!(may_read_again(world, somebody(world), 3).await);
        let start = StartRun { by: greedy.user, trigger: "manual".to_owned(), parameters: Map::new() };
        timeout(SOON, world.system().start_run(world.tenant, world.workflow, start)).await.unwrap().unwrap();
    });
}

/// [REL-12] Those who read a large canvas that nobody is on, and that there is no room for, are all answered.
#[test]
fn a_canvas_stays_until_its_readers_are_answered() {
    let world = World::limited(Limits { footprint: NOBODY_STAYS, ..Limits::default() });
    world.on(async |world| {
        fill(world, LARGE).await;
        let readers: Vec<Asker> = (0..8).map(|_| somebody(world)).collect();
        for _ in 0..5 {
            let read = readers.iter().map(|by| world.system().diagram(*by, world.workflow));
            let refused: Vec<_> = join_all(read).await.into_iter().filter_map(Result::err).collect();
            assert!(refused.is_empty(), "{refused:?}");
        }
    });
}
