//! Small diagrams, each with one thing wrong; on the standard node types where they are enough.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use futures::future::BoxFuture;
use proptest::{collection::vec, prelude::*};
use serde_json::{Value, json};
use troupe_model::{
    Column, ColumnType, Edge, Node, NodeData, NodeFailure, NodeTypeSpec, Port, PortKind, Position, Schema, Subject,
};

use super::*;
use crate::{
    node::{CheckContext, Checked, NodeType, Outcome, RunContext},
    plan::Plan,
};

/// A type without code: its check gives one column, or panics.
struct Fake {
    spec: NodeTypeSpec,
    panics: bool,
    checks: Arc<AtomicUsize>,
}

impl NodeType for Fake {
    fn spec(&self) -> &NodeTypeSpec {
        &self.spec
    }

    fn check(&self, ctx: &CheckContext<'_>) -> Checked {
        self.checks.fetch_add(1, Ordering::Relaxed);
        if self.spec.id == "source" {
            ctx.files();
        }
        assert!(!self.panics, "a check that panics");
        let column = |name: String| Column { name, column_type: ColumnType::Integer };
        let known = ctx.inputs.values().flatten().flatten().flat_map(|schema| schema.columns.clone());
        let schema = Schema { columns: known.chain([column(self.spec.id.clone())]).collect() };
        Checked { outputs: BTreeMap::from([("out".to_owned(), Some(Arc::new(schema)))]), ..Checked::default() }
    }

    fn run(&self, _ctx: RunContext) -> BoxFuture<'_, Result<Outcome, NodeFailure>> {
        unreachable!("these tests do not run")
    }
}

fn fake(id: &str, inputs: Vec<Port>, outputs: Vec<Port>, panics: bool, checks: &Arc<AtomicUsize>) -> Arc<dyn NodeType> {
    let spec = NodeTypeSpec {
        id: id.to_owned(),
        category: "Transforms".to_owned(),
        name: id.to_owned(),
        description: String::new(),
        icon: String::new(),
        color: String::new(),
        inputs,
        outputs,
        config_schema: json!({
            "type": "object", "properties": {"n": {"type": "integer"}}, "additionalProperties": false,
        }),
        config_defaults: json!({}),
    };
    Arc::new(Fake { spec, panics, checks: checks.clone() })
}

fn registry() -> Registry {
    counting(&Arc::default())
}

/// Counts the checks of all types. `source` looks at files.
fn counting(checks: &Arc<AtomicUsize>) -> Registry {
    let port = |name: &str, kind| Port::new(name, name, kind);
    let out = || vec![port("out", PortKind::Frame)];
    Registry::of([
        fake("source", vec![], out(), false, checks),
        fake("map", vec![port("in", PortKind::Frame)], out(), false, checks),
        fake("join", vec![port("left", PortKind::Frame), port("right", PortKind::Frame)], out(), false, checks),
        fake("json", vec![port("in", PortKind::Json)], out(), false, checks),
        fake("rogue", vec![port("in", PortKind::Any)], out(), true, checks),
    ])
}

/// Edges as `"a -> b.in"`; ports may be left out.
fn diagram(nodes: &[(&str, &str)], edges: &[&str]) -> Diagram {
    let node = |&(id, node_type): &(&str, &str)| Node {
        id: id.to_owned(),
        kind: "custom-node".to_owned(),
        position: Position::default(),
        data: NodeData { node_type: node_type.to_owned(), ..NodeData::default() },
        parent_id: None,
        width: None,
        height: None,
    };
    let edge = |text: &&str| {
        let (source, target) = text.split_once(" -> ").unwrap();
        let (target, handle) = target.split_once('.').map_or((target, None), |(node, port)| (node, Some(port)));
        Edge {
            id: (*text).to_owned(),
            kind: "custom-edge".to_owned(),
            source: source.to_owned(),
            target: target.to_owned(),
            source_handle: None,
            target_handle: handle.map(str::to_owned),
        }
    };
    Diagram { nodes: nodes.iter().map(node).collect(), edges: edges.iter().map(edge).collect(), ..Diagram::default() }
}

