//! A plan from a few words, and a machine driven by hand.

use std::{collections::BTreeMap, sync::Arc};

use futures::future::BoxFuture;
use troupe_model::{
    Diagram, Edge, Node, NodeData, NodeFailure, NodeMetrics, NodeTypeSpec, Output, Payload, Port, PortKind, Position,
    RunEventKind, Timestamp,
};

use crate::{
    node::{CheckContext, Checked, NodeType, Outcome, RunContext},
    plan::Plan,
    registry::Registry,
    run::{Decision, MachineOptions, RunMachine},
};

pub const NOW: Timestamp = Timestamp::from_millis(1_000);

/// A node type that is only planned, never executed: the world tells the machine how it ended.
struct Step(NodeTypeSpec);

impl NodeType for Step {
    fn spec(&self) -> &NodeTypeSpec {
        &self.0
    }

    fn check(&self, _ctx: &CheckContext<'_>) -> Checked {
        Checked::default()
    }

    fn run(&self, _ctx: RunContext) -> BoxFuture<'_, Result<Outcome, NodeFailure>> {
        Box::pin(async { Ok(Outcome::Completed(Vec::new())) })
    }
}

fn step(id: &str, inputs: Vec<Port>) -> Arc<dyn NodeType> {
    let port = |name: &str| Port::new(name, name, PortKind::Any);
    Arc::new(Step(NodeTypeSpec {
        id: id.to_owned(),
        category: "Flow".to_owned(),
        name: id.to_owned(),
        description: String::new(),
        icon: String::new(),
        color: String::new(),
        inputs,
        outputs: vec![port("out"), port("other")],
        config_schema: serde_json::json!({"type": "object"}),
        config_defaults: serde_json::json!({}),
    }))
}

/// `step` takes any number of edges on an optional input; `pair` needs both `left` and `right`.
pub fn registry() -> Registry {
    let port = |name: &str| Port::new(name, name, PortKind::Any);
    Registry::of([step("step", vec![port("in").optional().many()]), step("pair", vec![port("left"), port("right")])])
}

pub fn node(id: &str, node_type: &str) -> Node {
    Node {
        id: id.to_owned(),
        kind: "custom-node".to_owned(),
        position: Position::default(),
        data: NodeData { node_type: node_type.to_owned(), ..NodeData::default() },
        parent_id: None,
        width: None,
        height: None,
    }
}

/// `"a.other -> b.left"`; ports may be left out.
pub fn edge(text: &str) -> Edge {
    let (source, target) = text.split_once(" -> ").expect("an arrow");
    let end = |text: &str| match text.split_once('.') {
        Some((node, port)) => (node.to_owned(), Some(port.to_owned())),
        None => (text.to_owned(), None),
    };
    let ((source, source_handle), (target, target_handle)) = (end(source), end(target));
    Edge { id: text.to_owned(), kind: "custom-edge".to_owned(), source, target, source_handle, target_handle }
}

/// Nodes are what the edges name; one that is entered at `left` is a `pair`.
pub fn diagram(edges: &[&str]) -> Diagram {
    let edges: Vec<_> = edges.iter().map(|text| edge(text)).collect();
    let mut types = BTreeMap::new();
    for edge in &edges {
        types.entry(edge.source.clone()).or_insert("step");
        let target = types.entry(edge.target.clone()).or_insert("step");
        if edge.target_handle.as_deref() == Some("left") {
            *target = "pair";
        }
    }
    let nodes = types.iter().map(|(id, node_type)| node(id, node_type)).collect();
    Diagram { nodes, edges, ..Diagram::default() }
}

pub fn plan(edges: &[&str]) -> Arc<Plan> {
    Arc::new(Plan::build(&diagram(edges), &registry()).expect("the diagram is sound"))
}

/// A machine, and all that it journaled.
pub struct World {
    pub machine: RunMachine,
    pub journal: Vec<RunEventKind>,
}

impl World {
    pub fn new(plan: Arc<Plan>, parallelism: usize) -> Self {
        Self { machine: RunMachine::new(plan, MachineOptions { parallelism }), journal: Vec::new() }
    }

    /// A world whose run has started.
    pub fn started(edges: &[&str]) -> (Self, Decision) {
        let mut world = Self::new(plan(edges), usize::MAX);
        let decision = world.tell(RunEventKind::RunStarted);
        (world, decision)
    }

    pub fn tell(&mut self, event: RunEventKind) -> Decision {
        let decision = self.machine.decide(event, NOW);
        self.journal.extend(decision.events.iter().cloned());
        decision
    }

    /// The node ends well, with something on each of these ports.
    pub fn completes(&mut self, node: &str, ports: &[&str]) -> Decision {
        self.tell(completed(node, ports))
    }

    pub fn fails(&mut self, node: &str) -> Decision {
        let failure = NodeFailure::new("broken", "it broke");
        self.tell(RunEventKind::NodeFailed { node: node.to_owned(), failure, metrics: NodeMetrics::default() })
    }

    pub fn place(&self, node: &str) -> usize {
        self.machine.plan().place(node).expect("a node of the plan")
    }
}

pub fn completed(node: &str, ports: &[&str]) -> RunEventKind {
    RunEventKind::NodeCompleted { node: node.to_owned(), outputs: outputs(ports), metrics: NodeMetrics::default() }
}

pub fn outputs(ports: &[&str]) -> Vec<Output> {
    ports.iter().map(|port| Output { port: (*port).to_owned(), payload: Payload::Signal }).collect()
}

/// What happened, in short: `["a started", "b skipped", "run_completed"]`.
pub fn story(decision: &Decision) -> Vec<String> {
    let line = |event: &RunEventKind| match event.node() {
        Some(node) => format!("{node} {}", event.name().trim_start_matches("node_")),
        None => event.name().to_owned(),
    };
    decision.events.iter().map(line).collect()
}
