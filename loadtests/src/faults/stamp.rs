//! When an edit was made, written in its own bytes, so that whoever gets it knows how long it took.

use std::{sync::LazyLock, time::Instant};

const MARK: &[u8] = b"~t";
const DIGITS: usize = 12;

/// Of this process.
static BEGINNING: LazyLock<Instant> = LazyLock::new(Instant::now);

/// A text of so many bytes.
pub fn now(bytes: usize) -> String {
    let mut text = format!("~t{:0DIGITS$x}", BEGINNING.elapsed().as_micros());
    text.extend(std::iter::repeat_n('.', bytes.saturating_sub(text.len())));
    text
}

/// How long ago each stamp in an update was made.
pub fn age_us(update: &[u8]) -> Vec<u64> {
    let now = BEGINNING.elapsed().as_micros() as u64;
    let places = update.windows(MARK.len()).enumerate().filter(|(_, window)| *window == MARK).map(|(at, _)| at);
    places
        .filter_map(|at| {
            let digits = std::str::from_utf8(update.get(at + MARK.len()..)?.get(..DIGITS)?).ok()?;
            Some(now.saturating_sub(u64::from_str_radix(digits, 16).ok()?))
        })
        .collect()
}
