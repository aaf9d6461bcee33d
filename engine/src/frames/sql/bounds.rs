//! What of a SQL text Polars can plan within a moment [REL-12]. Its cost grows faster than the text, and cannot be stopped:
//! so the syntax tree is measured first, and told apart from what would take too long.
//!
//! A `WITH` table is planned again wherever it is read, so it counts as all that it reads: twenty that each read the one
//! before twice are a million.

use std::{collections::HashMap, ops::ControlFlow};

use sqlparser::ast::{BinaryOperator, Expr, ObjectName, Query, Select, SelectItem, SetExpr, TableFactor, Visitor};

use crate::frames::{Fault, Table, tables::columns_fit};

/// Operators on the result of an operator: `a + b + c` has two, and each `WHEN` is within the one before. Polars takes
/// quadratic time and a deep stack for them, also on threads whose stack is not ours.
const DEPTH_MAX: usize = 100;
/// Operators and values that Polars makes of a text. It repeats what some functions are called with.
const SIZE_MAX: usize = 100_000;
/// How often that is, at most, where it is more than once.
const REPEATING: [(&str, usize); 17] = [
    ("corr", 3),
    ("count", 2),
    ("covar_pop", 3),
    ("covar_samp", 3),
    ("group_concat", 3),
    ("initcap", 3),
    ("left", 5),
    ("listagg", 3),
    ("lpad", 2),
    ("nullif", 2),
    ("right", 5),
    ("rpad", 2),
    ("split_part", 5),
    ("string_agg", 3),
    ("substr", 5),
    ("sum", 3),
    ("total", 3),
];
/// Links of a chain of `AND`s or `OR`s, which can be balanced.
const LINKS_MAX: usize = 250;
/// Tables after `FROM` and `JOIN`, and `UNION`s and alike. Polars takes cubic time for them.
const TABLES_MAX: usize = 100;
/// Tables times the columns of all of them together: each join looks at the columns of those before.
const COLUMNS_JOINED_MAX: usize = 200_000;

/// Measures while it visits, and breaks off at what is too much.
pub(super) struct Bounds {
    code: &'static str,
    depth: usize,
    links: usize,
    /// How often what is visited is made.
    copies: usize,
    size: usize,
    /// What the tables of the query and those of its `WITH`s stand for.
    known: HashMap<String, Size>,
    /// The query that is visited, its `SELECT`, the query within that, and so on.
    scopes: Vec<Scope>,
}

#[derive(Clone, Copy, Default)]
struct Size {
    tables: usize,
    columns: usize,
}

#[derive(Default)]
struct Scope {
    /// The `WITH` tables that this query defines. Only compared.
    defines: Vec<(*const Query, String)>,
    reads: Size,
    /// How often all that is read is put out.
    wildcards: usize,
    /// Columns that are put out.
    columns: usize,
}

impl Bounds {
    /// For an expression over the columns of a table.
    pub fn of_expression(table: &Table) -> Self {
        let reads = Size { tables: 1, columns: table.schema.len() };
        let scopes = vec![Scope { reads, ..Scope::default() }];
        Self { code: "invalid_expression", depth: 0, links: 0, copies: 1, size: 0, known: HashMap::new(), scopes }
    }

    /// For a query over these tables.
    pub fn of_query(tables: &[(String, &Table)]) -> Self {
        let size = |(name, table): &(String, &Table)| (name.clone(), Size { tables: 1, columns: table.schema.len() });
        Self {
            code: "invalid_sql",
            depth: 0,
            links: 0,
            copies: 1,
            size: 0,
            known: tables.iter().map(size).collect(),
            scopes: Vec::new(),
        }
    }

    fn scope(&mut self) -> Option<&mut Scope> {
        self.scopes.last_mut()
    }

    fn read(&mut self, size: Size) -> ControlFlow<Fault> {
        let code = self.code;
        let Some(scope) = self.scope() else { return ControlFlow::Continue(()) };
        scope.reads.tables += size.tables;
        scope.reads.columns += size.columns;
        let refused = |what: String| {
            ControlFlow::Break(Fault::new(code, format!("a query may read {what}, and this one reads more")))
        };
        match scope.reads {
            Size { tables, .. } if tables > TABLES_MAX => refused(format!("{TABLES_MAX} tables")),
            Size { tables, columns } if tables * columns > COLUMNS_JOINED_MAX => {
                refused(format!("{} columns of {tables} tables", COLUMNS_JOINED_MAX / tables))
            }
            _ => ControlFlow::Continue(()),
        }
        .map_break(|fault| fault.fix("split it over several nodes"))
    }

    /// The scope that ends, whose columns may be too many.
    fn end(&mut self) -> ControlFlow<Fault, Scope> {
        let mut scope = self.scopes.pop().unwrap_or_default();
        scope.columns += scope.wildcards.saturating_mul(scope.reads.columns);
        match columns_fit(scope.columns) {
            Ok(()) => ControlFlow::Continue(scope),
            Err(fault) => ControlFlow::Break(fault),
        }
    }
}

