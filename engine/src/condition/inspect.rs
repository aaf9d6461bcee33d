//! What a condition refers to, read from its syntax tree.

use cel::common::ast::{EntryExpr, Expr, IdedExpr};

/// How deep macros over lists are nested. One after the other (`a.filter(…).all(…)`) is not nested.
pub(super) fn macro_depth(expression: &IdedExpr) -> usize {
    let deepest = |parts: &[&IdedExpr]| parts.iter().map(|part| macro_depth(part)).max().unwrap_or(0);
    match &expression.expr {
        Expr::Comprehension(comprehension) => {
            let once = deepest(&[&comprehension.iter_range, &comprehension.accu_init, &comprehension.result]);
            let repeated = deepest(&[&comprehension.loop_cond, &comprehension.loop_step]);
            once.max(repeated + 1)
        }
        _ => deepest(&children(expression)),
    }
}

/// The variables that no macro binds.
pub(super) fn free_variables(expression: &IdedExpr) -> Vec<String> {
    let mut found = Vec::new();
    collect_free(expression, &mut Vec::new(), &mut found);
    unique(found)
}

/// The fields selected of the value at `path`, outside of `has(…)`.
pub(super) fn fields_of(expression: &IdedExpr, path: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    collect_fields(expression, path, &mut found);
    unique(found)
}

fn unique(mut names: Vec<&str>) -> Vec<String> {
    names.sort_unstable();
    names.dedup();
    names.into_iter().map(str::to_owned).collect()
}

fn collect_free<'e>(expression: &'e IdedExpr, bound: &mut Vec<&'e str>, found: &mut Vec<&'e str>) {
    match &expression.expr {
        Expr::Ident(name) if !name.starts_with('@') && !bound.contains(&name.as_str()) => found.push(name),
        Expr::Comprehension(comprehension) => {
            collect_free(&comprehension.iter_range, bound, found);
            collect_free(&comprehension.accu_init, bound, found);
            let outer = bound.len();
            bound.extend([comprehension.iter_var.as_str(), comprehension.accu_var.as_str()]);
            bound.extend(comprehension.iter_var2.as_deref());
            for part in [&comprehension.loop_cond, &comprehension.loop_step, &comprehension.result] {
                collect_free(part, bound, found);
            }
            bound.truncate(outer);
        }
        _ => children(expression).into_iter().for_each(|child| collect_free(child, bound, found)),
    }
}

fn collect_fields<'e>(expression: &'e IdedExpr, path: &[&str], found: &mut Vec<&'e str>) {
    if let Expr::Select(select) = &expression.expr
        && !select.test
        && is_path(&select.operand, path)
    {
        found.push(&select.field);
    }
    children(expression).into_iter().for_each(|child| collect_fields(child, path, found));
}

fn is_path(expression: &IdedExpr, path: &[&str]) -> bool {
    match (&expression.expr, path) {
        (Expr::Ident(name), [only]) => name == only,
        (Expr::Select(select), [before @ .., last]) => select.field == *last && is_path(&select.operand, before),
        _ => false,
    }
}

fn children(expression: &IdedExpr) -> Vec<&IdedExpr> {
    match &expression.expr {
        Expr::Unspecified | Expr::Ident(_) | Expr::Literal(_) => Vec::new(),
        Expr::Call(call) => call.target.as_deref().into_iter().chain(&call.args).collect(),
        Expr::Comprehension(comprehension) => vec![
            &comprehension.iter_range,
            &comprehension.accu_init,
            &comprehension.loop_cond,
            &comprehension.loop_step,
            &comprehension.result,
        ],
        Expr::List(list) => list.elements.iter().collect(),
        Expr::Select(select) => vec![&select.operand],
        Expr::Map(map) => map.entries.iter().flat_map(|entry| entry_children(&entry.expr)).collect(),
        Expr::Struct(made) => made.entries.iter().flat_map(|entry| entry_children(&entry.expr)).collect(),
    }
}

fn entry_children(entry: &EntryExpr) -> Vec<&IdedExpr> {
    match entry {
        EntryExpr::StructField(field) => vec![&field.value],
        EntryExpr::MapEntry(entry) => vec![&entry.key, &entry.value],
    }
}
