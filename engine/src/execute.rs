//! Executes one node and reports how it ended, whatever its code does [RUN-5].

use std::{panic::AssertUnwindSafe, time::Duration};

use futures::FutureExt;
use tokio::time::{Instant, sleep};
use troupe_model::{NodeFailure, NodeMetrics, Output, Payload, RunEventKind};

use crate::{
    analysis::panic_message,
    node::{NodeType, Outcome, RunContext},
};

/// How long code may take to notice that it is canceled, before it is abandoned [RUN-9].
const GRACE: Duration = Duration::from_millis(500);

/// Runs a node's code to its report: `NodeCompleted`, `NodeWaiting`, `NodeFailed` or `NodeCanceled`.
///
/// A panic is the failure `node_panicked`. Code that is canceled and ignores it is abandoned within a second; what it
/// had put on a blocking thread ends there unheard.
pub async fn execute(node: &dyn NodeType, ctx: RunContext) -> RunEventKind {
    let id = ctx.node.clone();
    let cancel = ctx.cancel.clone();
    let rows_in = ctx.inputs.values().flatten().map(Payload::rows).sum();
    let started = Instant::now();
    // `run` itself may panic before it gives its future, so it is called inside.
    let code = AssertUnwindSafe(async move { node.run(ctx).await }).catch_unwind();
    let canceled = async {
        cancel.cancelled().await;
        sleep(GRACE).await;
    };
    let ended = tokio::select! {
        biased;
        ended = code => ended,
        () = canceled => return RunEventKind::NodeCanceled { node: id },
    };
    let metrics = |outputs: &[Output]| NodeMetrics {
        duration_ms: u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
        rows_in,
        rows_out: outputs.iter().map(|output| output.payload.rows()).sum(),
        bytes_out: outputs.iter().map(|output| bytes(&output.payload)).sum(),
    };
    match ended {
        Ok(Ok(Outcome::Completed(outputs))) => {
            RunEventKind::NodeCompleted { node: id, metrics: metrics(&outputs), outputs }
        }
        Ok(Ok(Outcome::WaitUntil(until, outputs))) => {
            RunEventKind::NodeWaiting { node: id, until, metrics: metrics(&outputs), outputs }
        }
        Ok(Err(_)) if cancel.is_cancelled() => RunEventKind::NodeCanceled { node: id },
        Ok(Err(failure)) => RunEventKind::NodeFailed { node: id, failure, metrics: metrics(&[]) },
        Err(panic) => RunEventKind::NodeFailed {
            node: id,
            failure: NodeFailure::new("node_panicked", panic_message(panic.as_ref()))
                .reason("the code of the node panicked")
                .solution("this is a defect in the node type; please report it"),
            metrics: metrics(&[]),
        },
    }
}

/// The size of a payload where it is kept. Inline JSON is small: it is written once more to be measured.
fn bytes(payload: &Payload) -> u64 {
    match payload {
        Payload::Frame { bytes, .. } => *bytes,
        Payload::Json { value } => value.to_string().len() as u64,
        Payload::Signal => 0,
    }
}

#[cfg(test)]
mod tests {
    use futures::future::{BoxFuture, pending};
    use serde_json::json;
    use tokio_util::sync::CancellationToken;
    use troupe_model::NodeTypeSpec;

    use super::*;
    use crate::{
        node::{CheckContext, Checked},
        testing::{Bench, failure},
    };

    #[derive(Clone, Copy)]
    enum Rogue {
        PanicsAtOnce,
        PanicsLater,
        NeverEnds,
    }

    impl NodeType for Rogue {
        fn spec(&self) -> &NodeTypeSpec {
            unreachable!("these tests execute only")
        }

        fn check(&self, _ctx: &CheckContext<'_>) -> Checked {
            Checked::default()
        }

        fn run(&self, _ctx: RunContext) -> BoxFuture<'_, Result<Outcome, NodeFailure>> {
            match self {
                Self::PanicsAtOnce => panic!("no {}", "future"),
                Self::PanicsLater => Box::pin(async {
                    tokio::task::yield_now().await;
                    panic!("in the middle")
                }),
                Self::NeverEnds => Box::pin(pending()),
            }
        }
    }

    /// [RUN-5] A panic fails the node with its message.
    #[tokio::test]
    async fn a_panic_fails_the_node() {
        for (rogue, message) in [(Rogue::PanicsAtOnce, "no future"), (Rogue::PanicsLater, "in the middle")] {
            let report = execute(&rogue, Bench::new().context(&json!({}), Vec::new())).await;
            let failure = failure(report);
            assert_eq!((failure.code.as_str(), failure.message.as_str()), ("node_panicked", message));
        }
    }

    /// [RUN-9] Code that ignores its cancellation is abandoned within a second.
    #[tokio::test]
    async fn code_that_ignores_cancellation_is_abandoned() {
        let ctx = Bench::new().context(&json!({}), Vec::new());
        let cancel: CancellationToken = ctx.cancel.clone();
        let begin = Instant::now();
        cancel.cancel();
        let report = execute(&Rogue::NeverEnds, ctx).await;
        assert!(matches!(report, RunEventKind::NodeCanceled { .. }));
        assert!(begin.elapsed() < Duration::from_secs(1));
    }
}
