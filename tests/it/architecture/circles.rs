//! Which files of a crate name which, and the circles among them. A file may name those it is in: a child its parent.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use syn::{Attribute, Item, ItemMod, ItemUse, UseTree, Visibility, visit::Visit};

/// A module that is a file: `[]` is the crate's root.
type Module = Vec<String>;

/// The files of a crate that are in circles; `free` are pairs that are not counted.
pub fn circles(src: &Path, files: &[PathBuf], free: &[(&str, &str)]) -> Vec<String> {
    let mut named = Files::read(src, files).names();
    for (from, to) in free {
        let to = module_of(to);
        let known = named.get_mut(&module_of(from)).is_some_and(|names| names.remove(&to));
        assert!(known, "{from} does not name {to:?} any more: take it off the list");
    }
    let reached: BTreeMap<&Module, BTreeSet<&Module>> =
        named.keys().map(|module| (module, reached(module, &named))).collect();
    let is_in_circle = |from: &Module, to: &Module| reached[from].contains(to) && reached[to].contains(from);
    let pairs = named.iter().flat_map(|(from, names)| names.iter().map(move |to| (from, to)));
    pairs
        .filter(|(from, to)| is_in_circle(from, to))
        .map(|(from, to)| format!("{}: {} names {}", src.display(), from.join("/"), to.join("/")))
        .collect()
}

fn module_of(path: &str) -> Module {
    path.split('/').map(ToOwned::to_owned).collect()
}

fn reached<'a>(from: &'a Module, named: &'a BTreeMap<Module, BTreeSet<Module>>) -> BTreeSet<&'a Module> {
    let (mut found, mut next) = (BTreeSet::new(), vec![from]);
    while let Some(module) = next.pop() {
        next.extend(named[module].iter().filter(|name| found.insert(*name)));
    }
    found
}

struct Files {
    parsed: BTreeMap<Module, syn::File>,
    /// What a module gives out under a name that is of another.
    given_out: BTreeMap<(Module, String), Module>,
}

impl Files {
    fn read(src: &Path, files: &[PathBuf]) -> Self {
        let module = |file: &PathBuf| {
            let path = file.strip_prefix(src).unwrap().with_extension("");
            let parts: Module = path.iter().map(|part| part.to_str().unwrap().to_owned()).collect();
            if parts == ["lib"] || parts == ["main"] { Vec::new() } else { parts }
        };
        let parse = |file: &PathBuf| syn::parse_file(&fs::read_to_string(file).unwrap()).unwrap();
        let parsed = files.iter().map(|file| (module(file), parse(file))).collect();
        let mut files = Self { parsed, given_out: BTreeMap::new() };
        // What is given out may be what another gives out.
        for _ in 0..3 {
            for (module, file) in &files.parsed {
                for item in &file.items {
                    if let Item::Use(ItemUse { vis, tree, .. }) = item
                        && !matches!(vis, Visibility::Inherited)
                    {
                        for path in paths(tree) {
                            if let (Some(of), Some(name)) = (files.resolve(module, &path), path.last()) {
                                files.given_out.insert((module.clone(), name.clone()), of);
                            }
                        }
                    }
                }
            }
        }
        files
    }

    fn names(&self) -> BTreeMap<Module, BTreeSet<Module>> {
        let names = |(module, file): (&Module, &syn::File)| {
            let mut found = Paths::default();
            found.visit_file(file);
            let of = found.0.iter().filter_map(|path| self.resolve(module, path));
            (module.clone(), of.filter(|of| !module.starts_with(of)).collect())
        };
        self.parsed.iter().map(names).collect()
    }

    /// The file that has what a path names; `None`: it is not of this crate, or of the same file.
    fn resolve(&self, module: &Module, path: &[String]) -> Option<Module> {
        let (mut at, rest) = match path.first()?.as_str() {
            "crate" => (Vec::new(), &path[1..]),
            "super" => {
                let up = path.iter().take_while(|part| *part == "super").count();
                (module[..module.len().checked_sub(up)?].to_vec(), &path[up..])
            }
            "self" => (module.clone(), &path[1..]),
            first => {
                let child = [module.as_slice(), &[first.to_owned()]].concat();
                self.parsed.contains_key(&child).then_some(())?;
                (module.clone(), path)
            }
        };
        for part in rest {
            let below = [at.as_slice(), std::slice::from_ref(part)].concat();
            if self.parsed.contains_key(&below) {
                at = below;
            } else {
                return Some(self.given_out.get(&(at.clone(), part.clone())).cloned().unwrap_or(at));
            }
        }
        Some(at)
    }
}

/// Every path that a file names, but for its tests.
#[derive(Default)]
struct Paths(Vec<Vec<String>>);

impl<'ast> Visit<'ast> for Paths {
    fn visit_item_mod(&mut self, item: &'ast ItemMod) {
        if !item.attrs.iter().any(is_test) {
            syn::visit::visit_item_mod(self, item);
        }
    }

    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        // What a parent gives out of its children is its own.
        if matches!(item.vis, Visibility::Inherited) {
            self.0.extend(paths(&item.tree));
        }
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let parts: Vec<String> = path.segments.iter().map(|part| part.ident.to_string()).collect();
        if parts.len() > 1 {
            self.0.push(parts);
        }
        syn::visit::visit_path(self, path);
    }
}

fn is_test(attribute: &Attribute) -> bool {
    attribute.path().is_ident("cfg") && attribute.parse_args::<syn::Ident>().is_ok_and(|what| what == "test")
}

fn paths(tree: &UseTree) -> Vec<Vec<String>> {
    match tree {
        UseTree::Path(path) => {
            let behind = paths(&path.tree).into_iter();
            behind.map(|rest| [vec![path.ident.to_string()], rest].concat()).collect()
        }
        UseTree::Name(name) => vec![vec![name.ident.to_string()]],
        UseTree::Rename(rename) => vec![vec![rename.ident.to_string()]],
        UseTree::Glob(_) => vec![Vec::new()],
        UseTree::Group(group) => group.items.iter().flat_map(paths).collect(),
    }
}

/// The rule itself: what names one another over a third is found, and what only a parent gives out is not.
#[test]
fn a_circle_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let files = [
        ("lib.rs", "mod a;\nmod b;\nmod c;\npub use c::Thing;"),
        ("a.rs", "use crate::b::{self, x as y};\nmod child;"),
        ("a/child.rs", "use super::Parent;"),
        ("b.rs", "use crate::Thing;"),
        ("c.rs", "pub struct Thing(crate::a::Of);\n#[cfg(test)]\nmod tests { use crate::b::Other; }"),
    ];
    for (name, text) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    let paths: Vec<_> = files.iter().map(|(name, _)| folder.path().join(name)).collect();
    let found = circles(folder.path(), &paths, &[]);
    let of = |from: &str, to: &str| format!("{}: {from} names {to}", folder.path().display());
    assert_eq!(found, [of("a", "b"), of("b", "c"), of("c", "a")]);
    assert_eq!(circles(folder.path(), &paths, &[("c", "a")]), Vec::<String>::new());
}
