//! The whole document as one frame, kept for those who come with nothing: when many join at once, it is encoded once
//! and its bytes are shared.

use bytes::Bytes;
use yrs::{StateVector, updates::decoder::Decode};

use super::Canvas;
use crate::{Refusal, wire};

/// A document smaller than this is encoded for each.
const KEPT_BYTES_MIN: usize = 32 * 1024;
/// When so much was written since, it is encoded anew.
const SINCE_SHARE_MAX: usize = 8;

#[derive(Debug)]
pub(super) struct Whole {
    frame: Bytes,
    state_vector: StateVector,
    /// What the document says to one who has the frame: not nothing, since deletions are always told.
    since: Vec<u8>,
    is_used: bool,
}

impl Canvas {
    /// The frames that bring a client with this encoded state vector up to date: a SyncStep2, and perhaps an update.
    pub(crate) fn catch_up(&mut self, state_vector: &[u8]) -> Result<Vec<Bytes>, Refusal> {
        if state_vector != [0] {
            return Ok(vec![wire::sync_step2(&self.diff(state_vector)?).into()]);
        }
        if let Some(frames) = self.kept() {
            return Ok(frames);
        }
        let frame = Bytes::from(wire::sync_step2(&self.diff(state_vector)?));
        if frame.len() >= KEPT_BYTES_MIN {
            let state_vector = StateVector::decode_v1(&self.state_vector()).map_err(|_| Refusal::reload())?;
            let since = self.encode_since(&state_vector).ok_or_else(Refusal::reload)?;
            self.whole = Some(Whole { frame: frame.clone(), state_vector, since, is_used: true });
        }
        Ok(vec![frame])
    }

    fn kept(&mut self) -> Option<Vec<Bytes>> {
        let mut whole = self.whole.take()?;
        let since = self.encode_since(&whole.state_vector)?;
        if since.len().saturating_sub(whole.since.len()) > whole.frame.len() / SINCE_SHARE_MAX {
            return None;
        }
        let mut frames = vec![whole.frame.clone()];
        if since != whole.since {
            frames.push(wire::update(&since).into());
        }
        whole.is_used = true;
        self.whole = Some(whole);
        Some(frames)
    }

    /// Gives up the kept frame when nobody came for it since the last time.
    pub fn forget_unused(&mut self) {
        self.whole = self.whole.take().filter(|whole| whole.is_used).map(|whole| Whole { is_used: false, ..whole });
    }
}
