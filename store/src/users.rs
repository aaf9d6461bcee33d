//! Users. An email address is one user on the whole server, whatever its case.
//!
//! One who was removed stays as a row, so that what they did keeps their name, and gives their address back: their
//! `email_folded` is their id, which is no address. A tenant is never without an owner.

mod names;

use secrecy::{ExposeSecret, SecretString};
use sqlx::{query, query_as, query_scalar};
use troupe_model::{TenantId, Timestamp, UserId};
use uuid::Uuid;

use crate::{
    Error, Page, PageRequest, Result, SortBy, SystemTx, TenantTx,
    listing::{Listed, Listing},
    page::{SortKey, fold},
    tx::on,
};

pub use names::names;

/// What a user may do in the tenant; the policy says what follows from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    Owner,
    Member,
    /// Reads.
    Viewer,
}

#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct User {
    pub id: UserId,
    pub tenant_id: TenantId,
    /// As it was given.
    pub email: String,
    pub name: String,
    #[sqlx(try_from = "String")]
    pub role: Role,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

#[derive(Debug)]
pub struct NewUser<'a> {
    pub id: UserId,
    pub tenant_id: TenantId,
    pub email: &'a str,
    pub name: &'a str,
    pub role: Role,
    /// As Argon2 writes it, with its salt and parameters.
    pub password_hash: &'a SecretString,
}

/// `None` leaves as it is.
#[derive(Clone, Debug, Default)]
pub struct UserChange {
    pub name: Option<String>,
    pub role: Option<Role>,
}

/// A user with what a login is checked against.
#[derive(Debug)]
pub struct Account {
    pub user: User,
    pub password_hash: SecretString,
}

const INSERT: &str = "INSERT INTO users
    (tenant_id, id, email, email_folded, name, name_folded, role, password_hash, created_at, updated_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9)
    ON CONFLICT (email_folded) DO NOTHING";
const FIND: &str = "SELECT id, tenant_id, email, name, role, created_at, updated_at
    FROM users WHERE tenant_id = $1 AND id = $2 AND deleted_at IS NULL";
const FIND_BY_EMAIL: &str = "SELECT id, tenant_id, email, name, role, created_at, updated_at, password_hash
    FROM users WHERE email_folded = $1 AND deleted_at IS NULL";
const UPDATE: &str = "UPDATE users SET name = COALESCE($3, name), name_folded = COALESCE($4, name_folded),
    role = COALESCE($5, role), updated_at = $6
    WHERE tenant_id = $1 AND id = $2 AND deleted_at IS NULL
    RETURNING id, tenant_id, email, name, role, created_at, updated_at";
const DELETE: &str = "UPDATE users SET deleted_at = $4, email_folded = $3, password_hash = ''
    WHERE tenant_id = $1 AND id = $2 AND deleted_at IS NULL";
/// Changes nothing, and holds the row until the transaction ends: who counts the owners counts alone.
const LOCK_TENANT: &str = "UPDATE tenants SET name = name WHERE id = $1";
const COUNT_OWNERS: &str = "SELECT COUNT(*) FROM users WHERE tenant_id = $1 AND role = $2 AND deleted_at IS NULL";

/// Fails with [`Error::EmailTaken`]. The tenant may be created in the same transaction.
pub async fn create(tx: &mut SystemTx, user: NewUser<'_>, now: Timestamp) -> Result<User> {
    let rows = on!(tx, conn => {
        query(INSERT)
            .bind(user.tenant_id)
            .bind(user.id)
            .bind(user.email)
            .bind(fold(user.email))
            .bind(user.name)
            .bind(fold(user.name))
            .bind(user.role.name())
            .bind(user.password_hash.expose_secret())
            .bind(now)
            .execute(conn)
            .await
            .map(|done| done.rows_affected())
    })?;
    if rows == 0 {
        return Err(Error::EmailTaken);
    }
    Ok(User {
        id: user.id,
        tenant_id: user.tenant_id,
        email: user.email.to_owned(),
        name: user.name.to_owned(),
        role: user.role,
        created_at: now,
        updated_at: now,
    })
}

