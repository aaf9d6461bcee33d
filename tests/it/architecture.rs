//! The dependency rule (ARCHITECTURE.md), read from the manifests and the sources.
//!
//! Development dependencies and `loadtests` are free: a test may hold both ends of a seam.

mod circles;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use toml::{Table, Value};

/// Crate → its folder, and the crates of ours that it may depend on: the arrows, all one way.
const ARROWS: [(&str, &str, &[&str]); 6] = [
    ("troupe-model", "model", &[]),
    ("troupe-crdt", "crdt", &["troupe-model"]),
    ("troupe-engine", "engine", &["troupe-model"]),
    ("troupe-store", "store", &["troupe-model"]),
    ("troupe-actors", "actors", &["troupe-crdt", "troupe-engine", "troupe-store", "troupe-model"]),
    ("troupe", ".", &["troupe-actors", "troupe-crdt", "troupe-engine", "troupe-store", "troupe-model"]),
];

/// Actors tell one another, so the one names the messages of the other: who tells whom back.
const TOLD_BACK: [(&str, &str, &str); 5] = [
    ("actors", "canvas", "workflow"),
    ("actors", "journal", "workflow"),
    ("actors", "node", "run"),
    ("actors", "run", "tenant"),
    ("actors", "run/commit", "tenant"),
];

/// Rule, the one crate, and the libraries that no other may name.
const OWNERS: [(&str, &str, &[&str]); 5] = [
    ("only src knows HTTP", "troupe", &["axum", "axum-extra", "hyper", "tower", "tower-http", "utoipa-axum"]),
    ("only store knows SQL", "troupe-store", &["sqlx", "rusqlite", "tokio-postgres"]),
    ("Polars is named only in engine", "troupe-engine", &["polars"]),
    ("yrs is named only in crdt", "troupe-crdt", &["yrs"]),
    ("ractor is named only in actors", "troupe-actors", &["ractor"]),
];

/// The one exception: `model`'s optional feature `sql` derives `sqlx::Type` for the ids.
const EXCEPTION: (&str, &str) = ("troupe-model", "sqlx");

/// Rule, the file or folder it is about, and the paths that no source there may name.
const ABSENCES: [(&str, &[&str], &[&str]); 4] = [
    ("model knows no runtime", &["model/src"], &["tokio::", "std::net", "std::fs"]),
    (
        "crdt knows no network and no clock",
        &["crdt/src"],
        &["tokio::", "std::net", "std::fs", "Instant::now", "SystemTime", "SystemClock"],
    ),
    (
        "engine's plan and run machine know no Tokio",
        &["engine/src/analysis.rs", "engine/src/graph", "engine/src/plan.rs", "engine/src/run.rs", "engine/src/run"],
        &["tokio::", "tokio_util::", "Instant::now", "SystemTime", "SystemClock"],
    ),
    ("actors know no sockets", &["actors/src"], &["std::net", "tokio::net", "tungstenite"]),
];

#[test]
fn arrows_point_one_way() {
    assert_kept(&ARROWS.iter().flat_map(|(name, folder, _)| arrows(name, &manifest(folder))).collect::<Vec<_>>());
}

#[test]
fn each_library_has_its_crate() {
    assert_kept(&ARROWS.iter().flat_map(|(name, folder, _)| owners(name, &manifest(folder))).collect::<Vec<_>>());
}

#[test]
fn sources_name_only_what_their_part_may_know() {
    let mut broken = Vec::new();
    for (rule, places, names) in ABSENCES {
        let files: Vec<_> = places.iter().flat_map(|place| sources(&root().join(place))).collect();
        assert!(!files.is_empty(), "rule `{rule}`: there is nothing at {places:?}");
        for file in files {
            broken.extend(absences(rule, names, &file.display().to_string(), &fs::read_to_string(&file).unwrap()));
        }
    }
    assert_kept(&broken);
}

/// Whoever reads a file reads what it names, and need not come back.
#[test]
fn files_of_a_crate_are_in_no_circle() {
    let in_circles = ARROWS.iter().flat_map(|(_, folder, _)| {
        let src = root().join(folder).join("src");
        let told_back = TOLD_BACK.iter().filter(|(of, ..)| of == folder).map(|(_, from, to)| (*from, *to));
        circles::circles(&src, &sources(&src), &told_back.collect::<Vec<_>>())
    });
    assert_kept(&in_circles.collect::<Vec<_>>());
}