fn analysed(diagram: &Diagram) -> Analysis {
    analyse(diagram, &Map::new(), &registry(), &Files::new("/nowhere"), &Fuel::unlimited())
}

/// `(code, subject)` of all that is wrong.
fn problems(diagram: &Diagram) -> Vec<(String, String)> {
    let subject = |subject: Subject| match subject {
        Subject::Node(id) | Subject::Edge(id) => id,
        Subject::Diagram(()) => String::new(),
    };
    analysed(diagram).diagnostics.into_iter().map(|found| (found.code, subject(found.subject))).collect()
}

fn problem(code: &str, subject: &str) -> (String, String) {
    (code.to_owned(), subject.to_owned())
}

fn column_names(analysis: &Analysis, node: &str) -> Vec<String> {
    analysis.schemas[node]["out"].columns.iter().map(|column| column.name.clone()).collect()
}

/// [CANVAS-3] [CANVAS-5]
#[test]
fn dependencies_order_levels_and_columns_are_computed() {
    let nodes = [("a", "join"), ("b", "map"), ("c", "source"), ("d", "source")];
    let analysis = analysed(&diagram(&nodes, &["c -> b", "b -> a.left", "d -> a.right"]));
    assert_eq!(analysis.diagnostics, []);
    assert_eq!(analysis.dependencies["a"], ["b", "d"]);
    assert_eq!(analysis.execution_order, ["c", "b", "d", "a"]);
    assert_eq!(analysis.levels, [vec!["c", "d"], vec!["b"], vec!["a"]]);
    assert_eq!(column_names(&analysis, "a"), ["source", "map", "source", "join"]);
}

prop_compose! {
    /// Nodes in any order, and edges that make no cycle.
    fn acyclic()(ids in Just((0..12).map(|n| format!("n{n:02}")).collect::<Vec<_>>()).prop_shuffle(),
        edges in vec((0_usize..12, 0_usize..12), 0..30)) -> (Vec<String>, Vec<String>)
    {
        let forward = edges.into_iter().filter(|(from, to)| from < to);
        let edges = forward.map(|(from, to)| format!("{} -> {}", ids[from], ids[to])).collect();
        (ids, edges)
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, failure_persistence: None, ..ProptestConfig::default() })]

    /// [CANVAS-3] The order is topological, whole, and the same however edges are told; levels agree with it.
    #[test]
    fn the_order_is_topological_and_stable((mut ids, mut edges) in acyclic()) {
        ids.sort();
        let nodes: Vec<_> = ids.iter().map(|id| (id.as_str(), "map")).collect();
        let analysis_of = |edges: &[String]| analysed(&diagram(&nodes, &edges.iter().map(String::as_str).collect::<Vec<_>>()));
        let analysis = analysis_of(&edges);
        let place = |list: &[String], id: &String| list.iter().position(|other| other == id).unwrap();
        let mut all = analysis.execution_order.clone();
        all.sort();
        prop_assert_eq!(&all, &ids);
        let level = |id: &String| analysis.levels.iter().position(|level| level.contains(id)).unwrap();
        for (node, upstream) in &analysis.dependencies {
            for source in upstream {
                prop_assert!(place(&analysis.execution_order, source) < place(&analysis.execution_order, node));
                prop_assert!(level(source) < level(node));
            }
        }
        edges.reverse();
        let again = analysis_of(&edges);
        prop_assert_eq!(again.execution_order, analysis.execution_order);
        prop_assert_eq!(again.levels, analysis.levels);
        prop_assert_eq!(again.dependencies, analysis.dependencies);
    }
}

/// [CANVAS-4]
#[test]
fn a_cycle_is_named() {
    let nodes = [("a", "join"), ("b", "map"), ("c", "map"), ("s", "source")];
    let diagram = diagram(&nodes, &["s -> a.left", "c -> a.right", "a -> b", "b -> c"]);
    assert_eq!(problems(&diagram), ["a", "b", "c"].map(|node| problem("cycle", node)));
    let analysis = analysed(&diagram);
    assert!(analysis.diagnostics[0].message.ends_with("`a` → `b` → `c` → `a`"), "{}", analysis.diagnostics[0].message);
    assert_eq!(analysis.execution_order, ["s"]);
    assert_eq!(analysis.dependencies["a"], ["c", "s"]);
}

