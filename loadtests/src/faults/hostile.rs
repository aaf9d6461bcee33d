//! `hostile`: many attackers at once, each doing the worst known thing, while honest people edit [REL-7] [SYNC-4].
//!
//! The attackers are viewers and members of the honest people's tenant: some of these edit on the attacked canvases, most
//! on others. A server with little memory must stay, hold no session of theirs, keep what they do, and be quick for them.

mod army;
mod aside;
mod attacks;
mod ground;
mod socket;
mod update;

use std::{cell::Cell, fmt, sync::Arc, time::Duration};

use anyhow::{Result, ensure};
use clap::{Args, ValueEnum};
use tokio::time::{Instant, sleep};
use troupe_loadtests::api::Api;

use self::{army::Army, aside::Aside, attacks::Attack, ground::Ground};
use super::{
    editor::{Editor, lock},
    provider::{Phase, Route},
    room::{Canvas, Plan, Room},
    server::Server,
    stage::{Common, Database, Stage},
};

#[derive(Args, Clone, Debug)]
pub struct Hostile {
    #[command(flatten)]
    common: Common,
    /// How long the attack lasts.
    #[arg(long, default_value_t = 600)]
    seconds: u64,
    #[arg(long, default_value_t = 100)]
    attackers: usize,
    /// Which attacks; all if not given.
    #[arg(long, value_enum, value_delimiter = ',')]
    only: Vec<Attack>,
    /// Honest people, spread evenly over the canvases.
    #[arg(long, default_value_t = 60)]
    editors: usize,
    #[arg(long, default_value_t = 12)]
    canvases: usize,
    /// Canvases, of these, that are attacked.
    #[arg(long, default_value_t = 2)]
    attacked: usize,
    /// Edits a second of each honest editor.
    #[arg(long, default_value_t = 4.0)]
    rate: f64,
    /// What the server's process may take, resident.
    #[arg(long, default_value_t = 2048)]
    memory_mib: u64,
    /// How much more it may hold, on average, in the last third of the attack than in the second, and when everybody has
    /// gone than before.
    #[arg(long, default_value_t = 128)]
    growth_mib: u64,
    /// The p99 from an edit to its acknowledgement, on canvases that are not attacked.
    #[arg(long, default_value_t = 50)]
    others_ms: u64,
    /// The same on those that are.
    #[arg(long, default_value_t = 250)]
    attacked_ms: u64,
}

const MIB: u64 = 1 << 20;
/// The numbers of honest people begin here; the attackers' are smaller.
const HONEST: usize = 100;
const SAVED_WITHIN: Duration = Duration::from_secs(120);
/// An outbox of somebody who never reads lives for 30 s, and an idle connection for 60 s.
const CALM_WITHIN: Duration = Duration::from_secs(120);
const LOOK_EVERY: Duration = Duration::from_secs(1);

pub async fn run(program: &Hostile) -> Result<()> {
    let mut stage = Stage::set(&program.common, Database::Sqlite).await?;
    let outcome = play(program, &stage).await;
    if outcome.is_err() {
        stage.keep();
    }
    outcome
}

