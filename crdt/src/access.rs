/// What a session may do with the canvas [SYNC-10].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    ReadWrite,
    /// Receives everything, may send awareness.
    ReadOnly,
}
