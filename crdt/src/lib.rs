//! The canvas: its document, its projection, and the protocol that keeps its readers equal.
//!
//! Owns: the one `yrs` document of a workflow ([`Canvas`]), what a frame of the y-protocols means ([`wire`]), what one
//! session may do with it ([`Peer`]), and who points where ([`Awareness`]).
//!
//! Invariants: nothing from outside reaches `yrs` before [`guard`] has read every byte of it; an update either
//! integrates whole or leaves the document as it was; no input panics.
//!
//! Refuses to know: network, clock, storage, actors, node types. Time comes in as milliseconds.

mod access;
mod awareness;
mod budget;
mod canvas;
pub mod guard;
mod limits;
mod peer;
mod refusal;
pub mod wire;

pub use access::Access;
pub use awareness::{Awareness, Told, UserTag};
pub use budget::{Budget, Rate};
pub use canvas::{
    Answer, Applied, Canvas, DocumentEpoch, OpenError, Question, RebuildError, Size, Snapshot, Touched, weight,
};
pub use limits::Limits;
pub use peer::{Outcome, Peer};
pub use refusal::Refusal;
