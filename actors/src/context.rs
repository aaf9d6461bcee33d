//! What every actor is given: the store, the node types, the clock, where files and payloads are, the limits.

use std::{path::PathBuf, sync::Arc, time::Duration};

use tokio::sync::Semaphore;
use troupe_engine::{egress::Egress, files::Files, payloads::Payloads, registry::Registry};
use troupe_model::{Clock, RunId, ServerId, TenantId};
use troupe_store::{Store, canvas::trouble};
use uuid::Uuid;

use crate::{
    credit::UserCredits,
    durability::Durability,
    examiner::Examiner,
    footprint::{FootprintLimits, Footprints},
    leases::Leases,
    loans::{LoanLimits, Loans},
    turns::Turns,
    worktime::{WorktimeLimits, Worktimes},
};

/// How the actor system is set up.
#[derive(Clone)]
pub struct SystemConfig {
    pub server: ServerId,
    pub store: Store,
    pub registry: Registry,
    pub egress: Egress,
    pub clock: Arc<dyn Clock>,
    pub examiner: Arc<dyn Examiner>,
    /// One folder per tenant, for the files that nodes read and write.
    pub files_root: PathBuf,
    /// One folder per tenant and run, for the frames of runs.
    pub payloads_root: PathBuf,
    pub limits: Limits,
}

/// Bounds of the actor system, each with a refusal that names it.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    pub lease_ttl: Duration,
    /// How long a workflow that nobody uses stays loaded [SYNC-12].
    pub unload_after: Duration,
    /// Of the memory that open canvases take.
    pub footprint: FootprintLimits,
    /// Nodes that execute at once on this machine.
    pub nodes_max: usize,
    /// Nodes of one run that execute at once.
    pub nodes_per_run_max: usize,
    /// Runs of one tenant that are live at once.
    pub runs_per_tenant_max: usize,
    /// Workflows that are analysed at once, and how much work one analysis may take, in units of the engine's fuel.
    pub analyses_max: usize,
    /// What takes long on canvases, at once on this server.
    pub long_turns_max: usize,
    pub analysis_fuel_max: u64,
    /// WebSocket sessions of one tenant.
    pub sessions_per_tenant_max: usize,
    /// Bytes that wait to be written to one session.
    pub outbox_bytes_max: usize,
    /// How long a session may leave unread what it was sent while there is more to send [SYNC-7].
    pub stuck_after: Duration,
    /// How often one user may be sent the whole of a canvas: at once, and in a minute after that. A session's first
    /// answer counts by a sixteenth.
    pub answers_at_once_max: usize,
    pub answers_per_minute_max: usize,
    /// Frames of presence that are read of one session; what comes beyond is dropped.
    pub awareness_frames_per_second_max: usize,
    /// Updates of a canvas that gather before a snapshot is made [SYNC-5].
    pub rows_between_snapshots: u64,
    /// What the deleted elements of a canvas may take before it is rebuilt without them, when nobody has it
    /// open and in any case [SYNC-15].
    pub tombstone_bytes_idle_max: usize,
    pub tombstone_bytes_max: usize,
    pub credit: crate::credit::CreditLimits,
    /// What clients make the server hold beside that.
    pub loans: LoanLimits,
    pub worktime: WorktimeLimits,
    /// Of one canvas and of what one session may ask of it [SYNC-17].
    pub canvas: troupe_crdt::Limits,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            lease_ttl: Duration::from_secs(10),
            unload_after: Duration::from_secs(30),
            footprint: FootprintLimits::default(),
            nodes_max: 64,
            nodes_per_run_max: 16,
            runs_per_tenant_max: 200,
            analyses_max: 1,
            long_turns_max: 1,
            analysis_fuel_max: 30_000_000,
            sessions_per_tenant_max: 20_000,
            outbox_bytes_max: 1024 * 1024,
            stuck_after: Duration::from_secs(30),
            answers_at_once_max: 16,
            answers_per_minute_max: 15,
            awareness_frames_per_second_max: 500,
            rows_between_snapshots: 5_000,
            tombstone_bytes_idle_max: 256 << 10,
            tombstone_bytes_max: 8 << 20,
            credit: crate::credit::CreditLimits::default(),
            loans: LoanLimits::default(),
            worktime: WorktimeLimits::default(),
            canvas: troupe_crdt::Limits::default(),
        }
    }
}

pub(crate) struct Context {
    pub(crate) server: ServerId,
    /// Another one at each start.
    pub(crate) process: Uuid,
    pub(crate) store: Store,
    pub(crate) registry: Registry,
    pub(crate) egress: Egress,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) examiner: Arc<dyn Examiner>,
    pub(crate) limits: Limits,
    pub(crate) durability: Durability,
    pub(crate) leases: Leases,
    /// One permit per executing node.
    pub(crate) slots: Arc<Semaphore>,
    pub(crate) analyses: Turns,
    pub(crate) long_turns: Turns,
    /// Canvases that have grown alike are compacted one after the other: their editors are not to notice.
    pub(crate) compactions: Arc<Semaphore>,
    /// Of a canvas, shared by its sessions.
    pub(crate) canvas_limits: Arc<troupe_crdt::Limits>,
    pub(crate) loans: Loans,
    pub(crate) user_credits: UserCredits,
    pub(crate) footprints: Footprints,
    pub(crate) worktimes: Worktimes,
    files_root: PathBuf,
    payloads_root: PathBuf,
}

impl Context {
    pub(crate) fn new(config: SystemConfig) -> Self {
        Self {
            server: config.server,
            process: Uuid::now_v7(),
            store: config.store,
            registry: config.registry,
            egress: config.egress,
            clock: config.clock,
            examiner: config.examiner,
            limits: config.limits,
            durability: Durability::default(),
            leases: Leases::default(),
            slots: Arc::new(Semaphore::new(config.limits.nodes_max)),
            analyses: Turns::new(config.limits.analyses_max),
            long_turns: Turns::new(config.limits.long_turns_max),
            compactions: Arc::new(Semaphore::new(1)),
            footprints: Footprints::new(config.limits.footprint),
            canvas_limits: config.limits.canvas.into(),
            loans: Loans::new(config.limits.loans),
            user_credits: UserCredits::default(),
            worktimes: Worktimes::new(config.limits.worktime),
            files_root: config.files_root,
            payloads_root: config.payloads_root,
        }
    }

    /// What is worked at still did not end this process.
    pub(crate) async fn ends_in_order(&self) -> Result<(), troupe_store::Error> {
        let mut tx = self.store.begin_system().await?;
        trouble::ended_in_order(&mut tx, self.process).await?;
        tx.commit().await
    }

    pub(crate) fn files(&self, tenant: TenantId) -> Files {
        Files::new(self.files_root.join(tenant.to_string()))
    }

    pub(crate) fn payloads(&self, tenant: TenantId, run: RunId) -> Payloads {
        Payloads::new(self.payloads_root.join(tenant.to_string()).join(run.to_string()))
    }
}

impl std::fmt::Debug for Context {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Context").field("server", &self.server).finish_non_exhaustive()
    }
}
