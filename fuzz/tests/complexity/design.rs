//! Looking at a diagram: its shape, its columns, its expressions and its SQL, with as much fuel as the server gives.

use std::{fmt::Write, hint::black_box};

use serde_json::{Map, Value, json};
use troupe_engine::{Analyst, Fuel, Registry, files::Files};
use troupe_model::{Diagram, Edge, Node, NodeData};

use crate::{
    families,
    measure::{Input, Step},
};

/// `analysis_fuel_max` of the default configuration.
const FUEL: u64 = 30_000_000;

families! {
    nodes_in_a_chain: 30,
    nodes_fanned_out: 30,
    nodes_that_lie_loose: 100,
    nodes_in_a_circle: 100,
    columns: 500,
    long_names_compared: 20_000,
    derived_columns: 200,
    chained_expression: 200,
    parentheses: 200,
    cel_maps: 8,
    cel_chain: 200,
    sql_joins: 4,
    sql_ors: 200,
    sql_ctes: 8,
    sql_in: 500,
    sql_subqueries: 4,
    wrong_config: 1_000,
}

fn node(id: &str, node_type: &str, config: Value) -> Node {
    let Value::Object(config) = config else { panic!("a config is an object") };
    Node {
        id: id.to_owned(),
        kind: "custom-node".to_owned(),
        data: NodeData { label: id.to_owned(), node_type: node_type.to_owned(), config, ..NodeData::default() },
        ..empty()
    }
}

fn empty() -> Node {
    serde_json::from_value(json!({
        "id": "", "type": "custom-node", "position": { "x": 0, "y": 0 },
        "data": { "label": "", "nodeType": "limit", "config": {} }
    }))
    .unwrap()
}

fn edge(source: &str, target: &str) -> Edge {
    serde_json::from_value(
        json!({ "id": format!("{source}-{target}"), "type": "custom-edge", "source": source, "target": target }),
    )
    .unwrap()
}

fn looked_at(nodes: Vec<Node>, edges: Vec<Edge>) -> Input {
    with_table(nodes, edges, "a,b\n1,2\n")
}

fn with_table(nodes: Vec<Node>, edges: Vec<Edge>, table: &str) -> Input {
    let folder = std::env::temp_dir().join(format!("troupe-growth-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("table.csv"), table).unwrap();
    let diagram = Diagram { nodes, edges, ..Diagram::default() };
    let bytes = serde_json::to_string(&diagram).unwrap().len() + table.len();
    let steps: Vec<Step> = vec![(
        "analyse",
        Box::new(move |_| {
            let mut analyst = Analyst::new(Registry::standard(), Files::new(&folder));
            black_box(analyst.analyse(&diagram, &Map::new(), &Fuel::new(FUEL)));
        }),
    )];
    Input { bytes, has_threads: true, steps, ..Input::default() }
}

fn source() -> Node {
    node("s", "read_file", json!({ "path": "table.csv" }))
}

/// One node that reads the table.
fn one(node_type: &str, config: Value) -> Input {
    looked_at(vec![source(), node("n", node_type, config)], vec![edge("s", "n")])
}

fn limits(size: usize) -> Vec<Node> {
    let limits = (0..size).map(|number| node(&format!("n{number}"), "limit", json!({ "rows": 5 })));
    std::iter::once(source()).chain(limits).collect()
}

fn chain(size: usize) -> impl Iterator<Item = Edge> {
    (1..size).map(|number| edge(&format!("n{}", number - 1), &format!("n{number}")))
}

fn nodes_in_a_chain(size: usize) -> Input {
    looked_at(limits(size), chain(size).chain([edge("s", "n0")]).collect())
}

fn nodes_fanned_out(size: usize) -> Input {
    looked_at(limits(size), (0..size).map(|number| edge("s", &format!("n{number}"))).collect())
}

fn nodes_that_lie_loose(size: usize) -> Input {
    looked_at(limits(size), vec![])
}

fn nodes_in_a_circle(size: usize) -> Input {
    looked_at(limits(size), chain(size).chain([edge(&format!("n{}", size - 1), "n0")]).collect())
}

fn columns(size: usize) -> Input {
    let names: Vec<_> = (0..size).map(|number| format!("c{number}")).collect();
    let table = format!("{}\n{}1\n", names.join(","), "1,".repeat(size - 1));
    let input = with_table(limits(3), chain(3).chain([edge("s", "n0")]).collect(), &table);
    Input { values: 4 * size, ..input }
}

/// A name that the table does not have is compared with those that it has.
fn long_names_compared(size: usize) -> Input {
    let table = format!("{}\n1\n", "a".repeat(size));
    let select = node("n", "select", json!({ "columns": [{ "column": "b".repeat(size) }] }));
    with_table(vec![source(), select], vec![edge("s", "n")], &table)
}

/// Each is looked at with those before it; the smallest size is as many as there may be.
fn derived_columns(size: usize) -> Input {
    let columns: Vec<_> =
        (0..size).map(|number| json!({ "name": format!("c{number}"), "expression": "a + b" })).collect();
    Input { items: size * size / 4, ..one("derive", json!({ "columns": columns })) }
}

fn derived(expression: &str) -> Input {
    one("derive", json!({ "columns": [{ "name": "c", "expression": expression }] }))
}

fn chained_expression(size: usize) -> Input {
    Input { items: 2 * size, ..derived(&format!("a{}", " + a".repeat(size))) }
}

fn parentheses(size: usize) -> Input {
    derived(&format!("{}a{}", "(".repeat(size), ")".repeat(size)))
}

fn condition(text: &str) -> Input {
    one("if", json!({ "condition": text }))
}

fn cel_maps(size: usize) -> Input {
    condition(&format!("input.columns{}.size() > 0", ".map(x, x)".repeat(size)))
}

fn cel_chain(size: usize) -> Input {
    condition(&format!("input.rows > 0{}", " || input.rows > 1".repeat(size)))
}

fn sql(query: &str) -> Input {
    one("sql", json!({ "query": query }))
}

fn sql_joins(size: usize) -> Input {
    let mut query = "select t0.a from input t0".to_owned();
    for number in 1..=size {
        write!(query, " join input t{number} on t0.a = t{number}.a").unwrap();
    }
    sql(&query)
}

fn sql_ors(size: usize) -> Input {
    Input { items: 4 * size, ..sql(&format!("select a from input where a = 1{}", " or a = 2".repeat(size))) }
}

fn sql_ctes(size: usize) -> Input {
    let mut query = "with t0 as (select a from input)".to_owned();
    for number in 1..=size {
        write!(query, ", t{number} as (select l.a from t{0} l join t{0} r on l.a = r.a)", number - 1).unwrap();
    }
    sql(&format!("{query} select a from t{size}"))
}

fn sql_in(size: usize) -> Input {
    Input { items: size, ..sql(&format!("select a from input where a in (0{})", ", 1".repeat(size))) }
}

fn sql_subqueries(size: usize) -> Input {
    let nested =
        (0..size).fold("select a from input".to_owned(), |inner, number| format!("select a from ({inner}) t{number}"));
    sql(&nested)
}

/// A schema is told what is wrong, value by value.
fn wrong_config(size: usize) -> Input {
    Input { values: 2 * size, ..one("select", json!({ "columns": vec![json!({ "column": 1 }); size] })) }
}
