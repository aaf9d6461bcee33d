//! Frames that come in parts: what our own client sends when it is not small [SYNC-18].
//!
//! Other frames may come between the parts. The memory of the whole is borrowed when the first part has come, which is
//! small; until it is lent, nothing more of the client is read.

use std::pin::Pin;

use bytes::{Bytes, BytesMut};
use tokio::time::Instant;
use troupe_actors::{Close, Lender, Loan};

use super::{code, frame::Sizes};

#[derive(Default)]
pub enum Parts {
    #[default]
    None,
    Waiting {
        first: Bytes,
        remaining: usize,
        loan: Pin<Box<dyn Future<Output = Loan> + Send>>,
    },
    Arriving {
        bytes: BytesMut,
        remaining: usize,
        loan: Loan,
        since: Instant,
    },
}

impl Parts {
    /// Takes a part, after which so many bytes remain. Returns the whole when it was the last.
    pub fn take(
        &mut self,
        part: Bytes,
        remaining: usize,
        sizes: Sizes,
        lender: impl FnOnce() -> Lender,
    ) -> Result<Option<(Bytes, Loan)>, Close> {
        let Self::Arriving { bytes, remaining: expected, .. } = self else {
            let whole = part.len().saturating_add(remaining);
            if whole > sizes.bytes_max {
                return Err(sizes.refusal());
            }
            if part.len() > sizes.free_bytes_max {
                let reason = format!("the first part of a frame may have {} bytes", sizes.free_bytes_max);
                return Err(Close::new(code::MALFORMED, reason));
            }
            *self = Self::Waiting { first: part, remaining, loan: Box::pin(lender().lend(whole)) };
            return Ok(None);
        };
        if part.is_empty() || part.len() + remaining != *expected {
            return Err(Close::new(code::MALFORMED, "the parts of a frame do not fit together"));
        }
        bytes.extend_from_slice(&part);
        *expected = remaining;
        Ok(self.whole())
    }

    pub fn is_waiting(&self) -> bool {
        matches!(self, Self::Waiting { .. })
    }

    pub fn is_taking(&self) -> bool {
        !matches!(self, Self::None)
    }

    pub fn is_too_slow(&self) -> bool {
        matches!(self, Self::Arriving { bytes, since, loan, .. } if loan.is_too_slow(bytes.len(), since.elapsed()))
    }

    /// Ends when the memory that is waited for is lent. Returns the whole when the first part is all of it. Safe to drop
    /// while it waits.
    pub async fn lent(&mut self) -> Option<(Bytes, Loan)> {
        let Self::Waiting { loan, .. } = self else { return std::future::pending().await };
        let loan = loan.await;
        if let Self::Waiting { first, remaining, .. } = std::mem::take(self) {
            let mut bytes = BytesMut::with_capacity(first.len() + remaining);
            bytes.extend_from_slice(&first);
            *self = Self::Arriving { bytes, remaining, loan, since: Instant::now() };
        }
        self.whole()
    }

    fn whole(&mut self) -> Option<(Bytes, Loan)> {
        match std::mem::take(self) {
            Self::Arriving { bytes, remaining: 0, loan, .. } => Some((bytes.freeze(), loan)),
            other => {
                *self = other;
                None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use troupe_crdt::Refusal;

    use super::*;

    const SIZES: Sizes = Sizes { free_bytes_max: 10, bytes_max: 100 };

    fn lender() -> Lender {
        Lender::alone(1 << 20)
    }

    fn take(parts: &mut Parts, part: &'static [u8], remaining: usize) -> Result<Option<Bytes>, u16> {
        let taken = parts.take(Bytes::from_static(part), remaining, SIZES, lender);
        taken.map(|whole| whole.map(|(bytes, _)| bytes)).map_err(|close| close.code)
    }

    /// [SYNC-18] The parts are the whole, in their order; a frame in one part is one too.
    #[tokio::test]
    async fn parts_become_the_whole() {
        let mut parts = Parts::default();
        assert_eq!(take(&mut parts, b"ab", 3), Ok(None));
        assert!(parts.is_waiting());
        assert!(parts.lent().await.is_none());
        assert_eq!(take(&mut parts, b"c", 2), Ok(None));
        assert_eq!(take(&mut parts, b"de", 0), Ok(Some(Bytes::from_static(b"abcde"))));
        assert!(!parts.is_taking());
        assert_eq!(take(&mut parts, b"x", 0), Ok(None));
        assert_eq!(parts.lent().await.map(|(bytes, _)| bytes), Some(Bytes::from_static(b"x")));
    }

    /// [SYNC-4] Parts that do not fit together, and a whole that is too large, end the session.
    #[tokio::test]
    async fn parts_that_lie_are_refused() {
        assert_eq!(take(&mut Parts::default(), b"a", 100), Err(Refusal::TOO_LARGE));
        assert_eq!(take(&mut Parts::default(), b"a", usize::MAX), Err(Refusal::TOO_LARGE));
        assert_eq!(take(&mut Parts::default(), b"first of many", 3), Err(code::MALFORMED));
        for (part, remaining) in [(&b"b"[..], 5), (b"", 2), (b"bc", 1)] {
            let mut parts = Parts::default();
            take(&mut parts, b"a", 2).unwrap();
            parts.lent().await;
            assert_eq!(take(&mut parts, part, remaining), Err(code::MALFORMED), "{part:?}");
        }
    }
}
