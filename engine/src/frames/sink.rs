//! Where queries end: files of four formats, streamed.

use std::path::Path;

use polars::prelude::*;

use super::Fault;

/// Rows per record batch of a frame: what a preview has to read at least.
const IPC_BATCH_ROWS: usize = 65_536;

/// How a table is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    /// The engine's own frames.
    Ipc,
    Csv {
        gzip: bool,
    },
    Parquet,
    NdJson {
        gzip: bool,
    },
}

/// The query that streams `frame` into a file. Rows keep their order.
pub(crate) fn to_file(frame: LazyFrame, file: &Path, format: &Format) -> Result<LazyFrame, Fault> {
    let target = SinkTarget::Path(PlRefPath::try_from_path(file)?);
    Ok(frame.sink(SinkDestination::File { target }, options(format), UnifiedSinkArgs::default())?)
}

/// A frame that [`to_file`] wrote.
pub(crate) fn scan_ipc(file: &Path) -> Result<LazyFrame, Fault> {
    let args = UnifiedScanArgs { glob: false, ..UnifiedScanArgs::default() };
    Ok(LazyFrame::scan_ipc(PlRefPath::try_from_path(file)?, IpcScanOptions::default(), args)?)
}

fn options(format: &Format) -> FileWriteFormat {
    let compression = |gzip: bool| match gzip {
        true => ExternalCompression::Gzip { level: None },
        false => ExternalCompression::Uncompressed,
    };
    match format {
        Format::Ipc => FileWriteFormat::Ipc(IpcWriterOptions {
            record_batch_size: Some(IPC_BATCH_ROWS),
            ..IpcWriterOptions::default()
        }),
        // The file is written under a temporary name, so its extension says nothing.
        Format::Csv { gzip } => FileWriteFormat::Csv(CsvWriterOptions {
            compression: compression(*gzip),
            check_extension: false,
            ..CsvWriterOptions::default()
        }),
        Format::Parquet => FileWriteFormat::Parquet(ParquetWriteOptions::default().into()),
        Format::NdJson { gzip } => {
            FileWriteFormat::NDJson(NDJsonWriterOptions { compression: compression(*gzip), check_extension: false })
        }
    }
}
