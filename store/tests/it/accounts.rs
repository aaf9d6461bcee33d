//! Tenants, users and refresh tokens.

use secrecy::{ExposeSecret, SecretString};
use troupe_model::{TenantId, TokenFamilyId, UserId};
use troupe_store::{
    Error,
    refresh_tokens::{self, Bearer, Rotation},
    tenants,
    users::{self, Role, UserChange},
};

use crate::fixture::{Db, Tenant, at, both_engines, new_user};

both_engines! {
    a_new_store_is_empty,
    a_tenant_has_one_data_key_for_good,
    an_email_address_is_one_user_on_the_server,
    a_login_finds_the_account_whatever_the_case,
    a_user_needs_a_tenant,
    a_refresh_token_is_good_once,
    reuse_revokes_the_family,
    of_two_that_present_one_token_one_wins,
    an_expired_or_revoked_token_ends,
    no_token_is_stored_in_the_clear,
    a_tenant_keeps_an_owner,
    who_is_removed_leaves_their_address,
}

/// [OPS-1] The seed of the demo asks this.
async fn a_new_store_is_empty(db: &Db) {
    db.store.ping().await.unwrap();
    let mut tx = db.store.read_system().await.unwrap();
    assert_eq!(tenants::count(&mut tx).await.unwrap(), 0);
    drop(tx);

    let tenant = db.tenant("acme").await;
    let mut tx = db.store.read_system().await.unwrap();
    assert_eq!(tenants::count(&mut tx).await.unwrap(), 1);
    assert_eq!(tenants::find(&mut tx, tenant.id).await.unwrap().unwrap().name, "acme");
    assert_eq!(tenants::find(&mut tx, TenantId::generate()).await.unwrap(), None);
}

/// [SEC-2] Overwriting the key would lose what it sealed, so the first one stays.
async fn a_tenant_has_one_data_key_for_good(db: &Db) {
    let tenant = db.tenant("acme").await.id;
    let master = troupe_store::secrets::SecretBox::new(&secrecy::SecretBox::new(Box::new([7; 32])));
    let mut random = crate::secrets::random(1);
    let [first, second] = [(); 2].map(|()| master.new_data_key(tenant, &mut random).unwrap());

    let mut tx = db.store.begin_system().await.unwrap();
    assert_eq!(tenants::data_key(&mut tx, tenant).await.unwrap(), None);
    assert!(tenants::set_data_key(&mut tx, tenant, &first).await.unwrap());
    assert!(!tenants::set_data_key(&mut tx, tenant, &second).await.unwrap());
    assert!(!tenants::set_data_key(&mut tx, TenantId::generate(), &second).await.unwrap());
    let stored = tenants::data_key(&mut tx, tenant).await.unwrap().unwrap();
    assert_eq!(stored, first);
    master.tenant(tenant, &stored).unwrap();
}

/// [AUTH-1] Whatever the case, and whatever the tenant.
async fn an_email_address_is_one_user_on_the_server(db: &Db) {
    let (acme, other) = (db.tenant("acme").await, db.tenant("other").await);
    let mut tx = db.store.begin_system().await.unwrap();
    users::create(&mut tx, new_user(acme.id, "Ada@Example.com", "Ada").as_new(), at(1)).await.unwrap();
    for tenant in [acme.id, other.id] {
        let twin = new_user(tenant, "aDA@example.COM", "Twin");
        let refused = users::create(&mut tx, twin.as_new(), at(1)).await;
        assert!(matches!(refused, Err(Error::EmailTaken)), "{refused:?}");
    }
    tx.commit().await.expect("the refusal leaves the transaction usable");
}

/// [AUTH-1] A login names no tenant; what it finds does.
async fn a_login_finds_the_account_whatever_the_case(db: &Db) {
    let tenant = db.tenant("acme").await;
    let mut tx = db.store.begin_system().await.unwrap();
    let ada = users::create(&mut tx, new_user(tenant.id, "Ada@Example.com", "Ada").as_new(), at(1)).await.unwrap();
    let account = users::find_by_email(&mut tx, "ada@EXAMPLE.com").await.unwrap().unwrap();
    assert_eq!((account.user.email.as_str(), account.user.role), ("Ada@Example.com", Role::Owner));
    assert_eq!(account.user, ada);
    assert!(account.password_hash.expose_secret().starts_with("$argon2id$"));
    assert!(!format!("{account:?}").contains("argon2id"), "a hash is not for logs");
    assert!(users::find_by_email(&mut tx, "nobody@example.com").await.unwrap().is_none());
    tx.commit().await.unwrap();

    let mut tx = db.store.read(tenant.id).await.unwrap();
    assert_eq!(users::find(&mut tx, ada.id).await.unwrap(), Some(ada));
}

