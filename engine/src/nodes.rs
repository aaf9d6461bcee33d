//! The node types. A new one is a file in `nodes/` and a line here; the registry, the palette, the config forms,
//! the checks and the runs follow from it.

use std::sync::Arc;

use crate::{
    node::NodeType,
    typed::{Typed, TypedNode},
};

/// Declares each module and registers its type.
macro_rules! node_types {
    ($($module:ident :: $node:ident),* $(,)?) => {
        $(pub mod $module;)*

        pub(crate) fn all() -> Vec<Arc<dyn NodeType>> {
            vec![$(boxed($module::$node)),*]
        }
    };
}

// In the order of the palette.
node_types! {
    manual_trigger::ManualTrigger,
    read_file::ReadFile,
    http_request::HttpRequest,
    filter::Filter,
    select::Select,
    cast::Cast,
    derive::Derive,
    join::Join,
    aggregate::Aggregate,
    sort::Sort,
    limit::Limit,
    union::Union,
    sql::Sql,
    r#if::If,
    delay::Delay,
    write_file::WriteFile,
}

fn boxed(node: impl TypedNode) -> Arc<dyn NodeType> {
    Arc::new(Typed::new(node))
}
