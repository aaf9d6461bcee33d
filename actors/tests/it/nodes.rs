//! Node types made for tests, and what they did.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use futures::{FutureExt, future::BoxFuture};
use serde_json::json;
use troupe_engine::node::{CheckContext, Checked, NodeType, Outcome, RunContext};
use troupe_model::{NodeFailure, NodeTypeSpec, Output, Payload, Port, PortKind};

/// What the nodes of all runs did, in order, over all crashes.
#[derive(Clone, Debug, Default)]
pub struct Trace(Arc<Mutex<Vec<String>>>);

impl Trace {
    fn note(&self, line: String) {
        self.0.lock().unwrap().push(line);
    }

    pub fn lines(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }
}

type Work = Box<dyn Fn(RunContext) -> BoxFuture<'static, Result<Outcome, NodeFailure>> + Send + Sync>;

struct TestNode {
    spec: NodeTypeSpec,
    work: Work,
    trace: Trace,
}

impl TestNode {
    /// Looks for what is wrong until nobody wants to know.
    fn brood(&self, ctx: &CheckContext<'_>) {
        self.trace.note("brooding".to_owned());
        while ctx.fuel.pay(0).is_ok() {
            std::thread::sleep(Duration::from_millis(1));
        }
        self.trace.note("gave up brooding".to_owned());
    }
}

impl NodeType for TestNode {
    fn spec(&self) -> &NodeTypeSpec {
        &self.spec
    }

    fn check(&self, ctx: &CheckContext<'_>) -> Checked {
        match self.spec.id.as_str() {
            "ponder" => std::thread::sleep(PONDERED_FOR),
            "brood" => self.brood(ctx),
            _ => {}
        }
        Checked::default()
    }

    fn run(&self, ctx: RunContext) -> BoxFuture<'_, Result<Outcome, NodeFailure>> {
        (self.work)(ctx)
    }
}

fn done() -> Result<Outcome, NodeFailure> {
    Ok(Outcome::Completed(vec![Output { port: "out".to_owned(), payload: Payload::Signal }]))
}

/// How long the check of `ponder` takes.
pub const PONDERED_FOR: Duration = Duration::from_millis(200);

/// `quick` and `ponder` end at once, and so does `brood`, whose check does not; `slow` takes 300 ms and reports progress; `hang` ends only when it is canceled; `panics`,
/// `fails`; `once` hangs until the server crashed, and ends at once after that; `sleeper` waits 300 ms without a task.
pub fn all(trace: &Trace) -> Vec<Arc<dyn NodeType>> {
    let starts = Arc::new(AtomicU32::new(0));
    let node = |id: &str, work: Work| -> Arc<dyn NodeType> {
        let port = |name: &str| Port::new(name, name, PortKind::Any);
        let spec = NodeTypeSpec {
            id: id.to_owned(),
            category: "Flow".to_owned(),
            name: id.to_owned(),
            description: String::new(),
            icon: String::new(),
            color: "#000000".to_owned(),
            inputs: vec![port("in").optional().many()],
            outputs: vec![port("out")],
            config_schema: json!({ "type": "object" }),
            config_defaults: json!({}),
        };
        Arc::new(TestNode { spec, work, trace: trace.clone() })
    };
    let traced = |work: fn(RunContext) -> BoxFuture<'static, Result<Outcome, NodeFailure>>| -> Work {
        let trace = trace.clone();
        Box::new(move |ctx| {
            let (trace, id) = (trace.clone(), ctx.node.clone());
            trace.note(format!("{id} started"));
            let work = work(ctx);
            async move {
                let result = work.await;
                trace.note(format!("{id} {}", if result.is_ok() { "done" } else { "failed" }));
                result
            }
            .boxed()
        })
    };
    let seen = trace.clone();
    let once: Work = Box::new(move |ctx| {
        let first = !seen.lines().iter().any(|line| *line == format!("{} started", ctx.node));
        seen.note(format!("{} started", ctx.node));
        starts.fetch_add(1, Ordering::Relaxed);
        async move { if first { std::future::pending().await } else { done() } }.boxed()
    });
    vec![
        node("quick", traced(|_| async { done() }.boxed())),
        node("ponder", traced(|_| async { done() }.boxed())),
        node("brood", traced(|_| async { done() }.boxed())),
        node("slow", traced(|ctx| slow(ctx).boxed())),
        node(
            "hang",
            traced(|ctx| {
                async move {
                    ctx.cancel.cancelled().await;
                    Err(NodeFailure::new("canceled", "canceled"))
                }
                .boxed()
            }),
        ),
        node("panics", traced(|_| async { panic!("out of cheese") }.boxed())),
        node("fails", traced(|_| async { Err(NodeFailure::new("no_luck", "it had no luck")) }.boxed())),
        node("once", once),
        node(
            "sleeper",
            traced(|ctx| {
                async move {
                    let until = ctx.now.after(Duration::from_millis(300));
                    Ok(Outcome::WaitUntil(until, vec![Output { port: "out".to_owned(), payload: Payload::Signal }]))
                }
                .boxed()
            }),
        ),
    ]
}

async fn slow(ctx: RunContext) -> Result<Outcome, NodeFailure> {
    for rows in 1..=30 {
        tokio::time::sleep(Duration::from_millis(10)).await;
        ctx.progress.rows(rows);
    }
    ctx.log.info("thirty rows");
    done()
}