impl Visitor for Bounds {
    type Break = Fault;

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<Fault> {
        if is_columns(expr)
            && let Some(scope) = self.scope()
        {
            scope.wildcards += 1;
            let columns = scope.wildcards.saturating_mul(scope.reads.columns);
            if let Err(fault) = columns_fit(columns) {
                return ControlFlow::Break(fault);
            }
        }
        let Levels { depth, links, copies } = Levels::of(expr);
        self.depth += depth;
        self.links += links;
        self.copies = self.copies.saturating_mul(copies);
        self.size = self.size.saturating_add(self.copies);
        let too_much = match self {
            Self { depth: DEPTH_MAX.., .. } => format!("more than {DEPTH_MAX} operators follow on one another"),
            Self { links: LINKS_MAX.., .. } => format!("more than {LINKS_MAX} conditions follow on one another"),
            Self { size: SIZE_MAX.., .. } => "functions are called within one another too often".to_owned(),
            _ => return ControlFlow::Continue(()),
        };
        ControlFlow::Break(Fault::new(self.code, too_much).fix("use `IN (…)`, or split it over several nodes"))
    }

    fn post_visit_expr(&mut self, expr: &Expr) -> ControlFlow<Fault> {
        let Levels { depth, links, copies } = Levels::of(expr);
        self.depth -= depth;
        self.links -= links;
        self.copies /= copies;
        ControlFlow::Continue(())
    }

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<Fault> {
        let tables = query.with.iter().flat_map(|with| &with.cte_tables);
        let defines = tables.map(|table| (&raw const *table.query, table.alias.name.value.clone())).collect();
        self.scopes.push(Scope { defines, ..Scope::default() });
        self.read(Size { tables: set_operations(&query.body), columns: 0 })
    }

    fn post_visit_query(&mut self, query: &Query) -> ControlFlow<Fault> {
        let Scope { reads, columns, .. } = self.end()?;
        let size = Size { tables: reads.tables, columns };
        let defined = |(of, name): &(*const Query, String)| std::ptr::eq(*of, query).then(|| name.clone());
        match self.scope().and_then(|scope| scope.defines.iter().find_map(defined)) {
            // It is a table itself: a chain of them is planned again from its beginning at each link.
            Some(name) => drop(self.known.insert(name, Size { tables: size.tables + 1, ..size })),
            None => self.read(size)?,
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_select(&mut self, select: &Select) -> ControlFlow<Fault> {
        let is_wildcard =
            |item: &&SelectItem| matches!(item, SelectItem::Wildcard(_) | SelectItem::QualifiedWildcard(..));
        let wildcards = select.projection.iter().filter(is_wildcard).count();
        self.scopes.push(Scope { wildcards, columns: select.projection.len() - wildcards, ..Scope::default() });
        ControlFlow::Continue(())
    }

    fn post_visit_select(&mut self, _: &Select) -> ControlFlow<Fault> {
        let Scope { reads, columns, .. } = self.end()?;
        if let Some(query) = self.scope() {
            query.columns = query.columns.max(columns);
        }
        self.read(Size { columns: 0, ..reads })
    }

    fn pre_visit_table_factor(&mut self, factor: &TableFactor) -> ControlFlow<Fault> {
        match factor {
            TableFactor::Table { name, .. } => {
                let size = self.known.get(bare(name).as_str()).copied().unwrap_or_default();
                self.read(Size { tables: size.tables.max(1), ..size })
            }
            // A query within is counted where it ends.
            _ => ControlFlow::Continue(()),
        }
    }
}

/// What an expression adds to the levels of those within it, and how often it repeats them.
struct Levels {
    depth: usize,
    links: usize,
    copies: usize,
}

impl Levels {
    fn of(expr: &Expr) -> Self {
        let level = Self { depth: 1, links: 0, copies: 1 };
        match expr {
            Expr::BinaryOp { op: BinaryOperator::And | BinaryOperator::Or, .. } => Self { depth: 0, links: 1, ..level },
            Expr::Case { conditions, .. } => Self { depth: conditions.len().max(1), ..level },
            Expr::Between { .. } | Expr::Extract { .. } => Self { copies: 2, ..level },
            Expr::CompoundFieldAccess { .. } | Expr::Substring { .. } => Self { copies: 5, ..level },
            Expr::Function(function) => {
                let name = function.name.to_string().to_ascii_lowercase();
                let copies =
                    REPEATING.iter().find(|(repeating, _)| *repeating == name).map_or(1, |(_, copies)| *copies);
                Self { copies, ..level }
            }
            _ => level,
        }
    }
}

/// The name of a table as it is known.
pub(super) fn bare(name: &ObjectName) -> String {
    name.to_string().trim_matches('"').to_owned()
}

/// `COLUMNS(…)` stands for many columns.
fn is_columns(expr: &Expr) -> bool {
    match expr {
        Expr::Function(function) => function.name.to_string().eq_ignore_ascii_case("columns"),
        Expr::Wildcard(_) | Expr::QualifiedWildcard(..) => true,
        _ => false,
    }
}

fn set_operations(body: &SetExpr) -> usize {
    match body {
        SetExpr::SetOperation { left, right, .. } => 1 + set_operations(left) + set_operations(right),
        _ => 0,
    }
}
