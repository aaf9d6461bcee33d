//! A user as others see them.

use std::collections::HashMap;

use serde::Serialize;
use troupe_model::UserId;
use troupe_store::{TenantTx, users};
use utoipa::ToSchema;

use crate::problem::Problem;

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Person {
    id: UserId,
    /// `null` for somebody who is not known any more.
    name: Option<String>,
}

/// The names of some users.
#[derive(Debug)]
pub struct People(HashMap<UserId, String>);

impl People {
    pub async fn of(tx: &mut TenantTx, ids: impl IntoIterator<Item = UserId>) -> Result<Self, Problem> {
        Ok(Self(users::names(tx, ids).await?))
    }

    pub fn person(&self, id: UserId) -> Person {
        Person { id, name: self.0.get(&id).cloned() }
    }
}
