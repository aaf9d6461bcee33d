//! Frames that lie about what comes, and connections that come and go.

use anyhow::Result;
use rand::RngExt;
use troupe_loadtests::{
    frames::{self, Opcode},
    wire::{self, put_bytes, put_uint},
};

use super::Attacker;

/// Less than a canvas may have, so that it is not refused at once.
const DECLARED_BYTES: u64 = 40_000_000;
const DROP_BYTES: usize = 4_000;
const DROPS: usize = 200;
const PART: u64 = 102;
/// As our own client cuts them.
const PART_BYTES: usize = 31_000;
const FRAGMENT_BYTES: usize = 60_000;
const FRAGMENTS: usize = 1_000;
const VISITS: usize = 50;

/// A binary frame of 40 MB whose bytes come drop by drop, or not at all.
pub async fn drip(attacker: &mut Attacker) -> Result<()> {
    let mut socket = attacker.as_member().await?;
    let mut header = vec![0x82, 0x80 | 127];
    header.extend(DECLARED_BYTES.to_be_bytes());
    // The mask.
    header.extend([0; 4]);
    socket.write(&header).await?;
    let drops = if attacker.random.random_bool(0.5) { DROPS } else { 0 };
    for _ in 0..drops {
        socket.write(&[0; DROP_BYTES]).await?;
        socket.rest(attacker.millis(20, 200)).await?;
    }
    socket.rest(attacker.millis(5_000, 90_000)).await
}

/// After each part another number of bytes is said to remain.
pub async fn lying_parts(attacker: &mut Attacker) -> Result<()> {
    // A user has one large edit under way, which another attacker may have; so the next visit is another user's.
    attacker.place += 1;
    let mut socket = attacker.as_member().await?;
    for _ in 0..VISITS {
        let remaining = attacker.random.random_range(0..DECLARED_BYTES);
        socket.send(&part(remaining, attacker.random.random_range(0..PART_BYTES))).await?;
        socket.rest(attacker.millis(1, 50)).await?;
    }
    Ok(())
}

/// The parts fit together, and the last but one is followed by silence.
pub async fn endless_parts(attacker: &mut Attacker) -> Result<()> {
    let mut socket = attacker.as_member().await?;
    let mut remaining = DECLARED_BYTES;
    let end = attacker.random.random_range(PART_BYTES as u64..DECLARED_BYTES);
    while remaining > end {
        remaining -= PART_BYTES as u64;
        socket.send(&part(remaining, PART_BYTES)).await?;
        socket.rest(attacker.millis(1, 10)).await?;
    }
    socket.rest(attacker.millis(5_000, 90_000)).await
}

fn part(remaining: u64, bytes: usize) -> Vec<u8> {
    let mut message = Vec::new();
    put_uint(&mut message, PART);
    put_uint(&mut message, remaining);
    put_bytes(&mut message, &vec![0; bytes]);
    message
}

pub async fn endless_fragments(attacker: &mut Attacker) -> Result<()> {
    let mut socket = attacker.as_member().await?;
    let mut fragment = Vec::new();
    frames::write(&mut fragment, Opcode::Binary, [&[0; FRAGMENT_BYTES], &[]]);
    for number in 0..FRAGMENTS {
        // Begins, or goes on; never the last.
        fragment[0] = if number == 0 { 0x02 } else { 0x00 };
        socket.write(&fragment).await?;
        socket.rest(attacker.millis(1, 10)).await?;
    }
    socket.rest(attacker.millis(5_000, 90_000)).await
}

/// Asks for everything and is gone before it comes.
pub async fn churn(attacker: &mut Attacker) -> Result<()> {
    for _ in 0..VISITS {
        let mut socket = attacker.as_viewer().await?;
        socket.send(wire::SYNC_STEP_1).await?;
        if attacker.random.random_bool(0.5) {
            socket.rest(attacker.millis(1, 100)).await?;
        }
    }
    Ok(())
}
