//! A pace for what one socket asks and what costs the server more than the asker: reading the store, opening canvases.
//! Whoever is faster is read more slowly, and not closed [REL-12].

use std::time::Duration;

use tokio::time::{Instant, sleep};
use troupe_crdt::{Budget, Rate};

#[derive(Debug)]
pub struct Turns {
    rate: Rate,
    began: Instant,
    taken: Budget,
}

impl Turns {
    pub fn new(at_once: usize, per_second: usize) -> Self {
        let rate = Rate { burst: at_once as u64, per_second: per_second as u64 };
        Self { rate, began: Instant::now(), taken: Budget::default() }
    }

    /// Waits for the next turn.
    pub async fn next(&mut self) {
        let wait_ms = self.taken.wait_ms(self.rate, self.now_ms());
        if wait_ms > 0 {
            sleep(Duration::from_millis(wait_ms.unsigned_abs())).await;
        }
        self.taken.spend(1, self.rate, self.now_ms());
    }

    fn now_ms(&self) -> i64 {
        i64::try_from(self.began.elapsed().as_millis()).unwrap_or(i64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// [REL-12] A burst passes at once, and then one after the other.
    #[tokio::test]
    async fn a_flood_is_paced() {
        let mut turns = Turns::new(20, 100);
        let begun = Instant::now();
        for _ in 0..20 {
            turns.next().await;
        }
        assert!(turns.taken.wait_ms(turns.rate, turns.now_ms()) > 0 || begun.elapsed() > Duration::from_millis(10));
        for _ in 0..10 {
            turns.next().await;
        }
        assert!(begun.elapsed() >= Duration::from_millis(90), "{:?}", begun.elapsed());
    }
}
