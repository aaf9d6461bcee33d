//! A canvas with content, its log, an honest person, and a hostile one.

use std::{cell::RefCell, collections::BTreeMap, sync::LazyLock};

use bytes::Bytes;
use serde_json::Value;
use troupe_crdt::{Access, Applied, Awareness, Canvas, Outcome, Peer, Question, Refusal, UserTag, guard::ROOTS, wire};
use troupe_model::{SessionId, UserId};
use yrs::{
    Any, Doc, Map, MapPrelim, MapRef, OffsetKind, Options, Out, ReadTxn, Text, TextPrelim, TextRef, Transact,
    TransactionMut, Update, block::ClientID, types::ToJson, updates::decoder::Decode,
};

pub const HONEST: u64 = 11;
const NEWCOMER: u64 = 999_999;

/// What the honest person wrote before, update by update: every content that a canvas has, replaced and deleted too.
pub static GROUND: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    let author = Client::new(HONEST);
    vec![
        author.edit(|txn| node(txn, "a")),
        author.edit(|txn| {
            inner(txn, &["nodes", "a", "data"]).insert(txn, "label", "b");
        }),
        author.edit(|txn| {
            let note = MapPrelim::from([("text", TextPrelim::new("select 😀 from input"))]);
            inner(txn, &["notes"]).insert(txn, "n", note);
        }),
        author.edit(|txn| text(txn).insert(txn, 9, "🇩🇪")),
        author.edit(|txn| text(txn).remove_range(txn, 0, 3)),
        author.edit(|txn| drop(inner(txn, &["nodes"]).remove(txn, "a"))),
        author.edit(|txn| node(txn, "a")),
    ]
});

/// Key by key: a prepared map would be written in a random order, and no input could be tried again.
fn node(txn: &mut TransactionMut<'_>, id: &str) {
    let node = inner(txn, &["nodes"]).insert(txn, id, MapPrelim::default());
    node.insert(txn, "type", "custom-node");
    node.insert(txn, "position", 7);
    let data = node.insert(txn, "data", MapPrelim::default());
    data.insert(txn, "label", id);
    data.insert(txn, "nodeType", "sql");
    let config = data.insert(txn, "config", MapPrelim::default());
    config.insert(txn, "query", TextPrelim::new("select 1\n"));
}

/// One person's document, as JavaScript has it.
pub struct Client {
    doc: Doc,
}

impl Client {
    pub fn new(client_id: u64) -> Self {
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

    /// Someone new, who is told everything.
    pub fn joining(canvas: &Canvas) -> Self {
        let client = Self::new(NEWCOMER);
        client.apply(&canvas.diff(&[0]).unwrap());
        client
    }

    pub fn edit(&self, work: impl FnOnce(&mut TransactionMut<'_>)) -> Vec<u8> {
        let mut txn = self.doc.transact_mut();
        work(&mut txn);
        txn.encode_update_v1()
    }

    pub fn apply(&self, update: &[u8]) {
        let update = Update::decode_v1(update).unwrap();
        self.doc.transact_mut().apply_update(update).unwrap();
    }

    pub fn clocks(&self) -> BTreeMap<u64, u32> {
        self.doc.transact().state_vector().iter().map(|(client, clock)| (client.get(), *clock)).collect()
    }

    pub fn json(&self) -> BTreeMap<&'static str, Any> {
        let txn = self.doc.transact();
        ROOTS.iter().map(|root| (*root, txn.get_map(*root).unwrap().to_json(&txn))).collect()
    }
}

fn inner(txn: &impl ReadTxn, path: &[&str]) -> MapRef {
    let mut map = txn.get_map(path[0]).unwrap();
    for key in &path[1..] {
        let Some(Out::YMap(inner)) = map.get(txn, key) else { panic!("`{key}` of the ground is a map") };
        map = inner;
    }
    map
}

fn text(txn: &impl ReadTxn) -> TextRef {
    let Some(Out::YText(text)) = inner(txn, &["notes", "n"]).get(txn, "text") else { panic!("the note has a text") };
    text
}

pub struct Room {
    pub canvas: Canvas,
    /// The state vector that it had first.
    ground: Vec<u8>,
    awareness: Awareness,
    log: Vec<Vec<u8>>,
    pub author: Client,
    honest: Peer,
    hostile: Peer,
    /// Whether the hostile session got anything into the document.
    touched: bool,
}

thread_local! {
    /// A room that nobody changed: most frames are refused, and opening the ground takes longer than that.
    static UNTOUCHED: RefCell<Option<Room>> = const { RefCell::new(None) };
}

impl Room {
    /// Lets something happen in a room with the ground in it, and checks what is left.
    pub fn visit(happens: impl FnOnce(&mut Self)) {
        let mut room = UNTOUCHED.take().unwrap_or_else(Self::new);
        happens(&mut room);
        if room.touched {
            room.assert_undisturbed();
        } else {
            assert_eq!(room.canvas.state_vector(), room.ground);
            (room.awareness, room.hostile) = (Awareness::new(), peer("Mallory"));
            UNTOUCHED.set(Some(room));
        }
    }

