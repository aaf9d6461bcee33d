//! `stalled`: one reader in ten stops reading under load [REL-6].
//!
//! The same load is played twice, each time on a fresh server: with everybody reading, and with some who do not. The
//! difference is what they cost: in memory at most their outboxes, and in the others' time nothing that matters. When they
//! read again, each catches up with one diff.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use clap::Args;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep};
use troupe_loadtests::api::Api;

use super::{
    editor::{Editor, lock},
    provider::Route,
    room::{Plan, Room},
    server::Server,
    stage::{Common, Database, Stage},
};

#[derive(Args, Clone, Debug)]
pub struct Stalled {
    #[command(flatten)]
    common: Common,
    #[arg(long, default_value_t = 100)]
    readers: usize,
    /// How long they stop. After 30 s they are disconnected.
    #[arg(long, default_value_t = 60)]
    stall_s: u64,
    #[arg(long, default_value_t = 5)]
    writers: usize,
    /// Edits a second of each writer, when everybody can keep up.
    #[arg(long, default_value_t = 10)]
    rate: u32,
    /// Of each edit.
    #[arg(long, default_value_t = 8 * 1024)]
    bytes: usize,
    /// `limits.outbox_bytes_max`.
    #[arg(long, default_value_t = 4 * 1024 * 1024)]
    outbox_bytes: u64,
}

/// One reader in so many stops.
const STALL_EVERY: usize = 10;
/// Of the allocator, which does not grow by what is asked for.
const SLACK_BYTES: u64 = 16 * 1024 * 1024;
/// What a busy machine does to anybody.
const SLACK_US: u64 = 30_000;
const CATCH_UP_WITHIN: Duration = Duration::from_secs(60);
/// So far the others may be behind before the writers wait for them: a slow machine is not what is tested.
const BEHIND_MAX: u64 = 8;
/// What the operating system holds for one who does not read, at most.
const KERNEL_BYTES: u64 = 5 * 1024 * 1024;
const LOAD_WITHIN: Duration = Duration::from_secs(600);
/// How long the load goes on when everybody reads again.
const AFTER: Duration = Duration::from_secs(1);
const LOOK_EVERY: Duration = Duration::from_millis(2);

/// With their places.
type Editors = [(usize, Arc<Mutex<Editor>>)];

struct Measured {
    growth_bytes: u64,
    p99_us: u64,
    delivered: usize,
    overflows: u64,
    /// Diffs that each of the stalled got since it read again, and how long it took.
    diffs: Vec<u64>,
    caught_up: Duration,
    ends: String,
}

pub async fn run(program: &Stalled) -> Result<()> {
    let mut stage = Stage::set(&program.common, Database::Sqlite).await?;
    let outcome = play(program, &stage).await;
    if outcome.is_err() {
        stage.keep();
    }
    outcome
}

async fn play(program: &Stalled, stage: &Stage) -> Result<()> {
    let all_read = load(program, stage, false).await?;
    let some_stall = load(program, stage, true).await?;
    let stalled = program.readers / STALL_EVERY;
    let bound = stalled as u64 * program.outbox_bytes;
    let cost = some_stall.growth_bytes.saturating_sub(all_read.growth_bytes);
    let ratio = some_stall.p99_us as f64 / all_read.p99_us.max(1) as f64;

    println!(
        "seed {}, {} readers, {stalled} of them stalled for {} s",
        program.common.seed, program.readers, program.stall_s
    );
    println!("                         all read        some stall");
    println!("delivered                {:<15} {}", all_read.delivered, some_stall.delivered);
    println!("others' p99, ms          {:<15.3} {:.3} (ratio {ratio:.2})", ms(all_read.p99_us), ms(some_stall.p99_us));
    println!("memory grew, KiB         {:<15} {}", all_read.growth_bytes / 1024, some_stall.growth_bytes / 1024);
    println!("outbox overflows         {:<15} {}", all_read.overflows, some_stall.overflows);
    println!("cost of the stalled      {} KiB, where their outboxes may hold {} KiB", cost / 1024, bound / 1024);
    println!("diffs to catch up        {:?} in {:?}", some_stall.diffs, some_stall.caught_up);
    println!("sessions ended           {}", some_stall.ends);
    ensure!(all_read.overflows == 0, "readers were too slow without a stall: the load is too high for this machine");
    ensure!(some_stall.overflows >= stalled as u64, "the stalled readers did not fill their outboxes");
    ensure!(cost <= bound + SLACK_BYTES, "the stalled cost {cost} bytes, more than {bound}");
    ensure!(some_stall.diffs.iter().all(|diffs| *diffs == 1), "not one diff each: {:?}", some_stall.diffs);
    let (with, without) = (some_stall.p99_us, all_read.p99_us);
    ensure!(with <= 3 * without + SLACK_US, "others' p99 went from {without} to {with} µs");
    Ok(())
}

