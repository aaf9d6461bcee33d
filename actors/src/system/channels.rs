//! Subscriptions to the event channels [WS-2].

use ractor::ActorRef;
use serde_json::json;
use troupe_model::{RunId, TenantId};
use troupe_store::runs;

use super::{SubscribeError, System};
use crate::{
    feed::{Channel, Event, Feed},
    outbox::Outbox,
    run::RunMsg,
    view,
    workflow::{Ask, Asker, WorkflowMsg},
};

/// Lines of a log that has ended.
const LOG_LINES_AT_ONCE: i64 = 1_000;

/// A subscription to a channel. Ends when dropped.
#[derive(Debug)]
pub struct Subscription {
    channel: Channel,
    source: Option<Source>,
    outbox: Outbox,
}

#[derive(Debug)]
enum Source {
    Workflow(ActorRef<WorkflowMsg>),
    Run(ActorRef<RunMsg>),
}

impl Drop for Subscription {
    fn drop(&mut self) {
        // An actor that is gone has no watchers.
        let _ = match &self.source {
            Some(Source::Workflow(actor)) => actor.cast(WorkflowMsg::Unwatch(self.outbox.clone())).is_ok(),
            Some(Source::Run(actor)) => {
                actor.cast(RunMsg::Unwatch { channel: self.channel, outbox: self.outbox.clone() }).is_ok()
            }
            None => true,
        };
    }
}

impl System {
    /// Subscribes an outbox to a channel. The caller has checked that the user may [WS-2].
    pub async fn subscribe(
        &self,
        by: Asker,
        channel: Channel,
        last_seq: Option<i64>,
        outbox: Outbox,
    ) -> Result<Subscription, SubscribeError> {
        let tenant = by.tenant;
        let source = match channel {
            Channel::Workflow(workflow) => {
                let watch = |reply| Ask::Watch { outbox: outbox.clone(), last_seq, reply };
                Some(Source::Workflow(self.ask_workflow(by, workflow, watch).await?.0))
            }
            Channel::Run(run) | Channel::RunLog(run) => {
                let live = self.live_run(tenant, run).await?;
                let watched = live.filter(|actor| {
                    let outbox = outbox.clone();
                    actor
                        .cast(match channel {
                            Channel::RunLog(_) => RunMsg::WatchLog { outbox, last_seq },
                            _ => RunMsg::Watch { outbox, last_seq },
                        })
                        .is_ok()
                });
                if watched.is_none() {
                    self.tell_ended(tenant, channel, run, &outbox).await?;
                }
                watched.map(Source::Run)
            }
        };
        Ok(Subscription { channel, source, outbox })
    }

    /// Everything there is to say of a run that executes no more.
    async fn tell_ended(
        &self,
        tenant: TenantId,
        channel: Channel,
        run: RunId,
        outbox: &Outbox,
    ) -> Result<(), SubscribeError> {
        let context = &self.0.context;
        let now = context.clock.now();
        let mut tx = context.store.read(tenant).await?;
        let row = runs::find(&mut tx, run).await?.ok_or(SubscribeError::Missing("run"))?;
        let event = match channel {
            Channel::RunLog(_) => {
                let entries = runs::logs(&mut tx, run, &runs::LogFilter::default(), None, LOG_LINES_AT_ONCE).await?;
                Event::new("run_log", now, json!({ "entries": entries }))
            }
            _ => {
                let nodes = runs::node_runs(&mut tx, run).await?;
                Event::new("run_snapshot", now, view::ended_run(&row, &nodes))
            }
        };
        Feed::new(channel, tenant, now).replay_ended(outbox, vec![event]);
        Ok(())
    }
}
