//! The table that a scenario ends with.

use crate::editor::Measured;

pub struct Summary {
    pub seconds: u64,
    /// Deliveries that there must be.
    pub expected: u64,
    pub measured: Measured,
}

pub fn print(summary: &Summary) {
    let Measured { edits, deliveries, acknowledgements } = &summary.measured;
    println!(
        "{:<16} {:>10} {:>10} {:>10} {:>10} {:>10} {:>10}",
        "", "count", "per s", "p50 ms", "p95 ms", "p99 ms", "max ms"
    );
    println!("{:<16} {edits:>10} {:>10}", "edits", edits / summary.seconds);
    row("deliveries", deliveries, summary.seconds);
    row("acknowledged", acknowledgements, summary.seconds);
    // A reader that falls behind gets one difference for many edits, so its count is lower and nothing is lost.
    println!("delivered one by one: {} of {}", deliveries.len(), summary.expected);
}

fn row(name: &str, micros: &[u64], seconds: u64) {
    let mut sorted = micros.to_vec();
    sorted.sort_unstable();
    let at = |percent| percentile(&sorted, percent) as f64 / 1000.0;
    let count = sorted.len();
    print!("{name:<16} {count:>10} {:>10}", count as u64 / seconds);
    println!(" {:>10.3} {:>10.3} {:>10.3} {:>10.3}", at(50), at(95), at(99), at(100));
}

/// Nearest rank; 0 when there is nothing.
fn percentile(sorted: &[u64], percent: usize) -> u64 {
    let rank = (sorted.len() * percent).div_ceil(100);
    sorted.get(rank.saturating_sub(1)).copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::percentile;

    #[test]
    fn percentiles_are_nearest_rank() {
        let hundred: Vec<u64> = (1..=100).collect();
        assert_eq!([50, 99, 100].map(|percent| percentile(&hundred, percent)), [50, 99, 100]);
        assert_eq!(percentile(&[7], 50), 7);
        assert_eq!(percentile(&[], 99), 0);
    }
}
