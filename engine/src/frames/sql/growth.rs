//! Functions that make a long text of a short one: `LPAD('', 1000000000)`. At design time, where an expression is
//! computed over no rows to compare its types, constants would be computed all the same, and take the server's memory.

use std::ops::ControlFlow;

use sqlparser::ast::{Expr, FunctionArg, FunctionArgExpr, FunctionArguments, VisitMut, VisitorMut};

use super::parser;

const GROWING: [&str; 3] = ["lpad", "rpad", "replace"];

/// The expression with the first arguments of such functions in their place: a text as well. `None`: there are none.
pub(crate) fn without_growth(text: &str) -> Option<String> {
    let lower = text.to_ascii_lowercase();
    if !GROWING.iter().any(|name| lower.contains(name)) {
        return None;
    }
    // What cannot be read was refused before.
    let mut expr = parser(text).ok()?.parse_expr().ok()?;
    let ControlFlow::Continue(()) = expr.visit(&mut Shrink);
    Some(expr.to_string())
}

struct Shrink;

impl VisitorMut for Shrink {
    type Break = std::convert::Infallible;

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<Self::Break> {
        if let Expr::Function(function) = &*expr
            && GROWING.iter().any(|name| function.name.to_string().eq_ignore_ascii_case(name))
            && let FunctionArguments::List(list) = &function.args
            && let Some(FunctionArg::Unnamed(FunctionArgExpr::Expr(first))) = list.args.first()
        {
            *expr = Expr::Nested(Box::new(first.clone()));
        }
        ControlFlow::Continue(())
    }
}
