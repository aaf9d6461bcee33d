//! `pause`: the owner of the canvases is stopped past its lease, and wakes when another server owns them [REL-4].
//!
//! PostgreSQL itself writes down every row of the canvas log that is written, in order: after the first row of the new
//! owner there must be none of the old one. The old one's sessions are closed with 1012, and everybody converges at
//! the new owner.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use clap::Args;
use rand::{RngExt, SeedableRng, rngs::StdRng};
use tokio::time::{Instant, sleep};
use troupe_loadtests::api::Api;

use super::{
    editor::{Editor, lock},
    provider::{Phase, Route},
    room::{Plan, Room},
    server::Server,
    stage::{Common, Database, Stage},
};

#[derive(Args, Clone, Debug)]
pub struct Pause {
    #[command(flatten)]
    common: Common,
    /// How often an owner is stopped; the two take turns.
    #[arg(long, default_value_t = 10)]
    pauses: u32,
    #[arg(long, default_value_t = 20)]
    editors: usize,
    #[arg(long, default_value_t = 4)]
    canvases: usize,
    /// Edits a second of each editor.
    #[arg(long, default_value_t = 4.0)]
    rate: f64,
}

/// Every second editor takes a silent connection for dead soon; the others stay with the one that is stopped.
const IMPATIENCE: Duration = Duration::from_secs(4);
const PATIENCE: Duration = Duration::from_secs(600);
const BACK_WITHIN: Duration = Duration::from_secs(120);
/// How long the new owner is edited on before the old one wakes.
const EDITED_FOR: Duration = Duration::from_secs(2);

/// Every row that is written, in order. Appending is slowed down, so that the owner is stopped in a transaction that
/// holds its locks.
const WITNESS: &str = "
    CREATE TABLE witness (number BIGSERIAL PRIMARY KEY, kind TEXT, workflow UUID, epoch BIGINT, seq BIGINT);
    CREATE FUNCTION witness() RETURNS trigger SECURITY DEFINER LANGUAGE plpgsql AS $$ BEGIN
        INSERT INTO witness (kind, workflow, epoch, seq) VALUES (TG_TABLE_NAME, NEW.workflow_id, NEW.epoch, NEW.seq);
        RETURN NEW;
    END $$;
    CREATE TRIGGER witness AFTER INSERT OR UPDATE ON canvas_updates FOR EACH ROW EXECUTE FUNCTION witness();
    CREATE TRIGGER witness AFTER INSERT OR UPDATE ON canvas_snapshots FOR EACH ROW EXECUTE FUNCTION witness();
    CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(0.1); RETURN NULL; END $$;
    CREATE TRIGGER slow AFTER INSERT ON canvas_updates FOR EACH STATEMENT EXECUTE FUNCTION slow();";
/// Rows of a former owner behind a row of a later one.
const LATE: &str = "SELECT count(*) FROM witness AS late WHERE EXISTS (SELECT 1 FROM witness AS early
    WHERE early.workflow = late.workflow AND early.number < late.number AND early.epoch > late.epoch)";
const ROWS: &str = "SELECT count(*) FROM witness";
const EPOCHS: &str = "SELECT count(DISTINCT (workflow, epoch)) FROM witness WHERE kind = 'canvas_updates'";

#[derive(Debug, Default)]
struct Tally {
    lost: Vec<String>,
    /// Sessions that were with a stopped server when it woke, and how many it closed with 1012.
    left_behind: u64,
    closed: u64,
    slowest_takeover: Duration,
}

pub async fn run(program: &Pause) -> Result<()> {
    let mut stage = Stage::set(&program.common, Database::Postgres).await?;
    let outcome = play(program, &stage).await;
    if outcome.is_err() {
        stage.keep();
    }
    outcome
}

