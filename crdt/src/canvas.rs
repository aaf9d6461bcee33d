//! The document of one workflow [CANVAS-1].
//!
//! Root maps, keyed by id: `meta`, `nodes`, `edges`, `notes`, `threads`. Derived state never enters it.
//!
//! `yrs` knows no rollback, so [`Canvas::apply`] decides before it applies. Should `yrs` fail all the same, what it
//! had integrated stays, the document is rebuilt, and [`Canvas::repair`] hands out what the others lack.

mod content;
mod deletions;
mod edit;
mod epoch;
mod load;
mod places;
mod project;
mod question;
mod rebuild;
mod repair;
mod size;
mod text;
mod touched;
mod values;
mod whole;

use std::{
    collections::HashMap,
    panic::{AssertUnwindSafe, catch_unwind},
};

use bytes::Bytes;
use yrs::{
    Assoc, BranchID, Doc, ID, IdSet, Map, OffsetKind, Options, ReadTxn, StateVector, StickyIndex, Transact, Update,
    WriteTxn,
    block::ClientID,
    branch::{Branch, BranchPtr},
    error::UpdateError,
    types::TypeRef,
    updates::{decoder::Decode, encoder::Encode},
};

use crate::{
    Refusal,
    guard::{self, Hostile, Id, Kind, Owner, Place, Position, ROOTS, Seen, Sketch, TYPES_DEPTH_MAX},
};

pub use edit::weight;
pub use epoch::DocumentEpoch;
pub use load::{OpenError, Snapshot};
pub use question::Question;
pub use rebuild::RebuildError;
pub use size::Size;
pub use touched::Touched;
pub use whole::Answer;

use deletions::Deletions;
use places::Places;
use values::Types;

const META: &str = "meta";
pub(crate) const NODES: &str = "nodes";
pub(crate) const EDGES: &str = "edges";
const NOTES: &str = "notes";

/// A deletion of a few bytes may be of as many items as there are clocks.
const ITEMS_OF_A_RUN_TESTED: usize = 1_000;
/// What one deleted range takes, about.
const DELETION_BYTES: usize = 4;
/// Items that an update may be compared with to find the places of its own among concurrent ones, and how many more for
/// each block that it brings. Who writes honestly is far below.
const STEPS_FREE: u64 = 500_000;
const STEPS_PER_BLOCK: u64 = 8;

/// What became of an update.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Applied {
    /// All of it is in the document now.
    Integrated,
    /// The document had all of it.
    Unchanged,
    /// It refers to what the document does not have. The document is as it was.
    Pending,
}

/// The live document.
#[derive(Debug)]
pub struct Canvas {
    doc: Doc,
    epoch: DocumentEpoch,
    /// Up to which clock everything of each client is integrated.
    clocks: HashMap<u64, u32>,
    places: Places,
    size: Size,
    /// A failed update left something behind; the others have what was there before.
    stray_since: Option<StateVector>,
    /// The document in memory could not be rebuilt.
    lost: bool,
    /// Updates of the log that did not integrate whole when it was opened.
    skipped: usize,
    /// Where what is touched is noted, if anybody asked for it.
    touches: Option<touched::Touches>,
    types: Types,
    /// What came deleted, without what it had held.
    emptied: IdSet,
    deletions: Deletions,
    whole: Option<whole::Whole>,
    since: whole::Since,
    /// Former wholes that somebody has not read to their end.
    former: Vec<Bytes>,
}

/// How `yrs` failed.
enum Failure {
    /// With an error, perhaps half-way.
    Refused(String),
    /// Half-way: the rest may come again.
    Exhausted,
    /// What it left in memory is not to be trusted.
    Panicked(String),
}

impl From<UpdateError> for Failure {
    fn from(error: UpdateError) -> Self {
        match error {
            UpdateError::TooManySteps(_) => Self::Exhausted,
            error => Self::Refused(error.to_string()),
        }
    }
}

impl Default for Canvas {
    fn default() -> Self {
        Self::new()
    }
}

impl Canvas {
    pub fn new() -> Self {
        Self::around(empty_document())
    }

