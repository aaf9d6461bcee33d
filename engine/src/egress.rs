//! The only way to the network [NODE-35].

/// A guarded HTTP client. A cheap clone.
#[derive(Clone, Debug)]
pub struct Egress;
