//! Compaction: a snapshot made by replay, verified, then the log trimmed [SYNC-5]; and growth control: a document
//! that carries too much of its past is rebuilt without it [SYNC-15]. Off the actor's turn: both read what is stored,
//! not what is in memory, so the two cannot disagree.
//!
//! A document is rebuilt only when nobody edits it and all of it is durable: the actor has closed its sessions, and
//! stops when it is done.

use std::{sync::Arc, time::Duration};

use thiserror::Error;
use tokio::time::Instant;
use troupe_crdt::{Canvas, Refusal, Size, Snapshot};
use troupe_model::{TenantId, Timestamp, WorkflowId};
use troupe_store::canvas::{self, NewSnapshot, StoredCanvas};

use super::{
    WorkflowMsg, WorkflowState,
    replay::{ReplayError, replay},
    trouble::Risk,
};
use crate::{
    context::{Context, Limits},
    live::outbox::Close,
    task,
};

/// A snapshot is made when the log has grown by so many rows (see `Limits`), and by this share of the document: its cost
/// grows with the document.
const SIZE_SHARE: usize = 4;
/// Whatever the share, so that what is replayed at opening is bounded.
const ROWS_MAX: u64 = 20_000;
/// The past may always take this share of the content, and of what a canvas may hold at all; a document is not measured
/// before it has grown so much.
const PAST_SHARE: usize = 4;
/// Compaction rests for so many times as long as it worked: however much is written and deleted, it takes a share of a
/// core only.
const REST: u32 = 4;

/// A canvas that could not be compacted so often is loaded again.
const FAILURES_MAX: u32 = 2;

/// What the log holds that no snapshot covers, and what compaction found.
#[derive(Debug, Default)]
pub(super) struct Growth {
    rows: u64,
    bytes: usize,
    /// After a failure it is not tried again before there are so many rows.
    not_before_rows: u64,
    /// In a row, by what is in the canvas.
    failures: u32,
    /// How large the document was when its past was measured.
    measured_bytes: usize,
    past: Past,
    running: Option<(Work, task::Owned)>,
    /// The next one compacts at least so much.
    begun_at_seq: Option<i64>,
    /// Compaction has rested long enough then.
    rested_at: Option<Instant>,
    /// The document shall be rebuilt when nobody is here and all is durable.
    rebuild: bool,
}

/// What is deleted takes, and what the document would take without it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Past {
    bytes: usize,
    content_bytes: usize,
    /// What is deleted and could not be merged.
    items: usize,
    /// Of the list of what is deleted: every client sends it, in one frame, when it comes.
    deletions_bytes: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Work {
    Compact,
    Rebuild,
}

/// What became of a piece of work. An error was logged.
#[derive(Debug)]
pub(crate) struct Compacted {
    work: Work,
    took: Duration,
    done: Result<Done, CompactError>,
}

/// Rows and bytes of the log that are in the snapshot now.
#[derive(Debug)]
struct Done {
    rows: u64,
    bytes: usize,
    past: Past,
    size: Size,
}

