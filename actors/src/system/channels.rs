//! Subscriptions to the event channels [WS-2].

use ractor::ActorRef;

use super::{SubscribeError, System, ended::Telling};
use crate::{
    live::{Channel, outbox::Outbox},
    run::RunMsg,
    workflow::{Ask, Asker, Watching},
};

/// A subscription to a channel. Ends when dropped.
#[derive(Debug)]
pub struct Subscription {
    _source: Source,
}

#[derive(Debug)]
enum Source {
    Workflow { _watching: Watching },
    Run { _watching: WatchingRun },
    EndedRun { _telling: Telling },
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
                Source::Workflow { _watching: self.ask_workflow(by, workflow, watch).await?.1 }
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
                match watched {
                    Some(run) => Source::Run { _watching: WatchingRun { channel, run, outbox } },
                    None => {
                        let telling = Telling::begin(self.0.context.clone(), tenant, channel, run, outbox).await?;
                        Source::EndedRun { _telling: telling }
                    }
                }
            }
        };
        Ok(Subscription { _source: source })
    }
}
