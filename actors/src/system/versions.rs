//! Who changed what in an open canvas, and publishing it.

use troupe_model::WorkflowId;
use troupe_store::versions::Version;

use super::{PublishVersionError, System, Unavailable};
use crate::workflow::{Ask, Asker, Change, LastChange, Publish};

impl System {
    /// Who last changed each element of the diagram, or one node of it [CANVAS-7].
    pub async fn last_changes(
        &self,
        by: Asker,
        workflow: WorkflowId,
        node: Option<String>,
    ) -> Result<Vec<LastChange>, Unavailable> {
        let ask = |reply| Ask::LastChanges { node: node.clone(), reply };
        Ok(self.ask_workflow(by, workflow, ask).await?.1)
    }

    /// Who changed what since the last published version, by author, and the diagram's revision.
    pub async fn changes(&self, by: Asker, workflow: WorkflowId) -> Result<(Vec<Change>, i64), Unavailable> {
        Ok(self.ask_workflow(by, workflow, Ask::Changes).await?.1)
    }

    /// Makes the diagram as it is now the published version; answered when it is durable.
    pub async fn publish(
        &self,
        by: Asker,
        workflow: WorkflowId,
        publish: Publish,
    ) -> Result<Version, PublishVersionError> {
        let ask = |reply| Ask::Publish(publish.clone(), reply);
        Ok(self.change_workflow(by, workflow, ask).await??)
    }
}
