//! What nobody well-behaved sends, and what must hold when it comes [SYNC-4] [REL-7].
//!
//! A target is a function of bytes that panics when a rule is broken. Two runners share the targets: `tests/bounded.rs`
//! with the corpus and a fixed number of seeded mutations, and libFuzzer (`libfuzzer/`, `make fuzz`) for as long as one
//! likes.
//!
//! Refuses to know: sockets, clocks, the store. Tests may use [`grammar`] and [`mutation`] where those are.

#![expect(clippy::unwrap_used, reason = "a target that cannot go on has found something")]

mod awareness;
mod diagram;
mod frame;
pub mod grammar;
mod hocuspocus;
pub mod mutation;
mod room;
pub mod seeds;
mod state_vector;
mod update;

pub use awareness::announcement;

/// A target's name, which is that of its corpus, and the target.
pub type Target = (&'static str, fn(&[u8]));

pub const TARGETS: [Target; 6] = [
    ("awareness", awareness::target),
    ("diagram", diagram::target),
    ("frame", frame::target),
    ("hocuspocus", hocuspocus::target),
    ("state_vector", state_vector::target),
    ("update", update::target),
];

/// Gives bytes to the target of this name.
pub fn run(name: &str, data: &[u8]) {
    let (_, target) = TARGETS.iter().find(|(known, _)| *known == name).expect("a target has this name");
    target(data);
}
