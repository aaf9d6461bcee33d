//! Presence: everything that one says goes to everybody.

use anyhow::Result;
use rand::RngExt;
use troupe_loadtests::wire::{self, put_bytes, put_uint};

use super::Attacker;

/// What a session may have.
const CLIENTS: u64 = 8;
const STATE_BYTES: usize = 16_000;
const MESSAGES: u64 = 500;
const CLOCK_MAX: u64 = (1 << 53) - 1;

pub async fn flood(attacker: &mut Attacker) -> Result<()> {
    let mut socket = attacker.as_viewer().await?;
    let (client, state) = (attacker.fresh_client(), format!(r#"{{"p":"{}"}}"#, "y".repeat(STATE_BYTES)));
    for clock in 1..MESSAGES {
        let mut states = Vec::new();
        put_uint(&mut states, CLIENTS);
        for number in 0..CLIENTS {
            put_uint(&mut states, client + number);
            put_uint(&mut states, clock);
            put_bytes(&mut states, state.as_bytes());
        }
        let mut message = vec![1];
        put_bytes(&mut message, &states);
        socket.send(&message).await?;
        socket.rest(attacker.millis(1, 20)).await?;
    }
    Ok(())
}

/// Takes honest people's clients, with clocks behind which nothing comes; and that of one who was here a moment ago.
pub async fn take_over(attacker: &mut Attacker) -> Result<()> {
    let mut socket = attacker.as_viewer().await?;
    for _ in 0..50 {
        let victim = attacker.ground.honest[attacker.random.random_range(..attacker.ground.honest.len())];
        let clock = if attacker.random.random_bool(0.5) { CLOCK_MAX } else { attacker.random.random_range(1..1_000) };
        let state = if attacker.random.random_bool(0.5) { "null" } else { r#"{"user":{"name":"Vera"}}"# };
        socket.send(&wire::awareness(victim, clock, state)).await?;
        socket.rest(attacker.millis(5, 50)).await?;
    }
    let left = attacker.fresh_client();
    let mut other = attacker.as_viewer().await?;
    other.send(&wire::awareness(left, 1, "{}")).await?;
    drop(other);
    socket.send(&wire::awareness(left, CLOCK_MAX, "{}")).await?;
    socket.send(&wire::awareness(left, CLOCK_MAX + 1, "{}")).await?;
    socket.rest(attacker.millis(500, 1_500)).await
}
