//! One editor: a document, a socket, and what was measured at it.
//!
//! An edit is a new label for the editor's own node; the label carries the moment it was sent, which the receivers find
//! again in the frame's bytes without decoding the update.

use std::{collections::VecDeque, time::Instant};

use anyhow::{Context, Result, bail};
use futures::{SinkExt, StreamExt};
use tokio::net::TcpStream;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async, tungstenite::Message as Frame};
use yrs::{
    Doc, Map, MapPrelim, MapRef, ReadTxn, StateVector, Transact, Update,
    sync::{Message, SyncMessage},
    updates::{decoder::Decode, encoder::Encode},
};

const ACK: u8 = 100;
const MARK: &[u8] = b"~t";
const MARK_DIGITS: usize = 12;

pub struct Editor {
    name: String,
    doc: Doc,
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    data: Option<MapRef>,
    /// Of each update-carrying frame that is not acknowledged yet: when it was sent, if it is an edit to be measured.
    unacknowledged: VecDeque<Option<Instant>>,
    acknowledged: u64,
    /// All times are microseconds since then.
    epoch: Instant,
    last_label: String,
    pub measured: Measured,
}

#[derive(Default)]
pub struct Measured {
    pub edits: u64,
    /// Microseconds from an edit to its arrival at another editor.
    pub deliveries: Vec<u64>,
    /// Microseconds from an edit to the word that it is durable.
    pub acknowledgements: Vec<u64>,
}

impl Editor {
    /// Joins the document and returns when it is synchronised.
    pub async fn join(url: &str, name: String, epoch: Instant) -> Result<Self> {
        let (socket, _) = connect_async(url).await.context("the socket was refused")?;
        let mut editor = Self {
            name,
            doc: Doc::new(),
            socket,
            data: None,
            unacknowledged: VecDeque::new(),
            acknowledged: 0,
            epoch,
            last_label: String::new(),
            measured: Measured::default(),
        };
        editor.send(SyncMessage::SyncStep1(StateVector::default())).await?;
        while !editor.receive().await? {}
        Ok(editor)
    }

    /// Puts the editor's node on the canvas.
    pub async fn add_node(&mut self) -> Result<()> {
        let nodes = self.doc.get_or_insert_map("nodes");
        let update = {
            let mut txn = self.doc.transact_mut();
            let node = nodes.insert(&mut txn, self.name.as_str(), MapPrelim::default());
            node.insert(&mut txn, "type", "custom-node");
            let data = node.insert(&mut txn, "data", MapPrelim::default());
            data.insert(&mut txn, "label", "");
            data.insert(&mut txn, "nodeType", "manual_trigger");
            data.insert(&mut txn, "config", MapPrelim::default());
            self.data = Some(data);
            txn.encode_update_v1()
        };
        self.unacknowledged.push_back(None);
        self.send(SyncMessage::Update(update)).await
    }

    pub async fn edit(&mut self) -> Result<()> {
        let data = self.data.clone().context("the editor has no node yet")?;
        let label = format!("~t{:0width$x}", self.epoch.elapsed().as_micros(), width = MARK_DIGITS);
        let update = {
            let mut txn = self.doc.transact_mut();
            data.insert(&mut txn, "label", label.as_str());
            txn.encode_update_v1()
        };
        self.last_label = label;
        self.measured.edits += 1;
        self.unacknowledged.push_back(Some(Instant::now()));
        self.send(SyncMessage::Update(update)).await
    }

    /// Takes one frame. True when it was the server's answer to the first sync step.
    pub async fn receive(&mut self) -> Result<bool> {
        let bytes = loop {
            match self.socket.next().await.context("the server ended the session")?? {
                Frame::Binary(bytes) => break bytes,
                Frame::Close(reason) => bail!("the server closed the session: {reason:?}"),
                _ => {}
            }
        };
        self.take_marks(&bytes);
        match bytes.as_ref() {
            [ACK, count @ ..] => self.take_acknowledgement(count),
            [0, ..] => match Message::decode_v1(&bytes)? {
                Message::Sync(SyncMessage::SyncStep1(theirs)) => {
                    let update = self.doc.transact().encode_diff_v1(&theirs);
                    self.unacknowledged.push_back(None);
                    self.send(SyncMessage::SyncStep2(update)).await?;
                }
                Message::Sync(SyncMessage::SyncStep2(update)) => {
                    self.doc.transact_mut().apply_update(Update::decode_v1(&update)?)?;
                    return Ok(true);
                }
                _ => {}
            },
            _ => {}
        }
        Ok(false)
    }

    /// The node's name and the label that everybody should see in the end.
    pub fn last_edit(&self) -> (String, String) {
        (self.name.clone(), self.last_label.clone())
    }

    /// The label of a node, as this editor's document had it after synchronising.
    pub fn label(&self, node: &str) -> Option<String> {
        let nodes = self.doc.get_or_insert_map("nodes");
        let txn = self.doc.transact();
        let node = nodes.get(&txn, node)?.cast::<MapRef>().ok()?;
        let data = node.get(&txn, "data")?.cast::<MapRef>().ok()?;
        Some(data.get(&txn, "label")?.to_string(&txn))
    }

    fn take_marks(&mut self, bytes: &[u8]) {
        let now = self.epoch.elapsed().as_micros() as u64;
        for (at, _) in bytes.windows(MARK.len()).enumerate().filter(|(_, window)| *window == MARK) {
            let digits = bytes.get(at + MARK.len()..at + MARK.len() + MARK_DIGITS);
            let sent = digits.and_then(|digits| u64::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok());
            self.measured.deliveries.extend(sent.map(|sent| now.saturating_sub(sent)));
        }
    }

    fn take_acknowledgement(&mut self, count: &[u8]) {
        let total = count.iter().rev().fold(0, |total, byte| total << 7 | u64::from(byte & 0x7f));
        while self.acknowledged < total {
            self.acknowledged += 1;
            let sent = self.unacknowledged.pop_front().flatten();
            self.measured.acknowledgements.extend(sent.map(|sent| sent.elapsed().as_micros() as u64));
        }
    }

    async fn send(&mut self, message: SyncMessage) -> Result<()> {
        let bytes = Message::Sync(message).encode_v1();
        Ok(self.socket.send(Frame::Binary(bytes.into())).await?)
    }
}
