//! Where queries begin: files of three formats.
//!
//! The schema of a text file comes from its first rows, by one function for design time and runs, so that both see
//! the same columns. A run is then given that schema and infers nothing.

use std::{
    collections::HashSet,
    fs::File,
    io::{BufReader, Read},
    num::NonZeroUsize,
    path::Path,
    sync::Arc,
};

use polars::prelude::*;

use super::{
    Fault,
    convert::{Conversion, Kind},
    gzip, infer,
    tables::columns_fit,
    types,
};
use crate::fuel::Fuel;

/// How much of a file its schema may be inferred from.
const HEAD_BYTES_MAX: usize = 64 << 20;
const HEAD_CHUNK_BYTES: usize = 256 << 10;
/// Bytes of a head that are parsed for one unit of fuel.
const HEAD_BYTES_PER_UNIT: usize = 4;

/// How to read a file.
#[derive(Clone, Debug)]
pub(crate) struct Source {
    pub format: Format,
    pub gzip: bool,
    /// Types that are given rather than inferred.
    pub types: Vec<(String, Kind)>,
    pub infer_rows: usize,
}

#[derive(Clone, Debug)]
pub(crate) enum Format {
    Csv { delimiter: u8, has_header: bool, null_values: Vec<String> },
    Parquet,
    NdJson,
}

/// What the first rows tell.
#[derive(Clone, Debug)]
pub(crate) struct Sniffed {
    /// As the file is read, before given types are converted to.
    schema: SchemaRef,
    /// Bytes of a row on average, of text.
    row_bytes: Option<f64>,
    conversions: Vec<Conversion>,
}

impl Source {
    /// Learns the schema from the head of `file` (packed, if [`Self::gzip`]). Blocks.
    pub fn sniff(&self, file: &Path, fuel: &Fuel) -> Result<Sniffed, Fault> {
        let Format::Parquet = self.format else { return self.sniff_text(file, fuel) };
        let schema = parquet(file)?.collect_schema().map_err(unreadable)?;
        self.with_types(&schema, &[], None)
    }

    fn sniff_text(&self, file: &Path, fuel: &Fuel) -> Result<Sniffed, Fault> {
        let head = self.head(file, fuel)?;
        if head.bytes.iter().all(u8::is_ascii_whitespace) {
            return Err(Fault::new("empty_file", "the file is empty").at("/path").fix("choose a file with rows in it"));
        }
        if let Format::Csv { delimiter, .. } = self.format {
            columns_fit(head.columns(delimiter))?;
        }
        let row_bytes = Some(head.bytes.len() as f64 / head.lines.max(1) as f64);
        let mut frame = self.text(ScanSources::Buffers([head.bytes.into()].into()), None)?;
        if let Format::NdJson = self.format {
            return self.with_types(&*frame.collect_schema()?, &[], row_bytes);
        }
        let texts = frame.limit(self.infer_rows as IdxSize).collect()?;
        let given: HashSet<&str> = self.types.iter().map(|(column, _)| column.as_str()).collect();
        let kinds: Vec<_> = texts
            .columns()
            .iter()
            .filter(|column| !given.contains(column.name().as_str()))
            .map(|column| Ok((column.name().to_string(), infer::kind(column.str()?))))
            .collect::<PolarsResult<_>>()?;
        self.with_types(texts.schema(), &kinds, row_bytes)
    }

    /// The unpacked `file` as a lazy table.
    pub fn scan(&self, file: &Path, sniffed: &Sniffed) -> Result<LazyFrame, Fault> {
        let frame = match self.format {
            Format::Parquet => parquet(file)?,
            _ => {
                let file = File::open(file).map_err(|error| Fault::io("the file cannot be opened", &error))?;
                self.text(ScanSources::Files([file].into()), Some(sniffed.schema.clone()))?
            }
        };
        Ok(sniffed.finish(frame))
    }

    /// The schema to read with, and what is converted after: types given and `inferred`.
    fn with_types(&self, head: &Schema, inferred: &[(String, Kind)], row_bytes: Option<f64>) -> Result<Sniffed, Fault> {
        columns_fit(head.len())?;
        let mut schema = head.clone();
        let mut conversions = Vec::new();
        for (column, kind) in self.types.iter().chain(inferred) {
            let field = format!("/types/{}", column.replace('~', "~0").replace('/', "~1"));
            let Some(dtype) = schema.get_mut(column) else {
                return Err(Fault::unknown_column(column, head).at(field));
            };
            let canonical = types::canonical(kind.column_type());
            match self.format {
                Format::Parquet => {}
                _ if kind.is_parsed_natively() => *dtype = canonical.clone(),
                _ => *dtype = DataType::String,
            }
            if *dtype != canonical {
                conversions.push(Conversion::new(column, dtype, *kind, None).map_err(|fault| fault.at(field))?);
            }
        }
        Ok(Sniffed { schema: Arc::new(schema), row_bytes, conversions })
    }

