//! The formats of users' files, and how a name tells them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Fault;

/// What a config says about a file's format.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FileFormat {
    /// By the file's name.
    #[default]
    Auto,
    Csv,
    Parquet,
    Ndjson,
}

/// A format that is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Encoding {
    Csv,
    Parquet,
    NdJson,
}

impl FileFormat {
    /// The encoding of the file called `path`, and whether it is packed with gzip, which the name alone tells.
    pub(crate) fn of(self, path: &str) -> Result<(Encoding, bool), Fault> {
        let name = path.to_ascii_lowercase();
        let (name, gzip) = name.strip_suffix(".gz").map_or((name.as_str(), false), |name| (name, true));
        let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
        let encoding = match (self, extension) {
            (Self::Csv, _) | (Self::Auto, "csv" | "tsv" | "txt") => Encoding::Csv,
            (Self::Parquet, _) | (Self::Auto, "parquet" | "pq") => Encoding::Parquet,
            (Self::Ndjson, _) | (Self::Auto, "ndjson" | "jsonl") => Encoding::NdJson,
            (Self::Auto, _) => {
                return Err(Fault::new("unknown_format", format!("the name `{path}` does not tell the file's format"))
                    .at("/format")
                    .fix("choose the format: csv, parquet or ndjson"));
            }
        };
        if gzip && encoding == Encoding::Parquet {
            return Err(Fault::new("unknown_format", "Parquet files are packed inside and have no `.gz`")
                .at("/path")
                .fix("use a Parquet file that is not packed again"));
        }
        Ok((encoding, gzip))
    }
}