    /// The encoded state vector: what this canvas has.
    pub fn state_vector(&self) -> Vec<u8> {
        self.doc.transact().state_vector().encode_v1()
    }

    /// What a peer with this encoded state vector lacks, as a V1 update.
    pub fn diff(&self, state_vector: &[u8]) -> Result<Vec<u8>, Refusal> {
        let question = self.question(state_vector)?;
        self.encode_since(&question.state_vector()).ok_or_else(Refusal::reload)
    }

    /// Which building of the document this is.
    pub fn epoch(&self) -> &DocumentEpoch {
        &self.epoch
    }

    /// A canvas that was opened from the store, in its epoch.
    pub fn in_epoch(self, epoch: DocumentEpoch) -> Self {
        Self { epoch, ..self }
    }

    /// Takes a V1 update from outside, whole or not at all.
    pub fn apply(&mut self, update: &[u8]) -> Result<Applied, Refusal> {
        let sketch = guard::sketch(update)?;
        self.apply_sketched(&sketch, update)
    }

    pub(crate) fn apply_sketched(&mut self, sketch: &Sketch, update: &[u8]) -> Result<Applied, Refusal> {
        if self.lost {
            return Err(Refusal::reload());
        }
        if sketch.is_empty() {
            return Ok(Applied::Unchanged);
        }
        self.epoch.refuse_retired(sketch.clients())?;
        let Some(order) = guard::order(sketch, |client| self.clock(client)) else { return Ok(Applied::Pending) };
        guard::refuse_formats(sketch, &order)?;
        let places = self.check_places(sketch, &order)?;
        let decoded = decode(update)?;
        self.types.note(sketch, |client| self.clock(client));
        let steps_max = STEPS_FREE + order.len() as u64 * STEPS_PER_BLOCK;
        match self.types.noted(|| self.integrate(decoded, steps_max)) {
            Ok(changed) => {
                self.note_places(sketch, &order, &places);
                let known = |client| self.clocks.get(&client).copied().unwrap_or(0);
                note_emptied(&mut self.emptied, sketch, known);
                self.deletions.note_collected(sketch, known);
                for section in &sketch.sections {
                    let clock = self.clocks.entry(section.client).or_default();
                    *clock = (*clock).max(section.end());
                }
                if !changed {
                    return Ok(Applied::Unchanged);
                }
                self.size.grow(sketch, update.len());
                Ok(Applied::Integrated)
            }
            Err(failure) => Err(self.recover(failure)),
        }
    }

    /// Whether an update would change nothing: everything it writes and deletes is here.
    pub(crate) fn has(&self, sketch: &Sketch) -> bool {
        let written = sketch.sections.iter().all(|section| section.end() <= self.clock(section.client));
        if !written || sketch.deletes.is_empty() {
            return written;
        }
        self.deletions.have(&self.doc, &sketch.deletes)
    }

    /// Whether an update brings content that is not here.
    pub(crate) fn adds(&self, sketch: &Sketch) -> bool {
        sketch.adds(|client| self.clock(client))
    }

    /// Entries that an update adds to a root.
    pub(crate) fn added(&self, sketch: &Sketch, root: &str) -> usize {
        sketch.entries(root, |client| self.clock(client))
    }

    /// Items that the document holds, deleted ones included: each takes memory, however small it is.
    pub fn items(&self) -> usize {
        self.doc.transact().store().blocks_len()
    }

    /// What stands under a root: nodes, or edges.
    pub(crate) fn entries(&self, root: &str) -> usize {
        let txn = self.doc.transact();
        txn.get_map(root).map_or(0, |map| map.len(&txn) as usize)
    }

    fn around((doc, types): (Doc, Types)) -> Self {
        let (deletions, since) = (Deletions::watch(&doc), whole::Since::watch(&doc));
        let mut canvas = Self {
            doc,
            epoch: DocumentEpoch::default(),
            clocks: HashMap::new(),
            places: Places::default(),
            size: Size::default(),
            stray_since: None,
            lost: false,
            skipped: 0,
            touches: None,
            types,
            emptied: IdSet::new(),
            deletions,
            whole: None,
            since,
            former: Vec::new(),
        };
        canvas.refresh_clocks();
        canvas
    }

