//! Group commit of canvas updates: one transaction for all workflows that have something to write [SYNC-5].
//!
//! While a batch is being committed, the next one gathers, and a busy journal lets it gather for a moment longer: a
//! commit costs the same for one update as for many. Invariants: a workflow's updates are committed in the
//! order they came; its actor hears of a commit only after it is durable; while the store is away, a batch is tried
//! again until it is back. An entry that the store does not take, though it is there, is told apart from the others:
//! its owner fails, and nothing is written after it for that owner. What gathers is bounded by the sessions' credits,
//! which are given back on commit.

use std::{
    collections::{HashMap, HashSet, VecDeque},
    time::Duration,
};

use bytes::Bytes;
use ractor::{Actor, ActorProcessingErr, ActorRef, RpcReplyPort, SupervisionEvent};
use tokio::time::{Instant, sleep, sleep_until};
use troupe_model::{TenantId, Timestamp, UserId, WorkflowId};
use troupe_store::{Store, canvas};

use crate::{durability::Durability, task, workflow::WorkflowMsg};

/// Entries in one transaction at most, so that a backlog does not become one endless commit.
const BATCH_ENTRIES_MAX: usize = 4_096;
/// Bytes of one workflow in it, beside its first entry: whoever writes much does not keep the others waiting.
const BATCH_WORKFLOW_BYTES_MAX: usize = 256 << 10;
/// Bytes of all of it, beside the first entry: larger ones wait for each other, and not the small ones for them.
const BATCH_BYTES_MAX: usize = 2 << 20;
/// From the beginning of one commit to that of the next, at least: what an acknowledgement waits under load.
const COMMIT_EVERY: Duration = Duration::from_millis(8);
/// The same after a large commit: a commit costs by the workflows that are in it, so fewer of them cost less.
const LARGE_COMMIT_EVERY: Duration = Duration::from_millis(16);
const LARGE_COMMIT_ENTRIES: usize = 64;
/// A commit that takes longer is felt by everybody who edits, and logged.
const SLOW_COMMIT: Duration = Duration::from_millis(100);
const RETRY_DELAY_MIN: Duration = Duration::from_millis(50);
const RETRY_DELAY_MAX: Duration = Duration::from_secs(2);
/// Times that a store which is there is asked to take some entries, before they are told apart.
const REFUSALS_MAX: u32 = 3;

/// One canvas update to be made durable.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) tenant: TenantId,
    pub(crate) workflow: WorkflowId,
    pub(crate) epoch: i64,
    pub(crate) seq: i64,
    pub(crate) user: Option<UserId>,
    pub(crate) at: Timestamp,
    /// All of the update, or a part.
    pub(crate) bytes: Bytes,
    pub(crate) part: canvas::Part,
    /// Who is told.
    pub(crate) owner: ActorRef<WorkflowMsg>,
}

/// A workflow, and the epoch of its owner's lease.
type Owner = (WorkflowId, i64);

/// What became of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Durable,
    /// Its epoch is over.
    Over,
    /// The store does not take it, or did not take one before it.
    Refused,
}

impl Entry {
    fn owner(&self) -> Owner {
        (self.workflow, self.epoch)
    }
}

#[derive(Debug)]
pub(crate) enum JournalMsg {
    Append(Entry),
    /// Answers when everything appended before it is durable.
    Flush(RpcReplyPort<()>),
    /// A batch is done. Of these owners nothing is written any more.
    Committed(HashSet<Owner>),
}

#[derive(Debug)]
pub(crate) struct Journal {
    pub(crate) store: Store,
    pub(crate) durability: Durability,
}

#[derive(Debug, Default)]
pub(crate) struct JournalState {
    pending: Vec<Entry>,
    waiting: Vec<RpcReplyPort<()>>,
    /// Owners that failed, until their successors write.
    refused: HashMap<WorkflowId, i64>,
    committing: Option<task::Owned>,
}

impl Actor for Journal {
    type Msg = JournalMsg;
    type State = JournalState;
    type Arguments = ();

    async fn pre_start(&self, _: ActorRef<JournalMsg>, (): ()) -> Result<JournalState, ActorProcessingErr> {
        Ok(JournalState::default())
    }

