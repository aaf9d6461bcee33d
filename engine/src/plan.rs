//! A diagram made ready to run: indices in topological order, so that a run of 10,000 nodes never looks up a name to
//! decide. Immutable; a run and its replay share one.

use std::{collections::HashMap, sync::Arc};

use serde_json::{Map, Value};
use troupe_model::{Diagnostic, Diagram};

use crate::{
    graph::{self, Graph, Step},
    node::NodeType,
    registry::{Registered, Registry},
};

/// Nodes are named by their place: every wire leads from a lower place to a higher one.
#[derive(Debug)]
pub struct Plan {
    nodes: Vec<PlanNode>,
    places: HashMap<Arc<str>, usize>,
}

/// One node to execute.
pub struct PlanNode {
    pub id: Arc<str>,
    /// What people call it.
    pub label: String,
    /// The id of its type.
    pub type_id: String,
    pub node_type: Arc<dyn NodeType>,
    pub config: Map<String, Value>,
    /// Grouped by port, each in the diagram's order of edges.
    pub inputs: Vec<PlanInput>,
    /// One entry for each wire that leaves.
    pub targets: Vec<usize>,
}

/// An input port and the wires that enter it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlanInput {
    pub port: String,
    pub optional: bool,
    pub sources: Vec<PlanSource>,
}

/// An output that feeds an input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlanSource {
    pub node: usize,
    pub port: String,
}

impl Plan {
    /// Refuses what could not run whatever the data: a cycle, an unknown type or port, a missing input, a config that
    /// its schema does not allow. What depends on data (a missing file, an unknown column) is shown in the editor and,
    /// in a run, is the failure of that node.
    ///
    /// Errors: all structural diagnostics that are errors; never empty.
    pub fn build(diagram: &Diagram, registry: &Registry) -> Result<Self, Vec<Diagnostic>> {
        let (graph, mut diagnostics) = Graph::read(diagram, registry);
        diagnostics.retain(Diagnostic::is_error);
        if diagnostics.is_empty() { Ok(Self::of(&graph)) } else { Err(graph::told(diagnostics)) }
    }

    fn of(graph: &Graph<'_>) -> Self {
        let mut place = vec![0; graph.steps.len()];
        for (at, &step) in graph.order.iter().enumerate() {
            place[step] = at;
        }
        let known = graph.order.iter().map(|&step| &graph.steps[step]);
        let nodes: Vec<_> =
            known.filter_map(|step| Some(PlanNode::of(graph, step, step.registered?, &place))).collect();
        let places = nodes.iter().enumerate().map(|(at, node)| (Arc::clone(&node.id), at)).collect();
        Self { nodes, places }
    }

    pub fn nodes(&self) -> &[PlanNode] {
        &self.nodes
    }

    pub fn node(&self, place: usize) -> &PlanNode {
        &self.nodes[place]
    }

    /// The place of a node.
    pub fn place(&self, id: &str) -> Option<usize> {
        self.places.get(id).copied()
    }

    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }
}

impl PlanNode {
    fn of(graph: &Graph<'_>, step: &Step<'_>, registered: &Registered, place: &[usize]) -> Self {
        let inputs = registered.spec().inputs.iter().enumerate().map(|(at, port)| PlanInput {
            port: port.name.clone(),
            optional: port.optional,
            sources: step
                .incoming
                .iter()
                .map(|&wire| &graph.wires[wire])
                .filter(|wire| wire.target_port == Some(at))
                .filter_map(|wire| {
                    let outputs = &graph.steps[wire.source].registered?.spec().outputs;
                    Some(PlanSource { node: place[wire.source], port: outputs[wire.source_port?].name.clone() })
                })
                .collect(),
        });
        Self {
            id: step.node.id.as_str().into(),
            label: graph::name(step.node).to_owned(),
            type_id: registered.spec().id.clone(),
            node_type: Arc::clone(registered.node_type()),
            config: step.node.data.config.clone(),
            inputs: inputs.filter(|input| !input.sources.is_empty()).collect(),
            targets: step.outgoing.iter().map(|&wire| place[graph.wires[wire].target]).collect(),
        }
    }
}

impl std::fmt::Debug for PlanNode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PlanNode").field("id", &self.id).field("type_id", &self.type_id).finish_non_exhaustive()
    }
}