#[test]
fn a_node_that_feeds_itself_is_a_cycle() {
    assert_eq!(problems(&diagram(&[("a", "map")], &["a -> a"])), [problem("cycle", "a")]);
}

/// [CANVAS-4] What is wrong with wires, each on the edge or the node that has it.
#[test]
fn wrong_wires_are_told() {
    let two = [("a", "source"), ("b", "map")];
    assert_eq!(problems(&diagram(&two, &["a -> b"])), []);
    assert_eq!(
        problems(&diagram(&two, &["a -> b.im"])),
        [problem("unknown_port", "a -> b.im"), problem("missing_input", "b")]
    );
    let unknown = analysed(&diagram(&two, &["a -> b.im"])).diagnostics.remove(0);
    assert_eq!(unknown.fix.unwrap(), "did you mean `in`?");
    assert_eq!(
        problems(&diagram(&[("a", "source"), ("j", "json")], &["a -> j"])),
        [problem("port_kind_mismatch", "a -> j")]
    );
    let three = [("a", "source"), ("b", "map"), ("c", "source")];
    assert_eq!(problems(&diagram(&three, &["a -> b", "c -> b"])), [problem("too_many_edges", "c -> b")]);
    assert_eq!(problems(&diagram(&two, &["a -> b", "a -> z"])), [problem("unknown_node", "a -> z")]);
    assert_eq!(
        problems(&diagram(&[("a", "source"), ("b", "source")], &["a -> b"])),
        [problem("unknown_port", "a -> b")]
    );
}

/// [CANVAS-4] What is wrong with nodes.
#[test]
fn wrong_nodes_are_told() {
    assert_eq!(problems(&diagram(&[], &[])), [problem("empty_diagram", "")]);
    let lonely = [("a", "source"), ("b", "source")];
    assert_eq!(problems(&diagram(&lonely, &[])), [problem("orphan_node", "a"), problem("orphan_node", "b")]);
    assert_eq!(problems(&diagram(&[("a", "source"), ("a", "source")], &[])), [problem("duplicate_node", "a")]);
    let unknown = analysed(&diagram(&[("a", "sorce")], &[])).diagnostics.remove(0);
    assert_eq!((unknown.code.as_str(), unknown.fix.as_deref()), ("unknown_node_type", Some("did you mean `source`?")));
    let mut wrong = diagram(&[("a", "source")], &[]);
    wrong.nodes[0].data.config.insert("n".to_owned(), Value::from("x"));
    let found = analysed(&wrong).diagnostics.remove(0);
    assert_eq!((found.code.as_str(), found.field.as_deref()), ("invalid_config", Some("/n")));
    wrong.nodes[0].data.config = Map::from_iter([("headers".to_owned(), json!([{"a/b": "Bearer {{secret}}"}]))]);
    let found = analysed(&wrong).diagnostics.pop().unwrap();
    let credential = ("missing_credential", Some("/headers/0/a~1b"));
    assert_eq!((found.code.as_str(), found.field.as_deref()), credential);
}

/// A check that panics harms no other node.
#[test]
fn a_check_that_panics_is_a_diagnostic() {
    let nodes = [("a", "source"), ("b", "rogue"), ("c", "map")];
    let diagram = diagram(&nodes, &["a -> b", "a -> c"]);
    assert_eq!(problems(&diagram), [problem("check_panicked", "b")]);
    assert_eq!(column_names(&analysed(&diagram), "c"), ["source", "map"]);
}

