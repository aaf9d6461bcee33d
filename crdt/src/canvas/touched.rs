//! Which elements of the diagram a change touched [CANVAS-7], told by `yrs` while it commits.
//!
//! An element is found by the id of its shared type, and what lies deeper by the chain of its parents: no path is walked, so
//! that the cost does not depend on the document's size.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use troupe_model::{ElementKind, Touch};
use yrs::{
    BranchID, DeepObservable, Doc, ID, Map, Out, ReadTxn, Transact, TransactionMut,
    branch::{Branch, BranchPtr},
    types::{EntryChange, Event, Events, TypeRef},
};

use super::{Canvas, EDGES, NODES, NOTES};

/// The one key whose change only moves an element.
const POSITION: &str = "position";

const KINDS: [(&str, ElementKind); 3] =
    [(NODES, ElementKind::Node), (EDGES, ElementKind::Edge), (NOTES, ElementKind::Note)];

/// One element that a change touched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Touched {
    pub kind: ElementKind,
    pub id: Arc<str>,
    pub touch: Touch,
}

/// What was touched since it was last asked for.
#[derive(Clone, Debug, Default)]
pub(super) struct Touches(Arc<Mutex<Vec<Touched>>>);

/// Of one root: its elements by the item that is their shared type. Plain values are told as keys of the root.
struct Root {
    name: &'static str,
    kind: ElementKind,
    elements: HashMap<ID, Arc<str>>,
}

impl Canvas {
    /// From here on, notes what is touched. Whoever asks for that takes it after each change.
    pub fn note_touched(&mut self) {
        self.touches = Some(Touches::observe(&self.doc));
    }

    /// What was touched since the last call: each element at most once for each of its changes.
    pub fn take_touched(&mut self) -> Vec<Touched> {
        self.touches.as_ref().map(Touches::take).unwrap_or_default()
    }
}

impl Touches {
    pub(super) fn observe(doc: &Doc) -> Self {
        let touches = Self::default();
        for (name, kind) in KINDS {
            let Some((map, mut root)) = Root::read(doc, name, kind) else { continue };
            let noted = touches.clone();
            map.observe_deep("touched", move |txn, events| root.note(txn, events, &mut noted.lock()));
        }
        touches
    }

    pub(super) fn take(&self) -> Vec<Touched> {
        std::mem::take(&mut *self.lock())
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Touched>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Root {
    fn read(doc: &Doc, name: &'static str, kind: ElementKind) -> Option<(yrs::MapRef, Self)> {
        let txn = doc.transact();
        let map = txn.get_map(name)?;
        let elements = map.iter(&txn).filter_map(|(id, out)| Some((shared(&out)?, Arc::from(id)))).collect();
        Some((map, Self { name, kind, elements }))
    }

    fn note(&mut self, txn: &TransactionMut<'_>, events: &Events<'_>, noted: &mut Vec<Touched>) {
        let mut touched: HashMap<Arc<str>, Touch> = HashMap::new();
        let mut touch = |id: &Arc<str>, touch: Touch| {
            let known = touched.entry(id.clone()).or_insert(touch);
            *known = touch.max(*known);
        };
        // The root's own event first: it says which types are elements.
        for event in events.iter() {
            if let Event::Map(event) = event
                && let BranchID::Root(_) = AsRef::<Branch>::as_ref(event.target()).id()
            {
                for (id, change) in event.keys(txn) {
                    touch(id, self.entry(id, change));
                }
            }
        }
        for event in events.iter() {
            if let Event::Map(event) = event
                && let Some(id) = item(event.target().as_ref()).and_then(|item| self.elements.get(&item))
            {
                let moved = event.keys(txn).keys().all(|key| &**key == POSITION);
                touch(id, if moved { Touch::Moved } else { Touch::Changed });
            }
        }
        self.deeper(txn.changed_parent_types(), |id| touch(id, Touch::Changed));
        noted.extend(touched.into_iter().map(|(id, touch)| Touched { kind: self.kind, id, touch }));
    }

    /// A key of the root changed.
    fn entry(&mut self, id: &Arc<str>, change: &EntryChange) -> Touch {
        let (old, new) = match change {
            EntryChange::Inserted(new) => (None, Some(new)),
            EntryChange::Updated(old, new) => (Some(old), Some(new)),
            EntryChange::Removed(old) => (Some(old), None),
        };
        if let Some(item) = old.and_then(shared) {
            self.elements.remove(&item);
        }
        if let Some(item) = new.and_then(shared) {
            self.elements.insert(item, id.clone());
        }
        match (old, new) {
            (None, _) => Touch::Added,
            (_, None) => Touch::Removed,
            (Some(_), Some(_)) => Touch::Changed,
        }
    }

    /// What changed inside an element: `changed` is, one after the other, each changed type and those around it, up to
    /// its root.
    fn deeper(&self, changed: &[BranchPtr], mut touch: impl FnMut(&Arc<str>)) {
        let mut from = 0;
        for (at, branch) in changed.iter().enumerate() {
            let BranchID::Root(root) = branch.id() else { continue };
            let chain = &changed[from..at];
            from = at + 1;
            if let [.., element] = chain
                && *root == *self.name
                // A map's own keys are told by its event.
                && (chain.len() > 1 || *element.type_ref() != TypeRef::Map)
                && let Some(id) = item(element).and_then(|item| self.elements.get(&item))
            {
                touch(id);
            }
        }
    }
}

/// The item that a shared type is.
fn shared(out: &Out) -> Option<ID> {
    match out {
        Out::YMap(map) => item(map.as_ref()),
        Out::YText(text) => item(text.as_ref()),
        Out::YArray(array) => item(array.as_ref()),
        _ => None,
    }
}

fn item(branch: &Branch) -> Option<ID> {
    match branch.id() {
        BranchID::Nested(id) => Some(id),
        BranchID::Root(_) => None,
    }
}