    async fn handle(
        &self,
        myself: ActorRef<JournalMsg>,
        message: JournalMsg,
        state: &mut JournalState,
    ) -> Result<(), ActorProcessingErr> {
        match message {
            JournalMsg::Append(entry) => state.append(entry),
            JournalMsg::Flush(reply) => state.waiting.push(reply),
            JournalMsg::Committed(refused) => {
                state.committing = None;
                state.pending.retain(|entry| !refused.contains(&entry.owner()));
                state.refused.extend(refused);
            }
        }
        self.commit_next(&myself, state);
        Ok(())
    }

    async fn handle_supervisor_evt(
        &self,
        _: ActorRef<JournalMsg>,
        _: SupervisionEvent,
        _: &mut JournalState,
    ) -> Result<(), ActorProcessingErr> {
        Ok(())
    }
}

impl JournalState {
    fn append(&mut self, entry: Entry) {
        match self.refused.get(&entry.workflow) {
            Some(epoch) if *epoch >= entry.epoch => return,
            Some(_) => drop(self.refused.remove(&entry.workflow)),
            None => {}
        }
        self.pending.push(entry);
    }
}

impl Journal {
    fn commit_next(&self, myself: &ActorRef<JournalMsg>, state: &mut JournalState) {
        if state.committing.is_some() {
            return;
        }
        if state.pending.is_empty() {
            for reply in state.waiting.drain(..) {
                // The one who asked may have gone.
                let _ = reply.send(());
            }
            return;
        }
        let batch = next_batch(&mut state.pending, |entry| (entry.workflow, entry.bytes.len()));
        let (store, durability, myself) = (self.store.clone(), self.durability.clone(), myself.clone());
        state.committing = Some(task::spawn_owned("journal-commit", async move {
            let large = batch.len() >= LARGE_COMMIT_ENTRIES;
            let gathered = Instant::now() + if large { LARGE_COMMIT_EVERY } else { COMMIT_EVERY };
            let (fates, refused) = commit_until_done(&store, &durability, &batch).await;
            report(batch, &fates);
            sleep_until(gathered).await;
            // The journal stops only with the system.
            let _ = myself.cast(JournalMsg::Committed(refused));
        }));
    }
}

/// What is committed next, of each workflow in order. What is left goes before what comes later. `size`: whose an entry is,
/// and its bytes.
fn next_batch<T>(pending: &mut Vec<T>, size: impl Fn(&T) -> (WorkflowId, usize)) -> Vec<T> {
    let (mut batch, mut left, mut bytes) = (Vec::new(), Vec::new(), 0);
    // `None`: an earlier one of the same workflow is left.
    let mut of_workflow: HashMap<WorkflowId, Option<usize>> = HashMap::new();
    for entry in std::mem::take(pending) {
        let (workflow, len) = size(&entry);
        let written = of_workflow.entry(workflow).or_insert(Some(0));
        let fits = written.is_some_and(|written| written == 0 || written + len <= BATCH_WORKFLOW_BYTES_MAX)
            && (bytes == 0 || bytes + len <= BATCH_BYTES_MAX)
            && batch.len() < BATCH_ENTRIES_MAX;
        if fits {
            *written = written.map(|written| written + len);
            bytes += len;
            batch.push(entry);
        } else {
            *written = None;
            left.push(entry);
        }
    }
    *pending = left;
    batch
}

/// What became of each entry, and the owners whose entries were refused.
async fn commit_until_done(store: &Store, durability: &Durability, batch: &[Entry]) -> (Vec<Fate>, HashSet<Owner>) {
    let mut fates = vec![Fate::Refused; batch.len()];
    let mut refused = HashSet::new();
    // Of entries that are refused together, the halves are tried, in order.
    let mut parts = VecDeque::from([(0, batch.len())]);
    while let Some((first, end)) = parts.pop_front() {
        let places: Vec<usize> = (first..end).filter(|place| !refused.contains(&batch[*place].owner())).collect();
        let entries: Vec<&Entry> = places.iter().map(|place| &batch[*place]).collect();
        match commit_unless_refused(store, durability, &entries).await {
            Some(kept) => {
                for (place, kept) in places.into_iter().zip(kept) {
                    fates[place] = if kept { Fate::Durable } else { Fate::Over };
                }
            }
            None if end - first > 1 => {
                let half = first.midpoint(end);
                parts.push_front((half, end));
                parts.push_front((first, half));
            }
            None => refused.extend(batch[first..end].iter().map(Entry::owner)),
        }
    }
    (fates, refused)
}

