//! `read_file`: a table from a CSV, Parquet or NDJSON file.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
    time::SystemTime,
};

use schemars::JsonSchema;
use serde::Deserialize;
use sha2::{Digest, Sha256};
use troupe_model::{NodeFailure, Port, PortKind, Schema};

use crate::{
    frames::{
        Fault,
        convert::{Conversion, Kind},
        format::{Encoding, FileFormat},
        gzip,
        source::{Format, Source},
        transform,
        watch,
    },
    fuel::Fuel,
    node::{CheckContext, Checked, Outcome, RunContext},
    payloads::encoded,
    typed::{Category, Description, TypedNode},
};

/// Schemas kept of files that were looked at before, and what each of them may take.
const CACHED_MAX: usize = 256;
const CACHED_COLUMN_BYTES_MAX: usize = 256 << 10;
const INFER_ROWS_MAX: u32 = 1_000_000;

#[derive(Debug, Deserialize, JsonSchema)]
pub struct Config {
    /// The file, relative to your files folder. A name that ends in `.gz` is unpacked.
    #[schemars(length(min = 1))]
    path: String,
    #[serde(default)]
    format: FileFormat,
    /// What stands between the values of a CSV file: one character, `\t` for a tab.
    #[serde(default = "default_delimiter")]
    delimiter: String,
    /// Whether the first line of a CSV file names the columns.
    #[serde(default = "default_has_header")]
    has_header: bool,
    /// Texts of a CSV file that mean a missing value, such as `NA`.
    #[serde(default)]
    null_values: Vec<String>,
    /// How many rows the types are inferred from.
    #[serde(default = "default_infer_rows")]
    #[schemars(range(min = 1, max = INFER_ROWS_MAX))]
    infer_rows: u32,
    /// Types of columns that are not to be inferred, by name.
    #[serde(default)]
    types: BTreeMap<String, Kind>,
}

fn default_delimiter() -> String {
    ",".to_owned()
}

fn default_has_header() -> bool {
    true
}

fn default_infer_rows() -> u32 {
    10_000
}

/// Checks come with every edit of a canvas: a file that did not change is not looked at again.
static CHECKED: Mutex<BTreeMap<CacheKey, Result<Schema, Fault>>> = Mutex::new(BTreeMap::new());

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct CacheKey {
    file: PathBuf,
    changed_at: Option<SystemTime>,
    size_bytes: u64,
    /// The digest of it: a config may be long.
    config: [u8; 32],
}

#[derive(Debug)]
pub struct ReadFile;

impl TypedNode for ReadFile {
    type Config = Config;

    fn describe(&self) -> Description {
        Description::new("read_file", Category::Connectors, "Read file")
            .about("Reads a table from a CSV, Parquet or NDJSON file.")
            .look("file-input", "#0891b2")
            .input(Port::new("trigger", "Start", PortKind::Any).optional())
            .output(Port::new("out", "Table", PortKind::Frame))
    }

    fn check(&self, config: &Config, ctx: &CheckContext<'_>) -> Checked {
        transform::checked(
            ctx.files().existing(&config.path).map_err(missing).and_then(|file| schema(config, file, ctx.fuel)),
        )
    }

    async fn run(&self, config: Config, ctx: RunContext) -> Result<Outcome, NodeFailure> {
        watch::blocking(ctx.cancel.clone(), move || read(&config, &ctx)).await
    }
}

fn schema(config: &Config, file: PathBuf, fuel: &Fuel) -> Result<Schema, Fault> {
    let metadata = fs::metadata(&file).map_err(|error| Fault::io("the file cannot be read", &error))?;
    let key = CacheKey {
        changed_at: metadata.modified().ok(),
        size_bytes: metadata.len(),
        config: Sha256::digest(format!("{config:?}")).into(),
        file,
    };
    let cached = || CHECKED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(schema) = cached().get(&key) {
        return schema.clone();
    }
    let schema = transform::infer(|| source(config)?.sniff(&key.file, fuel)?.schema());
    let column_bytes = |schema: &Schema| schema.columns.iter().map(|column| column.name.len()).sum::<usize>();
    let is_kept = match &schema {
        Ok(schema) => column_bytes(schema) <= CACHED_COLUMN_BYTES_MAX,
        Err(fault) => !fault.retryable,
    };
    if !is_kept {
        return schema;
    }
    let mut cache = cached();
    if cache.len() >= CACHED_MAX {
        cache.clear();
    }
    cache.insert(key, schema.clone());
    schema
}

fn read(config: &Config, ctx: &RunContext) -> Result<Outcome, NodeFailure> {
    let file = ctx.files.existing(&config.path)?;
    let source = source(config)?;
    let sniffed = source.sniff(&file, &Fuel::unlimited())?;
    let mut watch = ctx.watch();
    let unpacked = match source.gzip {
        true => Some(ctx.payloads.scratch(&format!("{}.unpacked", encoded(&ctx.node)))?),
        false => None,
    };
    if let Some(unpacked) = &unpacked {
        ctx.progress.message("unpacking");
        gzip::unpack(&file, unpacked.path(), gzip::Limits::default(), &watch)?;
    }
    let plain: &Path = unpacked.as_ref().map_or(&file, |unpacked| unpacked.path());
    let size_bytes = fs::metadata(plain).map_err(|error| Fault::io("the file cannot be read", &error))?.len();
    watch.rows_expected = sniffed.rows_expected(size_bytes);
    ctx.progress.message("reading");
    let frame = source.scan(plain, &sniffed)?;
    let payload = ctx.payloads.write_if(&ctx.node, transform::OUT, frame, &watch, || {
        let fault = sniffed.conversions().iter().find_map(Conversion::fault);
        fault.map_or(Ok(()), |fault| Err(fault.fix("correct the file, or give another type under `types`").into()))
    })?;
    Ok(transform::completed(payload))
}

fn source(config: &Config) -> Result<Source, Fault> {
    let (encoding, gzip) = config.format.of(&config.path)?;
    let format = match encoding {
        Encoding::Csv => Format::Csv {
            delimiter: delimiter(&config.delimiter)?,
            has_header: config.has_header,
            null_values: config.null_values.clone(),
        },
        Encoding::Parquet => Format::Parquet,
        Encoding::NdJson => Format::NdJson,
    };
    let types = config.types.iter().map(|(column, kind)| (column.clone(), *kind)).collect();
    let infer_rows = config.infer_rows.clamp(1, INFER_ROWS_MAX) as usize;
    Ok(Source { format, gzip, types, infer_rows })
}

fn delimiter(text: &str) -> Result<u8, Fault> {
    match text.as_bytes() {
        b"\\t" => Ok(b'\t'),
        [byte] if byte.is_ascii() && !matches!(byte, b'"' | b'\n' | b'\r') => Ok(*byte),
        _ => Err(Fault::new("invalid_config", format!("`{text}` cannot be a delimiter"))
            .at("/delimiter")
            .fix("give one character, such as `,` or `;`, or `\\t` for a tab")),
    }
}

/// A file that is not there, as a finding of the field that names it.
fn missing(failure: NodeFailure) -> Fault {
    let code = if failure.code == "file_not_found" { "file_not_found" } else { "invalid_path" };
    let fault = Fault::new(code, failure.message).at("/path");
    match failure.solution {
        Some(solution) => fault.fix(solution),
        None => fault,
    }
}
