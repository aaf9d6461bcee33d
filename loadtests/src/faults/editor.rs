//! One person: a document, a habit of editing, and a book of what became of it. Knows frames, and no sockets.

use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Instant,
};

use anyhow::{Context, Result, bail};
use rand::{RngExt, SeedableRng, rngs::StdRng};
use tokio::sync::mpsc::{self, error::TrySendError};
use troupe_loadtests::wire;
use yrs::{
    sync::{Message, SyncMessage},
    updates::{decoder::Decode, encoder::Encode},
};

use super::{
    book::{Book, Thing},
    canvas::{BOARD, Canvas, Cursor},
    stamp,
};

/// The server's word that the first n updates of this session are durable.
const ACK: u8 = 100;
const SYNC: u8 = 0;
/// Frames that wait for the socket. A browser has no bound; this one is never reached by a person.
pub const FRAMES_MAX: usize = 100_000;
const NODES_MAX: usize = 8;
const WORDS_MAX: usize = 6;

pub struct Editor {
    name: String,
    client: u64,
    pub canvas: Canvas,
    pub book: Book,
    random: StdRng,
    link: Option<Link>,
    sessions: u64,
    /// How much of this editor's own writing is known to be durable.
    clock_acknowledged: u32,
    things: u64,
    nodes: Vec<String>,
    edges: Vec<(String, [String; 2])>,
    words: Vec<String>,
    cursor: Option<Cursor>,
    /// The clock of its presence.
    shown: u64,
    pub edits: u64,
    pub received: Received,
}

/// Frames from the server, over all sessions.
#[derive(Clone, Debug, Default)]
pub struct Received {
    pub diffs: u64,
    pub updates: u64,
    pub bytes: u64,
    /// Microseconds that stamped edits took to get here.
    pub took_us: Vec<u64>,
    /// Microseconds from sending an update to its acknowledgement.
    pub acknowledged_us: Vec<u64>,
}

/// The session that is open.
struct Link {
    frames: mpsc::Sender<Vec<u8>>,
    /// Updates that are not acknowledged yet.
    sent: VecDeque<Sent>,
    acknowledged: u64,
    /// The server has asked for what it lacks and was answered: from here on an acknowledgement means all before.
    answered: bool,
    synced: bool,
}

struct Sent {
    at: Instant,
    /// What is durable when this is: entries of the book, and own writing. `None`: only the update itself.
    up_to: Option<(u64, u32)>,
}