/// [CANVAS-4] After an edit, what changed is checked again, and what looks at files; the rest is remembered.
#[test]
fn only_what_changed_is_checked_again() {
    let checks = Arc::<AtomicUsize>::default();
    let mut analyst = Analyst::new(counting(&checks), Files::new("/nowhere"));
    let mut analyse = |diagram: &Diagram, parameters: &Value| {
        let analysis = analyst.analyse(diagram, parameters.as_object().unwrap(), &Fuel::unlimited());
        let (parameters, files) = (parameters.as_object().unwrap(), Files::new("/nowhere"));
        let afresh = analyse(diagram, parameters, &registry(), &files, &Fuel::unlimited());
        assert_eq!(analysis, afresh, "what is remembered is what is found");
        checks.swap(0, Ordering::Relaxed)
    };
    let nodes = [("a", "source"), ("b", "map"), ("c", "map"), ("d", "map"), ("x", "map")];
    let mut diagram = diagram(&nodes, &["a -> b", "b -> c", "c -> d"]);
    let none = json!({});
    assert_eq!(analyse(&diagram, &none), 5);
    assert_eq!(analyse(&diagram, &none), 1, "the one that looks at files");
    diagram.nodes[2].data.config.insert("n".to_owned(), Value::from(1));
    assert_eq!(analyse(&diagram, &none), 2, "its columns did not change, so nothing after it");
    diagram.nodes.remove(4);
    diagram.nodes[0].position.x = 7.0;
    assert_eq!(analyse(&diagram, &none), 1);
    diagram.edges.remove(1);
    assert_eq!(analyse(&diagram, &none), 3, "what comes after other columns");
    assert_eq!(analyse(&diagram, &json!({"limit": 1})), 4, "a parameter may be what a check missed");
}

fn disable(diagram: &mut Diagram, id: &str) {
    diagram.nodes.iter_mut().filter(|node| node.id == id).for_each(|node| node.data.disabled = true);
}

#[test]
fn a_disabled_node_with_one_input_and_one_output_is_a_wire() {
    let nodes = [("a", "source"), ("b", "map"), ("c", "map"), ("d", "map")];
    let mut diagram = diagram(&nodes, &["a -> b", "b -> c", "c -> d"]);
    disable(&mut diagram, "b");
    disable(&mut diagram, "c");
    let analysis = analysed(&diagram);
    assert_eq!(analysis.diagnostics, []);
    assert_eq!(analysis.dependencies["d"], ["a"]);
    assert_eq!(analysis.execution_order, ["a", "d"]);
}

#[test]
fn any_other_disabled_node_is_absent() {
    let nodes = [("a", "source"), ("b", "source"), ("j", "join"), ("m", "map")];
    let mut diagram = diagram(&nodes, &["a -> j.left", "b -> j.right", "j -> m"]);
    disable(&mut diagram, "j");
    let told = problems(&diagram);
    assert!(told.contains(&problem("missing_input", "m")), "{told:?}");
}

/// Warnings, and what depends on data, do not keep a run from starting.
#[test]
fn a_plan_refuses_errors_of_structure_only() {
    let plan = |nodes: &[(&str, &str)], edges: &[&str]| Plan::build(&diagram(nodes, edges), &registry());
    assert_eq!(plan(&[("a", "source"), ("b", "source")], &[]).unwrap().len(), 2);
    assert_eq!(plan(&[("a", "source"), ("b", "rogue")], &["a -> b"]).unwrap().len(), 2);
    assert_eq!(plan(&[], &[]).unwrap_err()[0].code, "empty_diagram");
    assert_eq!(plan(&[("a", "map")], &[]).unwrap_err()[0].code, "missing_input");
}

/// [NODE-1] Every node type of the standard registry is complete.
#[test]
fn the_standard_node_types_are_complete() {
    let registry = Registry::standard();
    assert!(registry.specs().len() >= 16);
    for spec in registry.specs() {
        let id = &spec.id;
        assert!(!spec.name.is_empty() && spec.description.ends_with('.'), "{id}");
        assert!(!spec.icon.is_empty() && spec.color.len() == 7, "{id}");
        assert!(!spec.outputs.is_empty() && spec.config_schema["type"] == "object", "{id}");
        let known = |name: &String| spec.config_schema["properties"].get(name).is_some();
        assert!(spec.config_defaults.as_object().unwrap().keys().all(known), "{id}");
    }
}

fn told(analysis: &Analysis) -> Vec<&str> {
    analysis.diagnostics.iter().map(|found| found.code.as_str()).collect()
}