async fn load(program: &Stalled, stage: &Stage, stall: bool) -> Result<Measured> {
    let name = if stall { "some-stall" } else { "all-read" };
    // A canvas that is rebuilt ends its sessions.
    let limits = [("LIMITS__OUTBOX_BYTES_MAX", program.outbox_bytes), ("LIMITS__TOMBSTONE_BYTES_MAX", 1 << 30)];
    let mut server = stage.server(name, &limits.map(|(name, value)| (name, value.to_string())))?;
    server.start().await?;
    let api = Api::register(server.url()).await?;
    let Stalled { writers, readers, .. } = *program;
    let stalls = |place: usize| place >= writers && (place - writers).is_multiple_of(STALL_EVERY);
    let plan = Plan { canvases: 1, editors: writers + readers, seed: program.common.seed };
    let mut room =
        Room::open(&api, plan, |place| Route { stalls: stalls(place), ..Route::to(vec![api.clone()]) }).await?;
    let (stalled, others): (Vec<_>, Vec<_>) =
        room.editors().cloned().enumerate().skip(writers).partition(|(place, _)| stalls(*place));

    let memory = server.memory_bytes()?;
    room.stall(stall);
    let enough = program.outbox_bytes + KERNEL_BYTES;
    write(program, &room, &others, Duration::from_secs(program.stall_s), enough).await?;
    let growth_bytes = server.memory_bytes()?.saturating_sub(memory);
    let mut took_us: Vec<u64> =
        others.iter().flat_map(|(_, editor)| std::mem::take(&mut lock(editor).received.took_us)).collect();
    took_us.sort_unstable();
    let p99_us = took_us.get(took_us.len() * 99 / 100).copied().context("nothing was delivered")?;
    let overflows = overflows(&server).await?;

    let diffs =
        |editors: &Editors| -> Vec<u64> { editors.iter().map(|(_, editor)| lock(editor).received.diffs).collect() };
    let before = diffs(&stalled);
    room.stall(false);
    let resumed = Instant::now();
    write(program, &room, &others, AFTER, 0).await?;
    room.until("everything is saved", CATCH_UP_WITHIN, Editor::is_saved).await?;
    room.converge(&api).await?;
    let caught_up = resumed.elapsed();
    let diffs = diffs(&stalled).iter().zip(before).map(|(after, before)| after - before).collect();
    ensure!(server.logged("panicked at") == 0, "the server panicked");
    let ends = format!("{:?}", room.ends.all());
    drop(room);
    server.end().await?;
    Ok(Measured { growth_bytes, p99_us, delivered: took_us.len(), overflows, diffs, caught_up, ends })
}

/// The writers edit in turn, evenly, for a time and until it was enough, no faster than the others read.
async fn write(program: &Stalled, room: &Room, others: &Editors, lasts: Duration, enough: u64) -> Result<()> {
    let begin = Instant::now();
    let mut ticks = interval(Duration::from_secs(1) / (program.rate * program.writers as u32));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let writers: Vec<_> = room.editors().take(program.writers).collect();
    let received = |editor: &Mutex<Editor>| lock(editor).received.updates;
    let before: Vec<u64> = others.iter().map(|(_, editor)| received(editor)).collect();
    let behind = |turn: u64| {
        let slowest = others.iter().zip(&before).map(|((_, editor), before)| received(editor) - before).min();
        turn.saturating_sub(slowest.unwrap_or(turn))
    };
    let mut turn = 0;
    while begin.elapsed() < lasts || turn * (program.bytes as u64) < enough {
        ticks.tick().await;
        while behind(turn) > BEHIND_MAX {
            ensure!(begin.elapsed() < LOAD_WITHIN, "the others are behind by {} edits", behind(turn));
            sleep(LOOK_EVERY).await;
        }
        lock(writers[turn as usize % writers.len()]).stamp(program.bytes)?;
        turn += 1;
    }
    while behind(turn) > 0 {
        ensure!(begin.elapsed() < LOAD_WITHIN, "the others lack {} edits", behind(turn));
        sleep(LOOK_EVERY).await;
    }
    Ok(())
}

async fn overflows(server: &Server) -> Result<u64> {
    let metrics = server.metrics().await?;
    let value = metrics.lines().find_map(|line| line.strip_prefix("troupe_canvas_overflows_total "));
    value.map_or(Ok(0), |value| Ok(value.trim().parse()?))
}

fn ms(us: u64) -> f64 {
    us as f64 / 1_000.0
}