/// An editor is read by the program and written by its tasks; nobody holds it across an await.
pub fn lock(editor: &Mutex<Editor>) -> MutexGuard<'_, Editor> {
    editor.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Editor {
    pub fn new(name: String, seed: u64) -> Self {
        let mut random = StdRng::seed_from_u64(seed);
        let client = random.random_range(1..1 << 53);
        Self {
            name,
            client,
            canvas: Canvas::new(client),
            book: Book::default(),
            random,
            link: None,
            sessions: 0,
            clock_acknowledged: 0,
            things: 0,
            nodes: Vec::new(),
            edges: Vec::new(),
            words: Vec::new(),
            cursor: None,
            shown: 0,
            edits: 0,
            received: Received::default(),
        }
    }

    pub fn is_connected(&self) -> bool {
        self.link.is_some()
    }

    /// Who this is, and how many sessions there were.
    pub fn session(&self) -> (String, u64) {
        (self.name.clone(), self.sessions)
    }

    pub fn is_synced(&self) -> bool {
        self.link.as_ref().is_some_and(|link| link.synced && link.answered)
    }

    /// Connected, and everything that it did is durable.
    pub fn is_saved(&self) -> bool {
        self.is_synced() && self.book.acknowledged() == self.book.made() && self.unacknowledged() == 0
    }

    pub fn unacknowledged(&self) -> usize {
        self.link.as_ref().map_or(0, |link| link.sent.len())
    }

    /// A session is open: gives its frames to send.
    pub fn connect(&mut self) -> mpsc::Receiver<Vec<u8>> {
        let (frames, outgoing) = mpsc::channel(FRAMES_MAX);
        self.sessions += 1;
        self.link = Some(Link { frames, sent: VecDeque::new(), acknowledged: 0, answered: false, synced: false });
        // Cannot be full: it is new.
        let _ = self.send(SyncMessage::SyncStep1(self.canvas_state_vector()));
        outgoing
    }

    pub fn disconnect(&mut self) {
        self.link = None;
    }

    /// Takes one frame of the session.
    /// `at`: when it was heard.
    pub fn receive(&mut self, frame: &[u8], at: Instant) -> Result<()> {
        match frame {
            [ACK, count @ ..] => self.take_acknowledgement(uint(count), at),
            [SYNC, ..] => match Message::decode_v1(frame)? {
                Message::Sync(SyncMessage::SyncStep1(theirs)) => self.answer(&theirs.encode_v1()),
                Message::Sync(SyncMessage::SyncStep2(update)) => {
                    self.received.diffs += 1;
                    self.canvas.apply(&update)?;
                    self.link.as_mut().context("a frame without a session")?.synced = true;
                    Ok(())
                }
                Message::Sync(SyncMessage::Update(update)) => {
                    self.received.updates += 1;
                    self.received.bytes += update.len() as u64;
                    self.received.took_us.extend(stamp::age_us(&update));
                    self.canvas.apply(&update)
                }
                _ => Ok(()),
            },
            _ => Ok(()),
        }
    }

    /// Something that a person does next, and sends if there is a session.
    pub fn edit(&mut self) -> Result<()> {
        let update = match self.random.random_range(0..100) {
            0..45 => self.write()?,
            45..57 => self.add_word()?,
            57..67 => self.relabel()?,
            67..73 => self.drag()?,
            73..77 => self.canvas.label(BOARD, &format!("{}.{}", self.name, self.book.made()))?,
            77..85 => self.add()?,
            85..89 => self.remove_node()?,
            _ => self.canvas.scribble(&mut self.random)?,
        };
        self.edits += 1;
        self.update(update)
    }

    /// Sends what only one of the editors does: the node for all.
    pub fn add_board(&mut self) -> Result<()> {
        let update = self.canvas.add_board();
        self.update(update)
    }

    /// Sends what somebody else wrote.
    pub fn bring(&mut self, update: Vec<u8>) -> Result<()> {
        self.canvas.apply(&update)?;
        self.update(update)
    }

    pub fn client(&self) -> u64 {
        self.client
    }

    /// Says that this editor is here.
    pub fn show_presence(&mut self) -> Result<()> {
        self.shown += 1;
        self.send_frame(wire::awareness(self.client, self.shown, r#"{"cursor":null}"#))
    }

    /// An edit of so many bytes that tells when it was made. It is of this editor's own node.
    pub fn stamp(&mut self, bytes: usize) -> Result<()> {
        let label = stamp::now(bytes);
        let update = match self.nodes.first().cloned() {
            Some(node) => {
                self.book.write(Thing::Node(node.clone()), Some(&label));
                self.canvas.label(&node, &label)?
            }
            None => self.add_node(),
        };
        self.edits += 1;
        self.update(update)
    }

    /// What must be seen and is not. `promised` is what [`Self::promises`] gave before `seen` was fetched.
    pub fn losses(&self, promised: Promise, seen: &Seen<'_>) -> Vec<String> {
        let mut losses = self.book.losses(promised.entries, seen.view);
        let clock = seen.clock.map(|clock| clock(self.client));
        if clock.is_some_and(|clock| clock < promised.clock) {
            losses.push(format!("of {}'s writing up to {} only {clock:?} is there", self.name, promised.clock));
        }
        losses.into_iter().map(|loss| format!("{}: {loss}", self.name)).collect()
    }

    pub fn promises(&self) -> Promise {
        Promise { entries: self.book.acknowledged(), clock: self.clock_acknowledged }
    }

    fn canvas_state_vector(&self) -> yrs::StateVector {
        yrs::StateVector::decode_v1(&self.canvas.state_vector()).unwrap_or_default()
    }

    fn answer(&mut self, theirs: &[u8]) -> Result<()> {
        let diff = self.canvas.diff(theirs)?;
        if let Some(link) = &mut self.link {
            link.answered = true;
        }
        self.sent();
        self.send(SyncMessage::SyncStep2(diff))
    }

    fn update(&mut self, update: Vec<u8>) -> Result<()> {
        self.sent();
        self.send(SyncMessage::Update(update))
    }

    /// Notes what the next update stands for.
    fn sent(&mut self) {
        let up_to = (self.book.made(), self.canvas.clock(self.client));
        if let Some(link) = &mut self.link {
            link.sent.push_back(Sent { at: Instant::now(), up_to: link.answered.then_some(up_to) });
        }
    }

    fn send(&self, message: SyncMessage) -> Result<()> {
        self.send_frame(Message::Sync(message).encode_v1())
    }

    fn send_frame(&self, frame: Vec<u8>) -> Result<()> {
        match &self.link {
            // Offline: it goes with the answer to the server's first question.
            None => Ok(()),
            Some(link) => match link.frames.try_send(frame) {
                Err(TrySendError::Full(_)) => bail!("{}: the session takes no more frames", self.name),
                // Just now the session has ended.
                Ok(()) | Err(TrySendError::Closed(_)) => Ok(()),
            },
        }
    }

    fn take_acknowledgement(&mut self, total: u64, at: Instant) -> Result<()> {
        let link = self.link.as_mut().context("an acknowledgement without a session")?;
        while link.acknowledged < total {
            link.acknowledged += 1;
            let sent = link.sent.pop_front();
            let sent =
                sent.with_context(|| format!("{}: {total} updates are acknowledged, and fewer were sent", self.name))?;
            self.received.acknowledged_us.push(at.saturating_duration_since(sent.at).as_micros() as u64);
            if let Some((entries, clock)) = sent.up_to {
                self.book.acknowledge(entries);
                self.clock_acknowledged = self.clock_acknowledged.max(clock);
            }
        }
        Ok(())
    }

    /// One more letter; now and then elsewhere.
    fn write(&mut self) -> Result<Vec<u8>> {
        let cursor = self.cursor.take().filter(|_| self.random.random_bool(0.9));
        let (cursor, update) = self.canvas.type_char(cursor.as_ref(), &mut self.random)?;
        self.cursor = Some(cursor);
        Ok(update)
    }

    fn add_word(&mut self) -> Result<Vec<u8>> {
        if self.words.len() >= WORDS_MAX {
            return self.remove_word();
        }
        let word = format!("{};\n", self.name_thing());
        self.book.write(Thing::Word(word.clone()), Some(""));
        self.words.push(word.clone());
        self.canvas.insert_word(&word, &mut self.random)
    }

    fn remove_word(&mut self) -> Result<Vec<u8>> {
        let word = self.words.remove(self.random.random_range(..self.words.len()));
        self.book.write(Thing::Word(word.clone()), None);
        self.canvas.remove_word(&word)?.with_context(|| format!("{word:?} has gone from its own writer's text"))
    }

    fn add(&mut self) -> Result<Vec<u8>> {
        match self.nodes.len() {
            NODES_MAX.. => self.remove_node(),
            0 | 1 => Ok(self.add_node()),
            _ if self.random.random_bool(0.5) => Ok(self.add_node()),
            _ => Ok(self.add_edge()),
        }
    }

    fn add_node(&mut self) -> Vec<u8> {
        let id = self.name_thing();
        self.book.write(Thing::Node(id.clone()), Some("new"));
        self.nodes.push(id.clone());
        self.canvas.add_node(&id, "new")
    }

    fn add_edge(&mut self) -> Vec<u8> {
        let id = self.name_thing();
        let ends = [self.some_node(), self.some_node()];
        self.book.write(Thing::Edge(id.clone()), Some(""));
        self.edges.push((id.clone(), ends.clone()));
        self.canvas.add_edge(&id, &ends[0], &ends[1])
    }

    fn remove_node(&mut self) -> Result<Vec<u8>> {
        if self.nodes.len() < 2 {
            return Ok(self.add_node());
        }
        let node = self.nodes.remove(self.random.random_range(..self.nodes.len()));
        let edges: Vec<String> =
            self.edges.extract_if(.., |(_, ends)| ends.contains(&node)).map(|(edge, _)| edge).collect();
        for edge in &edges {
            self.book.write(Thing::Edge(edge.clone()), None);
        }
        self.book.write(Thing::Node(node.clone()), None);
        Ok(self.canvas.remove_node(&node, &edges))
    }

    fn relabel(&mut self) -> Result<Vec<u8>> {
        if self.nodes.is_empty() {
            return Ok(self.add_node());
        }
        let (node, label) = (self.some_node(), self.name_thing());
        self.book.write(Thing::Node(node.clone()), Some(&label));
        self.canvas.label(&node, &label)
    }

    fn drag(&mut self) -> Result<Vec<u8>> {
        if self.nodes.is_empty() {
            return Ok(self.add_node());
        }
        let (x, y) = (self.random.random_range(0..2_000), self.random.random_range(0..1_000));
        let node = self.some_node();
        self.canvas.move_to(&node, x, y)
    }

    fn some_node(&mut self) -> String {
        self.nodes[self.random.random_range(..self.nodes.len())].clone()
    }

    /// Never the same again.
    fn name_thing(&mut self) -> String {
        self.things += 1;
        format!("{}.{}", self.name, self.things)
    }
}

/// What is durable, as the editor was told.
#[derive(Clone, Copy, Debug)]
pub struct Promise {
    entries: u64,
    clock: u32,
}

/// What somebody else sees.
pub struct Seen<'a> {
    pub view: &'a super::view::View,
    /// How much of a client's writing; unknown by REST.
    pub clock: Option<&'a dyn Fn(u64) -> u32>,
}

/// A variable-length number, the low seven bits first.
fn uint(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |total, byte| total << 7 | u64::from(byte & 0x7f))
}
