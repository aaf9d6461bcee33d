//! Lists: `{items, next_cursor, total?}`, at most 200 items at once [HIER-3].

use serde::{Deserialize, Serialize};
use troupe_store::{Direction, PAGE_ROWS_MAX, Page, PageRequest, Sort, SortBy};
use utoipa::{IntoParams, ToSchema};

use crate::problem::Problem;

const SEARCH_CHARS_MAX: usize = 200;

#[derive(Debug, Serialize, ToSchema)]
pub struct List<T> {
    pub items: Vec<T>,
    /// Give it back as `cursor` for the next page; null on the last.
    pub next_cursor: Option<String>,
    /// How many there are on all pages; given when asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total: Option<u64>,
}

/// What every list understands. Filters are beside it, in a list's own parameters.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct PageParams {
    /// At most so many items (default 50, at most 200).
    #[param(minimum = 1, maximum = 200)]
    pub limit: Option<u32>,
    /// `next_cursor` of the page before.
    pub cursor: Option<String>,
    /// `name`, `created_at` or `updated_at`; with `-` before it, descending. Default `-created_at`.
    pub sort: Option<String>,
    /// Only items whose name contains this.
    pub q: Option<String>,
    /// Whether to count all items.
    pub total: Option<bool>,
}

/// What a list understands that has one order and is not searched.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct SliceParams {
    /// At most so many items (default 50, at most 200).
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u32>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

impl SliceParams {
    pub fn limit(&self) -> Result<u32, Problem> {
        limit(self.limit)
    }

    pub fn cursor<T>(&self, parse: impl FnOnce(&str) -> Option<T>) -> Result<Option<T>, Problem> {
        let Some(cursor) = &self.cursor else { return Ok(None) };
        let unknown = || Problem::bad_request("malformed_query", "`cursor` is none that this list gave out");
        parse(cursor).map(Some).ok_or_else(unknown)
    }
}

fn limit(limit: Option<u32>) -> Result<u32, Problem> {
    match limit.unwrap_or(PageRequest::default().limit) {
        limit @ 1..=PAGE_ROWS_MAX => Ok(limit),
        _ => {
            let detail = format!("`limit` must be between 1 and {PAGE_ROWS_MAX}");
            Err(Problem::bad_request("malformed_query", detail))
        }
    }
}

impl PageParams {
    pub fn request(self) -> Result<PageRequest, Problem> {
        let default = PageRequest::default();
        if self.q.as_ref().is_some_and(|q| q.chars().count() > SEARCH_CHARS_MAX) {
            let detail = format!("`q` may have {SEARCH_CHARS_MAX} characters");
            return Err(Problem::bad_request("malformed_query", detail));
        }
        Ok(PageRequest {
            limit: limit(self.limit)?,
            cursor: self.cursor,
            sort: self.sort.as_deref().map_or(Ok(default.sort), sort)?,
            q: self.q.filter(|q| !q.is_empty()),
            total: self.total.unwrap_or(false),
        })
    }
}

impl<T> List<T> {
    pub fn of<R: Into<T>>(page: Page<R>) -> Self {
        let items = page.items.into_iter().map(Into::into).collect();
        Self { items, next_cursor: page.next_cursor, total: page.total }
    }
}

/// The cursor of a list that is numbered: there may be more behind a full page.
pub fn after<T>(items: &[T], limit: i64, seq: impl Fn(&T) -> i64) -> Option<String> {
    let full = usize::try_from(limit).is_ok_and(|limit| items.len() >= limit);
    items.last().filter(|_| full).map(|last| seq(last).to_string())
}

fn sort(text: &str) -> Result<Sort, Problem> {
    let (name, direction) = match text.strip_prefix('-') {
        Some(name) => (name, Direction::Descending),
        None => (text, Direction::Ascending),
    };
    let by = match name {
        "name" => SortBy::Name,
        "created_at" => SortBy::CreatedAt,
        "updated_at" => SortBy::UpdatedAt,
        _ => {
            let detail = format!("lists are sorted by name, created_at or updated_at, not by `{name}`");
            return Err(Problem::bad_request("unknown_sort", detail));
        }
    };
    Ok(Sort { by, direction })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn params() -> PageParams {
        PageParams::default()
    }

    /// [HIER-3] Never more than 200 rows at once.
    #[test]
    fn limits_are_checked() {
        assert_eq!(params().request().unwrap().limit, 50);
        for limit in [0, 201] {
            assert!(PageParams { limit: Some(limit), ..params() }.request().is_err());
        }
    }

    #[test]
    fn sorts_both_ways() {
        let request = |sort: &str| PageParams { sort: Some(sort.to_owned()), ..params() }.request();
        let sort = request("-name").unwrap().sort;
        assert_eq!((sort.by, sort.direction), (SortBy::Name, Direction::Descending));
        assert_eq!(request("updated_at").unwrap().sort.direction, Direction::Ascending);
        assert_eq!(request("price").unwrap_err().code(), "unknown_sort");
    }
}
