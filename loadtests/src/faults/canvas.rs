//! A client's document: the edits that people make, each as the one update that a provider sends.

use anyhow::{Context, Result};
use rand::{RngExt, rngs::StdRng};
use serde_json::Value;
use yrs::{
    Any, Assoc, Doc, GetString, IndexedSequence, Map, MapPrelim, MapRef, OffsetKind, Options, Out, ReadTxn, Snapshot,
    StateVector, StickyIndex, Text, TextPrelim, TextRef, Transact, TransactionMut, Update,
    block::ClientID,
    types::ToJson,
    updates::{decoder::Decode, encoder::Encode},
};

/// The node that everybody writes in.
pub const BOARD: &str = "board";
/// Its text for words, and another in which everybody inserts and removes anywhere.
const WORDS: &str = "query";
const SCRATCH: &str = "scratch";
const SCRATCH_LEN_MAX: u32 = 200;

pub const ROOTS: [&str; 5] = ["meta", "nodes", "edges", "notes", "threads"];

pub struct Canvas {
    doc: Doc,
    nodes: MapRef,
    edges: MapRef,
}

/// Where somebody types: behind the last character, wherever it moves.
pub struct Cursor(StickyIndex);

/// Everything that must be equal when two documents are: what was written and removed, and what is seen.
#[derive(Debug, PartialEq)]
pub struct State {
    pub known: Snapshot,
    pub roots: Value,
}

impl Canvas {
    pub fn new(client: u64) -> Self {
        // As JavaScript clients: offsets in UTF-16 units.
        let options =
            Options { offset_kind: OffsetKind::Utf16, skip_gc: true, ..Options::with_client_id(ClientID::new(client)) };
        let doc = Doc::with_options(options);
        for root in ROOTS {
            doc.get_or_insert_map(root);
        }
        Self { nodes: doc.get_or_insert_map("nodes"), edges: doc.get_or_insert_map("edges"), doc }
    }

    pub fn state_vector(&self) -> Vec<u8> {
        self.doc.transact().state_vector().encode_v1()
    }

    /// What a peer with this state vector lacks.
    pub fn diff(&self, state_vector: &[u8]) -> Result<Vec<u8>> {
        Ok(self.doc.transact().encode_diff_v1(&StateVector::decode_v1(state_vector)?))
    }

    pub fn apply(&self, update: &[u8]) -> Result<()> {
        Ok(self.doc.transact_mut().apply_update(Update::decode_v1(update)?)?)
    }

    /// How much of a client's writing is here.
    pub fn clock(&self, client: u64) -> u32 {
        self.doc.transact().state_vector().get(&ClientID::new(client))
    }

    /// Whether something waits for what never came.
    pub fn is_whole(&self) -> bool {
        !self.doc.transact().has_missing_updates()
    }

    pub fn state(&self) -> State {
        let known = self.doc.transact().snapshot();
        State { known, roots: self.roots() }
    }

    pub fn roots(&self) -> Value {
        let txn = self.doc.transact();
        let json = |root: &str| {
            let map = txn.get_map(root).map_or(Any::Null, |map| map.to_json(&txn));
            (root.to_owned(), serde_json::to_value(map).unwrap_or_default())
        };
        ROOTS.into_iter().map(json).collect::<serde_json::Map<_, _>>().into()
    }

    /// The node for all, with its texts.
    pub fn add_board(&self) -> Vec<u8> {
        self.edit(|txn| {
            let config = self.insert_node(txn, BOARD, "sql", "0");
            config.insert(txn, WORDS, TextPrelim::new(""));
            config.insert(txn, SCRATCH, TextPrelim::new(""));
        })
    }

    pub fn add_node(&self, id: &str, label: &str) -> Vec<u8> {
        self.edit(|txn| {
            self.insert_node(txn, id, "limit", label);
        })
    }

    /// With the edges that would hang in the air.
    pub fn remove_node(&self, id: &str, edges: &[String]) -> Vec<u8> {
        self.edit(|txn| {
            for edge in edges {
                self.edges.remove(txn, edge);
            }
            self.nodes.remove(txn, id);
        })
    }

    pub fn add_edge(&self, id: &str, source: &str, target: &str) -> Vec<u8> {
        self.edit(|txn| {
            let edge = self.edges.insert(txn, id, MapPrelim::default());
            for (key, value) in [("type", "custom-edge"), ("source", source), ("target", target)] {
                edge.insert(txn, key, value);
            }
        })
    }

