//! What an analysis found, as those who watch are told: by what it is about, and only what changed [CANVAS-4, CANVAS-5].

use std::{collections::BTreeMap, sync::Arc};

use serde::Serialize;
use serde_json::value::RawValue;
use troupe_engine::analysis::Analysis;
use troupe_model::{Diagnostic, Schema, Subject};

use crate::live::parts::{self, Part};

/// Of a node, an edge, or the diagram: what is wrong, and the columns of each output that are known.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub(super) struct Finding {
    diagnostics: Vec<Diagnostic>,
    schemas: BTreeMap<String, Arc<Schema>>,
}

/// Nothing is kept of what there is nothing to say about.
pub(super) type Findings = BTreeMap<Subject, Finding>;

/// An analysis, and what of it is new.
#[derive(Debug)]
pub(crate) struct Found {
    pub(super) analysis: Arc<Analysis>,
    pub(super) findings: Arc<Findings>,
    /// Messages. None: it says what the one before said.
    pub(super) changes: Vec<Box<RawValue>>,
}

#[derive(Serialize)]
struct Change<'a> {
    revision: i64,
    nodes: Part<'a>,
    edges: Part<'a>,
    /// Of the diagram as a whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    diagram: Option<Box<RawValue>>,
    /// Whether others follow, of those that are there already.
    #[serde(skip_serializing_if = "Option::is_none")]
    more: Option<bool>,
}

impl Found {
    /// Of what was found at `revision`, after `before`.
    pub(super) fn after(before: &Findings, analysis: Analysis, revision: i64) -> Self {
        let findings = findings(&analysis);
        let gone = before.keys().filter(|subject| !findings.contains_key(subject)).map(|subject| (subject, None));
        let fresh = findings.iter().filter(|(subject, finding)| before.get(subject) != Some(finding));
        let mut told = gone.chain(fresh.map(|(subject, finding)| (subject, Some(finding)))).map(encoded).peekable();
        let mut changes = Vec::new();
        while told.peek().is_some() {
            changes.push(parts::raw(&change(revision, parts::take(&mut told, bytes), None)));
        }
        Self { analysis: Arc::new(analysis), findings: Arc::new(findings), changes }
    }
}

/// What is there, from a subject on, so much as a message holds, and where to go on.
pub(super) fn page(findings: &Findings, revision: i64, from: Option<&Subject>) -> (Box<RawValue>, Option<Subject>) {
    let rest = findings.iter().skip_while(|(subject, _)| from.is_some_and(|from| *subject < from));
    let mut told = rest.map(|(subject, finding)| encoded((subject, Some(finding)))).peekable();
    let taken = parts::take(&mut told, bytes);
    let next = told.next().map(|(subject, _)| subject.clone());
    (parts::raw(&change(revision, taken, Some(next.is_some()))), next)
}

type Encoded<'a> = (&'a Subject, Box<RawValue>);

fn encoded<'a>((subject, finding): (&'a Subject, Option<&Finding>)) -> Encoded<'a> {
    (subject, parts::raw(&finding))
}

fn bytes((_, finding): &Encoded<'_>) -> usize {
    finding.get().len()
}

fn change(revision: i64, told: Vec<Encoded<'_>>, more: Option<bool>) -> Change<'_> {
    let mut change = Change { revision, nodes: Part::new(), edges: Part::new(), diagram: None, more };
    for (subject, finding) in told {
        match subject {
            Subject::Node(id) => drop(change.nodes.insert(id, finding)),
            Subject::Edge(id) => drop(change.edges.insert(id, finding)),
            Subject::Diagram(()) => change.diagram = Some(finding),
        }
    }
    change
}

fn findings(analysis: &Analysis) -> Findings {
    let mut findings = Findings::new();
    for diagnostic in &analysis.diagnostics {
        findings.entry(diagnostic.subject.clone()).or_default().diagnostics.push(diagnostic.clone());
    }
    for (node, schemas) in &analysis.schemas {
        findings.entry(Subject::Node(node.clone())).or_default().schemas = schemas.clone();
    }
    findings
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use troupe_model::{Column, ColumnType};

    use super::*;

    fn analysis(columns: &[(&str, usize)], wrong: &[&str]) -> Analysis {
        let schema = |columns: usize| {
            let column = |number| Column { name: format!("column {number}"), column_type: ColumnType::String };
            Arc::new(Schema { columns: (0..columns).map(column).collect() })
        };
        Analysis {
            schemas: columns
                .iter()
                .map(|(node, columns)| ((*node).to_owned(), BTreeMap::from([("out".to_owned(), schema(*columns))])))
                .collect(),
            diagnostics: wrong
                .iter()
                .map(|node| Diagnostic::error(Subject::Node((*node).to_owned()), "wrong", "it is wrong"))
                .collect(),
            ..Analysis::default()
        }
    }

    fn told(messages: &[Box<RawValue>]) -> Vec<Value> {
        messages.iter().map(|message| serde_json::from_str(message.get()).unwrap()).collect()
    }

    /// [CANVAS-4] Only what changed is told: what is new, what is otherwise, and what is gone.
    #[test]
    fn changes_are_told() {
        let first = Found::after(&Findings::new(), analysis(&[("a", 1), ("b", 1)], &["c"]), 1);
        assert_eq!(told(&first.changes)[0]["nodes"].as_object().unwrap().len(), 3);
        let same = Found::after(&first.findings, analysis(&[("a", 1), ("b", 1)], &["c"]), 2);
        assert!(same.changes.is_empty());
        let other = Found::after(&first.findings, analysis(&[("a", 1), ("b", 2)], &["d"]), 3);
        let told = told(&other.changes);
        assert_eq!(told.len(), 1);
        assert_eq!(told[0]["revision"], 3);
        let nodes = told[0]["nodes"].as_object().unwrap();
        assert_eq!(nodes.keys().collect::<Vec<_>>(), ["b", "c", "d"]);
        assert_eq!((&nodes["c"], &nodes["d"]["diagnostics"][0]["code"]), (&Value::Null, &json!("wrong")));
    }

    /// [WS-5] However much there is, each message has its bound, and together the pages tell all.
    #[test]
    fn messages_are_bounded() {
        let names: Vec<String> = (0..500).map(|node| format!("node {node}")).collect();
        let columns: Vec<_> = names.iter().map(|name| (name.as_str(), 50)).collect();
        let found = Found::after(&Findings::new(), analysis(&columns, &[]), 1);
        assert!(found.changes.len() > 5 && found.changes.iter().all(|change| change.get().len() < 80 << 10));
        let (mut from, mut nodes) = (None, 0);
        loop {
            let (message, next) = page(&found.findings, 1, from.as_ref());
            assert!(message.get().len() < 80 << 10);
            let message: Value = serde_json::from_str(message.get()).unwrap();
            assert_eq!(message["more"], next.is_some());
            nodes += message["nodes"].as_object().unwrap().len();
            from = next;
            if from.is_none() {
                break;
            }
        }
        assert_eq!(nodes, 500);
    }
}
