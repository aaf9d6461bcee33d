//! A run's log [RUN-13]: gathered from its nodes, bounded, numbered, stored with the events, then streamed.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
};

use troupe_engine::node::Logger;
use troupe_model::{LogEntry, LogLevel, RunEvent, RunEventKind, Timestamp};
use troupe_store::runs::{self, LogFilter};

use super::RunState;
use crate::{
    live::{
        Channel,
        feed::{Event, Feed, Page},
        outbox::{Close, Outbox},
        parts,
    },
    view,
};

/// Lines that may gather between two ticks; what exceeds it is counted and left out.
const LINES_MAX: usize = 1_000;
const LINE_BYTES_MAX: usize = 8 * 1024;
/// Lines that a new watcher is shown.
const HISTORY_LINES: i64 = 1_000;

#[derive(Debug)]
pub(super) struct Logs {
    feed: Feed<()>,
    seq: i64,
    gathered: Arc<Mutex<Gathered>>,
}

#[derive(Debug, Default)]
struct Gathered {
    lines: VecDeque<(LogLevel, Option<String>, String)>,
    left_out: u64,
}

impl Logs {
    pub(super) fn new(feed: Feed<()>, seq: i64) -> Self {
        Self { feed, seq, gathered: Arc::default() }
    }

    /// Where a node's lines go.
    pub(super) fn logger(&self, node: &str) -> Logger {
        let (gathered, node) = (self.gathered.clone(), node.to_owned());
        Logger::new(move |level, message| {
            gathered.lock().unwrap_or_else(PoisonError::into_inner).push(level, Some(node.clone()), message);
        })
    }

    fn add(&self, level: LogLevel, node: Option<String>, message: String) {
        self.gathered.lock().unwrap_or_else(PoisonError::into_inner).push(level, node, message);
    }

    fn take(&mut self, now: Timestamp) -> Vec<LogEntry> {
        let mut gathered = self.gathered.lock().unwrap_or_else(PoisonError::into_inner);
        let Gathered { lines, left_out } = std::mem::take(&mut *gathered);
        drop(gathered);
        let note = (left_out > 0)
            .then(|| (LogLevel::Warn, None, format!("{left_out} lines were left out: they came too fast")));
        lines
            .into_iter()
            .chain(note)
            .map(|(level, node_id, message)| {
                self.seq += 1;
                LogEntry { seq: self.seq, at: now, level, node_id, message }
            })
            .collect()
    }

    /// Streams lines that are stored.
    pub(super) fn publish(&mut self, entries: Vec<LogEntry>, now: Timestamp) {
        let mut entries = entries.into_iter().peekable();
        while entries.peek().is_some() {
            let part = parts::take(&mut entries, view::line_bytes);
            self.feed.publish(Event::new("run_log", now, &view::Lines { entries: &part }));
        }
    }

    pub(super) fn unwatch(&mut self, outbox: &Outbox) {
        self.feed.unwatch(outbox);
    }

    pub(super) fn close(&mut self, close: &Close) {
        self.feed.close(close);
    }
}

impl Gathered {
    fn push(&mut self, level: LogLevel, node: Option<String>, mut message: String) {
        if self.lines.len() >= LINES_MAX {
            self.left_out += 1;
            return;
        }
        if message.len() > LINE_BYTES_MAX {
            message.truncate(message.floor_char_boundary(LINE_BYTES_MAX));
            message.push_str("… (cut)");
        }
        self.lines.push_back((level, node, message));
    }
}

impl RunState {
    pub(super) fn log_run(&self, message: &str) {
        self.logs.add(LogLevel::Info, None, message.to_owned());
    }

    /// The lines that the run itself writes.
    pub(super) fn log_event(&self, event: &RunEvent) {
        let label = |node: &str| {
            let place = self.plan.place(node);
            place.map_or_else(|| node.to_owned(), |place| self.plan.node(place).label.clone())
        };
        let (level, message) = match &event.kind {
            RunEventKind::NodeStarted { node, attempt: 1 } => (LogLevel::Debug, format!("{} started", label(node))),
            RunEventKind::NodeStarted { node, attempt } => {
                (LogLevel::Info, format!("{} started, attempt {attempt}", label(node)))
            }
            RunEventKind::NodeWaiting { node, until, .. } => {
                (LogLevel::Info, format!("{} waits until {until}", label(node)))
            }
            RunEventKind::NodeCompleted { node, metrics, .. } => (
                LogLevel::Info,
                format!("{} completed: {} rows in {} ms", label(node), metrics.rows_out, metrics.duration_ms),
            ),
            RunEventKind::NodeRetrying { node, failure, .. } => {
                (LogLevel::Warn, format!("{} failed and will be tried again: {}", label(node), failure.message))
            }
            RunEventKind::NodeFailed { node, failure, .. } => {
                (LogLevel::Error, format!("{} failed: {}", label(node), told(failure)))
            }
            RunEventKind::NodeCanceled { node } => (LogLevel::Info, format!("{} canceled", label(node))),
            RunEventKind::RunCompleted => (LogLevel::Info, "run completed".to_owned()),
            RunEventKind::RunFailed { failure } => (LogLevel::Error, format!("run failed: {}", failure.message)),
            RunEventKind::RunCanceled => (LogLevel::Warn, "run canceled".to_owned()),
            RunEventKind::RunTimedOut => (LogLevel::Error, "run timed out".to_owned()),
            _ => return,
        };
        self.logs.add(level, event.kind.node().map(str::to_owned), message);
    }

    /// Takes what has gathered into the next commit.
    pub(super) fn gather_logs(&mut self) {
        let now = self.context.clock.now();
        let entries = self.logs.take(now);
        self.commits.pending.logs.extend(entries);
    }

    pub(super) async fn watch_log(&mut self, outbox: Outbox, last_seq: Option<i64>) {
        let go_on = self.goes_on(Channel::RunLog(self.row.id));
        self.logs.feed.watch(outbox.clone(), last_seq, go_on);
        self.go_on_with_log(&outbox).await;
    }

    /// Shows a watcher the last lines, if it reads.
    pub(super) async fn go_on_with_log(&mut self, outbox: &Outbox) {
        let Some(from) = self.logs.feed.due(outbox) else { return };
        let page = match self.logs.feed.page(&from) {
            Some(page) => page,
            None => {
                let lines = self.last_lines().await;
                let event = Event::new("run_log", self.context.clock.now(), &view::Lines { entries: &lines });
                self.logs.feed.keep(from, Page { events: vec![event], next: None })
            }
        };
        self.logs.feed.show(outbox, page);
    }

    async fn last_lines(&self) -> Vec<LogEntry> {
        let stored = async {
            let mut tx = self.context.store.read(self.tenant).await?;
            runs::logs(&mut tx, self.row.id, &LogFilter::default(), None, HISTORY_LINES).await
        };
        let lines = stored.await.unwrap_or_else(|error| {
            tracing::warn!(run.id = %self.row.id, %error, "the log's history could not be read");
            Vec::new()
        });
        view::last_lines(lines)
    }
}

fn told(failure: &troupe_model::NodeFailure) -> String {
    let parts = [Some(&failure.message), failure.reason.as_ref(), failure.solution.as_ref()];
    parts.into_iter().flatten().map(String::as_str).collect::<Vec<_>>().join("; ")
}
