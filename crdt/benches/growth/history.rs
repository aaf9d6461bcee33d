//! The past of a busy canvas, made up from a seed: people who come one after another drag nodes, type in shared text,
//! change fields, add nodes and delete them.

use rand::{RngExt, SeedableRng, rngs::StdRng};
use yrs::{
    Doc, GetString, Map, MapPrelim, MapRef, OffsetKind, Options, Out, ReadTxn, StateVector, Text, TextPrelim, TextRef,
    Transact, TransactionMut, Update, any, block::ClientID, updates::decoder::Decode,
};

const ROOTS: [&str; 5] = ["meta", "nodes", "edges", "notes", "threads"];
/// How many people edited it, each with a client id of their own.
const SESSIONS: u64 = 20;

/// One editor after another; each update is what they sent.
pub struct History {
    random: StdRng,
    doc: Doc,
    nodes: u32,
    sessions: u64,
}

impl History {
    /// A canvas with so many nodes, in a row, each with a shared text.
    pub fn new(seed: u64, nodes: u32) -> (Self, Vec<u8>) {
        let history = Self { random: StdRng::seed_from_u64(seed), doc: document(1), nodes, sessions: 1 };
        let mut txn = history.doc.transact_mut();
        for node in 0..nodes {
            put_node(&mut txn, node);
        }
        let first = txn.encode_update_v1();
        drop(txn);
        (history, first)
    }

    /// `count` further edits, one update each.
    pub fn edit(&mut self, count: u32) -> Vec<Vec<u8>> {
        let mut log = Vec::with_capacity(count as usize);
        let per_session = (count / SESSIONS as u32).max(1);
        for n in 0..count {
            if n % per_session == 0 {
                self.next_session();
            }
            log.push(self.one());
        }
        log
    }

    fn next_session(&mut self) {
        self.sessions += 1;
        let whole = self.doc.transact().encode_diff_v1(&StateVector::default());
        self.doc = document(self.sessions);
        self.doc.transact_mut().apply_update(Update::decode_v1(&whole).unwrap()).unwrap();
    }

    fn one(&mut self) -> Vec<u8> {
        let (kind, node) = (self.random.random_range(0..100), self.random.random_range(0..self.nodes));
        let (x, y) = (self.random.random_range(0..4000), self.random.random_range(0..4000));
        let mut txn = self.doc.transact_mut();
        let Some(map) = inner(&txn, "nodes", &format!("n{node}")) else {
            put_node(&mut txn, node);
            return txn.encode_update_v1();
        };
        match kind {
            0..60 => {
                map.insert(&mut txn, "position", any!({ "x": x, "y": y }));
            }
            60..85 => {
                let text = config(&txn, &map).and_then(|config| shared_text(&txn, &config)).unwrap();
                let len = text.len(&txn);
                if len > 200 {
                    text.remove_range(&mut txn, x % (len - 20), 20);
                } else {
                    text.insert(&mut txn, x % (len + 1), "x");
                }
            }
            85..99 => {
                let config = config(&txn, &map).unwrap();
                config.insert(&mut txn, "limit", x);
            }
            _ => {
                let nodes = txn.get_map("nodes").unwrap();
                nodes.remove(&mut txn, &format!("n{node}"));
            }
        }
        txn.encode_update_v1()
    }
}

/// A shared text into which `chars` characters were typed, one by one, at places that jump about; and its updates.
pub fn typed(seed: u64, chars: u32) -> Vec<Vec<u8>> {
    let mut random = StdRng::seed_from_u64(seed);
    let doc = document(7);
    let mut log = Vec::new();
    let mut at = 0;
    for n in 0..chars {
        let mut txn = doc.transact_mut();
        let notes = txn.get_map("notes").unwrap();
        if n == 0 {
            notes.insert(&mut txn, "text", TextPrelim::new("start"));
        }
        let Some(Out::YText(text)) = notes.get(&txn, "text") else { unreachable!("it was put there") };
        if n % 8 == 0 {
            at = random.random_range(0..=text.len(&txn));
        }
        text.insert(&mut txn, at, "x");
        at += 1;
        log.push(txn.encode_update_v1());
    }
    assert_eq!(log.len(), chars as usize);
    log
}

/// An editor of the text that [`typed`] made.
pub struct Typist {
    doc: Doc,
}

impl Typist {
    pub fn new(client: u64, whole: &[u8]) -> Self {
        let doc = document(client);
        doc.transact_mut().apply_update(Update::decode_v1(whole).unwrap()).unwrap();
        Self { doc }
    }

    /// Types one character; `at` is a share of the text.
    pub fn type_at(&self, at: f64) -> Vec<u8> {
        let mut txn = self.doc.transact_mut();
        let Some(Out::YText(text)) = txn.get_map("notes").unwrap().get(&txn, "text") else {
            unreachable!("the text was typed")
        };
        let at = (f64::from(text.len(&txn)) * at) as u32;
        text.insert(&mut txn, at, "y");
        txn.encode_update_v1()
    }

    pub fn text(&self) -> String {
        let txn = self.doc.transact();
        match txn.get_map("notes").unwrap().get(&txn, "text") {
            Some(Out::YText(text)) => text.get_string(&txn),
            _ => String::new(),
        }
    }
}

fn document(client: u64) -> Doc {
    let doc = Doc::with_options(Options {
        offset_kind: OffsetKind::Utf16,
        skip_gc: true,
        ..Options::with_client_id(ClientID::new(client))
    });
    for root in ROOTS {
        doc.get_or_insert_map(root);
    }
    doc
}

fn put_node(txn: &mut TransactionMut<'_>, node: u32) {
    let config = MapPrelim::from([
        ("path", yrs::In::from("flights.csv")),
        ("limit", yrs::In::from(100)),
        ("sql", yrs::In::from(TextPrelim::new("SELECT *\nFROM flights"))),
    ]);
    let data = MapPrelim::from([
        ("label", yrs::In::from(format!("Step {node}"))),
        ("nodeType", yrs::In::from("sql")),
        ("config", yrs::In::from(config)),
    ]);
    let entry = MapPrelim::from([
        ("type", yrs::In::from("custom-node")),
        ("position", yrs::In::from(any!({ "x": node, "y": 2 }))),
        ("data", yrs::In::from(data)),
    ]);
    txn.get_map("nodes").unwrap().insert(txn, format!("n{node}"), entry);
    let next = MapPrelim::from([
        ("type", "custom-edge".to_owned()),
        ("source", format!("n{node}")),
        ("target", format!("n{}", node + 1)),
    ]);
    txn.get_map("edges").unwrap().insert(txn, format!("e{node}"), next);
}

fn inner(txn: &impl ReadTxn, root: &str, key: &str) -> Option<MapRef> {
    as_map(txn.get_map(root)?.get(txn, key)?)
}

fn config(txn: &impl ReadTxn, node: &MapRef) -> Option<MapRef> {
    as_map(as_map(node.get(txn, "data")?)?.get(txn, "config")?)
}

fn shared_text(txn: &impl ReadTxn, config: &MapRef) -> Option<TextRef> {
    match config.get(txn, "sql")? {
        Out::YText(text) => Some(text),
        _ => None,
    }
}

fn as_map(out: Out) -> Option<MapRef> {
    match out {
        Out::YMap(map) => Some(map),
        _ => None,
    }
}