#[derive(Debug, Error)]
pub(crate) enum CompactError {
    #[error(transparent)]
    Store(#[from] troupe_store::Error),
    #[error(transparent)]
    Replay(#[from] ReplayError),
    #[error(transparent)]
    Snapshot(#[from] Refusal),
    #[error(transparent)]
    Rebuild(#[from] troupe_crdt::RebuildError),
    #[error("the lease was lost, or somebody else wrote meanwhile")]
    Superseded,
    #[error(transparent)]
    Interrupted(#[from] task::Interrupted),
}

impl CompactError {
    /// It comes again when the same is tried again.
    fn is_of_the_canvas(&self) -> bool {
        !matches!(self, Self::Store(_) | Self::Superseded)
    }
}

impl Growth {
    pub(super) fn new(stored: &StoredCanvas) -> Self {
        Self { rows: stored.updates.len() as u64, bytes: stored.bytes_of_log(), ..Self::default() }
    }

    /// An update was added to the log.
    pub(super) fn grew(&mut self, bytes: usize) {
        self.rows += 1;
        self.bytes += bytes;
    }

    pub(super) fn is_busy(&self) -> bool {
        self.running.is_some()
    }

    pub(super) fn give_up_rebuild(&mut self) {
        self.rebuild = false;
    }

    /// Somebody found the canvas full: what is deleted shall be measured, if anything was since it was last.
    fn found_full(&mut self) {
        if self.rows > 0 {
            self.measured_bytes = 0;
        }
    }

    /// When the log is to be compacted, if it is.
    fn due_at(&self, canvas: &Canvas, limits: &Limits) -> Option<Instant> {
        if self.running.is_some() || self.rows < self.not_before_rows {
            return None;
        }
        let size_bytes = canvas.size_bytes();
        let log_has_grown = self.rows >= limits.rows_between_snapshots && self.bytes >= size_bytes / SIZE_SHARE;
        let may_grow = limits.tombstone_bytes_idle_max.max(self.measured_bytes / PAST_SHARE);
        let is_due = log_has_grown
            || self.rows >= ROWS_MAX
            || size_bytes > self.measured_bytes + may_grow
            || canvas.deletions_bytes() > deletions_bytes_max(limits);
        is_due.then(|| self.rested_at.unwrap_or_else(Instant::now))
    }
}

impl Past {
    fn of(canvas: &Canvas, without: &Canvas) -> Self {
        let content_bytes = without.size_bytes();
        let bytes = canvas.size_bytes().saturating_sub(content_bytes);
        let items = canvas.items().saturating_sub(without.items());
        Self { bytes, content_bytes, items, deletions_bytes: canvas.deletions_bytes() }
    }

    /// `budget_bytes`: what it may take, if there is room for it.
    fn exceeds(self, budget_bytes: usize, limits: &Limits) -> bool {
        let budget_bytes = budget_bytes.min(limits.canvas.document_bytes_max / PAST_SHARE);
        self.bytes > budget_bytes.max(self.content_bytes / PAST_SHARE)
            || self.items > limits.canvas.document_items_max / PAST_SHARE
            || self.deletions_bytes > deletions_bytes_max(limits)
    }
}

/// So that a frame has room for it, and for what a client has to say beside it.
fn deletions_bytes_max(limits: &Limits) -> usize {
    limits.canvas.frame_bytes_max / 2
}

impl WorkflowState {
    /// Something was refused because the canvas is full.
    pub(super) fn found_full(&mut self) {
        self.growth.found_full();
        self.compact_if_due();
    }

    pub(super) fn compact_if_due(&mut self) {
        if self.closing || self.publishing.is_some() {
            return;
        }
        let Some(due) = self.growth.due_at(&self.canvas, &self.context.limits) else { return };
        // Nobody is kept waiting by it when nobody is here.
        if due > Instant::now() && self.idle_since.is_none() {
            return self.alarm.at_latest(due);
        }
        let begun = *self.growth.begun_at_seq.get_or_insert_with(|| {
            self.canvas.begin_measure();
            self.seq
        });
        // What is stored then has all that was counted.
        if self.durable_seq >= begun {
            self.start(Work::Compact);
        }
    }

    pub(super) fn compacted(&mut self, Compacted { work, took, done }: Compacted) {
        let growth = &mut self.growth;
        if growth.running.take_if(|(running, _)| *running == work).is_none() {
            return;
        }
        growth.rested_at = Some(Instant::now() + took * REST);
        // It may have been all that kept the canvas open.
        self.alarm.at_latest(Instant::now());
        self.store_version_when_ready();
        let growth = &mut self.growth;
        let Done { rows, bytes, past, size } = match done {
            Ok(done) => done,
            Err(error) => {
                growth.not_before_rows = growth.rows + self.context.limits.rows_between_snapshots;
                growth.failures += u32::from(error.is_of_the_canvas());
                // It is tried apart before it is opened again.
                if growth.failures >= FAILURES_MAX {
                    self.reload();
                }
                return;
            }
        };
        growth.failures = 0;
        growth.rows = growth.rows.saturating_sub(rows);
        growth.bytes = growth.bytes.saturating_sub(bytes);
        growth.not_before_rows = 0;
        if work == Work::Rebuild {
            return;
        }
        self.canvas.measured_as(size);
        growth.past = past;
        growth.measured_bytes = past.bytes + past.content_bytes;
        let limits = &self.context.limits;
        if self.closing || !past.exceeds(limits.tombstone_bytes_max, limits) {
            return;
        }
        if self.publishing.is_some() {
            // Whoever publishes waits for an answer: it is looked at again after that.
            self.growth.measured_bytes = 0;
        } else {
            tracing::info!(workflow.id = %self.workflow, past_bytes = past.bytes, "the canvas has outgrown its budget");
            self.growth.rebuild = true;
            let rebuilt = Refusal::rebuilt();
            self.close(&Close::new(rebuilt.code, rebuilt.reason));
        }
    }

    /// Nobody is here: the moment to rebuild a document that has grown, before the next who opens it waits for it.
    pub(super) fn rebuild_while_idle(&mut self) {
        let limits = &self.context.limits;
        self.growth.rebuild |= self.growth.past.exceeds(limits.tombstone_bytes_idle_max, limits);
    }

    /// Whether the actor has to wait before it stops. To be asked when everything is durable.
    pub(super) fn is_rebuilding(&mut self) -> bool {
        let working = self.growth.running.as_ref().map(|(work, _)| *work);
        if std::mem::take(&mut self.growth.rebuild) {
            self.start(Work::Rebuild);
            return true;
        }
        working == Some(Work::Rebuild)
    }

    /// A compaction that still runs is ended: the rebuild does its work too.
    fn start(&mut self, work: Work) {
        let job = Job {
            context: self.context.clone(),
            tenant: self.tenant,
            workflow: self.workflow,
            epoch: self.lease.epoch(),
            published_seq: self.authorship.published_seq(),
            at: self.context.clock.now(),
            measure_above_bytes: self.context.limits.tombstone_bytes_idle_max,
        };
        let (myself, workflow) = (self.myself.clone(), self.workflow);
        let compactions = self.context.compactions.clone();
        let task = task::spawn_owned("compaction", async move {
            let _turn = compactions.acquire().await;
            let begun = Instant::now();
            let done = match work {
                Work::Compact => job.compact().await,
                Work::Rebuild => job.rebuild().await,
            };
            if let Err(error) = &done {
                tracing::error!(workflow.id = %workflow, %error, ?work, "the canvas could not be compacted");
            }
            // A workflow that has stopped meanwhile does not count its rows any more.
            let _ = myself.cast(WorkflowMsg::Compacted(Compacted { work, took: begun.elapsed(), done }));
        });
        self.growth.begun_at_seq = None;
        self.growth.running = Some((work, task));
    }
}

struct Job {
    context: Arc<Context>,
    tenant: TenantId,
    workflow: WorkflowId,
    /// Of the lease.
    epoch: i64,
    /// The last row that the published version holds.
    published_seq: i64,
    at: Timestamp,
    /// Smaller documents have no past worth measuring.
    measure_above_bytes: usize,
}

/// What is to be stored in the place of the log.
struct Compact {
    canvas: Canvas,
    snapshot: Snapshot,
    authors: Vec<u8>,
    past: Past,
}

impl Job {
    async fn compact(&self) -> Result<Done, CompactError> {
        let (stored, published_seq) = (self.load().await?, self.published_seq);
        let (seq, rows, bytes) = (stored.complete_seq(), stored.updates.len() as u64, stored.bytes_of_log());
        let stored_bytes = stored.bytes();
        let measure_above = self.measure_above_bytes;
        let work = move || {
            let (canvas, authorship) = replay(&stored, published_seq)?;
            let past = match canvas.size_bytes() > measure_above {
                true => Past::of(&canvas, &canvas.rebuilt()?),
                false => Past {
                    content_bytes: canvas.size_bytes(),
                    deletions_bytes: canvas.deletions_bytes(),
                    ..Past::default()
                },
            };
            Ok(Compact { snapshot: canvas.snapshot()?, authors: authorship.write(), canvas, past })
        };
        let compact = self.aside(stored_bytes, work).await?;
        if rows > 0 {
            let clients = compact.canvas.epoch().clients();
            if !canvas::put_snapshot(&self.context.store, self.row(seq, &compact, &clients)).await? {
                return Err(CompactError::Superseded);
            }
        }
        Ok(Done { rows, bytes, past: compact.past, size: compact.canvas.size() })
    }

    /// The document without its past and the document's epoch, in the place of all that was stored.
    async fn rebuild(&self) -> Result<Done, CompactError> {
        let (stored, published_seq) = (self.load().await?, self.published_seq);
        let (seq, rows, bytes) = (stored.last_seq, stored.updates.len() as u64, stored.bytes_of_log());
        let stored_bytes = stored.bytes();
        let work = move || {
            let (former, authorship) = replay(&stored, published_seq)?;
            let canvas = former.rebuilt()?;
            let past = Past::of(&former, &canvas);
            Ok(Compact { snapshot: canvas.snapshot()?, authors: authorship.write(), canvas, past })
        };
        let compact = self.aside(stored_bytes, work).await?;
        let clients = compact.canvas.epoch().clients();
        if !canvas::put_rebuilt(&self.context.store, self.row(seq, &compact, &clients)).await? {
            return Err(CompactError::Superseded);
        }
        metrics::counter!("troupe_canvas_rebuilds_total").increment(1);
        tracing::info!(
            workflow.id = %self.workflow, document_epoch = compact.canvas.epoch().number,
            past_bytes = compact.past.bytes, content_bytes = compact.past.content_bytes,
            "canvas rebuilt without its past"
        );
        Ok(Done { rows, bytes, past: compact.past, size: compact.canvas.size() })
    }

    /// What fails here fails by what is in the canvas.
    async fn aside(
        &self,
        bytes: usize,
        work: impl FnOnce() -> Result<Compact, CompactError> + Send + 'static,
    ) -> Result<Compact, CompactError> {
        let risk = Risk::begin(&self.context, self.tenant, self.workflow, bytes, false).await?;
        let worked = task::aside("compaction", work).await.map_err(CompactError::from).flatten();
        match &worked {
            Ok(_) => risk.done().await?,
            Err(_) => risk.failed().await?,
        }
        worked
    }

    async fn load(&self) -> Result<StoredCanvas, CompactError> {
        let mut tx = self.context.store.read(self.tenant).await?;
        Ok(canvas::load(&mut tx, self.workflow).await?)
    }

    fn row<'a>(&self, seq: i64, compact: &'a Compact, clients: &'a [u8]) -> NewSnapshot<'a> {
        NewSnapshot {
            tenant: self.tenant,
            workflow: self.workflow,
            epoch: self.epoch,
            seq,
            bytes: &compact.snapshot.bytes,
            hash: &compact.snapshot.hash,
            document_epoch: compact.canvas.epoch().number,
            clients,
            authors: &compact.authors,
            at: self.at,
        }
    }
}
