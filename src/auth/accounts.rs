//! New tenants with their first user: by registration, or as the demo.

use secrecy::SecretString;
use troupe_model::{TenantId, UserId};
use troupe_store::{
    tenants,
    users::{self, NewUser, Role, User},
};

use super::keys;
use crate::{app::App, problem::Problem};

pub struct NewTenant {
    pub name: String,
    pub owner_name: String,
    pub owner_email: String,
    pub owner_password: String,
}

/// Creates the tenant, the key that will seal its secrets [SEC-2], and its owner.
pub async fn open(app: &App, new: NewTenant) -> Result<User, Problem> {
    let password_hash: SecretString = app.passwords().hash(new.owner_password).await?.into();
    let (now, tenant) = (app.clock().now(), TenantId::generate());
    let owner = NewUser {
        id: UserId::generate(),
        tenant_id: tenant,
        email: &new.owner_email,
        name: &new.owner_name,
        role: Role::Owner,
        password_hash: &password_hash,
    };
    let data_key = app.secrets().new_data_key(tenant, &mut keys::rng())?;
    let mut tx = app.store().begin_system().await?;
    tenants::create(&mut tx, tenant, &new.name, now).await?;
    tenants::set_data_key(&mut tx, tenant, &data_key).await?;
    let user = users::create(&mut tx, owner, now).await?;
    tx.commit().await?;
    Ok(user)
}
