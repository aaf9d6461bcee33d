//! New people: the owner of a new tenant, by registration or as the demo, and those who join a tenant.

use secrecy::SecretString;
use troupe_model::{TenantId, UserId};
use troupe_store::{
    tenants,
    users::{self, NewUser, Role, User},
};

use super::keys;
use crate::{app::App, problem::Problem};

pub struct NewPerson {
    pub name: String,
    pub email: String,
    pub password: String,
}

/// Creates a tenant, the key that will seal its secrets [SEC-2], and its owner.
pub async fn open(app: &App, tenant_name: String, owner: NewPerson) -> Result<User, Problem> {
    let password_hash: SecretString = app.passwords().hash(owner.password).await?.into();
    let (now, tenant) = (app.clock().now(), TenantId::generate());
    let data_key = app.secrets().new_data_key(tenant, &mut keys::rng())?;
    let mut tx = app.store().begin_system().await?;
    tenants::create(&mut tx, tenant, &tenant_name, now).await?;
    tenants::set_data_key(&mut tx, tenant, &data_key).await?;
    let user = new_user(tenant, Role::Owner, &owner.name, &owner.email, &password_hash);
    let user = users::create(&mut tx, user, now).await?;
    tx.commit().await?;
    Ok(user)
}

/// Adds a person to a tenant.
pub async fn join(app: &App, tenant: TenantId, role: Role, person: NewPerson) -> Result<User, Problem> {
    let password_hash: SecretString = app.passwords().hash(person.password).await?.into();
    let mut tx = app.store().begin_system().await?;
    let user = new_user(tenant, role, &person.name, &person.email, &password_hash);
    let user = users::create(&mut tx, user, app.clock().now()).await?;
    tx.commit().await?;
    Ok(user)
}

fn new_user<'a>(
    tenant_id: TenantId,
    role: Role,
    name: &'a str,
    email: &'a str,
    password_hash: &'a SecretString,
) -> NewUser<'a> {
    NewUser { id: UserId::generate(), tenant_id, email, name, role, password_hash }
}
