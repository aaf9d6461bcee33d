//! Publishing: the diagram as it is now becomes an immutable version, together with who changed it [CANVAS-7].
//!
//! Invariants: a version holds nothing that is not durable; one is published at a time, and none while a snapshot is
//! made, so that a snapshot's authors are those since one version.

use serde_json::json;
use thiserror::Error;
use troupe_model::{Diagram, UserId};
use troupe_store::versions::{self, NewVersion, Version};

use super::{ChangeReply, WorkflowMsg, WorkflowState, authorship::Authorship};
use crate::task;

/// Who publishes, and what is to be published.
#[derive(Clone, Debug)]
pub struct Publish {
    /// The revision that was seen; `None`: whatever it is.
    pub if_match: Option<i64>,
    pub by: UserId,
    pub note: String,
}

#[derive(Clone, Debug, Error)]
pub enum PublishError {
    #[error("the diagram has changed: its revision is {current}")]
    Stale { current: i64 },
    #[error("nothing has changed since the last version")]
    Unchanged,
    #[error("somebody else is publishing this workflow just now")]
    Busy,
    #[error("the version could not be stored; try again in a moment")]
    NotStored,
}

/// A version that is being made.
#[derive(Debug)]
pub(super) struct Publishing {
    seq: i64,
    content: Option<Content>,
    reply: ChangeReply<Result<Version, PublishError>>,
    /// Who changed what since this version, noted beside what is known since the last.
    pub(super) authorship: Authorship,
    storing: Option<task::Owned>,
}

#[derive(Debug)]
struct Content {
    publish: Publish,
    diagram: Diagram,
    authors: Vec<UserId>,
}

impl WorkflowState {
    pub(super) fn publish_version(&mut self, publish: Publish, reply: ChangeReply<Result<Version, PublishError>>) {
        let refusal = if self.publishing.is_some() {
            Some(PublishError::Busy)
        } else if publish.if_match.is_some_and(|revision| revision != self.seq) {
            Some(PublishError::Stale { current: self.seq })
        } else if self.authorship.published_seq() == self.seq {
            Some(PublishError::Unchanged)
        } else {
            None
        };
        if let Some(refusal) = refusal {
            return reply.answer(Err(refusal));
        }
        let mut authorship = self.authorship.clone();
        authorship.publish(self.seq);
        let authors = self.authorship.authors().into_iter().collect();
        let content = Content { publish, diagram: self.canvas.project(), authors };
        self.publishing = Some(Publishing { seq: self.seq, content: Some(content), reply, authorship, storing: None });
        self.store_version_when_ready();
    }

    /// Once everything in it is durable, and no snapshot is being made.
    pub(super) fn store_version_when_ready(&mut self) {
        let (durable_seq, busy) = (self.durable_seq, self.growth.is_busy());
        let Some(publishing) = self.publishing.as_mut().filter(|publishing| publishing.seq <= durable_seq && !busy)
        else {
            return;
        };
        let Some(Content { publish, diagram, authors }) = publishing.content.take() else { return };
        publishing.reply.begin();
        let (context, myself, seq) = (self.context.clone(), self.myself.clone(), publishing.seq);
        let (tenant, workflow, epoch) = (self.tenant, self.workflow, self.lease.epoch());
        publishing.storing = Some(task::spawn_owned("publish", async move {
            let stored = async {
                let (note, by, at) = (publish.note.as_str(), publish.by, context.clock.now());
                let (diagram, authors) = (&diagram, authors.as_slice());
                let version = NewVersion { tenant, workflow, epoch, seq, note, diagram, authors, by, at };
                let mut tx = context.store.begin_system().await?;
                let version = versions::publish(&mut tx, version).await?;
                tx.commit().await?;
                Ok::<_, troupe_store::Error>(version)
            };
            let message = match stored.await {
                Ok(Some(version)) => WorkflowMsg::Published(Some(version)),
                Ok(None) => WorkflowMsg::LeaseLost,
                Err(error) => {
                    tracing::error!(workflow.id = %workflow, %error, "a version could not be stored");
                    WorkflowMsg::Published(None)
                }
            };
            // A workflow that has stopped meanwhile tells nobody.
            let _ = myself.cast(message);
        }));
    }

    pub(super) fn published(&mut self, version: Option<Version>) {
        let Some(publishing) = self.publishing.take() else { return };
        let Some(version) = version else { return publishing.reply.answer(Err(PublishError::NotStored)) };
        self.authorship = publishing.authorship;
        self.publish("workflow_published", &json!({ "version": version.number, "by": version.created_by }));
        publishing.reply.answer(Ok(version));
        self.compact_if_due();
    }
}