    pub fn label(&self, node: &str, label: &str) -> Result<Vec<u8>> {
        let data = self.data(node)?;
        Ok(self.edit(|txn| {
            data.insert(txn, "label", label);
        }))
    }

    pub fn move_to(&self, node: &str, x: u32, y: u32) -> Result<Vec<u8>> {
        let node = self.child(&self.nodes, node)?;
        let position = Any::from_json(&format!(r#"{{"x":{x},"y":{y}}}"#))?;
        Ok(self.edit(|txn| {
            node.insert(txn, "position", position);
        }))
    }

    /// Types one character, at the cursor or anywhere.
    pub fn type_char(&self, cursor: Option<&Cursor>, random: &mut StdRng) -> Result<(Cursor, Vec<u8>)> {
        let text = self.text(SCRATCH)?;
        let mut txn = self.doc.transact_mut();
        let index = match cursor {
            Some(Cursor(place)) => place.get_offset(&txn).context("the cursor has no place in the text")?.index,
            None => random.random_range(..=text.len(&txn)),
        };
        text.insert(&mut txn, index, &random.random_range('a'..='z').to_string());
        let behind = text.sticky_index(&txn, index + 1, Assoc::Before).context("the text is shorter than it was")?;
        Ok((Cursor(behind), txn.encode_update_v1()))
    }

    /// Puts a word at the beginning of some line: as one piece, because what is typed letter by letter may be parted,
    /// where others remove and insert at the same place at the same time.
    pub fn insert_word(&self, word: &str, random: &mut StdRng) -> Result<Vec<u8>> {
        let text = self.text(WORDS)?;
        Ok(self.edit(|txn| {
            let lines = text.get_string(txn);
            let starts: Vec<usize> = lines.match_indices('\n').map(|(at, _)| at + 1).chain([0]).collect();
            text.insert(txn, starts[random.random_range(..starts.len())] as u32, word);
        }))
    }

    /// `None`: it is not there.
    pub fn remove_word(&self, word: &str) -> Result<Option<Vec<u8>>> {
        let text = self.text(WORDS)?;
        let mut txn = self.doc.transact_mut();
        let Some(at) = text.get_string(&txn).find(word) else { return Ok(None) };
        text.remove_range(&mut txn, at as u32, word.len() as u32);
        Ok(Some(txn.encode_update_v1()))
    }

    /// Inserts or removes a little anywhere in the scratch text, and more when there is much.
    pub fn scribble(&self, random: &mut StdRng) -> Result<Vec<u8>> {
        let text = self.text(SCRATCH)?;
        Ok(self.edit(|txn| {
            let len = text.len(txn);
            let at = random.random_range(..=len);
            let count = random.random_range(1..=if len > SCRATCH_LEN_MAX { 60 } else { 5 });
            if len > SCRATCH_LEN_MAX || (len > at && random.random_bool(0.4)) {
                let at = at.min(len - 1);
                text.remove_range(txn, at, count.min(len - at));
            } else {
                let letters: String = (0..count).map(|_| random.random_range('a'..='z')).collect();
                text.insert(txn, at, &letters);
            }
        }))
    }

    fn edit(&self, work: impl FnOnce(&mut TransactionMut<'_>)) -> Vec<u8> {
        let mut txn = self.doc.transact_mut();
        work(&mut txn);
        txn.encode_update_v1()
    }

    fn insert_node(&self, txn: &mut TransactionMut<'_>, id: &str, node_type: &str, label: &str) -> MapRef {
        let node = self.nodes.insert(txn, id, MapPrelim::default());
        node.insert(txn, "type", "custom-node");
        let data = node.insert(txn, "data", MapPrelim::default());
        data.insert(txn, "label", label);
        data.insert(txn, "nodeType", node_type);
        data.insert(txn, "config", MapPrelim::default())
    }

    fn data(&self, node: &str) -> Result<MapRef> {
        self.child(&self.child(&self.nodes, node)?, "data")
    }

    fn text(&self, key: &str) -> Result<TextRef> {
        let config = self.child(&self.data(BOARD)?, "config")?;
        match config.get(&self.doc.transact(), key) {
            Some(Out::YText(text)) => Ok(text),
            other => anyhow::bail!("`{key}` is no text: {other:?}"),
        }
    }

    fn child(&self, map: &MapRef, key: &str) -> Result<MapRef> {
        match map.get(&self.doc.transact(), key) {
            Some(Out::YMap(child)) => Ok(child),
            other => anyhow::bail!("`{key}` is no map: {other:?}"),
        }
    }
}
