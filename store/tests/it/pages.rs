//! [HIER-3] Lists: whatever the page size and order, every row comes once, and in that order.

use proptest::prelude::*;
use troupe_model::{TenantId, WorkspaceId};
use troupe_store::{
    Direction, Error, PAGE_ROWS_MAX, PageRequest, Sort, SortBy, TenantTx, runs,
    runs::RunFilter,
    users,
    workspaces::{self, NewWorkspace, Workspace, WorkspaceChange},
};

use crate::fixture::{Db, at, both_engines};

both_engines! {
    pages_give_every_row_once_and_in_order,
    no_page_is_longer_than_the_limit,
    a_foreign_cursor_is_refused,
    a_search_takes_its_text_literally,
    rows_that_appear_meanwhile_disturb_no_page,
    users_are_listed,
    runs_are_sorted_by_creation_only,
}

const SORTS: [SortBy; 3] = [SortBy::Name, SortBy::CreatedAt, SortBy::UpdatedAt];
const DIRECTIONS: [Direction; 2] = [Direction::Ascending, Direction::Descending];

/// Reads the whole list page by page.
async fn walk(tx: &mut TenantTx, mut request: PageRequest) -> Vec<Workspace> {
    let mut all = Vec::new();
    loop {
        let page = workspaces::list(tx, &request).await.unwrap();
        assert!(page.items.len() <= request.limit as usize);
        assert!(
            page.next_cursor.is_none() || page.items.len() == request.limit as usize,
            "only the last page is short"
        );
        all.extend(page.items);
        request.cursor = page.next_cursor;
        if request.cursor.is_none() {
            return all;
        }
    }
}

/// What the list must be, said once more in Rust.
fn expected(rows: &[Workspace], sort: Sort, q: Option<&str>) -> Vec<Workspace> {
    let mut rows: Vec<_> = rows.to_vec();
    rows.retain(|row| q.is_none_or(|q| row.name.to_lowercase().contains(&q.to_lowercase())));
    rows.sort_by(|a, b| {
        let order = match sort.by {
            SortBy::Name => a.name.to_lowercase().cmp(&b.name.to_lowercase()),
            SortBy::CreatedAt => a.created_at.cmp(&b.created_at),
            SortBy::UpdatedAt => a.updated_at.cmp(&b.updated_at),
        };
        let order = order.then(a.id.cmp(&b.id));
        if sort.direction == Direction::Ascending { order } else { order.reverse() }
    });
    rows
}

/// Names with case, umlauts, patterns of LIKE, and many that are equal; times with ties, before and after 1970.
fn workspace() -> impl Strategy<Value = (String, i64, i64)> {
    ("[aAbB]{0,2}|[ÄäÖß%_\\\\' \u{1f3ad}]{0,3}", -3..3_i64, 0..3_i64)
}

/// [HIER-3] For every order, page size and search.
async fn pages_give_every_row_once_and_in_order(db: &Db) {
    let runtime = tokio::runtime::Handle::current();
    let store = db.store.clone();
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig::with_cases(12));
    let cases = (prop::collection::vec(workspace(), 0..25), 1..9_u32, "[aäß%_]?");
    let test = |(rows, limit, q): (Vec<(String, i64, i64)>, u32, String)| {
        // Nobody needs to be a tenant to have workspaces but for the foreign key: each case has its own.
        runtime.block_on(async {
            let tenant = TenantId::generate();
            let mut system = store.begin_system().await.unwrap();
            troupe_store::tenants::create(&mut system, tenant, "t", at(0)).await.unwrap();
            system.commit().await.unwrap();

            let mut tx = store.begin(tenant).await.unwrap();
            let mut stored = Vec::new();
            for (name, created, updated) in &rows {
                let new = NewWorkspace { id: WorkspaceId::generate(), name, description: "" };
                workspaces::create(&mut tx, new, at(*created)).await.unwrap();
                let change = WorkspaceChange::default();
                stored.push(workspaces::update(&mut tx, new.id, change, at(*updated)).await.unwrap().unwrap());
            }
            for (by, direction) in SORTS.into_iter().flat_map(|by| DIRECTIONS.map(|direction| (by, direction))) {
                let sort = Sort { by, direction };
                let q = (!q.is_empty()).then(|| q.clone());
                let expected = expected(&stored, sort, q.as_deref());
                let request = PageRequest { limit, sort, q, total: true, cursor: None };
                let first = workspaces::list(&mut tx, &request).await.unwrap();
                prop_assert_eq!(first.total, Some(expected.len() as u64));
                prop_assert_eq!(walk(&mut tx, request).await, expected);
            }
            Ok(())
        })
    };
    tokio::task::block_in_place(|| runner.run(&cases, test)).unwrap();
}

/// `count` workspaces named by their number.
async fn numbered(tx: &mut TenantTx, count: i64) {
    for number in 0..count {
        let name = format!("{number:03}");
        let new = NewWorkspace { id: WorkspaceId::generate(), name: &name, description: "" };
        workspaces::create(tx, new, at(number)).await.unwrap();
    }
}

