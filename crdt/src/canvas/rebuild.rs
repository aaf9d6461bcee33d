//! Growth control [SYNC-15]: the same content in a fresh document, written by one client, without its past.
//!
//! A deleted shared type stays in a document for ever (see `values`); only here it goes.

use thiserror::Error;
use yrs::{
    Any, Array, ArrayPrelim, GetString, In, Map, MapPrelim, MapRef, Out, ReadTxn, TextPrelim, Transact, WriteTxn,
    any::Number,
};

use super::{Canvas, empty_document, guarded};
use crate::guard::ROOTS;

/// Why a document was not rebuilt. It goes on as it is.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum RebuildError {
    #[error("the document cannot be copied: {0}")]
    Copy(String),
    #[error("the copy of `{root}/{key}` is not what it was made from")]
    Differs { root: &'static str, key: String },
    #[error("the copy shows another diagram")]
    Diagram,
}

impl Canvas {
    /// The canvas in its next document epoch: compared with this one, entry by entry, before it is handed out.
    pub fn rebuilt(&self) -> Result<Self, RebuildError> {
        let fresh = guarded(|| self.copy()).map_err(RebuildError::Copy)?;
        self.compare(&fresh)?;
        let (fresh, _) = fresh.surveyed().map_err(RebuildError::Copy)?;
        Ok(fresh)
    }

    fn copy(&self) -> Self {
        let (doc, types) = loop {
            let (doc, types) = empty_document();
            let client = doc.client_id().get();
            if self.clock(client) == 0 && !self.epoch.is_retired(client) {
                break (doc, types);
            }
        };
        let epoch = self.epoch.next(self.clocks.iter().map(|(client, clock)| (*client, *clock)), doc.client_id().get());
        let ours = self.doc.transact();
        for root in ROOTS {
            let Some(entries) = ours.get_map(root) else { continue };
            let mut txn = doc.transact_mut();
            let map = txn.get_or_insert_map(root);
            for (key, value) in entries.iter(&ours) {
                map.insert(&mut txn, key, fresh(&ours, &value));
            }
        }
        drop(ours);
        Self::around((doc, types)).in_epoch(epoch)
    }

    fn compare(&self, fresh: &Self) -> Result<(), RebuildError> {
        let (ours, theirs) = (self.doc.transact(), fresh.doc.transact());
        for root in ROOTS {
            let (Some(a), Some(b)) = (ours.get_map(root), theirs.get_map(root)) else { continue };
            if let Some(key) = first_difference(&ours, &a, &theirs, &b) {
                return Err(RebuildError::Differs { root, key });
            }
        }
        if super::project::diagram(&ours) != super::project::diagram(&theirs) {
            return Err(RebuildError::Diagram);
        }
        Ok(())
    }
}

/// What stands there, to be written anew. Of a text its characters: formats, which old canvases may hold, end here.
fn fresh(ours: &impl ReadTxn, value: &Out) -> In {
    match value {
        Out::Any(value) => In::Any(value.clone()),
        Out::YText(text) => In::from(TextPrelim::new(text.get_string(ours))),
        Out::YMap(map) => {
            In::from(map.iter(ours).map(|(key, value)| (key, fresh(ours, &value))).collect::<MapPrelim>())
        }
        Out::YArray(array) => In::from(array.iter(ours).map(|value| fresh(ours, &value)).collect::<ArrayPrelim>()),
        // The guard lets nothing else in.
        _ => In::Any(Any::Null),
    }
}

/// A key under which two maps differ.
fn first_difference(ours: &impl ReadTxn, a: &MapRef, theirs: &impl ReadTxn, b: &MapRef) -> Option<String> {
    let unlike = a.iter(ours).find(|(key, value)| {
        let other = b.get(theirs, key);
        !other.is_some_and(|other| same(ours, value, theirs, &other))
    });
    let added = || b.keys(theirs).find(|key| a.get(ours, key).is_none());
    unlike.map(|(key, _)| key.to_owned()).or_else(|| added().map(str::to_owned))
}

fn same(ours: &impl ReadTxn, a: &Out, theirs: &impl ReadTxn, b: &Out) -> bool {
    match (a, b) {
        (Out::Any(a), Out::Any(b)) => same_value(a, b),
        (Out::YMap(a), Out::YMap(b)) => first_difference(ours, a, theirs, b).is_none(),
        (Out::YText(a), Out::YText(b)) => a.get_string(ours) == b.get_string(theirs),
        (Out::YArray(a), Out::YArray(b)) => {
            a.len(ours) == b.len(theirs) && a.iter(ours).zip(b.iter(theirs)).all(|(a, b)| same(ours, &a, theirs, &b))
        }
        _ => false,
    }
}

/// Equal to the bit: a number that is none equals itself.
fn same_value(a: &Any, b: &Any) -> bool {
    match (a, b) {
        (Any::Number(Number::Float(a)), Any::Number(Number::Float(b))) => a.to_bits() == b.to_bits(),
        (Any::Array(a), Any::Array(b)) => a.len() == b.len() && a.iter().zip(b.iter()).all(|(a, b)| same_value(a, b)),
        (Any::Map(a), Any::Map(b)) => {
            a.len() == b.len() && a.iter().all(|(key, a)| b.get(key).is_some_and(|b| same_value(a, b)))
        }
        _ => a == b,
    }
}