    /// A reader of text: from the head to infer, or with the schema that was inferred.
    fn text(&self, sources: ScanSources, schema: Option<SchemaRef>) -> PolarsResult<LazyFrame> {
        match &self.format {
            Format::Csv { delimiter, has_header, null_values } => {
                let nulls = null_values.iter().map(|value| value.as_str().into()).collect::<Vec<PlSmallStr>>();
                LazyCsvReader::new_with_sources(sources)
                    .with_separator(*delimiter)
                    .with_has_header(*has_header)
                    .with_null_values((!nulls.is_empty()).then_some(NullValues::AllColumns(nulls)))
                    // Without a schema, all is text.
                    .with_infer_schema_length(Some(0))
                    .with_schema(schema)
                    .with_glob(false)
                    .finish()
            }
            Format::NdJson | Format::Parquet => LazyJsonLineReader::new_with_sources(sources)
                .with_infer_schema_length(NonZeroUsize::new(self.infer_rows))
                .with_schema(schema)
                .finish(),
        }
    }

    /// The first lines of the file: enough for `infer_rows`, whole lines only, bounded.
    fn head(&self, file: &Path, fuel: &Fuel) -> Result<Head, Fault> {
        let open = File::open(file).map_err(|error| Fault::io("the file cannot be opened", &error))?;
        match self.gzip {
            true => Head::read(gzip::reader(open), self.infer_rows, fuel, gzip::broken),
            false => {
                let failed = |error| Fault::io("the file cannot be read", &error);
                Head::read(BufReader::new(open), self.infer_rows, fuel, failed)
            }
        }
    }
}

impl Sniffed {
    /// The columns that a run will put out.
    pub fn schema(&self) -> Result<troupe_model::Schema, Fault> {
        let empty = DataFrame::empty_with_schema(&self.schema).lazy();
        super::transform::schema_of(self.finish(empty))
    }

    /// How many rows a text file of `bytes` has, about.
    pub fn rows_expected(&self, bytes: u64) -> Option<u64> {
        self.row_bytes.map(|row| (bytes as f64 / row) as u64)
    }

    /// Conversions to given types, with what failed in them.
    pub fn conversions(&self) -> &[Conversion] {
        &self.conversions
    }

    fn finish(&self, frame: LazyFrame) -> LazyFrame {
        match self.conversions.as_slice() {
            [] => frame,
            conversions => frame.with_columns(conversions.iter().map(Conversion::expr).collect::<Vec<_>>()),
        }
    }
}

fn parquet(file: &Path) -> Result<LazyFrame, Fault> {
    let args = ScanArgsParquet { glob: false, ..ScanArgsParquet::default() };
    LazyFrame::scan_parquet(PlRefPath::try_from_path(file)?, args).map_err(unreadable)
}

fn unreadable(error: PolarsError) -> Fault {
    Fault::new("invalid_parquet", "the file is not valid Parquet")
        .reason(error.to_string())
        .fix("check the format, or upload the file again")
}

struct Head {
    bytes: Vec<u8>,
    lines: usize,
}

impl Head {
    /// Of the first record, whose values may be quoted.
    fn columns(&self, delimiter: u8) -> usize {
        let mut quoted = false;
        let record = self.bytes.iter().take_while(|byte| {
            quoted ^= **byte == b'"';
            quoted || **byte != b'\n'
        });
        // A delimiter within quotes counts too many: a header has few of those.
        1 + record.filter(|byte| **byte == delimiter).count()
    }

    fn read(
        mut from: impl Read,
        rows: usize,
        fuel: &Fuel,
        failed: impl Fn(std::io::Error) -> Fault,
    ) -> Result<Self, Fault> {
        // The header, the rows, and one to be sure that the last row is whole.
        let wanted = rows.saturating_add(2);
        let mut bytes = Vec::new();
        let mut lines = 0;
        loop {
            let start = bytes.len();
            fuel.pay(HEAD_CHUNK_BYTES / HEAD_BYTES_PER_UNIT)?;
            let read = from.by_ref().take(HEAD_CHUNK_BYTES as u64).read_to_end(&mut bytes).map_err(&failed)?;
            lines += bytes[start..].iter().filter(|byte| **byte == b'\n').count();
            let at_end = read < HEAD_CHUNK_BYTES;
            if at_end {
                return Ok(Self { bytes, lines });
            }
            if lines >= wanted || bytes.len() >= HEAD_BYTES_MAX {
                let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(bytes.len(), |end| end + 1);
                bytes.truncate(whole);
                return Ok(Self { bytes, lines });
            }
        }
    }
}
