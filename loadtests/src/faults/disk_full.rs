//! `disk-full`: the disk under the embedded store fills up, and has room again [REL-8].
//!
//! While it is full nothing is acknowledged, reading goes on, edits go from editor to editor, and whoever wants to
//! write by REST is told what is wrong and what to do. When there is room again, everything is saved without anybody's
//! doing. A kill in between loses nothing that was acknowledged.

use std::{
    fs::{self, File},
    io::{ErrorKind, Write},
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context, Result, bail, ensure};
use clap::Args;
use rand::{RngExt, SeedableRng, rngs::StdRng};
use reqwest::Method;
use serde_json::json;
use tokio::{
    process::Command,
    time::{Instant, sleep},
};
use troupe_loadtests::api::Api;

use super::{
    editor::Editor,
    postgres::run as command,
    provider::{Phase, Route},
    room::{Plan, Room},
    server::Server,
    stage::{Common, Database, Stage},
};

#[derive(Args, Clone, Debug)]
pub struct DiskFull {
    #[command(flatten)]
    common: Common,
    /// How often the disk fills up.
    #[arg(long, default_value_t = 5)]
    rounds: u32,
    /// How long it stays full.
    #[arg(long, default_value_t = 20)]
    full_s: u64,
    #[arg(long, default_value_t = 20)]
    editors: usize,
    #[arg(long, default_value_t = 4)]
    canvases: usize,
    /// Edits a second of each editor.
    #[arg(long, default_value_t = 4.0)]
    rate: f64,
}

const DISK_BYTES: u64 = 64 * 1024 * 1024;
const NOTICED_WITHIN: Duration = Duration::from_secs(180);
/// What the server logs when it cannot.
const FAILURE: &str = "could not be committed";
const SAVED_WITHIN: Duration = Duration::from_secs(60);
const TOLD_WITHIN: Duration = Duration::from_secs(10);
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// A small file system in memory. Unmounted when dropped.
struct Disk {
    path: PathBuf,
}

#[derive(Debug, Default)]
struct Tally {
    lost: Vec<String>,
    edits: u64,
    broadcast: u64,
    slowest_answer: Duration,
    slowest_recovery: Duration,
}

pub async fn run(program: &DiskFull) -> Result<()> {
    let mut stage = Stage::set(&program.common, Database::Sqlite).await?;
    let disk = Disk::mount(&stage.path().join("server")).await?;
    let outcome = play(program, &stage, &disk).await;
    if outcome.is_err() {
        stage.keep();
    }
    outcome
}

async fn play(program: &DiskFull, stage: &Stage, disk: &Disk) -> Result<()> {
    let mut random = StdRng::seed_from_u64(program.common.seed);
    let mut server = stage.server("server", &[])?;
    server.start().await?;
    let api = Api::register(server.url()).await?;
    let DiskFull { editors, canvases, rate, .. } = *program;
    let plan = Plan { canvases, editors, seed: random.random() };
    let mut room = Room::open(&api, plan, |_| Route::to(vec![api.clone()]).editing(rate)).await?;
    let workspace = api.workspace().await?;
    room.phase(Phase::Typing);

    let mut tally = Tally::default();
    for round in 1..=program.rounds {
        sleep(Duration::from_millis(random.random_range(200..1_500))).await;
        disk.fill()?;
        full(program, &mut room, &mut server, &api, &workspace, &mut tally).await?;
        if random.random_bool(0.5) {
            // What was not acknowledged is with the editors only.
            room.doors(false);
            server.kill().await?;
            disk.make_room()?;
            server.start().await?;
            tally.lost.extend(room.check_acknowledged(&api).await?);
            room.doors(true);
        } else {
            disk.make_room()?;
        }
        let cleared = Instant::now();
        room.phase(Phase::Resting);
        room.until("everything is saved", SAVED_WITHIN, Editor::is_saved).await?;
        tally.slowest_recovery = tally.slowest_recovery.max(cleared.elapsed());
        room.converge(&api).await?;
        tally.lost.extend(room.check_acknowledged(&api).await?);
        writes_again(&api, &workspace).await?;
        room.phase(Phase::Typing);
        println!("round {round:>3}: {} lost", tally.lost.len());
    }
    room.phase(Phase::Resting);
    let panics = server.logged("panicked at");

    println!("seed {}, {editors} editors on {canvases} canvases", program.common.seed);
    println!("disk full                {} times for {} s", program.rounds, program.full_s);
    println!("edits while full         {}, {} times seen by others, none acknowledged", tally.edits, tally.broadcast);
    println!("writers by REST          were told what to do within {:?}", tally.slowest_answer);
    println!("all acknowledged         within {:?} from when there was room", tally.slowest_recovery);
    println!("checked entries          {} acknowledged", room.sum(|editor| editor.book.acknowledged()));
    println!("lost edits               {}", tally.lost.len());
    println!("panics                   {panics}");
    println!("sessions ended           {:?}", room.ends.all());
    ensure!(tally.lost.is_empty(), "edits were lost: {:#?}", &tally.lost[..tally.lost.len().min(5)]);
    ensure!(panics == 0, "the server panicked");
    drop(room);
    ensure!(server.end().await?.success(), "the server did not end well");
    Ok(())
}

