//! How much work looking at a diagram may take [REL-12].
//!
//! Work is paid for before it is done. What costs more than is left is not done, and what is cheaper still is. Counted
//! and not timed: the same diagram is given the same answer on every machine.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU64, Ordering},
};

/// A cheap clone of one supply: whoever holds one can pay, and cancel.
#[derive(Clone, Debug)]
pub struct Fuel(Arc<Supply>);

#[derive(Debug)]
struct Supply {
    left: AtomicU64,
    canceled: AtomicBool,
    refused: AtomicU64,
}

/// There is not enough left for the work, or nobody wants it any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this would take too much work")]
pub struct Refused;

impl Fuel {
    /// `units`: each is about a byte that is looked at, or 100 ns on a machine of 2020.
    pub fn new(units: u64) -> Self {
        Self(Arc::new(Supply { left: units.into(), canceled: AtomicBool::new(false), refused: AtomicU64::new(0) }))
    }

    /// For work that somebody waits for and can interrupt, such as a run's.
    pub fn unlimited() -> Self {
        Self::new(u64::MAX)
    }

    /// Pays for work that is about to be done. Nothing is paid when it is refused.
    pub fn pay(&self, units: usize) -> Result<(), Refused> {
        let units = units as u64;
        let paid = !self.is_canceled()
            && self.0.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(units)).is_ok();
        if paid {
            return Ok(());
        }
        self.0.refused.fetch_add(1, Ordering::Relaxed);
        Err(Refused)
    }

    pub fn left(&self) -> u64 {
        self.0.left.load(Ordering::Relaxed)
    }

    /// Ends the work at its next payment.
    pub fn cancel(&self) {
        self.0.canceled.store(true, Ordering::Relaxed);
    }

    pub fn is_canceled(&self) -> bool {
        self.0.canceled.load(Ordering::Relaxed)
    }

    /// How often work was refused.
    pub fn refused(&self) -> u64 {
        self.0.refused.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_expensive_costs_nothing() {
        let fuel = Fuel::new(10);
        assert_eq!(fuel.pay(11), Err(Refused));
        assert_eq!(fuel.pay(7), Ok(()));
        assert_eq!(fuel.pay(4), Err(Refused));
        assert_eq!(fuel.pay(3), Ok(()));
        assert_eq!((fuel.left(), fuel.refused()), (0, 2));
        fuel.cancel();
        assert_eq!(fuel.pay(0), Err(Refused));
    }
}
