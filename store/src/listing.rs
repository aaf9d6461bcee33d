//! The one statement behind every paged list.

use sqlx::{FromRow, QueryBuilder, postgres::PgRow, sqlite::SqliteRow};
use uuid::Uuid;

use crate::{
    Error, Page, PageRequest, Result, SortBy, TenantTx,
    page::{Cursor, Direction, PAGE_ROWS_MAX, SortKey, fold},
    tx::on,
};

/// What is listed: a table, its columns, and which of its rows.
pub(crate) struct Listing {
    pub table: &'static str,
    pub columns: &'static str,
    pub soft_deleted: bool,
    pub sorts: &'static [SortBy],
    /// The column of folded text that `q` searches, if there is one.
    pub searched: Option<&'static str>,
    /// Column = value; a `None` does not restrict.
    pub filters: Vec<(&'static str, Option<Value>)>,
}

pub(crate) enum Value {
    Id(Uuid),
    Text(String),
}

/// A row that can be listed.
pub(crate) trait Listed: Send + Unpin + for<'r> FromRow<'r, PgRow> + for<'r> FromRow<'r, SqliteRow> {
    fn id(&self) -> Uuid;

    /// The row's value of one of its listing's `sorts`.
    fn sort_key(&self, by: SortBy) -> SortKey;
}

macro_rules! push_conditions {
    ($query:expr, $tenant:expr, $listing:expr, $request:expr) => {
        $query.push(" FROM ").push($listing.table).push(" WHERE tenant_id = ").push_bind($tenant);
        if $listing.soft_deleted {
            $query.push(" AND deleted_at IS NULL");
        }
        for (column, value) in &$listing.filters {
            match value {
                Some(Value::Id(id)) => $query.push(" AND ").push(*column).push(" = ").push_bind(*id),
                Some(Value::Text(text)) => $query.push(" AND ").push(*column).push(" = ").push_bind(text.clone()),
                None => continue,
            };
        }
        if let (Some(column), Some(q)) = ($listing.searched, &$request.q) {
            $query.push(" AND ").push(column).push(" LIKE ").push_bind(containing(&fold(q))).push(r" ESCAPE '\'");
        }
    };
}

impl Listing {
    pub async fn fetch<R: Listed>(&self, tx: &mut TenantTx, request: &PageRequest) -> Result<Page<R>> {
        let column = request.sort.by.column();
        if !self.sorts.contains(&request.sort.by) {
            return Err(Error::Sort(column));
        }
        let after = request.cursor.as_deref().map(|cursor| Cursor::decode(cursor, request.sort)).transpose()?;
        let (compare, order) = match request.sort.direction {
            Direction::Ascending => (">", "ASC"),
            Direction::Descending => ("<", "DESC"),
        };
        let limit = request.limit.clamp(1, PAGE_ROWS_MAX);
        let tenant = tx.tenant();

        let mut items: Vec<R> = on!(tx, conn => {
            let mut query = QueryBuilder::new("SELECT ");
            query.push(self.columns);
            push_conditions!(query, tenant, self, request);
            if let Some(Cursor { key, id, .. }) = after {
                query.push(format_args!(" AND ({column}, id) {compare} ("));
                match key {
                    SortKey::Text(text) => query.push_bind(text),
                    SortKey::Millis(millis) => query.push_bind(millis),
                };
                query.push(", ").push_bind(id).push(")");
            }
            query.push(format_args!(" ORDER BY {column} {order}, id {order} LIMIT "));
            // One more, to know whether there is a next page.
            query.push_bind(i64::from(limit) + 1);
            query.build_query_as().fetch_all(conn).await
        })?;

        let more = items.len() > limit as usize;
        items.truncate(limit as usize);
        let next_cursor = items.last().filter(|_| more).map(|last| cursor_behind(last, request));
        let total = if request.total { Some(self.count(tx, request).await?) } else { None };
        Ok(Page { items, next_cursor, total })
    }

    async fn count(&self, tx: &mut TenantTx, request: &PageRequest) -> Result<u64> {
        let tenant = tx.tenant();
        let count: i64 = on!(tx, conn => {
            let mut query = QueryBuilder::new("SELECT COUNT(*)");
            push_conditions!(query, tenant, self, request);
            query.build_query_scalar().fetch_one(conn).await
        })?;
        Ok(count.unsigned_abs())
    }
}

fn cursor_behind<R: Listed>(last: &R, request: &PageRequest) -> String {
    Cursor { sort: request.sort, key: last.sort_key(request.sort.by), id: last.id() }.encode()
}

/// A pattern for `LIKE … ESCAPE '\'` that finds `text` anywhere.
pub(crate) fn containing(text: &str) -> String {
    let mut pattern = String::with_capacity(text.len() + 2);
    pattern.push('%');
    for c in text.chars() {
        if matches!(c, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern.push('%');
    pattern
}
