//! A room: one canvas, its log, and clients that speak the protocol as Yjs does.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde_json::Value;
use troupe_crdt::{Access, Awareness, Canvas, Limits, Outcome, Peer, Refusal, UserTag, wire};
use troupe_model::{SessionId, UserId};
use yrs::{
    Doc, Map, MapPrelim, MapRef, OffsetKind, Options, Out, ReadTxn, StateVector, TextRef, Transact, TransactionMut,
    Update,
    block::ClientID,
    types::ToJson,
    updates::{decoder::Decode, encoder::Encode},
};

pub const ROOTS: [&str; 5] = ["meta", "nodes", "edges", "notes", "threads"];

pub fn user(name: &str) -> UserTag {
    UserTag { id: UserId::generate(), name: name.to_owned(), color: "#2f6fed".to_owned() }
}

/// One client's document.
pub struct Client {
    pub doc: Doc,
}

impl Client {
    pub fn new(client_id: u64) -> Self {
        // Clients are JavaScript: what was collected there is not read from freed memory.
        let options = Options {
            offset_kind: OffsetKind::Utf16,
            skip_gc: true,
            ..Options::with_client_id(ClientID::new(client_id))
        };
        let doc = Doc::with_options(options);
        for root in ROOTS {
            doc.get_or_insert_map(root);
        }
        Self { doc }
    }

    /// Edits, and returns the update that the client sends.
    pub fn edit(&self, work: impl FnOnce(&mut TransactionMut<'_>)) -> Vec<u8> {
        let mut txn = self.doc.transact_mut();
        work(&mut txn);
        txn.encode_update_v1()
    }

    pub fn apply(&self, update: &[u8]) {
        let update = Update::decode_v1(update).unwrap();
        self.doc.transact_mut().apply_update(update).unwrap();
    }

    pub fn state_vector(&self) -> Vec<u8> {
        self.doc.transact().state_vector().encode_v1()
    }

    pub fn diff(&self, state_vector: &[u8]) -> Vec<u8> {
        self.doc.transact().encode_diff_v1(&StateVector::decode_v1(state_vector).unwrap())
    }

    /// What a client answers to a frame.
    pub fn receive(&self, frame: &[u8]) -> Option<Vec<u8>> {
        match wire::decode(frame).unwrap() {
            wire::Message::SyncStep1(state_vector) => Some(wire::sync_step2(&self.diff(state_vector))),
            wire::Message::SyncStep2(update) | wire::Message::Update(update) => {
                self.apply(update);
                None
            }
            _ => None,
        }
    }

    pub fn json(&self) -> Value {
        let txn = self.doc.transact();
        let roots: BTreeMap<&str, Value> = ROOTS
            .iter()
            .map(|root| (*root, serde_json::to_value(txn.get_map(*root).unwrap().to_json(&txn)).unwrap()))
            .collect();
        serde_json::to_value(roots).unwrap()
    }

    pub fn clocks(&self) -> BTreeMap<u64, u32> {
        self.doc.transact().state_vector().iter().map(|(client, clock)| (client.get(), *clock)).collect()
    }

    pub fn add_node(&self, id: &str) -> Vec<u8> {
        self.edit(|txn| {
            let config = MapPrelim::from([("path", "flights.csv")]);
            let data = MapPrelim::from([
                ("label", yrs::In::from(id)),
                ("nodeType", yrs::In::from("read_file")),
                ("config", yrs::In::from(config)),
            ]);
            let node = MapPrelim::from([
                ("type", yrs::In::from("custom-node")),
                ("position", yrs::In::from(yrs::any!({ "x": 1, "y": 2 }))),
                ("data", yrs::In::from(data)),
            ]);
            let nodes = txn.get_map("nodes").unwrap();
            nodes.insert(txn, id, node);
        })
    }

    pub fn set_label(&self, id: &str, label: &str) -> Vec<u8> {
        self.edit(|txn| {
            let data = inner(txn, &["nodes", id, "data"]).unwrap();
            data.insert(txn, "label", label);
        })
    }
}

/// The map at a path from a root.
pub fn inner(txn: &impl ReadTxn, path: &[&str]) -> Option<MapRef> {
    let mut map = txn.get_map(path[0])?;
    for key in &path[1..] {
        map = match map.get(txn, key)? {
            Out::YMap(inner) => inner,
            _ => return None,
        };
    }
    Some(map)
}

pub fn text(txn: &impl ReadTxn, path: &[&str], key: &str) -> Option<TextRef> {
    match inner(txn, path)?.get(txn, key)? {
        Out::YText(text) => Some(text),
        _ => None,
    }
}

/// A new reader of everything.
pub fn joiner(canvas: &Canvas) -> Client {
    let client = Client::new(999_999);
    client.apply(&canvas.diff(&[0]).unwrap());
    client
}

/// One canvas with its log and sessions by number.
pub struct Room {
    pub canvas: Canvas,
    pub awareness: Awareness,
    pub log: Vec<Vec<u8>>,
}

impl Room {
    pub fn new() -> Self {
        Self { canvas: Canvas::new(), awareness: Awareness::new(), log: Vec::new() }
    }

    pub fn receive(&mut self, peer: &mut Peer, frame: &[u8]) -> Result<Outcome, Refusal> {
        let outcome = peer.receive(&mut self.canvas, &mut self.awareness, frame, 0)?;
        self.log.extend(outcome.updates.iter().cloned());
        Ok(outcome)
    }

    /// What a session is sent that asks with this state vector.
    pub fn ask(&mut self, peer: &mut Peer, state_vector: &[u8]) -> Vec<Bytes> {
        let outcome = self.receive(peer, &wire::sync_step1(state_vector)).unwrap();
        self.replies(peer, &outcome)
    }

    /// What a session is sent that is owed this, if it reads.
    pub fn replies(&mut self, peer: &mut Peer, outcome: &Outcome) -> Vec<Bytes> {
        let answer = outcome.asked.as_ref().map(|asked| peer.answer(&mut self.canvas, asked).unwrap().unwrap());
        let question = outcome.lacks.then(|| Bytes::from(wire::sync_step1(&self.canvas.state_vector())));
        answer.map(|answer| answer.frames).into_iter().flatten().chain(question).collect()
    }

    /// What the log says must be what is in memory.
    pub fn assert_log_is_whole(&self) {
        let reopened = Canvas::open(None, &self.log).unwrap();
        assert_eq!(joiner(&reopened).clocks(), joiner(&self.canvas).clocks());
        assert_eq!(joiner(&reopened).json(), joiner(&self.canvas).json());
        assert_eq!(reopened.project(), self.canvas.project());
    }
}

pub fn editor() -> Peer {
    Peer::new(SessionId::generate(), Access::ReadWrite, user("Ada"))
}

pub fn editor_with(limits: Limits) -> Peer {
    Peer::with_limits(SessionId::generate(), Access::ReadWrite, user("Ada"), limits)
}

pub fn reader() -> Peer {
    Peer::new(SessionId::generate(), Access::ReadOnly, user("Rita"))
}
