//! `kill`: `kill -9` at random moments, while editors type and runs execute [REL-1].
//!
//! After each restart, a fresh reader's document and the projection must show whatever was acknowledged before. In the
//! end everybody's documents must be one, and every run must have ended without doing anything twice.

use std::time::Duration;

use anyhow::{Result, ensure};
use clap::Args;
use rand::{RngExt, SeedableRng, rngs::StdRng};
use tokio::time::{Instant, sleep};
use troupe_loadtests::api::Api;
use troupe_model::{Clock, SystemClock};

use super::{
    editor::Editor,
    provider::{Phase, Route},
    room::{Plan, Room},
    runs::{self, Runs},
    server::Server,
    stage::{Common, Database, Stage},
    witness::Witness,
};

#[derive(Args, Clone, Debug)]
pub struct Kill {
    #[command(flatten)]
    common: Common,
    #[arg(long, value_enum, default_value_t = Database::Sqlite)]
    database: Database,
    /// How often the server is killed.
    #[arg(long, default_value_t = 100)]
    kills: u32,
    #[arg(long, default_value_t = 50)]
    editors: usize,
    /// Canvases that they share.
    #[arg(long, default_value_t = 5)]
    canvases: usize,
    /// Edits a second of each editor.
    #[arg(long, default_value_t = 4.0)]
    rate: f64,
    /// Runs that execute at any time.
    #[arg(long, default_value_t = 20)]
    runs: usize,
}

/// One start in so many is killed before it is ready.
const KILLED_EARLY: f64 = 0.1;
/// So often the next round waits for all editors.
const EVERYBODY_BACK: f64 = 0.75;
const BACK_WITHIN: Duration = Duration::from_secs(60);
const SAVED_WITHIN: Duration = Duration::from_secs(120);

#[derive(Debug, Default)]
struct Tally {
    kills: u32,
    early: u32,
    /// When, in milliseconds.
    at: Vec<i64>,
    lost: Vec<String>,
    slowest_start: Duration,
}

pub async fn run(program: &Kill) -> Result<()> {
    let mut stage = Stage::set(&program.common, program.database).await?;
    let outcome = play(program, &stage).await;
    if outcome.is_err() {
        stage.keep();
    }
    outcome
}

async fn play(program: &Kill, stage: &Stage) -> Result<()> {
    let seed = program.common.seed;
    let mut random = StdRng::seed_from_u64(seed);
    let mut server = stage.server("server", &[])?;
    server.start().await?;
    let api = Api::register(server.url()).await?;
    let witness = Witness::start().await?;
    let Kill { editors, canvases, rate, .. } = *program;
    let plan = Plan { canvases, editors, seed: random.random() };
    let mut room = Room::open(&api, plan, |_| Route::to(vec![api.clone()]).editing(rate)).await?;
    room.phase(Phase::Typing);
    let mut runs =
        Runs::start(&api, &server.data_dir, &witness.url, program.runs, room.phases(), random.random()).await?;

    let mut tally = Tally::default();
    for round in 1..=program.kills {
        sleep(Duration::from_millis(random.random_range(100..1_500))).await;
        room.doors(false);
        kill_and_start(&mut server, &mut random, &mut tally).await?;
        let acknowledged = room.sum(|editor| editor.book.acknowledged());
        let lost = room.check_acknowledged(&api).await?;
        for loss in &lost {
            println!("lost: {loss}");
        }
        tally.lost.extend(lost);
        room.doors(true);
        // Otherwise the next kill comes while they come back.
        if random.random_bool(EVERYBODY_BACK) {
            room.until("everybody is back", BACK_WITHIN, Editor::is_synced).await?;
        }
        println!("kill {round:>3}: {acknowledged} acknowledged entries checked, {} lost in all", tally.lost.len());
    }

    room.phase(Phase::Resting);
    room.until("everything is saved", SAVED_WITHIN, Editor::is_saved).await?;
    room.converge(&api).await?;
    tally.lost.extend(room.check_acknowledged(&api).await?);
    runs.ended().await?;
    let ran = runs.check(&api, &witness.calls, &tally.at).await?;
    let panics = server.logged("panicked at");
    let ends = room.ends.all();
    let status = server.end().await?;

    println!(
        "seed {seed}, {:?}, {editors} editors on {canvases} canvases, {} runs at once",
        program.database, program.runs
    );
    println!("kills                    {} ({} of them before the server was ready)", tally.kills, tally.early);
    println!("slowest start            {:?}", tally.slowest_start);
    println!("edits                    {}", room.sum(|editor| editor.edits));
    println!(
        "checked entries          {} acknowledged of {}",
        room.sum(|e| e.book.acknowledged()),
        room.sum(|e| e.book.made())
    );
    println!("lost acknowledged edits  {}", tally.lost.len());
    println!("documents                converged: state vectors, removals, JSON and projection are equal");
    println!("runs                     {} ended, {} of them lived through a kill", ran.runs, ran.survivors);
    println!(
        "nodes                    {} completed, {} calls, {} faults",
        ran.nodes_completed,
        ran.calls,
        ran.faults.len()
    );
    println!("panics                   {panics}");
    println!("sessions ended           {:?}", ends);
    ensure!(tally.lost.is_empty(), "acknowledged edits were lost: {:#?}", &tally.lost[..tally.lost.len().min(5)]);
    runs::first_fault(&ran)?;
    ensure!(panics == 0, "the server panicked");
    ensure!(status.success(), "the server ended with {status}");
    Ok(())
}

/// Dies at once and comes back; now and then it dies again while it starts.
async fn kill_and_start(server: &mut Server, random: &mut StdRng, tally: &mut Tally) -> Result<()> {
    tally.at.push(SystemClock.now().as_millis());
    server.kill().await?;
    tally.kills += 1;
    while random.random_bool(KILLED_EARLY) {
        server.spawn()?;
        sleep(Duration::from_millis(random.random_range(0..400))).await;
        server.kill().await?;
        tally.kills += 1;
        tally.early += 1;
    }
    let started = Instant::now();
    server.start().await?;
    tally.slowest_start = tally.slowest_start.max(started.elapsed());
    Ok(())
}
