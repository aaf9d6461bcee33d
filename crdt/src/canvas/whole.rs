//! The whole document as one frame, shared by all who are sent it, and after it what was written since: when many join
//! at once, it is encoded once, and who does not read holds no copy of its own [PERF-4, SYNC-7].

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use yrs::{Doc, StateVector, TransactionMut};

use super::{Canvas, guarded};
use crate::{Refusal, wire};

/// A document smaller than this is encoded for each.
const KEPT_BYTES_MIN: usize = 32 * 1024;
/// When so much was written since, it is encoded anew, unless two copies are in use already.
const SINCE_SHARE_MAX: usize = 2;
const SINCE_FRAMES_MAX: usize = 1_024;
/// By how much more that may be, while a former copy is still in somebody's hands.
const PATIENCE: usize = 2;
/// An update that says nothing.
const NOTHING: [u8; 2] = [0, 0];

#[derive(Debug)]
pub(super) struct Whole {
    frame: Bytes,
    is_used: bool,
}

/// What was written since the whole was encoded, as frames. Nothing is noted while none is kept.
#[derive(Clone, Debug, Default)]
pub(super) struct Since(Arc<Mutex<Option<Written>>>);

#[derive(Debug, Default)]
struct Written {
    frames: Vec<Bytes>,
    bytes: usize,
    /// It could not be noted.
    is_broken: bool,
}

impl Since {
    /// Follows a document, outside a transaction.
    pub(super) fn watch(doc: &Doc) -> Self {
        let since = Self::default();
        let watching = since.clone();
        doc.observe_after_transaction("since", move |txn| watching.note(txn))
            .expect("nothing is under way in this document");
        since
    }

    fn note(&self, txn: &TransactionMut<'_>) {
        let mut written = self.lock();
        let Some(written) = written.as_mut().filter(|_| txn.has_changes()) else { return };
        match guarded(|| txn.encode_update_v1()) {
            Ok(update) => {
                let frame = Bytes::from(wire::update(&update));
                written.bytes += frame.len();
                written.frames.push(frame);
            }
            Err(_) => written.is_broken = true,
        }
    }

    /// From now on.
    fn begin(&self) {
        *self.lock() = Some(Written::default());
    }

    fn end(&self) {
        *self.lock() = None;
    }

    /// Whether what was written since is short beside a whole of `bytes`.
    fn is_short(&self, bytes: usize, patience: usize) -> bool {
        self.lock().as_ref().is_some_and(|written| {
            !written.is_broken
                && written.bytes <= bytes / SINCE_SHARE_MAX * patience
                && written.frames.len() <= SINCE_FRAMES_MAX * patience
        })
    }

    fn frames(&self) -> Vec<Bytes> {
        self.lock().as_ref().map(|written| written.frames.clone()).unwrap_or_default()
    }

    fn lock(&self) -> MutexGuard<'_, Option<Written>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A document, as frames. The SyncStep2 is the last of them: with it a client takes itself for synced.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    pub frames: Vec<Bytes>,
    /// Bytes of them that nobody else shares.
    pub own_bytes: usize,
    /// What it took to make it, in bytes that were encoded or walked.
    pub cost_bytes: usize,
}

impl Answer {
    pub(super) fn own(update: &[u8], walked_bytes: usize) -> Self {
        let frame = Bytes::from(wire::sync_step2(update));
        let own_bytes = frame.len();
        Self { frames: vec![frame], own_bytes, cost_bytes: own_bytes + walked_bytes }
    }

    pub fn bytes(&self) -> usize {
        self.frames.iter().map(Bytes::len).sum()
    }
}

impl Canvas {
    /// Everything. `None`: not now, because people who read slowly hold two copies already.
    pub(super) fn answer_whole(&mut self) -> Result<Option<Answer>, Refusal> {
        if let Some(answer) = self.kept(1) {
            return Ok(Some(answer));
        }
        self.former.retain(|frame| !frame.is_unique());
        if !self.former.is_empty() {
            return Ok(self.kept(PATIENCE));
        }
        self.give_up_whole();
        let whole = self.encode_since(&StateVector::default()).ok_or_else(Refusal::reload)?;
        if whole.len() < KEPT_BYTES_MIN {
            return Ok(Some(Answer::own(&whole, 0)));
        }
        let frame = Bytes::from(wire::update(&whole));
        self.since.begin();
        self.whole = Some(Whole { frame, is_used: true });
        Ok(self.kept(1).map(|answer| Answer { cost_bytes: whole.len(), ..answer }))
    }

    fn kept(&mut self, patience: usize) -> Option<Answer> {
        let whole = self.whole.as_mut().filter(|whole| self.since.is_short(whole.frame.len(), patience))?;
        whole.is_used = true;
        let mut frames = vec![whole.frame.clone()];
        frames.extend(self.since.frames());
        frames.push(wire::sync_step2(&NOTHING).into());
        Some(Answer { frames, ..Answer::default() })
    }

    /// Gives up the kept frame when nobody came for it since the last time.
    pub fn forget_unused(&mut self) {
        match &mut self.whole {
            Some(whole) if whole.is_used => whole.is_used = false,
            _ => self.give_up_whole(),
        }
    }

    /// It is remembered for as long as it is in somebody's hands.
    fn give_up_whole(&mut self) {
        self.since.end();
        self.former.extend(self.whole.take().map(|whole| whole.frame));
        self.former.retain(|frame| !frame.is_unique());
    }
}
