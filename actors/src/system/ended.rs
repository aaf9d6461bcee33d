//! A run that executes no more has no actor: what is stored of it is told page by page, to whoever watches it.

use std::sync::Arc;

use tokio::sync::Notify;
use troupe_engine::node::ProgressView;
use troupe_model::{RunId, TenantId};
use troupe_store::runs::{self, NodeRunRow};

use super::SubscribeError;
use crate::{
    context::Context,
    live::{
        Channel,
        feed::{Event, Feed, Page, Shown},
        outbox::{Close, Outbox},
        parts::{self, Part},
    },
    task,
    view::{self, Lines, NodeState, RunSnapshot, StatusChange},
};

/// Lines that are read of a log; those that fit are told.
const LINES_AT_ONCE: i64 = 1_000;
/// Nodes that are read at once.
const NODES_AT_ONCE: i64 = 200;

/// Ends when it is dropped.
#[derive(Debug)]
pub(super) struct Telling {
    channel: Channel,
    outbox: Outbox,
    _task: task::Owned,
}

impl Drop for Telling {
    fn drop(&mut self) {
        self.outbox.detach(self.channel);
    }
}

/// A page begins after a node.
type Ended = Feed<String>;

struct Teller {
    context: Arc<Context>,
    tenant: TenantId,
    channel: Channel,
    run: RunId,
}

impl Telling {
    pub(super) async fn begin(
        context: Arc<Context>,
        tenant: TenantId,
        channel: Channel,
        run: RunId,
        outbox: Outbox,
    ) -> Result<Self, SubscribeError> {
        let mut tx = context.store.read(tenant).await?;
        runs::find(&mut tx, run).await?.ok_or(SubscribeError::Missing("run"))?;
        drop(tx);
        let (feed, more) = (Ended::new(channel, tenant, context.clock.now()), Arc::new(Notify::new()));
        let called = more.clone();
        let teller = Teller { context, tenant, channel, run };
        let mut told = feed;
        told.watch(outbox.clone(), None, move |_| called.notify_one());
        let to = outbox.clone();
        let task = task::spawn_owned("ended-run", async move {
            if let Err(error) = teller.tell(told, &to, &more).await {
                tracing::warn!(run.id = %run, %error, "a run that has ended could not be told");
                to.close(Close::restarting());
            }
        });
        Ok(Self { channel, outbox, _task: task })
    }
}

impl Teller {
    /// Until nobody wants to know.
    async fn tell(&self, mut feed: Ended, outbox: &Outbox, more: &Notify) -> Result<(), troupe_store::Error> {
        loop {
            while let Some(from) = feed.due(outbox) {
                let page = self.page(&from).await?;
                let page = feed.encode_page(page);
                feed.show(outbox, page);
            }
            more.notified().await;
        }
    }

    async fn page(&self, from: &Shown<String>) -> Result<Page<String>, troupe_store::Error> {
        let now = self.context.clock.now();
        let mut tx = self.context.store.read(self.tenant).await?;
        if let Channel::RunLog(run) = self.channel {
            let lines = runs::logs(&mut tx, run, &runs::LogFilter::default(), None, LINES_AT_ONCE).await?;
            let lines = Lines { entries: &view::last_lines(lines) };
            return Ok(Page { events: vec![Event::new("run_log", now, &lines)], next: None });
        }
        let after = match from {
            Shown::Nothing => "",
            Shown::Before(node) => node,
        };
        let rows = runs::node_runs_after(&mut tx, self.run, after, NODES_AT_ONCE).await?;
        let row = if after.is_empty() { runs::find(&mut tx, self.run).await? } else { None };
        let (nodes, next) = states(&rows);
        let more = next.is_some();
        let event = match from {
            Shown::Nothing => {
                let run = row.as_ref().map(view::run).unwrap_or_default();
                Event::new("run_snapshot", now, &RunSnapshot { run, nodes, more })
            }
            Shown::Before(_) => Event::new("run_status", now, &StatusChange { nodes, status: None, more: Some(more) }),
        };
        Ok(Page { events: vec![event], next })
    }
}

/// So many as a message holds, and after which the others come.
fn states(rows: &[NodeRunRow]) -> (Part<'_>, Option<String>) {
    let state = |row: &'_ NodeRunRow| parts::raw(&NodeState::of(row, None, ProgressView::default()));
    let mut states = rows.iter().map(|row| (row, state(row))).peekable();
    let taken = parts::take(&mut states, |(_, state)| state.get().len());
    let is_last = states.peek().is_none() && (rows.len() as i64) < NODES_AT_ONCE;
    let next = taken.last().filter(|_| !is_last).map(|(row, _)| row.node.clone());
    (taken.into_iter().map(|(row, state)| (row.node.as_str(), state)).collect(), next)
}
