//! What the server knows of a diagram without running it: dependencies, order, levels [CANVAS-3], the columns on every
//! edge [CANVAS-5], and all that is wrong [CANVAS-4]. Nothing of it is taken from the client.
//!
//! Synchronous; a check may read the head of a file, so call it where blocking is allowed.

mod checks;
pub(crate) mod price;
mod schemas;
#[cfg(test)]
mod tests;

use std::{any::Any, collections::BTreeMap};

use serde::Serialize;
use serde_json::{Map, Value};
use troupe_model::{Diagnostic, Diagram, Subject};

use crate::{
    files::Files,
    fuel::Fuel,
    graph::{self, Graph},
    registry::Registry,
};
use checks::Checks;
use schemas::{Inference, Told};

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
    pub schemas: Told,
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
pub fn analyse(
    diagram: &Diagram,
    parameters: &Map<String, Value>,
    registry: &Registry,
    files: &Files,
    fuel: &Fuel,
) -> Analysis {
    Analyst::new(registry.clone(), files.clone()).analyse(diagram, parameters, fuel)
}

/// Node → its upstream nodes.
pub fn dependencies(diagram: &Diagram, registry: &Registry) -> BTreeMap<String, Vec<String>> {
    upstream(&Graph::read(diagram, registry).0)
}

fn upstream(graph: &Graph<'_>) -> BTreeMap<String, Vec<String>> {
    (0..graph.steps.len()).map(|step| (graph.id(step).to_owned(), ids(graph, &graph.sources(step)))).collect()
}

fn ids(graph: &Graph<'_>, steps: &[usize]) -> Vec<String> {
    steps.iter().map(|step| graph.id(*step).to_owned()).collect()
}

impl Analyst {
    pub fn new(registry: Registry, files: Files) -> Self {
        Self { registry, files, checks: Checks::default() }
    }

    /// What costs more than `fuel` has is left out, and a warning says so.
    pub fn analyse(&mut self, diagram: &Diagram, parameters: &Map<String, Value>, fuel: &Fuel) -> Analysis {
        if fuel.pay(price::of_structure(diagram)).is_err() {
            return Analysis { diagnostics: vec![not_checked(diagram.nodes.len())], ..Analysis::default() };
        }
        let (graph, mut diagnostics) = Graph::read(diagram, &self.registry);
        let inference = Inference { graph: &graph, parameters, files: &self.files, fuel };
        let schemas = inference.run(&mut self.checks, &mut diagnostics);
        let unchecked = schemas.unchecked;
        let (schemas, untold) = schemas.told(&graph);
        let mut diagnostics = graph::told(diagnostics);
        diagnostics.extend((unchecked > 0).then(|| not_checked(unchecked)));
        diagnostics.extend((untold > 0).then(|| not_told(untold)));
        Analysis {
            dependencies: upstream(&graph),
            execution_order: ids(&graph, &graph.order),
            levels: graph.levels.iter().map(|level| ids(&graph, level)).collect(),
            schemas,
            diagnostics,
        }
    }
}

fn not_checked(nodes: usize) -> Diagnostic {
    let message = format!("the analysis of this workflow takes too much work: nodes that were not checked: {nodes}");
    Diagnostic::warning(Subject::Diagram(()), "analysis_too_expensive", message)
        .fix("make several workflows of it, or use fewer columns and shorter texts")
}

fn not_told(nodes: usize) -> Diagnostic {
    let message = format!("this workflow has too many columns to show: nodes whose columns are not shown: {nodes}");
    Diagnostic::warning(Subject::Diagram(()), "too_many_columns", message)
        .fix("make several workflows of it, or select the columns that are needed")
}

pub(crate) fn panic_message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "no message".to_owned())
}
