//! Starting, finding and canceling runs.

use ractor::ActorRef;
use serde_json::{Map, Value};
use troupe_engine::{payloads::Payloads, plan::Plan};
use troupe_model::{RunId, TenantId, UserId, WorkflowId};
use troupe_store::runs;

use super::{CALL_WITHIN, StartRunError, System, Unavailable, answered};
use crate::{run::RunMsg, tenant::TenantMsg, workflow::Asker};

/// Who starts a run, how, and with which parameters.
#[derive(Clone, Debug)]
pub struct StartRun {
    pub by: Option<UserId>,
    pub trigger: String,
    pub parameters: Map<String, Value>,
}

impl System {
    /// Runs the diagram as it is at this moment [RUN-1].
    pub async fn start_run(
        &self,
        tenant: TenantId,
        workflow: WorkflowId,
        start: StartRun,
    ) -> Result<runs::Run, StartRunError> {
        let context = &self.0.context;
        let handle = self.tenant(tenant).await?;
        let slot = handle
            .runs
            .try_acquire_owned()
            .map_err(|_| StartRunError::TooManyRuns(context.limits.runs_per_tenant_max))?;
        let (diagram, _) = self.diagram_to_run(Asker { tenant, user: start.by }, workflow).await?;
        let (registry, planned) = (context.registry.clone(), diagram.clone());
        tokio::task::spawn_blocking(move || Plan::build(&planned, &registry).map(drop))
            .await?
            .map_err(StartRunError::Invalid)?;
        let new = runs::NewRun {
            id: RunId::generate(),
            workflow_id: workflow,
            diagram: &diagram,
            parameters: &start.parameters,
            started_by: start.by,
            trigger: &start.trigger,
            at: context.clock.now(),
        };
        let mut tx = context.store.begin(tenant).await?;
        let run = runs::create(&mut tx, new).await?;
        tx.commit().await?;
        metrics::counter!("troupe_runs_started_total").increment(1);
        handle.actor.cast(TenantMsg::StartRun(run.id, Some(slot))).map_err(|_| Unavailable::Stopped)?;
        Ok(run)
    }

    /// Asks a live run to stop. False when it is not live any more.
    pub async fn cancel_run(&self, tenant: TenantId, run: RunId, by: UserId) -> Result<bool, Unavailable> {
        let live = self.live_run(tenant, run).await?;
        Ok(live.is_some_and(|actor| actor.cast(RunMsg::Cancel { by: Some(by) }).is_ok()))
    }

    /// Where the frames of a run are.
    pub fn payloads(&self, tenant: TenantId, run: RunId) -> Payloads {
        self.0.context.payloads(tenant, run)
    }

    pub(super) async fn live_run(&self, tenant: TenantId, run: RunId) -> Result<Option<ActorRef<RunMsg>>, Unavailable> {
        let handle = self.tenant(tenant).await?;
        answered(handle.actor.call(|reply| TenantMsg::Run(run, reply), Some(CALL_WITHIN)).await, CALL_WITHIN)
    }
}
