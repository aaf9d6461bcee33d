//! The columns on every edge [CANVAS-5]: each node's check, in topological order, with what the checks before it gave.

use std::{
    collections::BTreeMap,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use serde_json::{Map, Value};
use troupe_model::{Diagnostic, Schema, Severity};

use super::{checks::Checks, panic_message, price};
use crate::{
    files::Files,
    fuel::Fuel,
    graph::{self, Graph, Step},
    node::{CheckContext, Checked, Finding, Inputs},
    registry::Registered,
};

/// What the schemas of one diagram may take in memory. Equal ones that follow on one another are held once.
const HELD_BYTES_MAX: usize = 16 << 20;
/// What the schemas of one diagram may take when they are told: each edge's, one after the other.
const TOLD_BYTES_MAX: usize = 2 << 20;

type Outputs = BTreeMap<String, Option<Arc<Schema>>>;

/// Output port → its columns, by node.
pub(super) type Told = BTreeMap<String, BTreeMap<String, Arc<Schema>>>;

/// What the checks of a diagram are made with.
pub(super) struct Inference<'a> {
    pub graph: &'a Graph<'a>,
    pub parameters: &'a Map<String, Value>,
    pub files: &'a Files,
    pub fuel: &'a Fuel,
}

/// What the checks gave.
pub(super) struct Schemas {
    /// Step → output port → schema.
    outputs: Vec<Outputs>,
    held_bytes: usize,
    /// Nodes that were not checked, for it would have taken too much.
    pub unchecked: usize,
}

impl Inference<'_> {
    pub fn run(&self, checks: &mut Checks, found: &mut Vec<Diagnostic>) -> Schemas {
        checks.begin(self.parameters);
        let outputs = vec![BTreeMap::new(); self.graph.steps.len()];
        let mut schemas = Schemas { outputs, held_bytes: 0, unchecked: 0 };
        for &place in &self.graph.order {
            let step = &self.graph.steps[place];
            // A config that is not valid was told already, and checks may rely on a valid one.
            let Some(registered) = step.registered.filter(|_| step.is_valid) else { continue };
            let inputs = schemas.inputs(self.graph, step, registered);
            let checked = self.checked(step, registered, &inputs, checks);
            let Some(outputs) = checked.and_then(|checked| {
                found.extend(checked.findings.into_iter().map(|finding| graph::diagnostic(&step.node.id, finding)));
                schemas.hold(checked.outputs, &inputs)
            }) else {
                schemas.unchecked += 1;
                continue;
            };
            schemas.outputs[place] = outputs;
        }
        schemas
    }

    /// `None`: it would take too much.
    fn checked(
        &self,
        step: &Step<'_>,
        registered: &Registered,
        inputs: &Inputs,
        checks: &mut Checks,
    ) -> Option<Checked> {
        let config = price::of_object(&step.node.data.config);
        self.fuel.pay(price::of_comparing(config, inputs)).ok()?;
        let ctx = CheckContext::new(&step.node.data.config, inputs, self.parameters, self.files, self.fuel);
        checks.of(step.node, &ctx, |ctx| {
            self.fuel.pay(price::of_check(config, inputs)).ok()?;
            let refused = self.fuel.refused();
            let checked = check(registered, ctx);
            (self.fuel.refused() == refused).then_some(checked)
        })
    }
}

impl Schemas {
    fn inputs(&self, graph: &Graph<'_>, step: &Step<'_>, registered: &Registered) -> Inputs {
        let mut inputs = Inputs::new();
        for wire in step.incoming.iter().map(|&wire| &graph.wires[wire]) {
            let Some(into) = wire.target_port.map(|place| &registered.spec().inputs[place]) else { continue };
            inputs.entry(into.name.clone()).or_default().push(self.of(graph, wire.source, wire.source_port));
        }
        inputs
    }

    fn of(&self, graph: &Graph<'_>, source: usize, port: Option<usize>) -> Option<Arc<Schema>> {
        let port = &graph.steps[source].registered?.spec().outputs[port?];
        self.outputs[source].get(&port.name)?.clone()
    }

    /// A node's outputs, those that it passes on unchanged shared with its inputs. `None`: they would take too much.
    fn hold(&mut self, mut outputs: Outputs, inputs: &Inputs) -> Option<Outputs> {
        let mut bytes = 0;
        for schema in outputs.values_mut().flatten() {
            match inputs.values().flatten().flatten().find(|input| *input == schema) {
                Some(input) => *schema = input.clone(),
                None => bytes += price::bytes_of(schema),
            }
        }
        self.held_bytes += bytes;
        (self.held_bytes <= HELD_BYTES_MAX).then_some(outputs)
    }

    /// What is known, up to what can be told, and how many nodes' columns are not.
    pub fn told(self, graph: &Graph<'_>) -> (Told, usize) {
        let (mut told, mut bytes, mut untold) = (Told::new(), 0, 0);
        for (step, outputs) in self.outputs.into_iter().enumerate() {
            let known: BTreeMap<_, _> =
                outputs.into_iter().filter_map(|(port, schema)| Some((port, schema?))).collect();
            bytes += known.values().map(|schema| price::bytes_of(schema)).sum::<usize>();
            match known.is_empty() {
                true => {}
                false if bytes > TOLD_BYTES_MAX => untold += 1,
                false => drop(told.insert(graph.id(step).to_owned(), known)),
            }
        }
        (told, untold)
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
