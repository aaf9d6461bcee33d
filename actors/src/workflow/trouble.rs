//! Canvases that take more than a server has [REL-12].
//!
//! Loading and compacting a canvas that is not small is written down while it goes on (`troupe_store::canvas::trouble`).
//! When it ended the server, or failed by what is in the canvas, an [`Examiner`] tries it apart before the server does it
//! again. A canvas that fails there too is held back, until somebody says that it is to be tried again: it can be read as
//! it was, and the server lives.

use std::sync::Arc;

use troupe_model::{Diagram, TenantId, WorkflowId};
use troupe_store::canvas::{
    StoredCanvas,
    trouble::{self, HeldBack},
};

use super::replay::replay;
use crate::{context::Context, examiner::Examined};

/// What is smaller takes little, whatever it is.
const RISKY_BYTES_MIN: usize = 64 << 10;

/// Does with a canvas all that a server does that opens it and keeps it small. `read` gets the diagram as soon as it is
/// known. CPU work.
pub fn examine(stored: &StoredCanvas, read: impl FnOnce(Diagram)) -> Result<(), String> {
    let (canvas, authorship) = replay(stored, 0).map_err(|error| error.to_string())?;
    read(canvas.project());
    let rebuilt = canvas.rebuilt().map_err(|error| error.to_string())?;
    for canvas in [&canvas, &rebuilt] {
        canvas.snapshot().map_err(|refusal| refusal.to_string())?;
    }
    authorship.write();
    Ok(())
}

/// Work on a canvas that may end the server, while it goes on.
pub(super) struct Risk {
    context: Arc<Context>,
    tenant: TenantId,
    workflow: WorkflowId,
    /// It is written down.
    is_noted: bool,
    /// How often such work failed since it last succeeded.
    failures: i64,
}

impl Risk {
    /// `had_trouble`: there is something to forgive when it is done.
    pub(super) async fn begin(
        context: &Arc<Context>,
        tenant: TenantId,
        workflow: WorkflowId,
        bytes: usize,
        had_trouble: bool,
    ) -> Result<Self, troupe_store::Error> {
        let mut risk = Self { context: context.clone(), tenant, workflow, is_noted: false, failures: 0 };
        if had_trouble || bytes >= RISKY_BYTES_MIN {
            let mut tx = context.store.begin_system().await?;
            risk.failures = trouble::begin(&mut tx, tenant, workflow, context.process).await?;
            tx.commit().await?;
            risk.is_noted = true;
        }
        Ok(risk)
    }

    /// Has a canvas tried apart that made trouble. `Some`: why it is held back from now on.
    pub(super) async fn examine(&self, stored: &StoredCanvas) -> Result<Option<String>, troupe_store::Error> {
        if self.failures == 0 {
            return Ok(None);
        }
        let Self { context, tenant, workflow, .. } = self;
        tracing::warn!(workflow.id = %workflow, failures = self.failures, "a canvas that made trouble is tried apart");
        let Examined { diagram, failure } = context.examiner.examine(stored.clone()).await;
        let Some(reason) = failure else { return Ok(None) };
        let (at, seq) = (context.clock.now(), stored.complete_seq());
        let held = HeldBack { reason: reason.clone(), at, diagram, seq };
        let mut tx = context.store.begin_system().await?;
        trouble::hold_back(&mut tx, *tenant, *workflow, &held).await?;
        tx.commit().await?;
        metrics::counter!("troupe_canvases_held_back_total").increment(1);
        tracing::error!(tenant.id = %tenant, workflow.id = %workflow, reason, "a canvas is held back");
        Ok(Some(reason))
    }

    /// Nothing happened.
    pub(super) async fn done(self) -> Result<(), troupe_store::Error> {
        if self.is_noted {
            let mut tx = self.context.store.begin_system().await?;
            trouble::done(&mut tx, self.tenant, self.workflow, self.context.process).await?;
            tx.commit().await?;
        }
        Ok(())
    }

    /// It failed by what is in the canvas, which is tried apart before it is opened again.
    pub(super) async fn failed(self) -> Result<(), troupe_store::Error> {
        let mut tx = self.context.store.begin_system().await?;
        trouble::failed(&mut tx, self.tenant, self.workflow).await?;
        tx.commit().await
    }
}