/// What must hold while it is full.
async fn full(
    program: &DiskFull,
    room: &mut Room,
    server: &mut Server,
    api: &Api,
    workspace: &str,
    tally: &mut Tally,
) -> Result<()> {
    let filled = Instant::now();
    let failures = server.logged(FAILURE);
    // The store's log has room of its own for a while: at most the 1,000 pages after which SQLite begins it anew.
    while server.logged(FAILURE) == failures || room.sum(|editor| u64::from(editor.is_saved())) > 0 {
        ensure!(filled.elapsed() < NOTICED_WITHIN, "the store takes edits on a full disk");
        sleep(LOOK_EVERY).await;
    }
    sleep(Duration::from_secs(1)).await;
    let state =
        |room: &Room| (room.sum(|e| e.book.acknowledged()), room.sum(|e| e.edits), room.sum(|e| e.received.updates));
    let before = state(room);
    let workflow = room.canvases[0].workflow.clone();
    let patch = format!("workflows/{workflow}/diagram");
    for (method, path, body) in [
        (Method::PATCH, patch.as_str(), json!({ "nodes": { "late": { "data": { "nodeType": "limit" } } } })),
        (Method::POST, "workspaces", json!({ "name": "Late" })),
        (Method::POST, "workflows", json!({ "name": "Late", "workspace_id": workspace })),
    ] {
        let asked = Instant::now();
        let answer = api.ask(method, path, Some(&body)).await?;
        tally.slowest_answer = tally.slowest_answer.max(asked.elapsed());
        let clear =
            answer.status == 507 && answer.body["code"] == "storage_full" && answer.body["solution"].is_string();
        ensure!(clear, "{path} answered {} {}", answer.status, answer.body);
    }
    ensure!(tally.slowest_answer <= TOLD_WITHIN, "an answer took {:?}", tally.slowest_answer);
    ensure!(!server.is_ready().await, "a server on a full disk says that it is ready");
    ensure!(api.ask(Method::GET, &patch, None).await?.status.is_success(), "a canvas cannot be read on a full disk");
    sleep(Duration::from_secs(program.full_s).saturating_sub(filled.elapsed())).await;
    server.must_run()?;
    let after = state(room);
    ensure!(after.0 == before.0, "{} entries were acknowledged while the disk was full", after.0 - before.0);
    ensure!(after.2 > before.2, "nobody saw others' edits while the disk was full");
    tally.edits += after.1 - before.1;
    tally.broadcast += after.2 - before.2;
    Ok(())
}

/// By REST, too.
async fn writes_again(api: &Api, workspace: &str) -> Result<()> {
    let cleared = Instant::now();
    loop {
        let body = json!({ "name": "Again", "workspace_id": workspace });
        let answer = api.ask(Method::POST, "workflows", Some(&body)).await?;
        if answer.status.is_success() {
            return Ok(());
        }
        ensure!(cleared.elapsed() < SAVED_WITHIN, "still {} {}", answer.status, answer.body);
        sleep(LOOK_EVERY).await;
    }
}

impl Disk {
    async fn mount(path: &Path) -> Result<Self> {
        fs::create_dir_all(path)?;
        let size = format!("size={DISK_BYTES},mode=700");
        command(Command::new("mount").args(["-t", "tmpfs", "-o", &size, "troupe-faults"]).arg(path))
            .await
            .context("a small disk is a tmpfs, which needs the right to mount: run this as root")?;
        Ok(Self { path: path.to_owned() })
    }

    fn ballast(&self) -> PathBuf {
        self.path.join("ballast")
    }

    /// Until not a byte is left.
    fn fill(&self) -> Result<()> {
        let mut ballast = File::create(self.ballast())?;
        for bytes in [1024 * 1024, 4 * 1024, 1] {
            let block = vec![0; bytes];
            loop {
                match ballast.write(&block) {
                    Ok(0) => break,
                    Ok(_) => {}
                    Err(error) if error.kind() == ErrorKind::StorageFull => break,
                    Err(error) => bail!("the disk cannot be filled: {error}"),
                }
            }
        }
        Ok(())
    }

    fn make_room(&self) -> Result<()> {
        Ok(fs::remove_file(self.ballast())?)
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // Lazily: a server that is being killed may still have it open.
        let _ = std::process::Command::new("umount").arg("-l").arg(&self.path).status();
    }
}
