//! What a client sends costs as its bytes, and no faster [REL-12].
//!
//! A family is one shape of input that grows: n, 2n, 4n. Of each of its steps the processor's time and the memory are
//! measured, by the thread's clock and by an allocator that counts. A step fails where either grows faster than the
//! input by more than a margin, or takes more memory than a multiple of the bytes.
//!
//! `FAMILY=name` tries the families whose names begin so, and prints what it measured.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod measure;
mod updates;

use measure::{Family, verdicts};

fn assert_linear(families: Vec<Family>) {
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
