//! `database`: PostgreSQL is restarted, falls, and is gone for a while, under editing and runs [REL-2].
//!
//! Meanwhile edits go from editor to editor, up to a bound for each session; nothing is acknowledged; sessions stay;
//! who comes new is told to come again. Afterwards everything is acknowledged, without anybody's doing.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use clap::Args;
use rand::{RngExt, SeedableRng, rngs::StdRng};
use reqwest::Method;
use serde_json::json;
use tokio::time::{Instant, sleep, timeout};
use troupe_loadtests::api::Api;

use super::{
    editor::{Editor, lock},
    postgres::{Postgres, Shutdown},
    provider::{self, Phase, Route},
    room::{Plan, Room},
    runs::{self, Runs},
    server::Server,
    stage::{Common, Database, Stage},
    witness::Witness,
};

#[derive(Args, Clone, Debug)]
pub struct Outage {
    #[command(flatten)]
    common: Common,
    #[arg(long, default_value_t = 3)]
    rounds: u32,
    /// How long PostgreSQL is gone, in each round.
    #[arg(long, default_value_t = 30)]
    gone_s: u64,
    #[arg(long, default_value_t = 20)]
    editors: usize,
    #[arg(long, default_value_t = 4)]
    canvases: usize,
    /// Edits a second of each editor.
    #[arg(long, default_value_t = 4.0)]
    rate: f64,
    /// Runs that execute at any time.
    #[arg(long, default_value_t = 5)]
    runs: usize,
}

/// What is under way when PostgreSQL stops has arrived by then.
const SETTLED: Duration = Duration::from_millis(500);
/// Within this time one who comes new must have been told.
const TOLD_WITHIN: Duration = Duration::from_secs(10);
const SAVED_WITHIN: Duration = Duration::from_secs(60);

/// One editor sends far more than a session may have in flight.
const FLOOD_EDITS: usize = 200;
const FLOOD_EDIT_BYTES: usize = 16 * 1024;
/// `limits.session_bytes_in_flight_max`, and the frame that reaches it.
const FLOOD_BYTES_MAX: u64 = 1024 * 1024 + 2 * FLOOD_EDIT_BYTES as u64;
const GROWTH_BYTES_MAX: u64 = 32 * 1024 * 1024;

#[derive(Debug, Default)]
struct Tally {
    lost: Vec<String>,
    edits: u64,
    broadcast: u64,
    flooded: u64,
    slowest_refusal: Duration,
    slowest_recovery: Duration,
    growth_bytes: u64,
}

struct Play<'a> {
    server: &'a mut Server,
    postgres: &'a mut Postgres,
    api: &'a Api,
    room: &'a mut Room,
    flood: &'a mut Room,
    tally: Tally,
}

pub async fn run(program: &Outage) -> Result<()> {
    let mut stage = Stage::set(&program.common, Database::Postgres).await?;
    let outcome = play(program, &mut stage).await;
    if outcome.is_err() {
        stage.keep();
    }
    outcome
}

async fn play(program: &Outage, stage: &mut Stage) -> Result<()> {
    let mut random = StdRng::seed_from_u64(program.common.seed);
    let mut server = stage.server("server", &[])?;
    server.start().await?;
    let api = Api::register(server.url()).await?;
    let witness = Witness::start().await?;
    let Outage { editors, canvases, rate, .. } = *program;
    let route = |rate| Route::to(vec![api.clone()]).editing(rate);
    let plan = Plan { canvases, editors, seed: random.random() };
    let mut room = Room::open(&api, plan, |_| route(rate)).await?;
    let plan = Plan { canvases: 1, editors: 2, seed: random.random() };
    let mut flood = Room::open(&api, plan, |_| route(0.0)).await?;
    room.phase(Phase::Typing);
    let seed = random.random();
    let mut runs = Runs::start(&api, &server.data_dir, &witness.url, program.runs, room.phases(), seed).await?;

    let postgres = stage.postgres.as_mut().context("the stage has no PostgreSQL")?;
    let (room_, flood_) = (&mut room, &mut flood);
    let mut play =
        Play { server: &mut server, postgres, api: &api, room: room_, flood: flood_, tally: Tally::default() };
    for round in 1..=program.rounds {
        for how in [Shutdown::Fast, Shutdown::Immediate] {
            sleep(Duration::from_millis(random.random_range(200..1_000))).await;
            play.restart(how).await?;
        }
        sleep(Duration::from_millis(random.random_range(200..1_000))).await;
        play.gone(Duration::from_secs(program.gone_s)).await?;
        println!("round {round:>3}: {} lost", play.tally.lost.len());
    }
    let mut tally = play.tally;

    room.phase(Phase::Resting);
    room.until("everything is saved", SAVED_WITHIN, Editor::is_saved).await?;
    room.converge(&api).await?;
    flood.converge(&api).await?;
    tally.lost.extend(room.check_acknowledged(&api).await?);
    tally.lost.extend(flood.check_acknowledged(&api).await?);
    runs.ended().await?;
    let ran = runs.check(&api, &witness.calls, &[]).await?;
    let panics = server.logged("panicked at");
    let ends = [room.ends.all(), flood.ends.all()];

    println!("seed {}, {editors} editors on {canvases} canvases", program.common.seed);
    println!("outages                  {} restarts, {} of {} s", 2 * program.rounds, program.rounds, program.gone_s);
    println!("edits while gone         {}, {} times seen by others, none acknowledged", tally.edits, tally.broadcast);
    println!("taken of a flood         {} bytes at most, of {}", tally.flooded, FLOOD_EDITS * FLOOD_EDIT_BYTES);
    println!("memory                   grew by {} KiB at most while gone", tally.growth_bytes / 1024);
    println!("who came new             was told to come again within {:?}", tally.slowest_refusal);
    println!("all acknowledged         within {:?} from when PostgreSQL was back", tally.slowest_recovery);
    println!("checked entries          {} acknowledged", room.sum(|editor| editor.book.acknowledged()));
    println!("lost edits               {}", tally.lost.len());
    println!("documents                converged");
    println!("runs                     {} ended, {} faults", ran.runs, ran.faults.len());
    println!("panics                   {panics}");
    println!("sessions ended           {ends:?}");
    ensure!(tally.lost.is_empty(), "edits were lost: {:#?}", &tally.lost[..tally.lost.len().min(5)]);
    runs::first_fault(&ran)?;
    ensure!(ends.iter().all(|ends| ends.is_empty()), "sessions ended: {ends:?}");
    ensure!(panics == 0, "the server panicked");
    Ok(())
}

