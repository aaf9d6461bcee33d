//! The watch over a running query: batches pass by, are counted, and stop when the run is canceled.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use polars::prelude::*;
use tokio_util::sync::CancellationToken;
use troupe_model::NodeFailure;

use super::Fault;
use crate::progress::Progress;

/// The fraction shown of work whose size is a guess, when the guess was too low.
const FRACTION_GUESSED_MAX: f64 = 0.99;

/// What watches the queries of one node run. A cheap clone.
#[derive(Clone, Debug)]
pub(crate) struct Watch {
    pub cancel: CancellationToken,
    pub progress: Progress,
    /// How many rows are expected, if that can be guessed.
    pub rows_expected: Option<u64>,
}

impl Watch {
    /// Ends the query when the run is canceled, even while nothing comes out yet (a sort, a group by).
    pub fn guard(&self, frame: LazyFrame) -> LazyFrame {
        let cancel = self.cancel.clone();
        each_batch(frame, "guard", move |_| !cancel.is_cancelled())
    }

    /// Counts the rows that come out, live.
    pub fn count(&self, frame: LazyFrame) -> (LazyFrame, Arc<AtomicU64>) {
        let rows = Arc::new(AtomicU64::new(0));
        let (counter, watch) = (rows.clone(), self.clone());
        let frame = each_batch(frame, "count", move |batch| {
            let height = batch.height() as u64;
            let total = counter.fetch_add(height, Ordering::Relaxed) + height;
            watch.progress.rows(total);
            if let Some(expected) = watch.rows_expected.filter(|expected| *expected > 0) {
                watch.progress.fraction((total as f64 / expected as f64).min(FRACTION_GUESSED_MAX));
            }
            !watch.cancel.is_cancelled()
        });
        (frame, rows)
    }

    /// Runs a query that ends in a sink, batch by batch.
    pub fn run(&self, sink: LazyFrame) -> Result<(), NodeFailure> {
        self.alive()?;
        match sink.collect_with_engine(Engine::Streaming) {
            _ if self.cancel.is_cancelled() => Err(canceled()),
            Ok(_) => Ok(()),
            Err(error) => Err(Fault::from(error).into()),
        }
    }

    /// Fails once the run is canceled.
    pub fn alive(&self) -> Result<(), NodeFailure> {
        if self.cancel.is_cancelled() { Err(canceled()) } else { Ok(()) }
    }
}

/// Does blocking work off the async threads, and lets go of it when the run is canceled: the work itself ends at its
/// next batch.
pub(crate) async fn blocking<T: Send + 'static>(
    cancel: CancellationToken,
    work: impl FnOnce() -> Result<T, NodeFailure> + Send + 'static,
) -> Result<T, NodeFailure> {
    let work = tokio::task::spawn_blocking(work);
    tokio::select! {
        biased;
        () = cancel.cancelled() => Err(canceled()),
        done = work => match done {
            Ok(result) => result,
            Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
            Err(_) => Err(canceled()),
        },
    }
}

fn canceled() -> NodeFailure {
    NodeFailure::new("canceled", "the run was canceled")
}

/// Passes batches on unchanged for as long as `keep_going` says so.
fn each_batch(
    frame: LazyFrame,
    name: &'static str,
    keep_going: impl Fn(&DataFrame) -> bool + Send + Sync + 'static,
) -> LazyFrame {
    let pass = move |batch: DataFrame| match keep_going(&batch) {
        true => Ok(batch),
        false => Err(polars_err!(ComputeError: "canceled")),
    };
    let optimisations = OptFlags::PREDICATE_PUSHDOWN | OptFlags::PROJECTION_PUSHDOWN | OptFlags::STREAMING;
    frame.map(pass, optimisations, None, Some(name))
}
