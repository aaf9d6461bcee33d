//! Users. An email address is one user on the whole server, whatever its case.

use secrecy::{ExposeSecret, SecretString};
use sqlx::{query, query_as};
use troupe_model::{TenantId, Timestamp, UserId};
use uuid::Uuid;

use crate::{
    Error, Page, PageRequest, Result, SortBy, SystemTx, TenantTx,
    listing::{Listed, Listing},
    page::{SortKey, fold},
    tx::on,
};

/// What a user may do in the tenant; the policy says what follows from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    Owner,
    Member,
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
    FROM users WHERE tenant_id = $1 AND id = $2";
const FIND_BY_EMAIL: &str = "SELECT id, tenant_id, email, name, role, created_at, updated_at, password_hash
    FROM users WHERE email_folded = $1";

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
        soft_deleted: false,
        sorts: &SortBy::ALL,
        searched: Some("name_folded"),
        filters: Vec::new(),
    };
    listing.fetch(tx, request).await
}

impl Role {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Member => "member",
        }
    }
}

impl TryFrom<String> for Role {
    type Error = Error;

    fn try_from(name: String) -> Result<Self> {
        match name.as_str() {
            "owner" => Ok(Self::Owner),
            "member" => Ok(Self::Member),
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