async fn play(program: &Hostile, stage: &Stage) -> Result<()> {
    let Hostile { seconds, editors, canvases, attacked, rate, .. } = *program;
    ensure!(attacked < canvases && canvases <= editors, "some canvases are attacked, others are not, none is empty");
    // Everybody signs in from here.
    let settings = [("AUTH__LOGIN_ATTEMPTS_PER_MINUTE_PER_ADDRESS", "1000".to_owned())];
    let mut server = stage.server("server", &settings)?;
    server.start().await?;
    server.limit_data(2 * program.memory_mib * MIB)?;
    let api = Api::register(server.url()).await?;
    let plan = Plan { canvases, editors, seed: program.common.seed };
    let mut people = Vec::new();
    for number in 0..editors {
        people.push(api.colleague("member", HONEST + number).await?);
    }
    let (next, aside) = (Cell::new(0), Aside::new()?);
    let own = |_| {
        let number = next.replace(next.get() + 1);
        let route = Route::to(vec![people[number].clone()]).editing(rate);
        let is_attacked = number % canvases >= canvases - attacked;
        if is_attacked { Route { runtime: aside.handle(), ..route } } else { route }
    };
    let mut room = Room::open(&api, plan, own).await?;
    let ground = Arc::new(Ground::prepare(&api, &mut room, attacked).await?);

    // What it took to prepare the canvases is not asked.
    room.canvases.iter().for_each(|canvas| drop(acknowledged_us(canvas)));
    room.phase(Phase::Typing);
    drop(watch(&mut server, &mut room, attacked, Duration::from_secs((seconds / 10).clamp(2, 30))).await?);
    let quiet = canvases - attacked;
    let calm = [Latency::of(&room.canvases[..quiet])?, Latency::of(&room.canvases[quiet..])?];
    let before = server.memory_bytes()?;

    let attacks = if program.only.is_empty() { Attack::value_variants() } else { &program.only };
    let army = Army::march(attacks, program.attackers, ground, program.common.seed)?;
    let outcome = watch(&mut server, &mut room, attacked, Duration::from_secs(seconds)).await;
    let visits = army.retreat()?;
    println!("seed {}, {} attackers for {seconds} s:", program.common.seed, program.attackers);
    for (attack, ends) in &visits {
        println!("  {attack:<20} {ends:?}");
    }
    let held = Held::of(&outcome?);

    room.phase(Phase::Resting);
    room.until("everything is saved", SAVED_WITHIN, Editor::is_saved).await?;
    let during = [Latency::of(&room.canvases[..quiet])?, Latency::of(&room.canvases[quiet..])?];
    let peak = server.peak_bytes()?;
    let ends = room.ends.all();
    room.converge(&api).await?;
    let lost = room.check_acknowledged(&api).await?;
    let panics = server.logged("panicked at");
    let (edits, acknowledged) = (room.sum(|editor| editor.edits), room.sum(|editor| editor.book.acknowledged()));
    drop(room);
    let left = settled(&server, before + program.growth_mib * MIB).await?;
    let status = server.end().await?;

    println!("{editors} honest editors on {canvases} canvases, {attacked} of them attacked: {edits} edits");
    println!("from an edit to its acknowledgement, ms: p50, p99, max");
    println!("                         calm                attacked");
    println!("elsewhere                {:<19} {} (limit {})", calm[0].to_string(), during[0], program.others_ms);
    println!("where attacked           {:<19} {} (limit {})", calm[1].to_string(), during[1], program.attacked_ms);
    println!(
        "memory, MiB              {} before, by tenths {:?}, {} when everybody has gone",
        before / MIB,
        held.tenths,
        left / MIB
    );
    println!("memory by thirds, MiB    {:?} (limit {} more in the last)", held.thirds, program.growth_mib);
    println!("peak resident, MiB       {} (limit {})", peak / MIB, program.memory_mib);
    println!("lost acknowledged edits  {} of {acknowledged} entries", lost.len());
    println!("documents                converged: state vectors, removals, JSON and projection are equal");
    println!("honest sessions ended    {ends:?}");
    println!("panics                   {panics}");
    ensure!(lost.is_empty(), "acknowledged edits were lost: {:#?}", &lost[..lost.len().min(5)]);
    ensure!(ends.is_empty(), "honest sessions were closed: {ends:?}");
    ensure!(panics == 0, "the server panicked");
    ensure!(status.success(), "the server ended with {status}");
    ensure!(peak <= program.memory_mib * MIB, "the server took {} MiB", peak / MIB);
    let [_, second, last] = held.thirds;
    ensure!(last <= second + program.growth_mib, "memory grew from {second} to {last} MiB under attack");
    let left = left / MIB;
    ensure!(left <= before / MIB + program.growth_mib, "{left} MiB are held when everybody has gone");
    let p99 = during.map(|latency| latency.p99_ms);
    ensure!(p99[0] <= program.others_ms as f64, "others' p99 was {:.1} ms", p99[0]);
    ensure!(p99[1] <= program.attacked_ms as f64, "the p99 on attacked canvases was {:.1} ms", p99[1]);
    Ok(())
}

/// Looks for so long that the server and everybody honest are there. On the attacked canvases these show themselves. What
/// the server held each time, in bytes.
async fn watch(server: &mut Server, room: &mut Room, attacked: usize, time: Duration) -> Result<Vec<u64>> {
    let (deadline, mut held) = (Instant::now() + time, Vec::new());
    while Instant::now() < deadline {
        server.must_run()?;
        room.check_tasks()?;
        for canvas in room.canvases.iter().rev().take(attacked) {
            for editor in &canvas.editors {
                lock(editor).show_presence()?;
            }
        }
        held.push(server.memory_bytes()?);
        sleep(LOOK_EVERY.min(deadline - Instant::now())).await;
    }
    Ok(held)
}

/// What the server held over some time, on average, in MiB.
struct Held {
    thirds: [u64; 3],
    tenths: [u64; 10],
}

impl Held {
    fn of(samples: &[u64]) -> Self {
        Self { thirds: means(samples), tenths: means(samples) }
    }
}

fn means<const N: usize>(samples: &[u64]) -> [u64; N] {
    std::array::from_fn(|part| {
        let part = &samples[samples.len() * part / N..samples.len() * (part + 1) / N];
        part.iter().sum::<u64>() / MIB / part.len().max(1) as u64
    })
}

/// From an edit to its acknowledgement.
struct Latency {
    p50_ms: f64,
    p99_ms: f64,
    max_ms: f64,
}

impl Latency {
    /// Since this was asked last.
    fn of(canvases: &[Canvas]) -> Result<Self> {
        let mut took_us: Vec<u64> = canvases.iter().flat_map(acknowledged_us).collect();
        took_us.sort_unstable();
        ensure!(!took_us.is_empty(), "nothing was acknowledged");
        let at = |share: usize| took_us[(took_us.len() * share / 100).min(took_us.len() - 1)] as f64 / 1_000.0;
        Ok(Self { p50_ms: at(50), p99_ms: at(99), max_ms: at(100) })
    }
}

/// Since this was asked last.
fn acknowledged_us(canvas: &Canvas) -> Vec<u64> {
    canvas.editors.iter().flat_map(|editor| std::mem::take(&mut lock(editor).received.acknowledged_us)).collect()
}

impl fmt::Display for Latency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { p50_ms, p99_ms, max_ms } = self;
        write!(f, "{p50_ms:.1}, {p99_ms:.1}, {max_ms:.1}")
    }
}

/// What the server holds when it is at rest: when it is so little, or after a while.
async fn settled(server: &Server, enough: u64) -> Result<u64> {
    let deadline = Instant::now() + CALM_WITHIN;
    loop {
        let memory = server.memory_bytes()?;
        if memory <= enough || Instant::now() >= deadline {
            return Ok(memory);
        }
        sleep(LOOK_EVERY).await;
    }
}