    fn clock(&self, client: u64) -> u32 {
        self.clocks.get(&client).copied().unwrap_or(0)
    }

    fn refresh_clocks(&mut self) {
        let state_vector = self.doc.transact().state_vector();
        self.clocks = state_vector.iter().map(|(client, clock)| (client.get(), *clock)).collect();
    }

    fn whole(&self) -> Option<Vec<u8>> {
        self.encode_since(&StateVector::default())
    }

    /// Always `encode_diff`: `encode_state_as_update` panics when something is pending.
    fn encode_since(&self, state_vector: &StateVector) -> Option<Vec<u8>> {
        guarded(|| self.doc.transact().encode_diff_v1(state_vector)).ok()
    }

    /// Whether anything changed.
    fn integrate(&self, update: Update, steps_max: u64) -> Result<bool, Failure> {
        let mut txn = self.doc.transact_mut();
        txn.limit_steps(steps_max);
        // The commit has its own guard: a panic in a destructor during unwinding would abort the process.
        let applied = guarded(|| txn.apply_update(update));
        let changed = txn.has_changes();
        let pruned = txn.prune_pending().is_some();
        guarded(move || drop(txn)).map_err(Failure::Panicked)?;
        applied.map_err(Failure::Panicked)?.map_err(Failure::from)?;
        if pruned { Err(Failure::Refused("an update refers to itself in a circle".to_owned())) } else { Ok(changed) }
    }

    /// After a failure inside `yrs`: keeps what was integrated and remembers what the others have. After a panic, in
    /// a fresh document.
    fn recover(&mut self, failure: Failure) -> Refusal {
        let stray_since = self.stray_since.take().unwrap_or_else(|| {
            StateVector::new(self.clocks.iter().map(|(client, clock)| (ClientID::new(*client), *clock)).collect())
        });
        self.stray_since = Some(stray_since);
        match failure {
            Failure::Refused(reason) => {
                self.refresh_clocks();
                Refusal::malformed(reason)
            }
            Failure::Exhausted => {
                self.refresh_clocks();
                Refusal::try_again("this change meets too many others at the same place; reconnect to send the rest")
            }
            Failure::Panicked(reason) => match self.whole().map(|whole| Self::open(None, [whole])) {
                Some(Ok(rebuilt)) => {
                    let noting = self.touches.is_some();
                    let (stray_since, epoch) = (self.stray_since.take(), std::mem::take(&mut self.epoch));
                    *self = Self { stray_since, epoch, ..rebuilt };
                    if noting {
                        self.note_touched();
                    }
                    Refusal::malformed(reason)
                }
                _ => {
                    self.lost = true;
                    Refusal::reload()
                }
            },
        }
    }

    fn check_places(&self, sketch: &Sketch, order: &[Position]) -> Result<Vec<Option<Place>>, Hostile> {
        let txn = self.doc.transact();
        let in_document = |id: Id| (id.clock < self.clock(id.client)).then(|| self.seen(&txn, id));
        let is_emptied = |id: Id| self.emptied.contains(&ID::new(ClientID::new(id.client), id.clock));
        guard::check(sketch, order, in_document, is_emptied)
    }

    /// To be called before the clocks are brought up to date.
    fn note_places(&mut self, sketch: &Sketch, order: &[Position], places: &[Option<Place>]) {
        for (&position, place) in order.iter().zip(places) {
            if let Some(place) = place {
                let (client, block) = sketch.at(position);
                // What was known stays where it is, whatever this update says of it.
                let start = block.clock.max(self.clock(client));
                self.places.note(client, start, block.end(), *place);
            }
        }
    }

