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
    /// How much there was to say to one who had the frame when it was made: not nothing, since all deletions are told.
    since_bytes: usize,
    is_used: bool,
}

impl Canvas {
    /// The frames that bring a client with this encoded state vector up to date. The SyncStep2 is the last of them: with
    /// it a client takes itself for synced.
    pub(crate) fn catch_up(&mut self, state_vector: &[u8]) -> Result<Vec<Bytes>, Refusal> {
        if state_vector != [0] {
            return Ok(vec![wire::sync_step2(&self.diff(state_vector)?).into()]);
        }
        if let Some(frames) = self.kept() {
            return Ok(frames);
        }
        let whole = self.diff(state_vector)?;
        if whole.len() < KEPT_BYTES_MIN {
            return Ok(vec![wire::sync_step2(&whole).into()]);
        }
        let frame = Bytes::from(wire::update(&whole));
        let state_vector = StateVector::decode_v1(&self.state_vector()).map_err(|_| Refusal::reload())?;
        let since = self.encode_since(&state_vector).ok_or_else(Refusal::reload)?;
        let frames = vec![frame.clone(), wire::sync_step2(&since).into()];
        self.whole = Some(Whole { frame, state_vector, since_bytes: since.len(), is_used: true });
        Ok(frames)
    }

    fn kept(&mut self) -> Option<Vec<Bytes>> {
        let mut whole = self.whole.take()?;
        let since = self.encode_since(&whole.state_vector)?;
        if since.len().saturating_sub(whole.since_bytes) > whole.frame.len() / SINCE_SHARE_MAX {
            return None;
        }
        let frames = vec![whole.frame.clone(), wire::sync_step2(&since).into()];
        whole.is_used = true;
        self.whole = Some(whole);
        Some(frames)
    }

    /// Gives up the kept frame when nobody came for it since the last time.
    pub fn forget_unused(&mut self) {
        self.whole = self.whole.take().filter(|whole| whole.is_used).map(|whole| Whole { is_used: false, ..whole });
    }
}