impl Play<'_> {
    /// PostgreSQL is back at once.
    async fn restart(&mut self, how: Shutdown) -> Result<()> {
        self.postgres.stop(how).await?;
        self.recover().await
    }

    async fn gone(&mut self, gone: Duration) -> Result<()> {
        let memory = self.server.memory_bytes()?;
        let workflow = self.room.canvases[0].workflow.clone();
        let ticket = self.api.collab_url(&workflow).await?;
        self.postgres.stop(Shutdown::Fast).await?;
        let stopped = Instant::now();
        sleep(SETTLED).await;
        let state = |room: &Room| {
            (
                room.sum(|editor| editor.book.acknowledged()),
                room.sum(|editor| editor.edits),
                room.sum(|editor| editor.received.updates),
            )
        };
        let before = state(self.room);
        self.be_flooded()?;
        let slowest = told(self.api, &workflow, &ticket).await?;
        self.tally.slowest_refusal = self.tally.slowest_refusal.max(slowest);
        sleep(gone.saturating_sub(stopped.elapsed())).await;

        self.server.must_run()?;
        let after = state(self.room);
        ensure!(after.0 == before.0, "{} entries were acknowledged while PostgreSQL was gone", after.0 - before.0);
        ensure!(after.2 > before.2, "nobody saw others' edits while PostgreSQL was gone");
        self.tally.edits += after.1 - before.1;
        self.tally.broadcast += after.2 - before.2;
        let observer = &self.flood.canvases[0].editors[1];
        let flooded = std::mem::take(&mut lock(observer).received.bytes);
        ensure!(flooded > 0, "nothing of the flood was taken");
        ensure!(flooded <= FLOOD_BYTES_MAX, "{flooded} bytes of one session were taken");
        self.tally.flooded = self.tally.flooded.max(flooded);
        let growth = self.server.memory_bytes()?.saturating_sub(memory);
        ensure!(growth <= GROWTH_BYTES_MAX, "memory grew by {growth} bytes while PostgreSQL was gone");
        self.tally.growth_bytes = self.tally.growth_bytes.max(growth);
        self.recover().await
    }

    fn be_flooded(&mut self) -> Result<()> {
        let [flooder, observer] = [0, 1].map(|place| self.flood.canvases[0].editors[place].clone());
        lock(&observer).received.bytes = 0;
        let mut flooder = lock(&flooder);
        (0..FLOOD_EDITS).try_for_each(|_| flooder.stamp(FLOOD_EDIT_BYTES))
    }

    /// PostgreSQL comes back: whatever was made until now is acknowledged.
    async fn recover(&mut self) -> Result<()> {
        self.postgres.start().await?;
        let started = Instant::now();
        let mut made = std::collections::BTreeMap::new();
        for editor in self.room.editors() {
            let editor = lock(editor);
            made.insert(editor.session().0, editor.book.made());
        }
        self.room
            .until("what was made meanwhile is acknowledged", SAVED_WITHIN, |editor| {
                editor.book.acknowledged() >= made[&editor.session().0]
            })
            .await?;
        self.flood.until("the flood is acknowledged", SAVED_WITHIN, Editor::is_saved).await?;
        self.tally.slowest_recovery = self.tally.slowest_recovery.max(started.elapsed());
        self.tally.lost.extend(self.room.check_acknowledged(self.api).await?);
        Ok(())
    }
}

/// Whoever comes while the database is away hears clearly, and soon, to come again: at every door. Gives the slowest.
async fn told(api: &Api, workflow: &str, ticket: &str) -> Result<Duration> {
    let late = || format!("no answer within {TOLD_WITHIN:?}");
    let asked = Instant::now();
    let (code, reason) = timeout(TOLD_WITHIN, provider::knock(api, ticket)).await.with_context(late)??;
    ensure!(code == 1013 && !reason.is_empty(), "who joined was closed with {code} {reason:?}");
    let mut slowest = asked.elapsed();
    let patch = format!("workflows/{workflow}/diagram");
    for (method, path, body) in [
        (Method::POST, "auth/tickets", json!({ "purpose": "collab", "workflow_id": workflow })),
        (Method::PATCH, patch.as_str(), json!({ "nodes": {} })),
        (Method::POST, "workspaces", json!({ "name": "Late" })),
    ] {
        let asked = Instant::now();
        let answer = timeout(TOLD_WITHIN, api.ask(method, path, Some(&body))).await.with_context(late)??;
        slowest = slowest.max(asked.elapsed());
        let body = &answer.body;
        let clear = answer.status == 503 && body["retryable"] == true && body["solution"].is_string();
        ensure!(clear, "{path} answered {} {body}", answer.status);
    }
    Ok(slowest)
}