/// Every crate of the workspace is under the rule, so a new one is placed before it is used.
#[test]
fn every_crate_has_its_place() {
    let workspace = manifest(".");
    let members = workspace["workspace"]["members"].as_array().unwrap().iter().map(|member| member.as_str().unwrap());
    let placed: BTreeSet<_> = ARROWS.iter().map(|(_, folder, _)| *folder).chain(["fuzz", "loadtests"]).collect();
    assert_eq!(members.chain(["."]).collect::<BTreeSet<_>>(), placed);
}

/// The rules themselves: each one catches what it is for.
#[test]
fn a_broken_rule_is_named() {
    let manifest = |text: &str| text.parse::<Table>().unwrap();
    let upward = manifest("[dependencies]\ntroupe-actors.workspace = true");
    assert_eq!(arrows("troupe-store", &upward), ["rule `arrows point one way`: troupe-store depends on troupe-actors"]);
    let foreign = manifest("[target.'cfg(unix)'.dependencies]\nsqlx = \"1\"");
    assert_eq!(owners("troupe-engine", &foreign), ["rule `only store knows SQL`: troupe-engine depends on sqlx"]);
    let renamed = manifest("[build-dependencies]\ndocument = { package = \"yrs\", version = \"1\" }");
    assert_eq!(owners("troupe-actors", &renamed), ["rule `yrs is named only in crdt`: troupe-actors depends on yrs"]);
    let always = manifest("[dependencies]\nsqlx.workspace = true");
    assert_eq!(owners("troupe-model", &always).len(), 1, "the exception is for an optional dependency");
    let source = "// tokio::spawn in a comment is no use of it\nlet task = tokio::spawn(work);\n";
    assert_eq!(absences("rule", &["tokio::"], "file.rs", source), ["rule `rule`: file.rs:2 names tokio::"]);
}

fn arrows(name: &str, manifest: &Table) -> Vec<String> {
    let (_, _, allowed) = ARROWS.iter().find(|(crate_name, ..)| *crate_name == name).unwrap();
    let ours = dependencies(manifest).into_keys().filter(|dependency| dependency.starts_with("troupe"));
    ours.filter(|dependency| !allowed.contains(&dependency.as_str()))
        .map(|dependency| format!("rule `arrows point one way`: {name} depends on {dependency}"))
        .collect()
}

fn owners(name: &str, manifest: &Table) -> Vec<String> {
    let named = dependencies(manifest);
    let mut broken = Vec::new();
    for (rule, _, libraries) in OWNERS.iter().filter(|(_, owner, _)| *owner != name) {
        for library in libraries.iter().filter(|library| named.contains_key(**library)) {
            let optional = named[*library];
            if !(optional && (name, *library) == EXCEPTION) {
                broken.push(format!("rule `{rule}`: {name} depends on {library}"));
            }
        }
    }
    broken
}

fn absences(rule: &str, names: &[&str], file: &str, source: &str) -> Vec<String> {
    let code = source.lines().enumerate().filter(|(_, line)| !line.trim_start().starts_with("//"));
    code.flat_map(|(number, line)| {
        let found = names.iter().filter(move |name| line.contains(**name));
        found.map(move |name| format!("rule `{rule}`: {file}:{} names {name}", number + 1))
    })
    .collect()
}

/// What the crate is built with: package name → whether it is optional.
fn dependencies(manifest: &Table) -> BTreeMap<String, bool> {
    let targets = manifest.get("target").and_then(Value::as_table).into_iter().flat_map(Table::values);
    let tables = targets.filter_map(Value::as_table).chain([manifest]);
    let sections = tables.flat_map(|table| [table.get("dependencies"), table.get("build-dependencies")]);
    let entries = sections.flatten().filter_map(Value::as_table).flatten();
    entries
        .map(|(key, value)| {
            let package = value.get("package").and_then(Value::as_str).unwrap_or(key);
            (package.to_owned(), value.get("optional").and_then(Value::as_bool).unwrap_or(false))
        })
        .collect()
}

fn manifest(folder: &str) -> Table {
    let path = root().join(folder).join("Cargo.toml");
    fs::read_to_string(&path).unwrap().parse().unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The Rust files of a file or folder that exists, without tests.
fn sources(place: &Path) -> Vec<PathBuf> {
    if place.is_file() {
        return vec![place.to_owned()];
    }
    let entries = fs::read_dir(place).into_iter().flatten().map(|entry| entry.unwrap().path());
    entries
        .filter(|path| path.file_stem().is_some_and(|stem| stem != "tests"))
        .filter(|path| path.is_dir() || path.extension().is_some_and(|extension| extension == "rs"))
        .flat_map(|path| sources(&path))
        .collect()
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn assert_kept(broken: &[String]) {
    assert!(broken.is_empty(), "\n{}\n", broken.join("\n"));
}