/// [REL-12] What the fuel pays for stands; that the rest was not checked is told once, and by the same words on every
/// machine. What was checked before is not paid for again.
#[test]
fn what_is_too_expensive_is_not_checked() {
    let ids: Vec<_> = (0..100).map(|n| format!("n{n:02}")).collect();
    let nodes: Vec<_> = ids.iter().map(|id| (id.as_str(), if id == "n00" { "source" } else { "map" })).collect();
    let edges: Vec<_> = ids.windows(2).map(|pair| format!("{} -> {}", pair[0], pair[1])).collect();
    let diagram = diagram(&nodes, &edges.iter().map(String::as_str).collect::<Vec<_>>());
    let analyst = || Analyst::new(registry(), Files::new("/nowhere"));
    let mut first = analyst();
    let known = |analysis: &Analysis| analysis.schemas.len();
    let mut before = 0;
    for _ in 0..3 {
        let analysis = first.analyse(&diagram, &Map::new(), &Fuel::new(100_000));
        assert_eq!(told(&analysis), ["analysis_too_expensive"]);
        assert_eq!(analysis.diagnostics[0].severity, troupe_model::Severity::Warning);
        assert!(analysis.diagnostics[0].message.ends_with(&format!(": {}", 100 - known(&analysis))));
        assert_eq!((analysis.execution_order.len(), analysis.dependencies.len()), (100, 100));
        assert!(known(&analysis) > before, "{} nodes", known(&analysis));
        if before == 0 {
            assert_eq!(analyst().analyse(&diagram, &Map::new(), &Fuel::new(100_000)), analysis);
        }
        before = known(&analysis);
    }
    let all = first.analyse(&diagram, &Map::new(), &Fuel::new(1_000_000));
    assert_eq!((told(&all).len(), known(&all)), (0, 100));
    let nothing = analyst().analyse(&diagram, &Map::new(), &Fuel::new(100));
    assert_eq!((told(&nothing), known(&nothing)), (vec!["analysis_too_expensive"], 0));
}

/// An analysis that nobody waits for checks no more.
#[test]
fn a_canceled_analysis_checks_nothing() {
    let checks = Arc::<AtomicUsize>::default();
    let fuel = Fuel::unlimited();
    fuel.cancel();
    let diagram = diagram(&[("a", "source"), ("b", "map")], &["a -> b"]);
    Analyst::new(counting(&checks), Files::new("/nowhere")).analyse(&diagram, &Map::new(), &fuel);
    assert_eq!(checks.load(Ordering::Relaxed), 0);
}

/// [REL-12] A chain of disabled nodes that feeds many is gone through once, and a long name is not told many times.
#[test]
fn many_edges_cost_no_more_than_each() {
    const N: usize = 5_000;
    let started = std::time::Instant::now();
    let ids: Vec<_> = (0..2 * N).map(|n| format!("n{n:05}")).collect();
    let nodes: Vec<_> = ids.iter().map(|id| (id.as_str(), "map")).collect();
    let chain = ids[..N].windows(2).map(|pair| format!("{} -> {}", pair[0], pair[1]));
    let fan = ids[N..].iter().map(|id| format!("{} -> {id}.nothing", ids[N - 1]));
    let mut diagram =
        diagram(&nodes, &chain.chain(fan).collect::<Vec<_>>().iter().map(String::as_str).collect::<Vec<_>>());
    diagram.nodes[1..N].iter_mut().for_each(|node| node.data.disabled = true);
    diagram.nodes[N..].iter_mut().for_each(|node| node.data.label = "x".repeat(1_000));
    let analysis = analysed(&diagram);
    assert_eq!(analysis.dependencies[&ids[2 * N - 1]], ["n00000"]);
    assert_eq!((analysis.diagnostics.len(), told(&analysis)[1_000]), (1_001, "many_problems"));
    let size = serde_json::to_string(&analysis.diagnostics).unwrap().len();
    assert!(size < 500_000, "{size} bytes");
    assert!(started.elapsed() < std::time::Duration::from_secs(5), "{:?}", started.elapsed());
}
