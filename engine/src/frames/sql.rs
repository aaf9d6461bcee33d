//! SQL from users: expressions over one table, and queries over named tables.
//!
//! What is allowed is decided on the syntax tree before Polars sees the text. Polars' table functions
//! (`read_csv('/etc/passwd')` and alike) read the server's files, so nothing but the named tables may stand after
//! `FROM`, and an expression may hold no query at all [SEC-1].
//!
//! Polars recurses over the tree, and a chain of fifty `OR`s can overflow a worker's stack. So texts are bounded, and
//! read on a deep stack.

mod balanced;
mod bounds;
mod growth;
mod metered;

use std::{collections::BTreeSet, ops::ControlFlow};

use polars::{
    prelude::{Expr, LazyFrame},
    sql::{SQLContext, sql_expr},
};
use sqlparser::{
    ast::{ObjectName, Query, SetExpr, Statement, TableFactor, Visit, Visitor},
    dialect::GenericDialect,
    parser::{Parser, ParserError, ParserOptions},
    tokenizer::Token,
};

use troupe_model::shown;

use super::{Fault, Table};
use crate::{deep_stack, suggest};
use balanced::balanced;
use bounds::Bounds;
pub(crate) use growth::without_growth;

/// Longer texts are refused.
const SQL_BYTES_MAX: usize = 100_000;

/// The expression of a config `field`, over the columns of `table`.
pub(crate) fn expression(text: &str, field: &str, table: &Table) -> Result<Expr, Fault> {
    let parse = || {
        refuse_queries_in_expression(text, table)?;
        let expr = sql_expr(text).map_err(|error| Fault { code: "invalid_expression", ..error.into() })?;
        let unknown = expr.clone().meta().root_names().into_iter().find(|name| !table.schema.contains(name));
        match unknown {
            Some(name) => Err(Fault::unknown_column(&name, &table.schema)),
            None => Ok(balanced(expr)),
        }
    };
    bounded(text, parse).map_err(|fault| fault.at(field))
}

/// The table that a `SELECT` makes of the named tables.
pub(crate) fn query(text: &str, field: &str, tables: &[(String, &Table)]) -> Result<LazyFrame, Fault> {
    let plan = || {
        only_named_tables(text, tables)?;
        let mut context = SQLContext::new();
        for (name, table) in tables {
            context.register(name, table.frame.clone());
        }
        let mut frame = context.execute(text).map_err(|error| explained(error.into(), tables))?;
        frame.collect_schema().map_err(|error| explained(error.into(), tables))?;
        Ok(frame)
    };
    bounded(text, plan).map_err(|fault| fault.at(field))
}

/// Reads a text of bounded size, on a deep stack.
fn bounded<T: Send>(text: &str, read: impl FnOnce() -> Result<T, Fault> + Send) -> Result<T, Fault> {
    match text.len() {
        0..=SQL_BYTES_MAX => deep_stack::run("sql", read)
            .unwrap_or_else(|why| Err(Fault::new("query_failed", "the SQL cannot be evaluated").reason(why))),
        size => Err(Fault::new("invalid_sql", format!("the text has {size} bytes; {SQL_BYTES_MAX} are allowed"))),
    }
}

/// The dialect and options of Polars, so that what is checked is what is run.
fn parser(text: &str) -> Result<Parser<'_>, ParserError> {
    Parser::new(&GenericDialect).with_options(options()).try_with_sql(text)
}

fn options() -> ParserOptions {
    ParserOptions { trailing_commas: true, ..ParserOptions::default() }
}

