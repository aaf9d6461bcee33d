//! What the server knows of a diagram without running it: dependencies, order, levels [CANVAS-3], the columns on every
//! edge [CANVAS-5], and all that is wrong [CANVAS-4]. Nothing of it is taken from the client.
//!
//! Synchronous; a check may read the head of a file, so call it where blocking is allowed.

mod checks;
#[cfg(test)]
mod tests;

use std::{
    any::Any,
    collections::BTreeMap,
    panic::{AssertUnwindSafe, catch_unwind},
};

use serde::Serialize;
use serde_json::{Map, Value};
use troupe_model::{Diagnostic, Diagram, Schema, Severity};

use crate::{
    files::Files,
    graph::{self, Graph, Step},
    node::{CheckContext, Checked, Finding},
    registry::{Registered, Registry},
};
use checks::Checks;

/// Disabled nodes are in none of it.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Analysis {
    /// Node → its upstream nodes.
    pub dependencies: BTreeMap<String, Vec<String>>,
    /// Topological and stable. Nodes on a cycle or behind one are left out.
    pub execution_order: Vec<String>,
    /// Nodes of one level can run side by side.
    pub levels: Vec<Vec<String>>,
    /// Node → output port → its columns, where they are known.
    pub schemas: BTreeMap<String, BTreeMap<String, Schema>>,
    pub diagnostics: Vec<Diagnostic>,
}

/// Analyses one workflow again and again: after an edit, only the nodes that it reaches are checked again.
#[derive(Debug)]
pub struct Analyst {
    registry: Registry,
    files: Files,
    checks: Checks,
}

/// Analyses a diagram once. `parameters` are the workflow's.
pub fn analyse(diagram: &Diagram, parameters: &Map<String, Value>, registry: &Registry, files: &Files) -> Analysis {
    Analyst::new(registry.clone(), files.clone()).analyse(diagram, parameters)
}

impl Analyst {
    pub fn new(registry: Registry, files: Files) -> Self {
        Self { registry, files, checks: Checks::default() }
    }

    pub fn analyse(&mut self, diagram: &Diagram, parameters: &Map<String, Value>) -> Analysis {
        let (graph, mut diagnostics) = Graph::read(diagram, &self.registry);
        self.checks.begin();
        let schemas = Schemas::infer(&graph, parameters, &self.files, &mut self.checks, &mut diagnostics);
        let id = |step: &usize| graph.id(*step).to_owned();
        let ids = |steps: &[usize]| steps.iter().map(id).collect::<Vec<_>>();
        Analysis {
            dependencies: (0..graph.steps.len()).map(|step| (id(&step), ids(&graph.sources(step)))).collect(),
            execution_order: ids(&graph.order),
            levels: graph.levels.iter().map(|level| ids(level)).collect(),
            schemas: schemas.known(&graph),
            diagnostics,
        }
    }
}

/// Step → output port → schema, filled in topological order.
struct Schemas(Vec<BTreeMap<String, Option<Schema>>>);

impl Schemas {
    fn infer(
        graph: &Graph<'_>,
        parameters: &Map<String, Value>,
        files: &Files,
        checks: &mut Checks,
        found: &mut Vec<Diagnostic>,
    ) -> Self {
        let mut schemas = Self(vec![BTreeMap::new(); graph.steps.len()]);
        for &place in &graph.order {
            let step = &graph.steps[place];
            let Some(registered) = step.registered else { continue };
            // A config that is not valid was told already, and checks may rely on a valid one.
            if !registered.validator().is_valid(&step.node.data.config) {
                continue;
            }
            let inputs = schemas.inputs(graph, step, registered);
            let ctx = CheckContext::new(&step.node.data.config, &inputs, parameters, files);
            let checked = checks.of(step.node, &ctx, |ctx| check(registered, ctx));
            found.extend(checked.findings.into_iter().map(|finding| graph::diagnostic(&step.node.id, finding)));
            schemas.0[place] = checked.outputs;
        }
        schemas
    }

    fn inputs(
        &self,
        graph: &Graph<'_>,
        step: &Step<'_>,
        registered: &Registered,
    ) -> BTreeMap<String, Vec<Option<Schema>>> {
        let mut inputs: BTreeMap<String, Vec<Option<Schema>>> = BTreeMap::new();
        for wire in step.incoming.iter().map(|&wire| &graph.wires[wire]) {
            let Some(into) = wire.target_port.map(|place| &registered.spec().inputs[place]) else { continue };
            inputs.entry(into.name.clone()).or_default().push(self.of(graph, wire.source, wire.source_port));
        }
        inputs
    }

    fn of(&self, graph: &Graph<'_>, source: usize, port: Option<usize>) -> Option<Schema> {
        let port = &graph.steps[source].registered?.spec().outputs[port?];
        self.0[source].get(&port.name)?.clone()
    }

    fn known(self, graph: &Graph<'_>) -> BTreeMap<String, BTreeMap<String, Schema>> {
        let known = |ports: BTreeMap<String, Option<Schema>>| {
            ports.into_iter().filter_map(|(port, schema)| Some((port, schema?))).collect::<BTreeMap<_, _>>()
        };
        let all = self.0.into_iter().enumerate().map(|(step, ports)| (graph.id(step).to_owned(), known(ports)));
        all.filter(|(_, ports)| !ports.is_empty()).collect()
    }
}

/// A check that panics is a mistake of ours; the other nodes are checked all the same.
fn check(registered: &Registered, ctx: &CheckContext<'_>) -> Checked {
    catch_unwind(AssertUnwindSafe(|| registered.node_type().check(ctx))).unwrap_or_else(|panic| {
        let finding = Finding {
            severity: Severity::Error,
            field: None,
            code: "check_panicked",
            message: format!("this node could not be checked: {}", panic_message(panic.as_ref())),
            fix: None,
        };
        Checked { findings: vec![finding], ..Checked::default() }
    })
}

pub(crate) fn panic_message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "no message".to_owned())
}
