//! Open canvases: joining, reading and editing them.

use std::{sync::Arc, time::Duration};

use ractor::{ActorRef, RpcReplyPort, rpc::CallResult};
use serde_json::Value;
use troupe_engine::analysis::Analysis;
use troupe_model::{Diagram, TenantId, UserId, WorkflowId};

use super::{CALL_WITHIN, EditDiagramError, OPEN_WITHIN, System, TRIES, TRY_AGAIN_AFTER, Unavailable, answered};
use crate::{
    canvas::{CanvasSession, JoinCanvas, Showing},
    context::Context,
    credit::Credits,
    loans::Lender,
    outbox::{Close, Outbox},
    tenant::TenantMsg,
    workflow::{DiagramEdit, Edited, WorkflowMsg},
};

/// What it takes to come to a canvas, beside what the canvas does.
const JOIN_TIME: Duration = Duration::from_micros(300);

impl System {
    /// Where a user borrows memory for what is larger than a frame.
    pub fn lender(&self, tenant: TenantId, user: UserId) -> Lender {
        let Context { loans, worktimes, .. } = &*self.0.context;
        loans.of(tenant, user, worktimes.of(tenant, user))
    }

    /// Joins a canvas, which is loaded if need be. The caller has checked that the user may.
    pub async fn join_canvas(
        &self,
        tenant: TenantId,
        workflow: WorkflowId,
        join: JoinCanvas,
    ) -> Result<CanvasSession, Unavailable> {
        let limits = self.0.context.limits;
        let worktime = self.0.context.worktimes.of(tenant, join.user.id);
        worktime.owe(JOIN_TIME);
        worktime.wait().await;
        let slot = self
            .tenant(tenant)
            .await?
            .sessions
            .try_acquire_owned()
            .map_err(|_| Unavailable::TooManySessions(limits.sessions_per_tenant_max))?;
        let outbox = Outbox::new(limits.outbox_bytes_max);
        let (actor, long_frames) = self
            .ask_workflow(tenant, workflow, |reply| WorkflowMsg::Join {
                join: join.clone(),
                outbox: outbox.clone(),
                reply,
            })
            .await?;
        Ok(CanvasSession {
            session: join.session,
            workflow: actor,
            outbox,
            credits: Credits::new(limits.credit),
            showing: Showing::new(limits.awareness_frames_per_second_max),
            long_frames,
            worktime,
            _slot: slot,
        })
    }

    /// The diagram as it is now, and its revision.
    pub async fn diagram(&self, tenant: TenantId, workflow: WorkflowId) -> Result<(Diagram, i64), Unavailable> {
        Ok(self.ask_workflow(tenant, workflow, WorkflowMsg::Diagram).await?.1)
    }

    /// Edits the live canvas; answered when the edit is durable [SYNC-14].
    pub async fn edit_diagram(
        &self,
        tenant: TenantId,
        workflow: WorkflowId,
        by: UserId,
        if_match: Option<i64>,
        edit: DiagramEdit,
    ) -> Result<Edited, EditDiagramError> {
        let durability = &self.0.context.durability;
        if let Some(fault) = durability.fault() {
            return Err(Unavailable::Store(fault).into());
        }
        self.0.context.worktimes.of(tenant, by).wait().await;
        let message = |reply| WorkflowMsg::Edit { edit: edit.clone(), if_match, by, reply };
        tokio::select! {
            edited = self.ask_workflow(tenant, workflow, message) => Ok(edited?.1?),
            fault = durability.failed() => Err(EditDiagramError::NotSaved(fault)),
        }
    }

    /// Dependencies, order, schemas and diagnostics of the diagram as it is now.
    pub async fn analysis(&self, tenant: TenantId, workflow: WorkflowId) -> Result<Arc<Analysis>, Unavailable> {
        Ok(self.ask_workflow(tenant, workflow, WorkflowMsg::Analysis).await?.1)
    }

    /// Tells those who watch a workflow that its row changed.
    pub async fn workflow_updated(&self, tenant: TenantId, workflow: WorkflowId, row: Value) {
        self.tell_tenant(tenant, TenantMsg::WorkflowUpdated { workflow, row }).await;
    }

    /// Closes a workflow that was deleted: its sessions end with 4404.
    pub async fn workflow_deleted(&self, tenant: TenantId, workflow: WorkflowId) {
        let close = Close::new(4404, "this workflow was deleted");
        self.tell_tenant(tenant, TenantMsg::CloseWorkflow(workflow, close)).await;
    }

    /// Asks an open workflow; opens it first if need be. An actor that was stopping just then is asked for again.
    pub(super) async fn ask_workflow<T: Send + 'static>(
        &self,
        tenant: TenantId,
        workflow: WorkflowId,
        message: impl Fn(RpcReplyPort<T>) -> WorkflowMsg,
    ) -> Result<(ActorRef<WorkflowMsg>, T), Unavailable> {
        let mut last = Unavailable::Stopped;
        for _ in 0..TRIES {
            let handle = self.tenant(tenant).await?;
            let opened = handle.actor.call(|reply| TenantMsg::Workflow(workflow, reply), Some(CALL_WITHIN)).await;
            let actor = match opened {
                Ok(CallResult::Success(Ok(actor))) => actor,
                Ok(CallResult::Success(Err(reason))) => {
                    let fault = self.0.context.durability.fault();
                    return Err(fault.map_or(Unavailable::CannotOpen(reason), Unavailable::Store));
                }
                other => {
                    self.0.tenants.remove(&tenant);
                    last = answered(other).map_or_else(|error| error, |_| Unavailable::Stopped);
                    continue;
                }
            };
            match answered(actor.call(&message, Some(OPEN_WITHIN)).await) {
                Ok(reply) => return Ok((actor, reply)),
                Err(error) => last = error,
            }
            tokio::time::sleep(TRY_AGAIN_AFTER).await;
        }
        Err(last)
    }
}
