//! Pages of lists: sorted, searched, and continued by a cursor [HIER-3].

use std::fmt::Write;

use troupe_model::Timestamp;
use uuid::Uuid;

use crate::{Error, Result};

/// No list gives more rows at once.
pub const PAGE_ROWS_MAX: u32 = 200;

/// What part of a list is asked for. The default is the first 50 rows, newest first.
#[derive(Clone, Debug)]
pub struct PageRequest {
    /// At most [`PAGE_ROWS_MAX`] rows, and at least one, are given, whatever is asked for.
    pub limit: u32,
    /// Where the last page ended.
    pub cursor: Option<String>,
    pub sort: Sort,
    /// Only rows whose name holds this, in whatever case.
    pub q: Option<String>,
    /// Whether to count all rows that match, on every page.
    pub total: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sort {
    pub by: SortBy,
    pub direction: Direction,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SortBy {
    /// In lower case, by code point.
    Name,
    CreatedAt,
    UpdatedAt,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    Ascending,
    Descending,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<T> {
    pub items: Vec<T>,
    /// `None` on the last page.
    pub next_cursor: Option<String>,
    /// Present when it was asked for.
    pub total: Option<u64>,
}

impl Default for PageRequest {
    fn default() -> Self {
        let sort = Sort { by: SortBy::CreatedAt, direction: Direction::Descending };
        Self { limit: 50, cursor: None, sort, q: None, total: false }
    }
}

/// The value that a row is sorted by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum SortKey {
    Text(String),
    Millis(i64),
}

/// The last row of a page: the next one begins behind it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Cursor {
    pub sort: Sort,
    pub key: SortKey,
    pub id: Uuid,
}

impl Cursor {
    /// Sort order, id and key in one line, in hexadecimal: opaque, and fit for a URL.
    pub fn encode(&self) -> String {
        let key = match &self.key {
            SortKey::Text(text) => text.clone(),
            SortKey::Millis(millis) => millis.to_string(),
        };
        let line = format!("{}{}{}", self.sort.tag(), self.id.simple(), key);
        line.bytes().fold(String::with_capacity(line.len() * 2), |mut hex, byte| {
            write!(hex, "{byte:02x}").expect("a String takes every write");
            hex
        })
    }

    /// Refuses what [`Cursor::encode`] did not make, and a cursor of another sort order.
    pub fn decode(hex: &str, sort: Sort) -> Result<Self> {
        Self::parse(hex, sort).ok_or(Error::Cursor)
    }

    fn parse(hex: &str, sort: Sort) -> Option<Self> {
        let digits: Vec<u8> = hex.chars().map(|c| c.to_digit(16).map(|digit| digit as u8)).collect::<Option<_>>()?;
        let bytes = digits.chunks(2).map(|pair| Some(pair[0] << 4 | *pair.get(1)?)).collect::<Option<_>>()?;
        let line = String::from_utf8(bytes).ok()?;
        let (id, key) = line.strip_prefix(&sort.tag())?.split_at_checked(32)?;
        let key = match sort.by {
            SortBy::Name => SortKey::Text(key.to_owned()),
            SortBy::CreatedAt | SortBy::UpdatedAt => SortKey::Millis(key.parse().ok()?),
        };
        Some(Self { sort, key, id: id.parse().ok()? })
    }
}

impl SortKey {
    /// The key of a row that has all three.
    pub fn of(by: SortBy, name: &str, created_at: Timestamp, updated_at: Timestamp) -> Self {
        match by {
            SortBy::Name => Self::Text(fold(name)),
            SortBy::CreatedAt => Self::Millis(created_at.as_millis()),
            SortBy::UpdatedAt => Self::Millis(updated_at.as_millis()),
        }
    }
}

impl SortBy {
    pub(crate) const ALL: [Self; 3] = [Self::Name, Self::CreatedAt, Self::UpdatedAt];

    pub(crate) const fn column(self) -> &'static str {
        match self {
            Self::Name => "name_folded",
            Self::CreatedAt => "created_at",
            Self::UpdatedAt => "updated_at",
        }
    }
}

impl Sort {
    fn tag(self) -> String {
        let by = match self.by {
            SortBy::Name => 'n',
            SortBy::CreatedAt => 'c',
            SortBy::UpdatedAt => 'u',
        };
        let direction = match self.direction {
            Direction::Ascending => 'a',
            Direction::Descending => 'd',
        };
        format!("{by}{direction}")
    }
}

/// Text as lists compare it: the same on both engines, whose own ideas of case differ.
pub(crate) fn fold(text: &str) -> String {
    text.to_lowercase()
}