async fn a_user_needs_a_tenant(db: &Db) {
    let mut tx = db.store.begin_system().await.unwrap();
    let refused = users::create(&mut tx, new_user(TenantId::generate(), "a@b.c", "A").as_new(), at(0)).await;
    assert!(matches!(refused, Err(Error::NoSuchParent)), "{refused:?}");
}

const DAY: i64 = 86_400_000;

fn token(text: &str) -> SecretString {
    text.into()
}

/// A login of the tenant's owner, whose first token is `first`.
async fn login(db: &Db, tenant: &Tenant, first: &str) -> Bearer {
    let bearer = Bearer { tenant_id: tenant.id, user_id: tenant.owner.id, family: TokenFamilyId::generate() };
    let mut tx = db.store.begin_system().await.unwrap();
    refresh_tokens::issue(&mut tx, bearer, &token(first), at(0), at(DAY)).await.unwrap();
    tx.commit().await.unwrap();
    bearer
}

async fn rotate(db: &Db, presented: &str, next: &str, now: i64) -> Rotation {
    let mut tx = db.store.begin_system().await.unwrap();
    let (presented, next) = (token(presented), token(next));
    let rotation = refresh_tokens::rotate(&mut tx, &presented, &next, at(now), at(now + DAY)).await.unwrap();
    tx.commit().await.unwrap();
    rotation
}

/// [AUTH-2] Each use gives the next token, and spends this one.
async fn a_refresh_token_is_good_once(db: &Db) {
    let tenant = db.tenant("acme").await;
    let bearer = login(db, &tenant, "one").await;
    assert_eq!(rotate(db, "one", "two", 1).await, Rotation::Rotated(bearer));
    assert_eq!(rotate(db, "two", "three", 2).await, Rotation::Rotated(bearer));
    assert_eq!(rotate(db, "never issued", "four", 3).await, Rotation::Unknown);
}

/// [AUTH-2] Who presents a spent token has a copy: the thief's token and the owner's both end, another login stays.
async fn reuse_revokes_the_family(db: &Db) {
    let tenant = db.tenant("acme").await;
    let (bearer, elsewhere) = (login(db, &tenant, "one").await, login(db, &tenant, "phone").await);
    assert_eq!(rotate(db, "one", "two", 1).await, Rotation::Rotated(bearer));
    assert_eq!(rotate(db, "one", "stolen", 2).await, Rotation::Reused(bearer));
    assert_eq!(rotate(db, "two", "three", 3).await, Rotation::Ended(bearer));
    assert_eq!(rotate(db, "stolen", "four", 3).await, Rotation::Unknown);
    assert_eq!(rotate(db, "phone", "phone two", 3).await, Rotation::Rotated(elsewhere));
}

async fn of_two_that_present_one_token_one_wins(db: &Db) {
    let tenant = db.tenant("acme").await;
    let bearer = login(db, &tenant, "one").await;
    let outcome = tokio::join!(rotate(db, "one", "a", 1), rotate(db, "one", "b", 1));
    let (won, lost) = (Rotation::Rotated(bearer), Rotation::Reused(bearer));
    assert!(outcome == (won, lost) || outcome == (lost, won), "{outcome:?}");
}

async fn an_expired_or_revoked_token_ends(db: &Db) {
    let tenant = db.tenant("acme").await;
    let bearer = login(db, &tenant, "late").await;
    assert_eq!(rotate(db, "late", "later", DAY).await, Rotation::Ended(bearer), "expired at that very moment");

    let bearer = login(db, &tenant, "one").await;
    rotate(db, "one", "two", 1).await;
    let mut tx = db.store.begin_system().await.unwrap();
    assert_eq!(refresh_tokens::revoke(&mut tx, &token("two"), at(2)).await.unwrap(), Some(bearer));
    assert_eq!(refresh_tokens::revoke(&mut tx, &token("unknown"), at(2)).await.unwrap(), None);
    tx.commit().await.unwrap();
    assert_eq!(rotate(db, "two", "three", 3).await, Rotation::Ended(bearer));
}

/// [AUTH-2] Only the hash is stored. A token for a user who is not there is refused.
async fn no_token_is_stored_in_the_clear(db: &Db) {
    let tenant = db.tenant("acme").await;
    login(db, &tenant, "a-very-recognisable-token").await;
    let hashes = db.column("SELECT hash FROM refresh_tokens").await;
    assert_eq!(hashes.iter().map(Vec::len).collect::<Vec<_>>(), [32]);
    assert!(!hashes[0].windows(4).any(|window| b"a-very-recognisable-token".windows(4).any(|clear| clear == window)));

    let stranger = Bearer { tenant_id: tenant.id, user_id: UserId::generate(), family: TokenFamilyId::generate() };
    let mut tx = db.store.begin_system().await.unwrap();
    let refused = refresh_tokens::issue(&mut tx, stranger, &token("x"), at(0), at(1)).await;
    assert!(matches!(refused, Err(Error::NoSuchParent)), "{refused:?}");
}