fn is_readable(text: &str, read: impl FnOnce(&mut Parser<'_>) -> Result<(), ParserError>) -> Result<(), Fault> {
    match metered::takes_too_long(text, read) {
        true => Err(Fault::new("invalid_sql", "the text is nested in a way that takes too long to read")
            .fix("use fewer brackets within brackets, or split it over several nodes")),
        false => Ok(()),
    }
}

fn refuse_queries_in_expression(text: &str, table: &Table) -> Result<(), Fault> {
    is_readable(text, |parser| parser.parse_expr().map(drop))?;
    let invalid = |error: ParserError| syntax("invalid_expression", &error);
    let mut parser = parser(text).map_err(invalid)?;
    let expr = parser.parse_expr().map_err(invalid)?;
    let next = parser.peek_token();
    if next.token != Token::EOF {
        let message = format!(
            "`{}` does not belong here: line {}, column {}",
            shown::name(&next.token.to_string()),
            next.span.start.line,
            next.span.start.column
        );
        return Err(Fault::new("invalid_expression", message).fix("write one expression over the columns"));
    }
    passes(&expr, &mut Bounds::of_expression(table))?;
    passes(&expr, &mut NoQueries)
}

fn only_named_tables(text: &str, tables: &[(String, &Table)]) -> Result<(), Fault> {
    is_readable(text, |parser| parser.parse_statements().map(drop))?;
    let statements =
        parser(text).and_then(|mut parser| parser.parse_statements()).map_err(|error| syntax("invalid_sql", &error))?;
    let [statement @ Statement::Query(_)] = statements.as_slice() else {
        return Err(
            Fault::new("invalid_sql", "the text is not one SELECT").fix("write one `SELECT …` or `WITH … SELECT …`")
        );
    };
    let mut names = Names { known: tables.iter().map(|(name, _)| name.clone()).collect() };
    passes(statement, &mut Bounds::of_query(tables))?;
    passes(statement, &mut names)
}

fn passes(tree: &impl Visit, visitor: &mut impl Visitor<Break = Fault>) -> Result<(), Fault> {
    match tree.visit(visitor) {
        ControlFlow::Break(fault) => Err(fault),
        ControlFlow::Continue(()) => Ok(()),
    }
}

/// "sql parser error: Expected: an expression, found: EOF at Line: 1, Column: 8"
fn syntax(code: &'static str, error: &ParserError) -> Fault {
    let text = match error {
        ParserError::TokenizerError(text) | ParserError::ParserError(text) => text.as_str(),
        ParserError::RecursionLimitExceeded => "it is nested too deeply",
    };
    let message = match text.rsplit_once(" at Line: ") {
        Some((what, at)) => format!("{what}: line {}", at.replace("Column", "column")),
        None => text.to_owned(),
    };
    Fault::new(code, format!("the SQL cannot be read: {message}"))
}

/// Adds what there is to choose from.
fn explained(fault: Fault, tables: &[(String, &Table)]) -> Fault {
    let quoted = fault.message.split(['`', '\'', '"']).nth(1).map(|name| name.rsplit('.').next().unwrap_or(name));
    let Some(name) = quoted.filter(|_| fault.fix.is_none() && fault.message.contains("column")) else { return fault };
    let columns: BTreeSet<_> = tables.iter().flat_map(|(_, table)| table.schema.iter_names()).collect();
    let fix = suggest::fix(name, columns.iter().map(|name| name.as_str()));
    fault.fix(fix)
}

struct NoQueries;

impl Visitor for NoQueries {
    type Break = Fault;

    fn pre_visit_query(&mut self, _: &Query) -> ControlFlow<Fault> {
        ControlFlow::Break(
            Fault::new("invalid_expression", "an expression cannot hold a SELECT").fix("use a SQL node for queries"),
        )
    }
}

/// Lets pass what reads the given tables and the query's own `WITH` tables.
struct Names {
    known: Vec<String>,
}

impl Visitor for Names {
    type Break = Fault;

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<Fault> {
        let own = query.with.iter().flat_map(|with| &with.cte_tables).map(|cte| cte.alias.name.value.clone());
        self.known.extend(own);
        match *query.body {
            SetExpr::Insert(_) | SetExpr::Update(_) | SetExpr::Delete(_) | SetExpr::Merge(_) => {
                ControlFlow::Break(Fault::new("invalid_sql", "only SELECT is allowed"))
            }
            _ => ControlFlow::Continue(()),
        }
    }

    fn pre_visit_table_factor(&mut self, factor: &TableFactor) -> ControlFlow<Fault> {
        match factor {
            TableFactor::Table { name, args: None, .. } => self.pre_visit_relation(name),
            TableFactor::Derived { .. } | TableFactor::NestedJoin { .. } | TableFactor::UNNEST { .. } => {
                ControlFlow::Continue(())
            }
            other => ControlFlow::Break(
                Fault::new(
                    "invalid_sql",
                    format!("`{}` cannot be read from: only the inputs can", shown::name(&other.to_string())),
                )
                .fix("read files with a Read file node and connect it"),
            ),
        }
    }

    fn pre_visit_relation(&mut self, relation: &ObjectName) -> ControlFlow<Fault> {
        let name = bounds::bare(relation);
        if self.known.contains(&name) {
            return ControlFlow::Continue(());
        }
        ControlFlow::Break(
            Fault::new("unknown_table", format!("there is no table `{}`", shown::name(&name)))
                .fix(suggest::fix(&name, self.known.iter().map(String::as_str))),
        )
    }
}
