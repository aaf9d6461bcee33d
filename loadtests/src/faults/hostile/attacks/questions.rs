//! Questions: some bytes that a server answers with a whole document, or with everybody's presence.

use anyhow::Result;
use rand::RngExt;
use troupe_loadtests::wire::{put_bytes, put_uint};

use super::{
    super::ground::{SCARRED, SCARS},
    Attacker,
};

const SOCKETS: usize = 5;
/// Of one visit, by each socket.
const QUESTIONS: usize = 2_000;
const AT_ONCE: usize = 20;
const QUERY_AWARENESS: [u8; 1] = [3];

/// No answer to these is shared with another, and none is read.
pub async fn of_the_deaf(attacker: &mut Attacker) -> Result<()> {
    let mut sockets = Vec::new();
    for _ in 0..SOCKETS {
        sockets.push(attacker.as_viewer().await?.deaf());
    }
    for _ in 0..QUESTIONS / AT_ONCE {
        for socket in &mut sockets {
            for _ in 0..AT_ONCE {
                socket.send(&question(attacker)).await?;
            }
        }
        tokio::time::sleep(attacker.millis(5, 20)).await;
    }
    Ok(())
}

pub async fn for_presence(attacker: &mut Attacker) -> Result<()> {
    let mut socket = attacker.as_viewer().await?;
    for _ in 0..QUESTIONS / AT_ONCE {
        for _ in 0..AT_ONCE {
            socket.send(&QUERY_AWARENESS).await?;
        }
        socket.rest(attacker.millis(5, 20)).await?;
    }
    Ok(())
}

/// SyncStep1 of somebody who knows an invented client, or a part of a known one.
fn question(attacker: &mut Attacker) -> Vec<u8> {
    let (client, clock) = if attacker.random.random_bool(0.5) {
        (attacker.fresh_client(), 5)
    } else {
        (SCARRED, attacker.random.random_range(1..2 * SCARS))
    };
    let mut known = vec![1];
    put_uint(&mut known, client);
    put_uint(&mut known, clock.into());
    let mut message = vec![0, 0];
    put_bytes(&mut message, &known);
    message
}