/// [RBAC-4] A tenant keeps an owner, also when two of them demote each other at once.
async fn a_tenant_keeps_an_owner(db: &Db) {
    let tenant = db.tenant("acme").await;
    let member = Some(Role::Member);
    assert!(matches!(change(db, tenant.id, tenant.owner.id, member).await, Err(Error::LastOwner)));
    assert!(matches!(remove(db, tenant.id, tenant.owner.id).await, Err(Error::LastOwner)));
    assert_eq!(change(db, tenant.id, tenant.owner.id, None).await.unwrap().unwrap().role, Role::Owner);

    let twin = add(db, tenant.id, "twin@example.com").await;
    let outcomes = tokio::join!(
        change(db, tenant.id, tenant.owner.id, member),
        change(db, tenant.id, twin.id, Some(Role::Viewer))
    );
    assert!(matches!(outcomes, (Ok(_), Err(Error::LastOwner)) | (Err(Error::LastOwner), Ok(_))), "{outcomes:?}");
}

/// [AUTH-1] Who was removed cannot be found and cannot go on; their address is free, their row stays.
async fn who_is_removed_leaves_their_address(db: &Db) {
    let (tenant, other) = (db.tenant("acme").await, db.tenant("other").await);
    let first = add(db, tenant.id, "ada@example.com").await;
    let bearer = Bearer { tenant_id: tenant.id, user_id: first.id, family: TokenFamilyId::generate() };
    let mut tx = db.store.begin_system().await.unwrap();
    refresh_tokens::issue(&mut tx, bearer, &token("hers"), at(0), at(DAY)).await.unwrap();
    tx.commit().await.unwrap();
    let owners = login(db, &tenant, "the owner's").await;

    assert!(!remove(db, other.id, first.id).await.unwrap(), "another tenant's");
    assert!(remove(db, tenant.id, first.id).await.unwrap());
    assert!(!remove(db, tenant.id, first.id).await.unwrap(), "again");
    assert_eq!(change(db, tenant.id, first.id, Some(Role::Owner)).await.unwrap(), None);
    let mut tx = db.store.begin_system().await.unwrap();
    assert!(users::find_by_email(&mut tx, "ada@example.com").await.unwrap().is_none());
    assert!(users::find_by_email(&mut tx, &first.id.to_string()).await.unwrap().is_none());
    drop(tx);
    assert_eq!(rotate(db, "hers", "next", 1).await, Rotation::Ended(bearer));

    let mut tx = db.store.read(tenant.id).await.unwrap();
    assert_eq!(users::find(&mut tx, first.id).await.unwrap(), None);
    assert!(refresh_tokens::is_revoked(&mut tx, bearer.family).await.unwrap());
    assert!(!refresh_tokens::is_revoked(&mut tx, owners.family).await.unwrap());
    let people = users::list(&mut tx, &troupe_store::PageRequest::default()).await.unwrap();
    assert_eq!(people.items.iter().map(|user| user.id).collect::<Vec<_>>(), [tenant.owner.id]);
    drop(tx);
    let second = add(db, tenant.id, "Ada@Example.com").await;
    assert_ne!(second.id, first.id);
}

async fn add(db: &Db, tenant: TenantId, email: &str) -> users::User {
    let mut tx = db.store.begin_system().await.unwrap();
    let user = users::create(&mut tx, new_user(tenant, email, "Ada").as_new(), at(1)).await.unwrap();
    tx.commit().await.unwrap();
    user
}

async fn change(db: &Db, tenant: TenantId, id: UserId, role: Option<Role>) -> Result<Option<users::User>, Error> {
    let mut tx = db.store.begin_system().await?;
    let user = users::update(&mut tx, tenant, id, UserChange { name: None, role }, at(2)).await?;
    tx.commit().await?;
    Ok(user)
}

async fn remove(db: &Db, tenant: TenantId, id: UserId) -> Result<bool, Error> {
    let mut tx = db.store.begin_system().await?;
    let removed = users::delete(&mut tx, tenant, id, at(3)).await?;
    refresh_tokens::revoke_user(&mut tx, tenant, id, at(3)).await?;
    tx.commit().await?;
    Ok(removed)
}
