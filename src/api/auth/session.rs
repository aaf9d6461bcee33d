//! A sign-in as the browser gets it: an access token in the body, a refresh token in a cookie.

use axum_extra::extract::cookie::CookieJar;
use secrecy::SecretString;
use serde::Serialize;
use troupe_model::{TenantId, TokenFamilyId, UserId};
use troupe_store::{
    refresh_tokens::{self, Bearer},
    tenants,
    tenants::Tenant,
    users::User,
};
use utoipa::ToSchema;

use crate::{
    app::App,
    auth::{attempts::account::Account, refresh},
    problem::Problem,
};

#[derive(Debug, Serialize, ToSchema)]
pub struct Session {
    access_token: String,
    /// Always `Bearer`.
    token_type: &'static str,
    /// Seconds.
    expires_in: u64,
    user: UserView,
    tenant: TenantView,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = User)]
pub struct UserView {
    id: UserId,
    email: String,
    name: String,
    #[schema(example = "owner")]
    role: &'static str,
    /// `#rrggbb`: how others see this user's cursor.
    color: &'static str,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Tenant)]
pub struct TenantView {
    id: TenantId,
    name: String,
}

/// Readable on light and on dark.
const COLORS: [&str; 12] = [
    "#e5484d", "#e54666", "#d6409f", "#8e4ec6", "#6e56cf", "#3e63dd", "#0090ff", "#00a2c7", "#12a594", "#30a46c",
    "#f76b15", "#ad7f58",
];

/// The same user has the same color everywhere.
pub fn color(user: UserId) -> &'static str {
    let sum = user.as_uuid().as_bytes().iter().fold(0_usize, |sum, byte| sum.wrapping_mul(31) + usize::from(*byte));
    COLORS[sum % COLORS.len()]
}

impl From<&User> for UserView {
    fn from(user: &User) -> Self {
        Self {
            id: user.id,
            email: user.email.clone(),
            name: user.name.clone(),
            role: user.role.name(),
            color: color(user.id),
        }
    }
}

impl From<User> for UserView {
    fn from(user: User) -> Self {
        Self::from(&user)
    }
}

impl From<Tenant> for TenantView {
    fn from(tenant: Tenant) -> Self {
        Self { id: tenant.id, name: tenant.name }
    }
}

/// Begins a sign-in: a family of refresh tokens, on a device that is known from now on.
pub async fn begin(app: &App, jar: CookieJar, user: &User) -> Result<(CookieJar, Session), Problem> {
    let bearer = Bearer { tenant_id: user.tenant_id, user_id: user.id, family: TokenFamilyId::generate() };
    let token = refresh::generate();
    let now = app.clock().now();
    let mut tx = app.store().begin_system().await?;
    refresh_tokens::issue(&mut tx, bearer, &token, now, now.after(refresh::ttl(app.config()))).await?;
    tx.commit().await?;
    let jar = app.devices().remember(jar, Account::of(&user.email), now)?;
    go_on(app, jar, user, bearer.family, &token).await
}

/// A fresh access token within a sign-in, and the refresh token that comes next.
pub async fn go_on(
    app: &App,
    jar: CookieJar,
    user: &User,
    family: TokenFamilyId,
    next: &SecretString,
) -> Result<(CookieJar, Session), Problem> {
    let session = Session {
        access_token: app.tokens().issue(user.id, user.tenant_id, family, app.clock().now())?,
        token_type: "Bearer",
        expires_in: app.tokens().ttl().as_secs(),
        user: user.into(),
        tenant: tenant(app, user.tenant_id).await?,
    };
    Ok((refresh::set(jar, next, app.config()), session))
}

pub async fn tenant(app: &App, id: TenantId) -> Result<TenantView, Problem> {
    let mut tx = app.store().read_system().await?;
    let tenant = tenants::find(&mut tx, id).await?;
    tenant.map(Into::into).ok_or_else(|| Problem::unauthenticated("this sign-in has ended"))
}
