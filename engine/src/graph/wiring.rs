//! From nodes and edges to steps and wires: ids, ports, disabled nodes.

use std::collections::HashMap;

use troupe_model::{Diagnostic, Diagram, Edge, Node, Port, PortKind, Subject, shown};

use super::{Step, Wire, name};
use crate::{
    registry::{Registered, Registry},
    suggest,
};

pub(super) fn connect<'a>(
    diagram: &'a Diagram,
    registry: &'a Registry,
    found: &mut Vec<Diagnostic>,
) -> (Vec<Step<'a>>, Vec<Wire<'a>>) {
    let nodes = Nodes::read(diagram, registry, found);
    let mut steps = Vec::new();
    let mut step_of = vec![None; nodes.all.len()];
    for (place, &(node, registered)) in nodes.all.iter().enumerate() {
        if !node.data.disabled {
            if registered.is_none() {
                found.push(unknown_type(node, registry));
            }
            step_of[place] = Some(steps.len());
            let is_valid = registered.is_some_and(|registered| registered.validator().is_valid(&node.data.config));
            steps.push(Step { node, registered, is_valid, incoming: Vec::new(), outgoing: Vec::new() });
        }
    }
    let mut wires = Vec::new();
    let mut origins = vec![None; nodes.all.len()];
    for edge in &diagram.edges {
        let Some((_, end)) = nodes.ends(edge) else {
            found.push(dangling(edge, &nodes));
            continue;
        };
        let Some((start, handle)) = nodes.origin(edge, &mut origins) else { continue };
        let (Some(source), Some(target)) = (step_of[start], step_of[end]) else { continue };
        let outputs = steps[source].registered.map(|registered| registered.spec().outputs.as_slice());
        let inputs = steps[target].registered.map(|registered| registered.spec().inputs.as_slice());
        let source_port = outputs.and_then(|ports| resolve(ports, handle, "output", edge, steps[source].node, found));
        let target_port = inputs
            .and_then(|ports| resolve(ports, edge.target_handle.as_deref(), "input", edge, steps[target].node, found));
        if let (Some(out), Some(into)) = (port(outputs, source_port), port(inputs, target_port)) {
            check_kinds(out, into, edge, found);
        }
        steps[source].outgoing.push(wires.len());
        steps[target].incoming.push(wires.len());
        wires.push(Wire { edge, source, target, source_port, target_port });
    }
    (steps, wires)
}

/// The place of a node, and the output that an edge names.
type Origin<'a> = (usize, Option<&'a str>);

/// The diagram's nodes by place, and the edges that enter each.
struct Nodes<'a> {
    all: Vec<(&'a Node, Option<&'a Registered>)>,
    place: HashMap<&'a str, usize>,
    entering: Vec<Vec<&'a Edge>>,
}

impl<'a> Nodes<'a> {
    fn read(diagram: &'a Diagram, registry: &'a Registry, found: &mut Vec<Diagnostic>) -> Self {
        let mut nodes = Self { all: Vec::new(), place: HashMap::new(), entering: Vec::new() };
        for node in &diagram.nodes {
            if nodes.place.contains_key(node.id.as_str()) {
                let message = format!("there are two nodes with the id `{}`", shown::name(&node.id));
                let problem = Diagnostic::error(Subject::Node(node.id.clone()), "duplicate_node", message);
                found.push(problem.fix("give one of them another id"));
                continue;
            }
            nodes.place.insert(&node.id, nodes.all.len());
            nodes.all.push((node, registry.get(&node.data.node_type).map(AsRef::as_ref)));
        }
        nodes.entering.resize(nodes.all.len(), Vec::new());
        for edge in &diagram.edges {
            if let Some((_, end)) = nodes.ends(edge) {
                nodes.entering[end].push(edge);
            }
        }
        nodes
    }

    fn ends(&self, edge: &Edge) -> Option<(usize, usize)> {
        Some((*self.place.get(edge.source.as_str())?, *self.place.get(edge.target.as_str())?))
    }

    /// The enabled node and output that an edge comes from, through disabled nodes that are plain wires. What is behind
    /// a disabled node is looked for once: a chain of them may feed many edges.
    fn origin(&self, edge: &'a Edge, known: &mut [Option<Option<Origin<'a>>>]) -> Option<Origin<'a>> {
        let (mut edge, mut passed) = (edge, Vec::new());
        let origin = loop {
            let Some((start, _)) = self.ends(edge) else { break None };
            let (node, registered) = self.all[start];
            if !node.data.disabled {
                break Some((start, edge.source_handle.as_deref()));
            }
            if let Some(origin) = known[start] {
                break origin;
            }
            // Whoever comes here again goes in a circle.
            known[start] = Some(None);
            passed.push(start);
            match (registered.map(Registered::spec), self.entering[start].as_slice()) {
                (Some(spec), [only]) if spec.inputs.len() == 1 && spec.outputs.len() == 1 => edge = only,
                _ => break None,
            }
        };
        passed.into_iter().for_each(|start| known[start] = Some(origin));
        origin
    }
}

fn unknown_type(node: &Node, registry: &Registry) -> Diagnostic {
    let given = &node.data.node_type;
    let message = format!("there is no node type `{}`", shown::name(given));
    Diagnostic::error(Subject::Node(node.id.clone()), "unknown_node_type", message)
        .fix(suggest::fix(given, registry.specs().iter().map(|spec| spec.id.as_str())))
}

fn dangling(edge: &Edge, nodes: &Nodes<'_>) -> Diagnostic {
    let missing = if nodes.place.contains_key(edge.source.as_str()) { &edge.target } else { &edge.source };
    let message = format!("the edge leads to a node that does not exist: `{}`", shown::name(missing));
    Diagnostic::error(Subject::Edge(edge.id.clone()), "unknown_node", message).fix("remove the edge")
}

fn port(ports: Option<&[Port]>, place: Option<usize>) -> Option<&Port> {
    ports?.get(place?)
}

/// The place of the port that a handle names; the first when it names none.
fn resolve(
    ports: &[Port],
    handle: Option<&str>,
    side: &str,
    edge: &Edge,
    node: &Node,
    found: &mut Vec<Diagnostic>,
) -> Option<usize> {
    let place = match handle {
        None => (!ports.is_empty()).then_some(0),
        Some(handle) => ports.iter().position(|port| port.name == handle),
    };
    if place.is_none() {
        let node = shown::name(name(node));
        let problem = match handle {
            Some(handle) if !ports.is_empty() => {
                let fix = suggest::fix(handle, ports.iter().map(|port| port.name.as_str()));
                unknown_port(edge, format!("`{node}` has no {side} `{}`", shown::name(handle))).fix(fix)
            }
            _ => unknown_port(edge, format!("`{node}` has no {side}s")).fix("remove the edge"),
        };
        found.push(problem);
    }
    place
}

fn unknown_port(edge: &Edge, message: String) -> Diagnostic {
    Diagnostic::error(Subject::Edge(edge.id.clone()), "unknown_port", message)
}

/// JSON items may enter where a table is wanted, as its rows; a table is no JSON value.
fn check_kinds(out: &Port, into: &Port, edge: &Edge, found: &mut Vec<Diagnostic>) {
    if out.kind == PortKind::Frame && into.kind == PortKind::Json {
        let message = format!("output `{}` gives a table, input `{}` takes JSON", out.label, into.label);
        found.push(
            Diagnostic::error(Subject::Edge(edge.id.clone()), "port_kind_mismatch", message)
                .fix("connect an output that gives JSON"),
        );
    }
}