/// One flag per entry: false when its epoch is over. `None`: the store is there, and does not take them.
async fn commit_unless_refused(store: &Store, durability: &Durability, entries: &[&Entry]) -> Option<Vec<bool>> {
    let (mut delay, mut refusals) = (RETRY_DELAY_MIN, 0);
    loop {
        let error = match commit(store, entries).await {
            Ok(kept) => {
                durability.set(None);
                return Some(kept);
            }
            Err(error) => error,
        };
        let (fault, entries) = (error.fault(), entries.len());
        tracing::error!(error = error.with_causes(), entries, "canvas updates could not be committed; trying again");
        metrics::counter!("troupe_journal_commit_failures_total").increment(1);
        match fault {
            // The first time it may have been in the way of another transaction only.
            Some(_) if delay > RETRY_DELAY_MIN => durability.set(fault),
            Some(_) => {}
            None => refusals += 1,
        }
        if refusals == REFUSALS_MAX {
            return None;
        }
        sleep(delay).await;
        delay = (delay * 2).min(RETRY_DELAY_MAX);
    }
}

async fn commit(store: &Store, batch: &[&Entry]) -> Result<Vec<bool>, troupe_store::Error> {
    let rows: Vec<canvas::Append<'_>> = batch
        .iter()
        .map(|entry| canvas::Append {
            tenant: entry.tenant,
            workflow: entry.workflow,
            epoch: entry.epoch,
            seq: entry.seq,
            user: entry.user,
            bytes: &entry.bytes,
            part: entry.part,
            at: entry.at,
        })
        .collect();
    let begun = Instant::now();
    let mut tx = store.begin_system().await?;
    let waited = begun.elapsed();
    let kept = canvas::append(&mut tx, &rows).await?;
    tx.commit().await?;
    let took = begun.elapsed();
    metrics::histogram!("troupe_journal_commit_duration_seconds").record(took);
    if took > SLOW_COMMIT {
        let (took_ms, waited_ms) = (took.as_millis() as u64, waited.as_millis() as u64);
        let bytes: usize = batch.iter().map(|entry| entry.bytes.len()).sum();
        tracing::info!(took_ms, waited_ms, entries = batch.len(), bytes, "a slow commit");
    }
    metrics::counter!("troupe_journal_commits_total").increment(1);
    metrics::counter!("troupe_journal_updates_total").increment(batch.len() as u64);
    Ok(kept)
}

/// Tells each workflow, once, up to where it is durable, or that it is no longer the owner, or that it cannot go on.
fn report(batch: Vec<Entry>, fates: &[Fate]) {
    let mut entries = batch.into_iter().zip(fates).peekable();
    while let Some((entry, fate)) = entries.next() {
        let last_of_owner =
            entries.peek().is_none_or(|(next, next_fate)| next.workflow != entry.workflow || *next_fate != fate);
        if last_of_owner {
            let message = match fate {
                Fate::Durable => WorkflowMsg::Committed { seq: entry.seq },
                Fate::Over => WorkflowMsg::LeaseLost,
                Fate::Refused => WorkflowMsg::NotTaken,
            };
            // A workflow that has stopped meanwhile needs no answer: its rows are durable.
            let _ = entry.owner.cast(message);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// [REL-12] Who writes much is committed in parts and in order, and a large update keeps no small one waiting.
    #[test]
    fn small_updates_do_not_wait_for_large_ones() {
        let [large, small, other] = [(); 3].map(|()| WorkflowId::generate());
        let len = BATCH_WORKFLOW_BYTES_MAX / 2;
        let mut pending: Vec<_> = (0..6).map(|n| (large, len, n)).collect();
        pending.extend([(small, 10, 6), (other, 2 * BATCH_BYTES_MAX, 7), (small, 10, 8)]);
        let mut batches = Vec::new();
        while !pending.is_empty() {
            let batch = next_batch(&mut pending, |(workflow, len, _)| (*workflow, *len));
            batches.push(batch.iter().map(|(_, _, n)| *n).collect::<Vec<_>>());
        }
        assert_eq!(batches, [vec![0, 1, 6, 8], vec![2, 3], vec![4, 5], vec![7]]);
    }

    /// The largest update is committed alone when nothing else is before it.
    #[test]
    fn the_first_always_fits() {
        let workflow = WorkflowId::generate();
        let mut pending = vec![(workflow, 10 * BATCH_BYTES_MAX), (workflow, 1)];
        assert_eq!(next_batch(&mut pending, |entry| *entry).len(), 1);
        assert_eq!(next_batch(&mut pending, |entry| *entry).len(), 1);
    }
}
