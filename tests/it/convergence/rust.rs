//! A document of `yrs`. It knows no undo: that is the browser's.

use std::collections::BTreeMap;

use serde_json::Value;
use yrs::{
    Any, Doc, In, Map, MapPrelim, MapRef, OffsetKind, Options, Out, ReadTxn, StateVector, Text, TextPrelim, TextRef,
    Transact, TransactionMut, Update, block::ClientID, types::ToJson, updates::decoder::Decode,
    updates::encoder::Encode,
};

use super::document::{Edit, ROOTS};

pub struct Rust(Doc);

impl Rust {
    pub fn open(client: u64) -> Self {
        let options = Options { offset_kind: OffsetKind::Utf16, ..Options::with_client_id(ClientID::new(client)) };
        let doc = Doc::with_options(options);
        for root in ROOTS {
            doc.get_or_insert_map(root);
        }
        Self(doc)
    }

    pub fn edit(&self, edit: &Edit) -> Option<Vec<u8>> {
        let mut txn = self.0.transact_mut();
        change(&mut txn, edit);
        txn.has_changes().then(|| txn.encode_update_v1())
    }

    pub fn apply(&self, update: &[u8]) {
        self.0.transact_mut().apply_update(Update::decode_v1(update).unwrap()).unwrap();
    }

    pub fn state_vector(&self) -> Vec<u8> {
        self.0.transact().state_vector().encode_v1()
    }

    pub fn diff(&self, since: &[u8]) -> Vec<u8> {
        self.0.transact().encode_diff_v1(&StateVector::decode_v1(since).unwrap())
    }

    pub fn json(&self) -> Value {
        let txn = self.0.transact();
        let roots: BTreeMap<&str, Any> =
            ROOTS.iter().map(|root| (*root, txn.get_map(*root).unwrap().to_json(&txn))).collect();
        serde_json::to_value(roots).unwrap()
    }
}

fn change(txn: &mut TransactionMut<'_>, edit: &Edit) {
    let nodes = txn.get_map("nodes").unwrap();
    match edit {
        Edit::Add { id, text } => {
            let config = MapPrelim::from([("query", In::from(TextPrelim::new(text.as_str())))]);
            let data = MapPrelim::from([
                ("label", In::from(id.as_str())),
                ("nodeType", In::from("sql")),
                ("config", In::from(config)),
            ]);
            let position = In::from(yrs::any!({ "x": 0, "y": 0 }));
            let node =
                MapPrelim::from([("type", In::from("custom-node")), ("position", position), ("data", In::from(data))]);
            nodes.insert(txn, id.as_str(), node);
        }
        Edit::Remove { id } => drop(nodes.remove(txn, id)),
        Edit::Move { id, x, y } => {
            if let Some(node) = map(txn, &nodes, id) {
                node.insert(txn, "position", yrs::any!({ "x": *x, "y": *y }));
            }
        }
        Edit::Set { id, key, value } => {
            if let Some(config) = config(txn, id) {
                let value: Any = serde_json::from_value(value.clone()).unwrap();
                config.insert(txn, key.as_str(), value);
            }
        }
        Edit::Unset { id, key } => {
            if let Some(config) = config(txn, id) {
                config.remove(txn, key);
            }
        }
        Edit::Connect { from, to } => {
            let edge = MapPrelim::from([("source", from.as_str()), ("target", to.as_str())]);
            txn.get_map("edges").unwrap().insert(txn, format!("{from}-{to}"), edge);
        }
        Edit::Insert { id, at, text } => {
            if let Some(query) = query(txn, id) {
                let at = at % (query.len(txn) + 1);
                query.insert(txn, at, text);
            }
        }
        Edit::Delete { id, at, length } => {
            if let Some(query) = query(txn, id).filter(|query| query.len(txn) > 0) {
                let all = query.len(txn);
                let from = at % all;
                query.remove_range(txn, from, (*length).min(all - from));
            }
        }
        Edit::Undo | Edit::Redo => {}
    }
}

fn map(txn: &impl ReadTxn, within: &MapRef, key: &str) -> Option<MapRef> {
    match within.get(txn, key)? {
        Out::YMap(map) => Some(map),
        _ => None,
    }
}

fn config(txn: &impl ReadTxn, id: &str) -> Option<MapRef> {
    let node = map(txn, &txn.get_map("nodes")?, id)?;
    map(txn, &map(txn, &node, "data")?, "config")
}

fn query(txn: &impl ReadTxn, id: &str) -> Option<TextRef> {
    match config(txn, id)?.get(txn, "query")? {
        Out::YText(text) => Some(text),
        _ => None,
    }
}