async fn play(program: &Pause, stage: &Stage) -> Result<()> {
    let postgres = stage.postgres.as_ref().context("the stage has no PostgreSQL")?;
    let mut random = StdRng::seed_from_u64(program.common.seed);
    let mut servers = [stage.server("first", &[])?, stage.server("second", &[])?];
    for server in &mut servers {
        server.start().await?;
    }
    let apis = {
        let first = Api::register(servers[0].url()).await?;
        [first.clone(), first.at(servers[1].url())]
    };
    postgres.query(WITNESS).await?;
    let Pause { editors, canvases, rate, .. } = *program;
    let route = |place: usize| Route {
        silence_max: if place.is_multiple_of(2) { IMPATIENCE } else { PATIENCE },
        ..Route::to(apis.to_vec()).editing(rate)
    };
    let mut room = Room::open(&apis[0], Plan { canvases, editors, seed: random.random() }, route).await?;

    let mut tally = Tally::default();
    for round in 0..program.pauses {
        let (owner, heir) = if round % 2 == 0 { (0, 1) } else { (1, 0) };
        room.phase(Phase::Typing);
        sleep(Duration::from_millis(random.random_range(500..2_000))).await;
        pause(&mut room, &servers[owner], &apis[heir], &mut tally).await?;
        room.phase(Phase::Resting);
        room.until("everything is saved", BACK_WITHIN, Editor::is_saved).await?;
        room.converge(&apis[heir]).await?;
        println!(
            "pause {:>3}: {} rows are written, {} late",
            round + 1,
            postgres.query(ROWS).await?,
            postgres.query(LATE).await?
        );
        for server in &mut servers {
            server.must_run()?;
        }
    }
    let (rows, late, epochs) =
        (postgres.query(ROWS).await?, postgres.query(LATE).await?, postgres.query(EPOCHS).await?);
    let panics = servers.iter().map(|server| server.logged("panicked at")).sum::<usize>();
    println!("seed {}, {editors} editors on {canvases} canvases", program.common.seed);
    println!("pauses                   {}", program.pauses);
    println!("slowest takeover         {:?} from the stop", tally.slowest_takeover);
    println!("rows written             {rows} in {epochs} ownerships of {canvases} canvases");
    println!("rows of a former owner   {late}");
    println!("sessions left behind     {}, {} of them closed with 1012", tally.left_behind, tally.closed);
    println!("checked entries          {} acknowledged", room.sum(|editor| editor.book.acknowledged()));
    println!("lost acknowledged edits  {}", tally.lost.len());
    println!("documents                converged at the new owner each time");
    println!("panics                   {panics}");
    println!("sessions ended           {:?}", room.ends.all());
    ensure!(late == "0", "{late} rows of a former owner were written");
    ensure!(epochs == ((program.pauses as usize + 1) * canvases).to_string(), "the canvases had {epochs} ownerships");
    ensure!(tally.lost.is_empty(), "acknowledged edits were lost: {:#?}", &tally.lost[..tally.lost.len().min(5)]);
    ensure!(tally.closed == tally.left_behind, "not every session of a former owner was closed with 1012");
    ensure!(panics == 0, "a server panicked");
    Ok(())
}

/// One stop, takeover and waking.
async fn pause(room: &mut Room, owner: &Server, heir: &Api, tally: &mut Tally) -> Result<()> {
    let before: BTreeMap<String, u64> = room.editors().map(|editor| lock(editor).session()).collect();
    let stopped = Instant::now();
    owner.signal("STOP").await?;
    // Until it was compared what the heir finds, nobody may bring it anything.
    room.doors(false);
    tally.lost.extend(room.check_acknowledged(heir).await?);
    tally.slowest_takeover = tally.slowest_takeover.max(stopped.elapsed());
    room.doors(true);
    // The patient believe themselves connected.
    room.until("the impatient are with the heir", BACK_WITHIN, Editor::is_synced).await?;
    sleep(EDITED_FOR).await;

    room.doors(false);
    let left_behind: BTreeSet<String> = room
        .editors()
        .map(|editor| lock(editor).session())
        .filter(|(name, session)| before[name] == *session)
        .map(|(name, _)| name)
        .collect();
    ensure!(!left_behind.is_empty(), "nobody was left behind at the owner that was stopped");
    let closed = room.ends.count_of("1012");
    owner.signal("CONT").await?;
    room.until("the former owner has closed its sessions", BACK_WITHIN, |editor| {
        !editor.is_connected() || !left_behind.contains(&editor.session().0)
    })
    .await?;
    tally.left_behind += left_behind.len() as u64;
    tally.closed += room.ends.count_of("1012") - closed;
    tally.lost.extend(room.check_acknowledged(heir).await?);
    room.doors(true);
    Ok(())
}