    /// An item whose noted place is not the one that `yrs` tells, for the tests of hostile input.
    #[doc(hidden)]
    pub fn false_place(&self) -> Option<String> {
        let txn = self.doc.transact();
        let noted = self.places.noted(ITEMS_OF_A_RUN_TESTED);
        noted
            .filter_map(|(id, noted)| {
                let told = place(&txn, ID::new(ClientID::new(id.client), id.clock));
                (told != Some(noted)).then(|| format!("{id:?}: {noted:?} is noted, {told:?} is true"))
            })
            .next()
    }

    /// The share of items whose place is noted, for the tests.
    #[doc(hidden)]
    pub fn places_noted(&self) -> f64 {
        let all: u32 = self.clocks.values().sum();
        let ids = self.clocks.iter().flat_map(|(&client, &end)| (0..end).map(move |clock| Id { client, clock }));
        ids.filter(|id| self.places.get(*id).is_some()).count() as f64 / f64::from(all)
    }

    /// What the document knows of an item.
    fn seen(&self, txn: &impl ReadTxn, id: Id) -> Seen {
        let item = ID::new(ClientID::new(id.client), id.clock);
        let Some(place) = self.places.get(id).or_else(|| place(txn, item)) else { return Seen::default() };
        let shared = BranchID::Nested(item).get_branch(txn).map(|branch| kind(&branch));
        Seen { place: Some(place), shared, is_certain: true }
    }
}

/// `known`: the clock of a client before it.
fn note_emptied(emptied: &mut IdSet, sketch: &Sketch, known: impl Fn(u64) -> u32) {
    for (client, block) in sketch.emptied() {
        let start = block.clock.max(known(client));
        if start < block.end() {
            emptied.insert(ID::new(ClientID::new(client), start), block.end() - start);
        }
    }
}

/// What `yrs` cannot read leaves nothing behind.
fn decode(update: &[u8]) -> Result<Update, Refusal> {
    guarded(|| Update::decode_v1(update))
        .map_err(Refusal::malformed)?
        .map_err(|error| Refusal::malformed(error.to_string()))
}

/// Where an item stands, by walking to the beginning of its list.
fn place(txn: &impl ReadTxn, item: ID) -> Option<Place> {
    let around = branch_around(txn, item)?;
    Some(Place { owner: owner(&around), kind: kind(&around), depth: types_around(txn, item) })
}

/// The shared type that an item stands in; nothing if it is collected.
fn branch_around(txn: &impl ReadTxn, item: ID) -> Option<BranchPtr> {
    StickyIndex::from_id(item, Assoc::After).get_offset(txn).map(|offset| offset.branch)
}

fn kind(branch: &Branch) -> Kind {
    match branch.type_ref() {
        TypeRef::Map => Kind::Map,
        _ => Kind::Sequence,
    }
}

fn owner(branch: &Branch) -> Owner {
    match branch.id() {
        BranchID::Root(name) => Owner::Root(ROOTS.iter().position(|root| **root == *name).unwrap_or(ROOTS.len()) as u8),
        BranchID::Nested(id) => Owner::Item(Id { client: id.client.get(), clock: id.clock }),
    }
}

fn types_around(txn: &impl ReadTxn, mut item: ID) -> u8 {
    for depth in 0..=TYPES_DEPTH_MAX as u8 {
        match branch_around(txn, item).map(|branch| branch.id()) {
            Some(BranchID::Nested(parent)) => item = parent,
            Some(BranchID::Root(_)) | None => return depth,
        }
    }
    TYPES_DEPTH_MAX as u8
}

fn empty_document() -> (Doc, Types) {
    let doc = Doc::with_options(Options {
        // Yjs counts text in UTF-16 units.
        offset_kind: OffsetKind::Utf16,
        // See `values`, which collects what may be.
        skip_gc: true,
        // A clean-up is an edit that nobody would be told of.
        cleanup_formatting: false,
        ..Options::default()
    });
    let mut txn = doc.transact_mut();
    for root in ROOTS {
        txn.get_or_insert_map(root);
    }
    drop(txn);
    let types = Types::watch(&doc);
    (doc, types)
}

/// Runs what may panic inside `yrs`.
fn guarded<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|_| "an update breaks the document".to_owned())
}

#[cfg(test)]
mod tests;
