//! Open canvases: joining, reading and editing them.

use std::{sync::Arc, time::Duration};

use ractor::{ActorRef, RpcReplyPort, rpc::CallResult};
use serde_json::Value;
use tokio::time::timeout;
use troupe_engine::analysis::Analysis;
use troupe_model::{Diagram, TenantId, UserId, WorkflowId};
use troupe_store::canvas::trouble::{self, HeldBack};

use super::{CALL_WITHIN, EditDiagramError, OPEN_WITHIN, System, TRIES, TRY_AGAIN_AFTER, Unavailable, answered};
use crate::{
    canvas::{CanvasSession, JoinCanvas, Showing},
    context::Context,
    credit::Credits,
    live::outbox::{Close, Outbox},
    loans::{FREE_BYTES_MAX, Lender, Lent, Loan},
    tenant::{Cause, TenantMsg},
    workflow::{Ask, Asker, Begun, ChangeReply, DiagramEdit, Edited, Reading, WorkflowMsg},
    worktime::Worktime,
};

/// Whoever would wait longer to read a large diagram is told so.
const LEND_WITHIN: Duration = Duration::from_secs(10);
/// What it takes to come to a canvas, beside what the canvas does.
const JOIN_TIME: Duration = Duration::from_micros(300);

impl System {
    /// Where a user borrows memory for what is not small.
    pub fn lender(&self, tenant: TenantId, user: UserId) -> Lender {
        let Context { loans, worktimes, .. } = &*self.0.context;
        loans.of(tenant, user, worktimes.of(tenant, user))
    }

    /// What a user may use of the server's time. `None`: the server itself asks.
    pub fn worktime(&self, by: Asker) -> Option<Worktime> {
        Some(self.0.context.worktimes.of(by.tenant, by.user?))
    }

    /// Joins a canvas, which is loaded if need be. The caller has checked that the user may.
    pub async fn join_canvas(
        &self,
        tenant: TenantId,
        workflow: WorkflowId,
        join: JoinCanvas,
    ) -> Result<CanvasSession, Unavailable> {
        let limits = self.0.context.limits;
        let by = Asker { tenant, user: Some(join.user.id) };
        let worktime = self.0.context.worktimes.of(tenant, join.user.id);
        worktime.owe(JOIN_TIME);
        let slot = self
            .tenant(tenant)
            .await?
            .sessions
            .try_acquire_owned()
            .map_err(|_| Unavailable::TooManySessions(limits.sessions_per_tenant_max))?;
        let outbox = Outbox::new(limits.outbox_bytes_max);
        let (_, joined) = self
            .ask_workflow(by, workflow, |reply| Ask::Join { join: join.clone(), outbox: outbox.clone(), reply })
            .await?;
        Ok(CanvasSession {
            joined,
            outbox,
            credits: Credits::new(limits.credit, &self.0.context.user_credits, join.user.id),
            showing: Showing::new(limits.awareness_frames_per_second_max),
            worktime,
            _slot: slot,
        })
    }

    /// The diagram as it is now, and its revision. Of a canvas that is held back: as it was, if it could be read.
    pub async fn diagram(&self, by: Asker, workflow: WorkflowId) -> Result<Lent<(Diagram, i64)>, Unavailable> {
        // One that is held back cannot be asked, and is read from the store.
        let loan = match self.lend_diagram(by, workflow).await {
            Err(unavailable @ Unavailable::AnswersUnread) => return Err(unavailable),
            lent => lent.unwrap_or(None),
        };
        Ok(Lent { value: self.read(by, workflow, Ask::Diagram).await?, loan })
    }

    /// Before a large diagram is made.
    async fn lend_diagram(&self, by: Asker, workflow: WorkflowId) -> Result<Option<Loan>, Unavailable> {
        let Some(user) = by.user else { return Ok(None) };
        let (_, bytes) = self.ask_workflow(by, workflow, Ask::Size).await?;
        if bytes <= FREE_BYTES_MAX {
            return Ok(None);
        }
        let loan = self.lender(by.tenant, user).lend_answer(bytes);
        Ok(Some(timeout(LEND_WITHIN, loan).await.map_err(|_| Unavailable::AnswersUnread)?))
    }

    pub(super) async fn diagram_to_run(&self, by: Asker, workflow: WorkflowId) -> Result<(Diagram, i64), Unavailable> {
        self.read(by, workflow, Ask::ToRun).await
    }

    async fn read(
        &self,
        by: Asker,
        workflow: WorkflowId,
        ask: impl Fn(RpcReplyPort<Reading>) -> Ask,
    ) -> Result<(Diagram, i64), Unavailable> {
        let unavailable = match self.ask_workflow(by, workflow, ask).await {
            Ok((_, reading)) => return reading.map_err(|wait| Unavailable::ReadOften { wait_s: wait.as_secs() + 1 }),
            Err(unavailable) => unavailable,
        };
        if matches!(unavailable, Unavailable::HeldBack(_))
            && let Some(HeldBack { diagram: Some(diagram), seq, .. }) = self.held_back(by.tenant, workflow).await
        {
            return Ok((diagram, seq));
        }
        Err(unavailable)
    }

    async fn held_back(&self, tenant: TenantId, workflow: WorkflowId) -> Option<HeldBack> {
        let found = async {
            let mut tx = self.0.context.store.read(tenant).await?;
            trouble::find(&mut tx, workflow).await
        };
        found
            .await
            .inspect_err(|error| tracing::warn!(workflow.id = %workflow, %error, "what is held back was not read"))
            .ok()
            .flatten()?
            .held_back
    }

