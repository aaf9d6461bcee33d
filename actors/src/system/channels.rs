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
    workflow::{Ask, Asker, Watching},
};

/// Lines of a log that has ended.
const LOG_LINES_AT_ONCE: i64 = 1_000;

/// A subscription to a channel. Ends when dropped.
#[derive(Debug)]
pub struct Subscription {
    _source: Option<Source>,
}

#[derive(Debug)]
enum Source {
    Workflow { _watching: Watching },
    Run { _watching: WatchingRun },
}

#[derive(Debug)]
struct WatchingRun {
    channel: Channel,
    run: ActorRef<RunMsg>,
    outbox: Outbox,
}

impl Drop for WatchingRun {
    fn drop(&mut self) {
        // A run that is gone has no watchers.
        let _ = self.run.cast(RunMsg::Unwatch { channel: self.channel, outbox: self.outbox.clone() });
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
                Some(Source::Workflow { _watching: self.ask_workflow(by, workflow, watch).await?.1 })
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
                watched.map(|run| Source::Run { _watching: WatchingRun { channel, run, outbox } })
            }
        };
        Ok(Subscription { _source: source })
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