    fn new() -> Self {
        let log = GROUND.clone();
        let author = Client::new(HONEST);
        log.iter().for_each(|update| author.apply(update));
        let canvas = Canvas::open(None, &log).unwrap();
        let ground = canvas.state_vector();
        let (honest, hostile) = (peer("Ada"), peer("Mallory"));
        Self { canvas, ground, awareness: Awareness::new(), log, author, honest, hostile, touched: false }
    }

    /// A refusal ends the session; the next frame comes from a new one.
    pub fn hostile(&mut self, frame: &[u8]) -> Option<Outcome> {
        match self.hostile.receive(&mut self.canvas, &mut self.awareness, frame, 0) {
            Ok(outcome) => {
                outcome.updates.iter().for_each(|update| self.take(update));
                let answer = outcome.asked.as_ref().map(|asked| self.answer(asked));
                let told = self.awareness.tell(0).frame.map(Bytes::from);
                for reply in answer.into_iter().flatten().chain(outcome.reply.clone()).chain(told) {
                    wire::decode(&reply).unwrap();
                }
                Some(outcome)
            }
            Err(refusal) => {
                let codes = [Refusal::MALFORMED, Refusal::TOO_LARGE, Refusal::TRY_AGAIN];
                assert!(codes.contains(&refusal.code), "{refusal}");
                assert!(refusal.reason.len() <= 123, "a close frame has no room for: {refusal}");
                self.hostile = peer("Mallory");
                // What a refused frame left behind is handed out, so that all have the same.
                if let Some(update) = self.canvas.repair() {
                    self.take(&update);
                }
                None
            }
        }
    }

    pub fn answer(&mut self, asked: &Question) -> Vec<Bytes> {
        self.hostile.answer(&mut self.canvas, asked).unwrap().unwrap().frames
    }

    fn take(&mut self, update: &[u8]) {
        self.author.apply(update);
        self.log.push(update.to_vec());
        self.touched = true;
    }

    /// The honest person goes on, and everyone who has the document or gets it now, from memory, log or snapshot, has
    /// all of it. Who heard the same in the same order shows the same. In which order a newcomer shows items that were
    /// written with false neighbours is not asserted: the algorithm gives them no meaning.
    fn assert_undisturbed(&mut self) {
        let update = self.author.edit(|txn| {
            inner(txn, &["notes"]).insert(txn, "still", "here");
        });
        let honest = self.honest.receive(&mut self.canvas, &mut self.awareness, &wire::update(&update), 0).unwrap();
        assert_eq!(honest.updates, [update]);
        self.log.extend(honest.updates);
        let snapshot = self.canvas.snapshot().unwrap();
        let nothing: [&[u8]; 0] = [];
        let reopened = Canvas::open(None, &self.log).unwrap();
        let restored = Canvas::open(Some(&snapshot.bytes), nothing).unwrap();
        let mut mirror = Canvas::new();
        for update in &self.log {
            assert_ne!(mirror.apply(update).unwrap(), Applied::Pending);
        }
        assert_eq!(mirror.project(), self.canvas.project());
        for canvas in [&self.canvas, &reopened, &restored] {
            assert_eq!(canvas.skipped(), 0);
            assert_eq!(canvas.false_place(), None);
            assert_eq!(canvas.rebuilt().unwrap().project(), canvas.project());
            let newcomer = Client::joining(canvas);
            assert_eq!(newcomer.clocks(), self.author.clocks());
            assert_eq!(canvas.project().notes["still"], Value::from("here"));
        }
    }

    /// Whose items an update may refer to.
    pub fn clocks(&self) -> Vec<(u64, u32)> {
        self.author.clocks().into_iter().collect()
    }
}

pub fn peer(name: &str) -> Peer {
    Peer::new(SessionId::generate(), Access::ReadWrite, user(name))
}

pub fn user(name: &str) -> UserTag {
    UserTag { id: UserId::generate(), name: name.to_owned(), color: "#2f6fed".to_owned() }
}