/// [HIER-3] Never more than 200, whatever is asked for; never none.
async fn no_page_is_longer_than_the_limit(db: &Db) {
    let tenant = db.tenant("acme").await;
    let mut tx = db.store.begin(tenant.id).await.unwrap();
    numbered(&mut tx, i64::from(PAGE_ROWS_MAX) + 5).await;
    for (limit, expected) in [(u32::MAX, PAGE_ROWS_MAX as usize), (0, 1), (7, 7)] {
        let page = workspaces::list(&mut tx, &PageRequest { limit, ..Default::default() }).await.unwrap();
        assert_eq!((page.items.len(), page.next_cursor.is_some(), page.total), (expected, true, None));
    }
}

/// [HIER-3] A cursor of another order, a damaged one, or none of ours.
async fn a_foreign_cursor_is_refused(db: &Db) {
    let tenant = db.tenant("acme").await;
    let mut tx = db.store.begin(tenant.id).await.unwrap();
    numbered(&mut tx, 3).await;
    let request = PageRequest { limit: 1, ..Default::default() };
    let cursor = workspaces::list(&mut tx, &request).await.unwrap().next_cursor.unwrap();

    let by_name = Sort { by: SortBy::Name, direction: Direction::Descending };
    let cursors = ["", "zz", "a", "é", &cursor[1..], &cursor[..20], &"ff".repeat(40)];
    let mut requests: Vec<_> =
        cursors.iter().map(|cursor| PageRequest { cursor: Some((*cursor).to_owned()), ..request.clone() }).collect();
    requests.push(PageRequest { cursor: Some(cursor), sort: by_name, ..request });
    for request in requests {
        let refused = workspaces::list(&mut tx, &request).await;
        assert!(matches!(refused, Err(Error::Cursor)), "{request:?}: {refused:?}");
    }
}

/// [HIER-3] `%` and `_` are characters like others.
async fn a_search_takes_its_text_literally(db: &Db) {
    let tenant = db.tenant("acme").await;
    let mut tx = db.store.begin(tenant.id).await.unwrap();
    for name in ["100% sure", "100 sure", r"back\slash", "under_score"] {
        let new = NewWorkspace { id: WorkspaceId::generate(), name, description: "" };
        workspaces::create(&mut tx, new, at(1)).await.unwrap();
    }
    for (q, expected) in [("0%", "100% sure"), (r"K\S", r"back\slash"), ("r_s", "under_score")] {
        let found =
            workspaces::list(&mut tx, &PageRequest { q: Some(q.to_owned()), ..Default::default() }).await.unwrap();
        assert_eq!(found.items.iter().map(|row| row.name.as_str()).collect::<Vec<_>>(), [expected]);
    }
}

/// [HIER-3] A cursor is a place in the order, not a count of rows.
async fn rows_that_appear_meanwhile_disturb_no_page(db: &Db) {
    let tenant = db.tenant("acme").await;
    let mut tx = db.store.begin(tenant.id).await.unwrap();
    numbered(&mut tx, 4).await;
    let sort = Sort { by: SortBy::Name, direction: Direction::Ascending };
    let mut request = PageRequest { limit: 2, sort, ..Default::default() };
    let first = workspaces::list(&mut tx, &request).await.unwrap();
    let new = NewWorkspace { id: WorkspaceId::generate(), name: "000 and a half", description: "" };
    workspaces::create(&mut tx, new, at(9)).await.unwrap();
    assert_eq!(workspaces::delete(&mut tx, first.items[1].id, at(9)).await.unwrap(), Some(vec![]));

    request.cursor = first.next_cursor;
    let second = workspaces::list(&mut tx, &request).await.unwrap();
    assert_eq!(second.items.iter().map(|row| row.name.as_str()).collect::<Vec<_>>(), ["002", "003"]);
}

async fn users_are_listed(db: &Db) {
    let tenant = db.tenant("acme").await;
    let mut tx = db.store.begin(tenant.id).await.unwrap();
    for by in SORTS {
        let sort = Sort { by, direction: Direction::Descending };
        let page = users::list(&mut tx, &PageRequest { sort, total: true, ..Default::default() }).await.unwrap();
        assert_eq!((page.items, page.total), (vec![tenant.owner.clone()], Some(1)));
    }
}

/// [HIER-3] An order that a list does not have is refused, not ignored.
async fn runs_are_sorted_by_creation_only(db: &Db) {
    let tenant = db.tenant("acme").await;
    let (old, new) = (db.run(&tenant, 1).await, db.run(&tenant, 2).await);
    let mut tx = db.store.begin(tenant.id).await.unwrap();
    let mut request = PageRequest { limit: 1, ..Default::default() };
    let first = runs::list(&mut tx, RunFilter::default(), &request).await.unwrap();
    request.cursor = first.next_cursor;
    let second = runs::list(&mut tx, RunFilter::default(), &request).await.unwrap();
    assert_eq!((first.items[0].id, second.items[0].id, second.next_cursor), (new, old, None));

    for by in [SortBy::Name, SortBy::UpdatedAt] {
        let request = PageRequest { sort: Sort { by, direction: Direction::Ascending }, ..Default::default() };
        assert!(matches!(runs::list(&mut tx, RunFilter::default(), &request).await, Err(Error::Sort(_))));
    }
}
