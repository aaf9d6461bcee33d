//! The actor tree: tenant → workflow, run → node; supervision, admission, group commit, live feeds.
//!
//! Owns: who does what when, and what happens when it fails. The edges see [`System`], [`CanvasSession`],
//! [`Subscription`] and [`Outbox`], never an actor. Refuses to know: HTTP, SQL, the encoding of a canvas, what a node does.

mod alarm;
mod canvas;
mod context;
mod credit;
mod durability;
mod examiner;
mod footprint;
mod journal;
mod lease;
mod leases;
mod lines;
mod live;
mod loans;
mod node;
mod root;
mod run;
mod system;
pub mod task;
mod tenant;
mod turns;
mod view;
mod workflow;
mod worktime;

pub use canvas::{CanvasSession, JoinCanvas};
pub use context::{Limits, SystemConfig};
pub use credit::CreditLimits;
pub use examiner::{Examined, Examiner};
pub use footprint::FootprintLimits;
pub use live::{
    Channel, EventFrame,
    outbox::{Close, Next, OutFrame, Outbox, Pushed},
};
pub use loans::{FREE_BYTES_MAX, Lender, Lent, Loan, LoanLimits, MEDIUM_BYTES_MAX};
pub use system::{
    EditDiagramError, PublishVersionError, StartError, StartRun, StartRunError, SubscribeError, Subscription, System,
    Unavailable,
};
pub use workflow::{Asker, Change, DiagramEdit, EditError, Edited, LastChange, Publish, PublishError, examine};
pub use worktime::{Worktime, WorktimeLimits};
