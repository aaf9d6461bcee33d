//! Who changed what in an open canvas, and publishing it.

use troupe_model::{TenantId, WorkflowId};
use troupe_store::versions::Version;

use super::{PublishVersionError, System, Unavailable};
use crate::workflow::{Change, LastChange, Publish, WorkflowMsg};

impl System {
    /// Who last changed each element of the diagram, or one node of it [CANVAS-7].
    pub async fn last_changes(
        &self,
        tenant: TenantId,
        workflow: WorkflowId,
        node: Option<String>,
    ) -> Result<Vec<LastChange>, Unavailable> {
        let message = |reply| WorkflowMsg::LastChanges { node: node.clone(), reply };
        Ok(self.ask_workflow(tenant, workflow, message).await?.1)
    }

    /// Who changed what since the last published version, by author, and the diagram's revision.
    pub async fn changes(&self, tenant: TenantId, workflow: WorkflowId) -> Result<(Vec<Change>, i64), Unavailable> {
        Ok(self.ask_workflow(tenant, workflow, WorkflowMsg::Changes).await?.1)
    }

    /// Makes the diagram as it is now the published version; answered when it is durable.
    pub async fn publish(
        &self,
        tenant: TenantId,
        workflow: WorkflowId,
        publish: Publish,
    ) -> Result<Version, PublishVersionError> {
        let message = |reply| WorkflowMsg::Publish(publish.clone(), reply);
        Ok(self.ask_workflow(tenant, workflow, message).await?.1?)
    }
}
