//! The columns of a frame, as design-time inference and payloads describe them.

use std::fmt;

use serde::{Deserialize, Serialize};

/// An ordered list of named, typed columns.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Schema {
    pub columns: Vec<Column>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Column {
    pub name: String,
    #[serde(rename = "type")]
    pub column_type: ColumnType,
}

/// The types a user chooses between. Physical widths are the engine's business.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum ColumnType {
    String,
    Integer,
    Float,
    Decimal,
    Boolean,
    Date,
    Datetime,
    Time,
    Duration,
    Binary,
    List,
    Struct,
    Null,
    /// A type that the engine carries but does not name here.
    Other,
}

/// On the wire a schema is the bare list, which the derive does not see.
#[cfg(feature = "openapi")]
impl utoipa::PartialSchema for Schema {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        let column = utoipa::openapi::Ref::from_schema_name(<Column as utoipa::ToSchema>::name());
        utoipa::openapi::schema::ArrayBuilder::new().items(column).into()
    }
}

#[cfg(feature = "openapi")]
impl utoipa::ToSchema for Schema {
    fn schemas(schemas: &mut Vec<(String, utoipa::openapi::RefOr<utoipa::openapi::schema::Schema>)>) {
        schemas.push((<Column as utoipa::ToSchema>::name().into_owned(), <Column as utoipa::PartialSchema>::schema()));
        <Column as utoipa::ToSchema>::schemas(schemas);
    }
}

impl Schema {
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }
}

impl ColumnType {
    pub const fn name(self) -> &'static str {
        match self {
            Self::String => "string",
            Self::Integer => "integer",
            Self::Float => "float",
            Self::Decimal => "decimal",
            Self::Boolean => "boolean",
            Self::Date => "date",
            Self::Datetime => "datetime",
            Self::Time => "time",
            Self::Duration => "duration",
            Self::Binary => "binary",
            Self::List => "list",
            Self::Struct => "struct",
            Self::Null => "null",
            Self::Other => "other",
        }
    }
}

impl fmt::Display for ColumnType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
