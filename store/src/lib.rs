//! Everything that Troupe writes down: SQL on two engines, and sealed secrets.
//!
//! Owns: the tables, their migrations, and every SQL statement of the product; one source serves SQLite and PostgreSQL.
//! Invariants: a tenant's rows are reached through a [`TenantTx`] or by a function that names the tenant [TEN-1];
//! canvas rows and run events are written only under the lease's current epoch [SYNC-13].
//! Refuses to know: the clock (times come in), actors, HTTP, what is inside a canvas update.
//!
//! "Not found" is `Ok(None)` or `false`, and so is what belongs to another tenant. A transaction that is dropped
//! without `commit` is rolled back.

mod batch;
pub mod canvas;
mod checkpoint;
mod config;
mod confinement;
mod deletion;
mod engine;
mod error;
pub mod folders;
pub mod jobs;
mod json;
pub mod leases;
mod listing;
mod page;
pub mod refresh_tokens;
pub mod runs;
pub mod secrets;
mod store;
pub mod tenants;
mod tx;
pub mod users;
pub mod versions;
pub mod workflows;
pub mod workspaces;

pub use config::{DatabaseConfig, Timeouts};
pub use engine::Engine;
pub use error::{Error, Fault, Result};
pub use page::{Direction, PAGE_ROWS_MAX, Page, PageRequest, Sort, SortBy};
pub use store::{Store, is_worker};
pub use tx::{SystemTx, TenantTx};
