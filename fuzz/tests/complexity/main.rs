//! What a client sends costs as its bytes, and no faster [REL-12].
//!
//! A family is one shape of input that grows: n, 2n, 4n. Of each of its steps the processor's time and the memory are
//! measured, by the processor's clock and by an allocator that counts. A step fails where either grows faster than the
//! input by more than a margin, or takes more memory than its bytes and items may.
//!
//! `FAMILY=name` tries the families whose names begin so, and prints what it measured.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod design;
mod diagrams;
mod measure;
mod presence;
mod questions;
mod updates;

use std::sync::{Mutex, PoisonError};

use measure::{Family, verdicts};

/// One at a time: the clock and the allocator count for all threads.
static MEASURING: Mutex<()> = Mutex::new(());

fn assert_linear(families: Vec<Family>) {
    let _alone = MEASURING.lock().unwrap_or_else(PoisonError::into_inner);
    let broken: Vec<String> = families.iter().filter(|family| chosen(family)).flat_map(verdicts).collect();
    assert!(broken.is_empty(), "{} steps cost too much:\n{}", broken.len(), broken.join("\n"));
}

#[expect(clippy::disallowed_methods, reason = "a test has no other parameters")]
fn chosen(family: &Family) -> bool {
    std::env::var("FAMILY").is_ok_and(|name| family.name.starts_with(&name)) || std::env::var("FAMILY").is_err()
}

/// [SYNC-4] [REL-12]
#[test]
fn updates_cost_as_their_bytes() {
    assert_linear(updates::families());
}

/// [SYNC-4] [SYNC-7] [REL-12]
#[test]
fn questions_cost_as_the_document() {
    assert_linear(questions::families());
}

/// [SYNC-9] [REL-12]
#[test]
fn presence_costs_as_its_bytes() {
    assert_linear(presence::families());
}

/// [CANVAS-2] [CANVAS-8] [CANVAS-9] [REL-12]
#[test]
fn diagrams_cost_as_their_bytes() {
    assert_linear(diagrams::families());
}

/// [CANVAS-4] [CANVAS-5] [REL-12]
#[test]
fn looking_at_a_diagram_costs_as_its_bytes() {
    assert_linear(design::families());
}
