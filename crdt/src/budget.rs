//! What somebody may spend of what all share: a burst at once, then a rate. Time comes in as milliseconds.

/// What may be spent: bytes, or whatever else is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    pub burst: u64,
    pub per_second: u64,
}

/// What was spent and is not made up for by time yet. It is lent: the last expense may go beyond the burst.
#[derive(Clone, Copy, Debug, Default)]
pub struct Budget {
    /// In thousandths.
    owed: u64,
    settled_ms: i64,
}

impl Budget {
    pub fn spend(&mut self, amount: usize, rate: Rate, now_ms: i64) {
        self.settle(rate, now_ms);
        self.owed = self.owed.saturating_add((amount as u64).saturating_mul(1_000));
    }

    /// How long it takes until something may be spent.
    pub fn wait_ms(&mut self, rate: Rate, now_ms: i64) -> i64 {
        self.settle(rate, now_ms);
        let burst = rate.burst.saturating_mul(1_000);
        if self.owed < burst.max(1) {
            return 0;
        }
        i64::try_from((self.owed - burst) / rate.per_second.max(1) + 1).unwrap_or(i64::MAX)
    }

    /// Thousandths that are not made up for: who owes more has spent more of late.
    pub fn owed(&mut self, rate: Rate, now_ms: i64) -> u64 {
        self.settle(rate, now_ms);
        self.owed
    }

    /// Somebody else makes up for so much.
    pub fn pay(&mut self, amount: u64) {
        self.owed = self.owed.saturating_sub(amount.saturating_mul(1_000));
    }

    fn settle(&mut self, rate: Rate, now_ms: i64) {
        let elapsed = u64::try_from(now_ms.saturating_sub(self.settled_ms)).unwrap_or(0);
        self.owed = self.owed.saturating_sub(elapsed.saturating_mul(rate.per_second));
        self.settled_ms = self.settled_ms.max(now_ms);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: Rate = Rate { burst: 100, per_second: 10 };

    /// A burst is free, then the rate holds, and time makes up for everything.
    #[test]
    fn a_burst_then_a_rate() {
        let mut budget = Budget::default();
        for _ in 0..10 {
            assert_eq!(budget.wait_ms(RATE, 5), 0);
            budget.spend(10, RATE, 5);
        }
        let wait = budget.wait_ms(RATE, 5);
        assert!((1..=2).contains(&wait), "{wait}");
        assert_eq!(budget.wait_ms(RATE, 5 + wait), 0);
        budget.spend(1_000, RATE, 5 + wait);
        assert!((99_000..=101_000).contains(&budget.wait_ms(RATE, 5 + wait)));
        assert_eq!(budget.owed(RATE, 500_000), 0);
        // A clock that goes back changes nothing.
        budget.spend(50, RATE, 0);
        assert_eq!(budget.owed(RATE, 500_000), 50_000);
    }
}
