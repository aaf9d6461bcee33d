//! What one session and one document may cost [SYNC-17].

/// All in bytes or counts. The defaults are the specification's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    pub frame_bytes_max: usize,
    /// Of the document, measured as V1 updates.
    pub document_bytes_max: usize,
    /// Of the document: a block takes memory, however small it is.
    pub document_items_max: usize,
    /// JSON values of the document, each within another too: the same of them.
    pub document_values_max: usize,
    /// Updates of one session that wait for others, and their sum.
    pub pending_updates_max: usize,
    pub pending_bytes_max: usize,
    /// Client ids that one session may announce.
    pub awareness_clients_max: usize,
    /// The JSON of one awareness state.
    pub awareness_state_bytes_max: usize,
    /// All states of one canvas, and what of them one user may show in any case.
    pub awareness_bytes_max: usize,
    pub awareness_user_bytes_min: usize,
    /// What the others are told in a second: of one canvas, and of one user of it.
    pub awareness_bytes_per_second: usize,
    pub awareness_user_bytes_per_second: usize,
    /// Client ids that stay their user's after they went: of one canvas, and of one user of it.
    pub awareness_remembered_max: usize,
    pub awareness_remembered_per_user_max: usize,
}

impl Limits {
    /// The largest message: a whole document, and what is said around it.
    pub fn message_bytes_max(&self) -> usize {
        self.document_bytes_max + self.frame_bytes_max
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            frame_bytes_max: 1 << 20,
            document_bytes_max: 50 << 20,
            document_items_max: 1_000_000,
            document_values_max: 1_000_000,
            pending_updates_max: 64,
            pending_bytes_max: 1 << 20,
            awareness_clients_max: 8,
            awareness_state_bytes_max: 16 << 10,
            awareness_bytes_max: 4 << 20,
            awareness_user_bytes_min: 64 << 10,
            awareness_bytes_per_second: 1 << 20,
            awareness_user_bytes_per_second: 128 << 10,
            awareness_remembered_max: 16_384,
            awareness_remembered_per_user_max: 64,
        }
    }
}
