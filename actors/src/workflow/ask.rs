//! What somebody asks of a canvas: answered when its owner is sure of the lease, in time that the asker owes [REL-12].

use std::sync::Arc;

use ractor::{ActorProcessingErr, RpcReplyPort};
use troupe_engine::analysis::Analysis;
use troupe_model::{Diagram, TenantId, UserId};

use super::{
    Change, DiagramEdit, EditError, Edited, LastChange, Publish, WorkflowState, answer, publish::PublishReply,
};
use crate::{
    canvas::{JoinCanvas, LongFrames},
    outbox::Outbox,
};

/// Who asks. `None`: the server itself.
#[derive(Clone, Copy, Debug)]
pub struct Asker {
    pub tenant: TenantId,
    pub user: Option<UserId>,
}

#[derive(Debug)]
pub(crate) enum Ask {
    Join {
        join: JoinCanvas,
        outbox: Outbox,
        reply: RpcReplyPort<LongFrames>,
    },
    Watch {
        outbox: Outbox,
        last_seq: Option<i64>,
        reply: RpcReplyPort<()>,
    },
    Diagram(RpcReplyPort<(Diagram, i64)>),
    Edit {
        edit: DiagramEdit,
        if_match: Option<i64>,
        reply: RpcReplyPort<Result<Edited, EditError>>,
    },
    Analysis(RpcReplyPort<Arc<Analysis>>),
    /// Who last changed what; of one node, or of everything.
    LastChanges {
        node: Option<String>,
        reply: RpcReplyPort<Vec<LastChange>>,
    },
    /// Who changed what since the published version, and the diagram's revision.
    Changes(RpcReplyPort<(Vec<Change>, i64)>),
    Publish(Publish, PublishReply),
}

impl Ask {
    /// What it is, for the log.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Join { .. } => "join",
            Self::Watch { .. } => "watch",
            Self::Diagram(_) => "diagram",
            Self::Edit { .. } => "edit",
            Self::Analysis(_) => "analysis",
            Self::LastChanges { .. } | Self::Changes(_) => "changes",
            Self::Publish(..) => "publish",
        }
    }
}

impl WorkflowState {
    pub(super) fn take_ask(&mut self, by: Option<UserId>, ask: Ask) -> Result<(), ActorProcessingErr> {
        match by.map(|user| self.context.worktimes.of(self.tenant, user)) {
            Some(worktime) => worktime.pay_for(|| self.answer(by, ask)),
            None => self.answer(by, ask),
        }
    }

    fn answer(&mut self, by: Option<UserId>, ask: Ask) -> Result<(), ActorProcessingErr> {
        match ask {
            Ask::Join { join, outbox, reply } => self.join(join, outbox, reply),
            Ask::Watch { outbox, last_seq, reply } => {
                self.watch(outbox, last_seq);
                answer(reply, ());
            }
            Ask::Diagram(reply) => answer(reply, (self.canvas.project(), self.seq)),
            Ask::Edit { edit, if_match, reply } => self.edit(&edit, if_match, by, reply)?,
            Ask::Analysis(reply) => self.analysis(reply),
            Ask::LastChanges { node, reply } => answer(reply, self.authorship.last_changes(node.as_deref())),
            Ask::Changes(reply) => answer(reply, (self.authorship.changes(), self.seq)),
            Ask::Publish(publish, reply) => self.publish_version(publish, reply),
        }
        Ok(())
    }
}
