//! What sessions show of themselves reaches the others in windows [SYNC-8, SYNC-9].

use std::time::Duration;

use serde_json::Value;
use tokio::time::{Instant, sleep, timeout};
use troupe_actors::{CanvasSession, Channel, Next, OutFrame};
use troupe_crdt::{
    Access,
    wire::{self, Reader, write_buf, write_uint},
};
use troupe_model::UserId;

use crate::world::World;

fn state(client: u64, clock: u64, state: &str) -> bytes::Bytes {
    let mut update = Vec::new();
    [1, client, clock].iter().for_each(|number| write_uint(&mut update, *number));
    write_buf(&mut update, state.as_bytes());
    wire::awareness(&update).into()
}

/// The clients, with their clocks, that a session hears of next.
async fn hear(session: &CanvasSession) -> Vec<(u64, u64)> {
    loop {
        let Next::Frame(OutFrame::Sync(frame)) = session.outbox().next().await else { panic!("it was closed") };
        if let Some(entries) = wire::awareness_entries(&frame) {
            let clock = |entry: &[u8]| {
                let mut reader = Reader::new(entry);
                reader.uint().and_then(|_| reader.uint()).unwrap()
            };
            return entries.into_iter().map(|(client, entry)| (client, clock(entry))).collect();
        }
    }
}

/// [SYNC-8] Nobody gets more than some 60 states a second of one client, whatever is sent, and everybody gets the last.
#[test]
fn nobody_gets_more_than_sixty_states_a_second_of_one_client() {
    /// Not more than some thousands ahead of what is read in a second.
    const CLOCK_MAX: u64 = 4_000;
    let world = World::new();
    world.on(async |world| {
        let loud = world.session_of(UserId::generate(), "Mallory", Access::ReadOnly, None).await;
        let listener = world.session("Ann", Access::ReadWrite, None).await;
        let begun = Instant::now();
        let flood = async {
            for clock in 1.. {
                assert!(loud.send(state(7, clock, r#"{"cursor":{"x":1,"y":2}}"#), None).await);
                if clock % 4 == 0 {
                    sleep(Duration::from_millis(1)).await;
                }
                if begun.elapsed() > Duration::from_secs(1) || clock == CLOCK_MAX - 1 {
                    break;
                }
            }
            // When it has calmed down, its last word is heard.
            sleep(Duration::from_millis(500)).await;
            assert!(loud.send(state(7, CLOCK_MAX, "{}"), None).await);
        };
        let (mut states, mut last) = (0, 0);
        let listen = async {
            while last < CLOCK_MAX {
                for (client, clock) in hear(&listener).await {
                    assert!(client == 7 && clock > last);
                    (last, states) = (clock, states + 1);
                }
            }
        };
        futures::join!(flood, listen);
        let took = begun.elapsed();
        assert!(states <= took.as_millis() / 16 + 2, "{states} states in {took:?}");
        assert!(states > 20, "{states} states in {took:?}");
    });
}

/// [SYNC-9] Who shows nonsense is closed with 4400, and nobody else is.
#[test]
fn nonsense_closes_who_shows_it() {
    let world = World::new();
    world.on(async |world| {
        let listener = world.session("Ann", Access::ReadWrite, None).await;
        let mallory = world.session_of(UserId::generate(), "Mallory", Access::ReadOnly, None).await;
        mallory.send(state(7, 1, "{}"), None).await;
        assert_eq!(hear(&listener).await, [(7, 1)]);
        mallory.send(state(7, 2, "[7]"), None).await;
        assert_eq!(crate::client::closed(mallory.outbox()).await.code, 4400);
        assert_eq!(hear(&listener).await, [(7, 2)], "its cursor goes with it");
    });
}

/// [SYNC-8] Coming and going is told to those who watch at once, and ten times a second however much of it there is.
#[test]
fn coming_and_going_is_told_in_windows() {
    let world = World::new();
    world.on(async |world| {
        let watcher = world.watch(Channel::Workflow(world.workflow)).await;
        watcher.until("workflow_snapshot").await;
        let stayed = world.session("Ann", Access::ReadOnly, None).await;
        watcher.until("presence").await;
        let (begun, mut told) = (Instant::now(), 0);
        for _ in 0..200 {
            drop(world.session("Bob", Access::ReadOnly, None).await);
        }
        let took = begun.elapsed();
        let mut users = Value::Null;
        while let Ok(message) = timeout(Duration::from_millis(300), watcher.until("presence")).await {
            users = message["data"]["users"].clone();
            told += 1;
        }
        assert!(told <= took.as_millis() / 100 + 3, "{told} lists in {took:?}");
        assert_eq!(users[0]["sessions"], 1, "the last list is true: {users}");
        drop(stayed);
    });
}
