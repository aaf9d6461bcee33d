//! Compaction: a snapshot made by replay, verified, then the log trimmed [SYNC-5]. Off the actor's turn: it reads
//! what is stored, not what is in memory, so the two cannot disagree.

use thiserror::Error;
use troupe_store::canvas::{self, NewSnapshot};

use super::{WorkflowMsg, WorkflowState, replay::replay};
use crate::task;

/// A snapshot is made when the log has grown by this many rows.
pub(super) const ROWS_BETWEEN_SNAPSHOTS: u64 = 5_000;

#[derive(Debug, Error)]
enum CompactError {
    #[error(transparent)]
    Store(#[from] troupe_store::Error),
    #[error(transparent)]
    Open(#[from] troupe_crdt::OpenError),
    #[error(transparent)]
    Snapshot(#[from] troupe_crdt::Refusal),
    #[error(transparent)]
    Interrupted(#[from] tokio::task::JoinError),
}

impl WorkflowState {
    pub(super) fn compact_if_due(&mut self) {
        let busy = self.compacting.is_some() || self.publishing.is_some();
        if self.rows_unsnapshotted < self.compact_at_rows || busy {
            return;
        }
        let (context, tenant, workflow, epoch) = (self.context.clone(), self.tenant, self.workflow, self.lease.epoch);
        let (myself, published_seq) = (self.myself.clone(), self.authorship.published_seq());
        self.compacting = Some(task::spawn_owned("compaction", async move {
            let compacted = async {
                let mut tx = context.store.begin(tenant).await?;
                let stored = canvas::load(&mut tx, workflow).await?;
                drop(tx);
                let Some(seq) = stored.updates.last().map(|update| update.seq) else { return Ok::<_, CompactError>(0) };
                let rows = stored.updates.len() as u64;
                let (snapshot, authors) = tokio::task::spawn_blocking(move || {
                    let (canvas, authorship) = replay(&stored, published_seq)?;
                    Ok::<_, CompactError>((canvas.snapshot()?, authorship.write()))
                })
                .await??;
                let mut tx = context.store.begin_system().await?;
                let (bytes, hash, authors, at) = (&snapshot.bytes, &snapshot.hash, &authors, context.clock.now());
                let snapshot = NewSnapshot { tenant, workflow, epoch, seq, bytes, hash, authors, at };
                canvas::put_snapshot(&mut tx, snapshot).await?;
                tx.commit().await?;
                Ok::<_, CompactError>(rows)
            };
            let rows = compacted
                .await
                .inspect_err(|error| {
                    tracing::error!(workflow.id = %workflow, %error, "the canvas could not be compacted");
                })
                .ok();
            // A workflow that has stopped meanwhile does not count its rows any more.
            let _ = myself.cast(WorkflowMsg::Compacted { rows });
        }));
    }

    /// `rows` were trimmed from the log, or none could be: then it is not tried again before the log has grown.
    pub(super) fn compacted(&mut self, rows: Option<u64>) {
        self.compacting = None;
        self.store_version_when_ready();
        self.rows_unsnapshotted = self.rows_unsnapshotted.saturating_sub(rows.unwrap_or(0));
        self.compact_at_rows = match rows {
            Some(_) => ROWS_BETWEEN_SNAPSHOTS,
            None => self.rows_unsnapshotted + ROWS_BETWEEN_SNAPSHOTS,
        };
    }
}
