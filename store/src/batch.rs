//! Multi-row statements.

/// Rows of the largest statement: with a row's parameters far below what SQLite binds at most (32,766).
const ROWS_MAX: usize = 256;

/// Cuts `rows` into pieces whose lengths are powers of two, so that nine prepared statements serve every length.
pub(crate) fn pieces<T>(rows: &[T]) -> impl Iterator<Item = &[T]> {
    let mut rest = rows;
    std::iter::from_fn(move || {
        let rows_max = 1 << rest.len().checked_ilog2()?;
        let (piece, tail) = rest.split_at(rows_max.min(ROWS_MAX));
        rest = tail;
        Some(piece)
    })
}
