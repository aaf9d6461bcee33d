//! The diagram as indices: steps, the wires between their ports, the order. And what is wrong with its structure.
//!
//! Disabled nodes are passed over. One whose type has one input and one output, and which one edge enters, is a plain
//! wire: what enters it leaves it. Any other disabled node is absent, and so are its edges.

mod order;
mod wiring;

use troupe_model::{Diagnostic, Diagram, Edge, Node, Severity, Subject, shown};

use crate::{
    node::Finding,
    place,
    registry::{Registered, Registry},
    workflow_file,
};

/// How many problems of one diagram are told at once.
const TOLD_MAX: usize = 1_000;

/// What of a diagram takes part in a run. Wires are between places in `steps`.
pub(crate) struct Graph<'a> {
    /// The enabled nodes, in the diagram's order.
    pub steps: Vec<Step<'a>>,
    pub wires: Vec<Wire<'a>>,
    /// Topological, and stable: of two steps that may come first, the one that the diagram has first. What is on a
    /// cycle or behind one is left out.
    pub order: Vec<usize>,
    /// Steps of one level do not depend on one another.
    pub levels: Vec<Vec<usize>>,
}

pub(crate) struct Step<'a> {
    pub node: &'a Node,
    /// `None`: the registry does not know the type.
    pub registered: Option<&'a Registered>,
    /// Whether the config is as its schema wants it.
    pub is_valid: bool,
    /// Wires that enter, in the diagram's order of edges.
    pub incoming: Vec<usize>,
    pub outgoing: Vec<usize>,
}

pub(crate) struct Wire<'a> {
    pub edge: &'a Edge,
    pub source: usize,
    pub target: usize,
    /// A place in the type's `outputs`; `None` when there is no such port.
    pub source_port: Option<usize>,
    /// A place in the type's `inputs`.
    pub target_port: Option<usize>,
}

impl<'a> Graph<'a> {
    /// Reads a diagram, and tells all that a run could not start with: wrong structure, wrong configs.
    pub fn read(diagram: &'a Diagram, registry: &'a Registry) -> (Self, Vec<Diagnostic>) {
        let mut found = Vec::new();
        let (steps, wires) = wiring::connect(diagram, registry, &mut found);
        let mut graph = Self { steps, wires, order: Vec::new(), levels: Vec::new() };
        graph.find_order(&mut found);
        graph.check_steps(&mut found);
        (graph, found)
    }

    /// The steps that feed a step, each once, in the diagram's order.
    pub fn sources(&self, step: usize) -> Vec<usize> {
        let mut sources: Vec<_> = self.steps[step].incoming.iter().map(|&wire| self.wires[wire].source).collect();
        sources.sort_unstable();
        sources.dedup();
        sources
    }

    pub fn id(&self, step: usize) -> &'a str {
        &self.steps[step].node.id
    }

    fn check_steps(&self, found: &mut Vec<Diagnostic>) {
        if self.steps.is_empty() {
            let problem = Diagnostic::error(Subject::Diagram(()), "empty_diagram", "there is nothing to run");
            found.push(problem.fix("add a node from the palette"));
        }
        let alone = self.steps.len() == 1;
        for step in &self.steps {
            let lonely = !alone && step.incoming.is_empty() && step.outgoing.is_empty();
            // One that needs an input is told so, and need not be told twice.
            if lonely && !needs_input(step) {
                let subject = Subject::Node(step.node.id.clone());
                let problem = Diagnostic::warning(subject, "orphan_node", "the node is not connected to anything");
                found.push(problem.fix("connect it, or remove it"));
            }
            // An unknown type was told already.
            let Some(registered) = step.registered else { continue };
            self.check_inputs(step, registered, found);
            let config = &step.node.data.config;
            let findings = if step.is_valid { Vec::new() } else { registered.validator().check(config) };
            let left_out = workflow_file::still_left_out(config);
            found.extend(findings.into_iter().chain(left_out).map(|finding| diagnostic(&step.node.id, finding)));
        }
    }

    fn check_inputs(&self, step: &Step<'_>, registered: &Registered, found: &mut Vec<Diagnostic>) {
        for (place, port) in registered.spec().inputs.iter().enumerate() {
            let mut entering =
                step.incoming.iter().map(|&wire| &self.wires[wire]).filter(|wire| wire.target_port == Some(place));
            if entering.next().is_none() && !port.optional {
                let message = format!("input `{}` is not connected", port.label);
                let problem = Diagnostic::error(Subject::Node(step.node.id.clone()), "missing_input", message);
                found.push(problem.fix("connect the output of another node to it"));
            }
            if !port.many {
                found.extend(entering.map(|wire| {
                    let (input, node) = (&port.label, shown::name(name(step.node)));
                    let message = format!("input `{input}` of `{node}` takes one edge only");
                    Diagnostic::error(Subject::Edge(wire.edge.id.clone()), "too_many_edges", message)
                        .fix("remove this edge, or bring the tables together with a union first")
                }));
            }
        }
    }
}

/// The first of many problems, and how many more there are.
pub(crate) fn told(mut found: Vec<Diagnostic>) -> Vec<Diagnostic> {
    if found.len() > TOLD_MAX {
        let rest = found.split_off(TOLD_MAX);
        let message = format!("there are more problems than can be shown: {} more", rest.len());
        let worst = rest.iter().map(|problem| problem.severity).max().unwrap_or(Severity::Info);
        let more = Diagnostic::error(Subject::Diagram(()), "many_problems", message).fix("solve some of these first");
        found.push(Diagnostic { severity: worst, ..more });
    }
    found
}

/// A finding of a node's config as a diagnostic of the diagram.
pub(crate) fn diagnostic(node: &str, finding: Finding) -> Diagnostic {
    Diagnostic {
        subject: Subject::Node(node.to_owned()),
        field: finding.field.map(place::shortened),
        severity: finding.severity,
        code: finding.code.to_owned(),
        message: finding.message,
        fix: finding.fix,
    }
}

/// What people call a node.
pub(crate) fn name(node: &Node) -> &str {
    if node.data.label.is_empty() { &node.id } else { &node.data.label }
}

/// Whether the node's type has an input that must be connected.
fn needs_input(step: &Step<'_>) -> bool {
    step.registered.is_some_and(|registered| registered.spec().inputs.iter().any(|port| !port.optional))
}
