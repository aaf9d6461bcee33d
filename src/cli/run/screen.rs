//! What a person sees of a run on a terminal: one line per node, moving.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use troupe_actors::task;
use troupe_engine::{
    Plan,
    node::{Progress, ProgressView},
};
use troupe_model::{LogLevel, NodeMetrics, NodeStatus};

const TICK: Duration = Duration::from_millis(100);
/// More nodes than that do not fit a terminal: then only the table at the end is shown.
const LINES_MAX: usize = 40;

/// Shows nothing when it has no lines.
pub struct Screen {
    lines: Vec<ProgressBar>,
    bars: MultiProgress,
    watchers: Mutex<Vec<task::Owned>>,
}

impl Screen {
    pub fn none() -> Self {
        Self { lines: Vec::new(), bars: MultiProgress::new(), watchers: Mutex::default() }
    }

    pub fn bars(plan: &Plan) -> Self {
        if plan.len() > LINES_MAX {
            return Self::none();
        }
        let bars = MultiProgress::new();
        let width = plan.nodes().iter().map(|node| node.label.chars().count()).max().unwrap_or(0);
        let template = format!("{{spinner}} {{prefix:{width}}}  {{msg}}");
        let style = ProgressStyle::with_template(&template).unwrap_or_else(|_| ProgressStyle::default_spinner());
        let lines = plan.nodes().iter().map(|node| {
            let line = bars.add(ProgressBar::new_spinner().with_style(style.clone()));
            line.set_prefix(node.label.clone());
            line.set_message("pending");
            line
        });
        Self { lines: lines.collect(), bars: bars.clone(), watchers: Mutex::default() }
    }

    /// Follows a node that starts.
    pub fn watch(&self, node: usize, progress: Progress) {
        let Some(line) = self.lines.get(node).cloned() else { return };
        let watcher = task::spawn_owned("progress", async move {
            loop {
                tokio::time::sleep(TICK).await;
                if line.is_finished() {
                    return;
                }
                line.set_message(running(&progress.view()));
                line.tick();
            }
        });
        self.watchers.lock().unwrap_or_else(PoisonError::into_inner).push(watcher);
    }

    pub fn show(&self, node: usize, status: NodeStatus, metrics: NodeMetrics) {
        let Some(line) = self.lines.get(node) else { return };
        if status.is_final() {
            line.finish_with_message(format!(
                "{}  {} rows  {} ms",
                status.name(),
                metrics.rows_out,
                metrics.duration_ms
            ));
        } else {
            line.set_message(status.name());
        }
    }

    /// Where a node's warnings go.
    pub fn log(&self, label: &str) -> impl Fn(LogLevel, String) + Send + Sync + 'static {
        let (bars, label, visible) = (self.bars.clone(), label.to_owned(), !self.lines.is_empty());
        move |level, message| {
            if level < LogLevel::Warn {
                return;
            }
            let line = format!("{}: {label}: {message}", level.name());
            if visible {
                bars.suspend(|| eprintln!("{line}"));
            } else {
                eprintln!("{line}");
            }
        }
    }

    pub fn clear(&self) {
        self.watchers.lock().unwrap_or_else(PoisonError::into_inner).clear();
        if let Err(error) = self.bars.clear() {
            tracing::debug!(%error, "the terminal could not be cleared");
        }
    }
}

fn running(view: &ProgressView) -> String {
    let fraction = view.fraction.map(|fraction| format!("{:3.0} %  ", fraction * 100.0)).unwrap_or_default();
    let rows = if view.rows > 0 { format!("{} rows  ", view.rows) } else { String::new() };
    format!("running  {fraction}{rows}{}", view.message.as_deref().unwrap_or_default())
}