pub async fn find(tx: &mut TenantTx, id: UserId) -> Result<Option<User>> {
    let tenant = tx.tenant();
    Ok(on!(tx, conn => query_as(FIND).bind(tenant).bind(id).fetch_optional(conn).await)?)
}

/// For a login, which names no tenant.
pub async fn find_by_email(tx: &mut SystemTx, email: &str) -> Result<Option<Account>> {
    let row: Option<AccountRow> =
        on!(tx, conn => query_as(FIND_BY_EMAIL).bind(fold(email)).fetch_optional(conn).await)?;
    Ok(row.map(|row| Account { user: row.user, password_hash: row.password_hash.into() }))
}

/// `q` searches names.
pub async fn list(tx: &mut TenantTx, request: &PageRequest) -> Result<Page<User>> {
    let listing = Listing {
        table: "users",
        columns: "id, tenant_id, email, name, role, created_at, updated_at",
        soft_deleted: true,
        sorts: &SortBy::ALL,
        searched: Some("name_folded"),
        filters: Vec::new(),
    };
    listing.fetch(tx, request).await
}

/// Fails with [`Error::LastOwner`].
pub async fn update(
    tx: &mut SystemTx,
    tenant: TenantId,
    id: UserId,
    change: UserChange,
    now: Timestamp,
) -> Result<Option<User>> {
    lock(tx, tenant).await?;
    let user: Option<User> = on!(tx, conn => {
        query_as(UPDATE)
            .bind(tenant)
            .bind(id)
            .bind(change.name.as_deref())
            .bind(change.name.as_deref().map(fold))
            .bind(change.role.map(Role::name))
            .bind(now)
            .fetch_optional(conn)
            .await
    })?;
    if user.is_some() {
        an_owner_is_left(tx, tenant).await?;
    }
    Ok(user)
}

/// Takes the access away. `false`: there is no such user. Fails with [`Error::LastOwner`].
pub async fn delete(tx: &mut SystemTx, tenant: TenantId, id: UserId, now: Timestamp) -> Result<bool> {
    lock(tx, tenant).await?;
    let rows = on!(tx, conn => {
        query(DELETE)
            .bind(tenant)
            .bind(id)
            .bind(id.to_string())
            .bind(now)
            .execute(conn)
            .await
            .map(|done| done.rows_affected())
    })?;
    if rows == 0 {
        return Ok(false);
    }
    an_owner_is_left(tx, tenant).await?;
    Ok(true)
}

async fn lock(tx: &mut SystemTx, tenant: TenantId) -> Result<()> {
    Ok(on!(tx, conn => query(LOCK_TENANT).bind(tenant).execute(conn).await.map(drop))?)
}

async fn an_owner_is_left(tx: &mut SystemTx, tenant: TenantId) -> Result<()> {
    let owners: i64 = on!(tx, conn => {
        query_scalar(COUNT_OWNERS).bind(tenant).bind(Role::Owner.name()).fetch_one(conn).await
    })?;
    if owners == 0 { Err(Error::LastOwner) } else { Ok(()) }
}

impl Role {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Member => "member",
            Self::Viewer => "viewer",
        }
    }
}

impl TryFrom<String> for Role {
    type Error = Error;

    fn try_from(name: String) -> Result<Self> {
        match name.as_str() {
            "owner" => Ok(Self::Owner),
            "member" => Ok(Self::Member),
            "viewer" => Ok(Self::Viewer),
            _ => Err(Error::Unreadable("role", None)),
        }
    }
}

#[derive(sqlx::FromRow)]
struct AccountRow {
    #[sqlx(flatten)]
    user: User,
    password_hash: String,
}

impl Listed for User {
    fn id(&self) -> Uuid {
        *self.id.as_uuid()
    }

    fn sort_key(&self, by: SortBy) -> SortKey {
        SortKey::of(by, &self.name, self.created_at, self.updated_at)
    }
}
