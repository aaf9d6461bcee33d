//! `a OR b OR c OR …` as a tree that is as flat as can be. Polars takes time and stack for each level, and a chain of
//! conditions that somebody lists has as many levels as conditions.

use std::sync::Arc;

use polars::prelude::{Expr, Operator};

/// The same condition, its chains of `AND` and of `OR` balanced.
pub(super) fn balanced(expr: Expr) -> Expr {
    let Expr::BinaryExpr { op, .. } = &expr else { return expr };
    let op = *op;
    if !is_chained(op) {
        return expr;
    }
    let mut links = Vec::new();
    unlink(expr, op, &mut links);
    let mut links: Vec<_> = links.into_iter().map(balanced).collect();
    while links.len() > 1 {
        let mut pairs = links.into_iter();
        let mut linked = Vec::new();
        while let Some(left) = pairs.next() {
            linked.push(match pairs.next() {
                Some(right) => Expr::BinaryExpr { left: Arc::new(left), op, right: Arc::new(right) },
                None => left,
            });
        }
        links = linked;
    }
    links.remove(0)
}

fn is_chained(op: Operator) -> bool {
    matches!(op, Operator::And | Operator::Or | Operator::LogicalAnd | Operator::LogicalOr)
}

/// The links of a chain, in order.
fn unlink(expr: Expr, chain: Operator, links: &mut Vec<Expr>) {
    match expr {
        Expr::BinaryExpr { left, op, right } if op == chain => {
            unlink(Arc::unwrap_or_clone(left), chain, links);
            unlink(Arc::unwrap_or_clone(right), chain, links);
        }
        link => links.push(link),
    }
}
