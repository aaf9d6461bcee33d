//! The root of the actor tree. Children: the journal and one actor per active tenant.
//!
//! Invariant: a tenant's failure stays in that tenant; when the journal fails, what waited for it starts anew from
//! the store, so nothing waits for ever.

use std::{collections::HashMap, sync::Arc, time::Duration};

use ractor::{Actor, ActorProcessingErr, ActorRef, ActorStatus, RpcReplyPort, SupervisionEvent};
use troupe_model::TenantId;

use crate::{
    context::Context,
    journal::{Journal, JournalMsg},
    lease, task,
    tenant::{Tenant, TenantArgs, TenantMsg},
    workflow::answer,
};

#[derive(Debug)]
pub(crate) enum RootMsg {
    /// The tenant's actor, started if need be.
    Tenant(TenantId, RpcReplyPort<ActorRef<TenantMsg>>),
    /// Stop everything in order, within that time; answers when all is durable.
    Drain(Duration, RpcReplyPort<()>),
}

#[derive(Debug)]
pub(crate) struct Root {
    pub(crate) context: Arc<Context>,
}

#[derive(Debug)]
pub(crate) struct RootState {
    journal: ActorRef<JournalMsg>,
    tenants: HashMap<TenantId, ActorRef<TenantMsg>>,
    _renewal: task::Owned,
}

impl Actor for Root {
    type Msg = RootMsg;
    type State = RootState;
    type Arguments = ();

    async fn pre_start(&self, myself: ActorRef<RootMsg>, (): ()) -> Result<RootState, ActorProcessingErr> {
        Ok(RootState {
            journal: self.start_journal(&myself).await?,
            tenants: HashMap::new(),
            _renewal: task::spawn_owned("lease-renewal", lease::keep_renewing(self.context.clone())),
        })
    }

    async fn handle(
        &self,
        myself: ActorRef<RootMsg>,
        message: RootMsg,
        state: &mut RootState,
    ) -> Result<(), ActorProcessingErr> {
        match message {
            RootMsg::Tenant(tenant, reply) => answer(reply, self.tenant(&myself, state, tenant).await?),
            RootMsg::Drain(within, reply) => {
                drain(state, within).await;
                answer(reply, ());
                myself.stop(None);
            }
        }
        Ok(())
    }

    async fn handle_supervisor_evt(
        &self,
        myself: ActorRef<RootMsg>,
        event: SupervisionEvent,
        state: &mut RootState,
    ) -> Result<(), ActorProcessingErr> {
        let (actor, error) = match event {
            SupervisionEvent::ActorTerminated(actor, _, _) => (actor, None),
            SupervisionEvent::ActorFailed(actor, error) => (actor, Some(error)),
            _ => return Ok(()),
        };
        if let Some(error) = error {
            tracing::error!(%error, "an actor below the root failed");
        }
        if actor.get_id() == state.journal.get_id() {
            state.journal = self.start_journal(&myself).await?;
            for tenant in state.tenants.values() {
                // One that is stopping needs no telling.
                let _ = tenant.cast(TenantMsg::JournalReplaced(state.journal.clone()));
            }
        }
        state.tenants.retain(|_, tenant| tenant.get_id() != actor.get_id());
        Ok(())
    }
}

impl Root {
    async fn start_journal(&self, myself: &ActorRef<RootMsg>) -> Result<ActorRef<JournalMsg>, ActorProcessingErr> {
        let journal = Journal { store: self.context.store.clone(), durability: self.context.durability.clone() };
        Ok(Journal::spawn_linked(None, journal, (), myself.get_cell()).await?.0)
    }

    async fn tenant(
        &self,
        myself: &ActorRef<RootMsg>,
        state: &mut RootState,
        tenant: TenantId,
    ) -> Result<ActorRef<TenantMsg>, ActorProcessingErr> {
        if let Some(active) = state.tenants.get(&tenant).filter(|active| is_alive(active)) {
            return Ok(active.clone());
        }
        let args = TenantArgs { tenant, journal: state.journal.clone() };
        let handler = Tenant { context: self.context.clone() };
        let (actor, _) = Tenant::spawn_linked(None, handler, args, myself.get_cell()).await?;
        state.tenants.insert(tenant, actor.clone());
        Ok(actor)
    }
}

/// Whether an actor takes messages still: one that failed is known to its parent only a moment later.
pub(crate) fn is_alive<M>(actor: &ActorRef<M>) -> bool {
    !matches!(actor.get_status(), ActorStatus::Stopping | ActorStatus::Stopped)
}

/// Tenants first: their workflows wait for the journal before they stop. What one of them does not end in time leaves some
/// of it for the journal.
async fn drain(state: &mut RootState, within: Duration) {
    let (tenants_within, flush_within) = (within * 3 / 4, within / 4);
    let drains = state.tenants.values().map(|tenant| tenant.call(TenantMsg::Drain, Some(tenants_within)));
    for (result, tenant) in futures::future::join_all(drains).await.into_iter().zip(state.tenants.keys()) {
        if !matches!(result, Ok(result) if result.is_success()) {
            tracing::error!(tenant.id = %tenant, "a tenant did not stop in time; its leases will expire");
        }
    }
    if state.journal.call(JournalMsg::Flush, Some(flush_within)).await.is_err() {
        tracing::error!("the journal did not answer at the end");
    }
}