    /// Edits the live canvas; answered when the edit is durable [SYNC-14].
    pub async fn edit_diagram(
        &self,
        by: Asker,
        workflow: WorkflowId,
        if_match: Option<i64>,
        edit: DiagramEdit,
    ) -> Result<Lent<Edited>, EditDiagramError> {
        let durability = &self.0.context.durability;
        if let Some(fault) = durability.fault() {
            return Err(Unavailable::Store(fault).into());
        }
        let loan = self.lend_diagram(by, workflow).await?;
        let ask = |reply| Ask::Edit { edit: edit.clone(), if_match, reply };
        tokio::select! {
            edited = self.change_workflow(by, workflow, ask) => Ok(Lent { value: edited??, loan }),
            fault = durability.failed() => Err(EditDiagramError::NotSaved(fault)),
        }
    }

    /// Dependencies, order, schemas and diagnostics of the diagram as it is now.
    pub async fn analysis(&self, by: Asker, workflow: WorkflowId) -> Result<Arc<Analysis>, Unavailable> {
        Ok(self.ask_workflow(by, workflow, Ask::Analysis).await?.1)
    }

    /// A canvas that is held back is tried again when somebody opens it. False when it is not held back.
    pub async fn release_canvas(&self, tenant: TenantId, workflow: WorkflowId) -> Result<bool, troupe_store::Error> {
        let mut tx = self.0.context.store.begin_system().await?;
        let was_held_back = trouble::release(&mut tx, tenant, workflow).await?;
        tx.commit().await?;
        self.tell_tenant(tenant, TenantMsg::Forgive(workflow)).await;
        Ok(was_held_back)
    }

    /// Tells those who watch a workflow that its row changed.
    pub async fn workflow_updated(&self, tenant: TenantId, workflow: WorkflowId, row: Value) {
        self.tell_tenant(tenant, TenantMsg::WorkflowUpdated { workflow, row }).await;
    }

    /// Closes workflows that were deleted, also with what they were in: their sessions end with 4404.
    pub async fn workflows_deleted(&self, tenant: TenantId, workflows: impl IntoIterator<Item = WorkflowId>) {
        for workflow in workflows {
            let close = Close::new(4404, "this workflow was deleted");
            self.tell_tenant(tenant, TenantMsg::CloseWorkflow(workflow, close)).await;
        }
    }

    fn refusal(&self, cause: Cause) -> Unavailable {
        match cause {
            Cause::HeldBack(reason) => Unavailable::HeldBack(reason),
            Cause::Store(fault) => Unavailable::Store(fault),
            Cause::NoRoom => Unavailable::NoRoom,
            Cause::Other(reason) => {
                self.0.context.durability.fault().map_or(Unavailable::CannotOpen(reason), Unavailable::Store)
            }
        }
    }

    /// Asks an open workflow, once the asker owes little of the server's time; opens it first if need be. An actor that
    /// was stopping just then is asked for again.
    pub(super) async fn ask_workflow<T: Send + 'static>(
        &self,
        by: Asker,
        workflow: WorkflowId,
        ask: impl Fn(RpcReplyPort<T>) -> Ask,
    ) -> Result<(ActorRef<WorkflowMsg>, T), Unavailable> {
        self.ask_until_begun(by, workflow, &Begun::default(), ask).await
    }

    /// Asks for a change, and again only while it has not begun.
    pub(super) async fn change_workflow<T: Send + 'static>(
        &self,
        by: Asker,
        workflow: WorkflowId,
        ask: impl Fn(ChangeReply<T>) -> Ask,
    ) -> Result<T, Unavailable> {
        let begun = Begun::default();
        let asked = |reply| ask(ChangeReply { reply, begun: begun.clone() });
        Ok(self.ask_until_begun(by, workflow, &begun, asked).await?.1)
    }

    async fn ask_until_begun<T: Send + 'static>(
        &self,
        by: Asker,
        workflow: WorkflowId,
        begun: &Begun,
        ask: impl Fn(RpcReplyPort<T>) -> Ask,
    ) -> Result<(ActorRef<WorkflowMsg>, T), Unavailable> {
        if let Some(worktime) = self.worktime(by) {
            worktime.wait().await;
        }
        let Asker { tenant, user } = by;
        let message = |reply| WorkflowMsg::Ask(user, ask(reply));
        let mut last = Unavailable::Stopped;
        for _ in 0..TRIES {
            let handle = self.tenant(tenant).await?;
            let opened = handle.actor.call(|reply| TenantMsg::Workflow(workflow, reply), Some(CALL_WITHIN)).await;
            let actor = match opened {
                Ok(CallResult::Success(Ok(actor))) => actor,
                Ok(CallResult::Success(Err(cause))) => return Err(self.refusal(cause)),
                other => {
                    last = answered(other, CALL_WITHIN).map_or_else(|error| error, |_| Unavailable::Stopped);
                    continue;
                }
            };
            match answered(actor.call(message, Some(OPEN_WITHIN)).await, OPEN_WITHIN) {
                Ok(reply) => return Ok((actor, reply)),
                Err(_) if begun.has() => return Err(Unavailable::Unknown),
                Err(error @ Unavailable::Timeout(_)) => return Err(error),
                Err(error) => last = error,
            }
            tokio::time::sleep(TRY_AGAIN_AFTER).await;
        }
        Err(last)
    }
}
