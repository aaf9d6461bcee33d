//! Refresh tokens [AUTH-2]: stored hashed, rotated at each use; the reuse of a rotated one revokes its family.
//!
//! The caller makes the tokens: long random strings, so a plain SHA-256 keeps them.

use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use sqlx::{query, query_as, query_scalar};
use troupe_model::{RefreshTokenId, TenantId, Timestamp, TokenFamilyId, UserId};

use crate::{Result, SystemTx, TenantTx, tx::on};

/// Whose token it is, and the family that a login began.
#[derive(Clone, Copy, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Bearer {
    pub tenant_id: TenantId,
    pub user_id: UserId,
    #[sqlx(rename = "family_id")]
    pub family: TokenFamilyId,
}

/// What became of a presented token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rotation {
    /// It was good. It is spent now, and the next one stands in its place.
    Rotated(Bearer),
    /// It was spent already: somebody has a copy. The family is revoked; commit, so that it stays so.
    Reused(Bearer),
    /// It was revoked or is too old.
    Ended(Bearer),
    Unknown,
}

const INSERT: &str = "INSERT INTO refresh_tokens (tenant_id, id, user_id, family_id, hash, created_at, expires_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7)";
const SPEND: &str = "UPDATE refresh_tokens SET rotated_at = $2
    WHERE hash = $1 AND rotated_at IS NULL AND revoked_at IS NULL AND expires_at > $2
    RETURNING tenant_id, user_id, family_id";
const FIND: &str = "SELECT tenant_id, user_id, family_id, rotated_at FROM refresh_tokens WHERE hash = $1";
const REVOKE_FAMILY: &str = "UPDATE refresh_tokens SET revoked_at = $3
    WHERE tenant_id = $1 AND family_id = $2 AND revoked_at IS NULL";
const REVOKE_USER: &str = "UPDATE refresh_tokens SET revoked_at = $3
    WHERE tenant_id = $1 AND user_id = $2 AND revoked_at IS NULL";
const IS_REVOKED: &str = "SELECT EXISTS (SELECT 1 FROM refresh_tokens
    WHERE tenant_id = $1 AND family_id = $2 AND revoked_at IS NOT NULL)";

/// Stores the first token of a login.
pub async fn issue(
    tx: &mut SystemTx,
    bearer: Bearer,
    token: &SecretString,
    now: Timestamp,
    expires_at: Timestamp,
) -> Result<()> {
    on!(tx, conn => {
        query(INSERT)
            .bind(bearer.tenant_id)
            .bind(RefreshTokenId::generate())
            .bind(bearer.user_id)
            .bind(bearer.family)
            .bind(hash(token))
            .bind(now)
            .bind(expires_at)
            .execute(conn)
            .await
            .map(drop)
    })?;
    Ok(())
}

/// Spends `presented` and stores `next` in its family. Of two that present the same token at once, one wins; the
/// other is a reuse.
pub async fn rotate(
    tx: &mut SystemTx,
    presented: &SecretString,
    next: &SecretString,
    now: Timestamp,
    expires_at: Timestamp,
) -> Result<Rotation> {
    let spent: Option<Bearer> =
        on!(tx, conn => query_as(SPEND).bind(hash(presented)).bind(now).fetch_optional(conn).await)?;
    if let Some(bearer) = spent {
        issue(tx, bearer, next, now, expires_at).await?;
        return Ok(Rotation::Rotated(bearer));
    }
    match find(tx, presented).await? {
        None => Ok(Rotation::Unknown),
        Some(Found { bearer, rotated_at: None }) => Ok(Rotation::Ended(bearer)),
        Some(Found { bearer, rotated_at: Some(_) }) => {
            revoke_family(tx, bearer.tenant_id, bearer.family, now).await?;
            Ok(Rotation::Reused(bearer))
        }
    }
}

/// Ends the login that `token` belongs to: its whole family. `None`: no such token.
pub async fn revoke(tx: &mut SystemTx, token: &SecretString, now: Timestamp) -> Result<Option<Bearer>> {
    let Some(Found { bearer, .. }) = find(tx, token).await? else { return Ok(None) };
    revoke_family(tx, bearer.tenant_id, bearer.family, now).await?;
    Ok(Some(bearer))
}

/// Ends one login.
pub async fn revoke_family(tx: &mut SystemTx, tenant: TenantId, family: TokenFamilyId, now: Timestamp) -> Result<()> {
    Ok(on!(tx, conn => query(REVOKE_FAMILY).bind(tenant).bind(family).bind(now).execute(conn).await.map(drop))?)
}

/// Ends every login of a user.
pub async fn revoke_user(tx: &mut SystemTx, tenant: TenantId, user: UserId, now: Timestamp) -> Result<()> {
    Ok(on!(tx, conn => query(REVOKE_USER).bind(tenant).bind(user).bind(now).execute(conn).await.map(drop))?)
}

/// Whether a login was ended.
pub async fn is_revoked(tx: &mut TenantTx, family: TokenFamilyId) -> Result<bool> {
    let tenant = tx.tenant();
    Ok(on!(tx, conn => query_scalar(IS_REVOKED).bind(tenant).bind(family).fetch_one(conn).await)?)
}

#[derive(sqlx::FromRow)]
struct Found {
    #[sqlx(flatten)]
    bearer: Bearer,
    rotated_at: Option<Timestamp>,
}

async fn find(tx: &mut SystemTx, token: &SecretString) -> Result<Option<Found>> {
    Ok(on!(tx, conn => query_as(FIND).bind(hash(token)).fetch_optional(conn).await)?)
}

fn hash(token: &SecretString) -> Vec<u8> {
    Sha256::digest(token.expose_secret()).to_vec()
}
