//! The payloads of one run: a folder of Arrow IPC files, one per frame that a node put out [RUN-11].
//!
//! A frame is written by streaming a lazy query; the file appears under its name only when it is complete and on
//! disk. Names are made from node and port by an encoding: they come from users and are never trusted as paths.
//! Large JSON that is a list of objects is kept as a frame; small JSON stays inline in the [`Payload`].

use std::{
    fs::{self, File},
    io,
    path::{Component, Path, PathBuf},
    sync::{Arc, atomic::Ordering},
};

use polars::prelude::{IntoLazy, LazyFrame};
use serde_json::Value;
use sha2::{Digest, Sha256};
use tokio_util::sync::CancellationToken;
use troupe_model::{NodeFailure, Payload, payload::INLINE_JSON_BYTES_MAX};

use crate::{
    frames::{
        Fault, json,
        sink::{self, Format},
        types,
        watch::Watch,
    },
    progress::Progress,
};

/// Names longer than this are replaced by their hash: file names end at 255 bytes.
const NAME_BYTES_MAX: usize = 100;

/// The folder of one run's payloads. A cheap clone.
#[derive(Clone, Debug)]
pub struct Payloads {
    folder: Arc<Path>,
}

impl Payloads {
    /// `folder` is made when the first frame is written.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into().into() }
    }

    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The payload as a lazy table, not to be used on an async thread. JSON is a table when it is an object or a list of objects.
    ///
    /// Errors: `not_a_table`, `payload_missing`.
    pub fn scan(&self, payload: &Payload) -> Result<LazyFrame, NodeFailure> {
        match payload {
            Payload::Frame { object, .. } => {
                let file = self.object(object)?;
                Ok(sink::scan_ipc(&file)?)
            }
            Payload::Json { value } => Ok(json::to_frame(value)?.lazy()),
            Payload::Signal => Err(Fault::new("not_a_table", "the input is only a signal, without data")
                .fix("connect a node that puts out a table")
                .into()),
        }
    }

    /// A JSON value as a payload: inline if it is small, a frame if it is a larger list of objects. Blocks then.
    ///
    /// Errors: `output_too_large` when it is large and not a table.
    pub fn json(&self, node: &str, port: &str, value: Value) -> Result<Payload, NodeFailure> {
        let size = value.to_string().len();
        if size <= INLINE_JSON_BYTES_MAX {
            return Ok(Payload::Json { value });
        }
        let frame = json::to_frame(&value).map_err(|_| {
            NodeFailure::new(
                "output_too_large",
                format!("the output is {size} bytes of JSON, and not a list of objects"),
            )
            .reason(format!("JSON that is not a table may have {INLINE_JSON_BYTES_MAX} bytes"))
            .solution("put out a list of objects, or less data")
        })?;
        let watch = Watch { cancel: CancellationToken::new(), progress: Progress::default(), rows_expected: None };
        self.write(node, port, frame.lazy(), &watch)
    }

    /// Streams a query into the frame of a node's output port. Blocks.
    pub(crate) fn write(
        &self,
        node: &str,
        port: &str,
        frame: LazyFrame,
        watch: &Watch,
    ) -> Result<Payload, NodeFailure> {
        self.write_if(node, port, frame, watch, || Ok(()))
    }

    /// Like [`Self::write`], but keeps the frame only if `verdict`, asked when the query is done, is good.
    pub(crate) fn write_if(
        &self,
        node: &str,
        port: &str,
        frame: LazyFrame,
        watch: &Watch,
        verdict: impl FnOnce() -> Result<(), NodeFailure>,
    ) -> Result<Payload, NodeFailure> {
        let (frame, schema) = types::canonicalise(frame).map_err(Fault::from)?;
        let object = format!("{}.{}.arrow", encoded(node), encoded(port));
        let part = self.scratch(&format!("{object}.part"))?;
        let (frame, rows) = watch.count(frame);
        watch.run(sink::to_file(frame, part.path(), &Format::Ipc)?)?;
        verdict()?;
        let bytes = part
            .keep_as(&self.folder.join(&object))
            .map_err(|error| Fault::io("the output cannot be stored", &error))?;
        watch.progress.bytes(bytes);
        Ok(Payload::Frame { object, rows: rows.load(Ordering::Relaxed), bytes, schema: types::to_model(&schema) })
    }

    /// A temporary file in the folder.
    pub(crate) fn scratch(&self, name: &str) -> Result<Scratch, NodeFailure> {
        fs::create_dir_all(&self.folder).map_err(|error| Fault::io("the run's folder cannot be made", &error))?;
        Ok(Scratch(self.folder.join(name)))
    }

    fn object(&self, object: &str) -> Result<PathBuf, NodeFailure> {
        let missing =
            || NodeFailure::new("payload_missing", "an input is no longer stored").solution("run the workflow again");
        let mut parts = Path::new(object).components();
        let (Some(Component::Normal(name)), None) = (parts.next(), parts.next()) else { return Err(missing()) };
        let file = self.folder.join(name);
        if file.is_file() { Ok(file) } else { Err(missing()) }
    }
}

/// A file that is removed when this is dropped, unless it is kept.
#[derive(Debug)]
pub(crate) struct Scratch(PathBuf);

impl Scratch {
    pub fn beside(target: &Path, suffix: &str) -> Self {
        Self(target.with_file_name(format!(".{suffix}")))
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Makes it durable under another name, replacing what is there. Returns its size in bytes.
    pub fn keep_as(self, target: &Path) -> io::Result<u64> {
        let file = File::open(&self.0)?;
        file.sync_data()?;
        fs::rename(&self.0, target)?;
        Ok(file.metadata()?.len())
    }

    /// Like [`Self::keep_as`], but fails with `AlreadyExists` rather than replace.
    pub fn keep_as_new(self, target: &Path) -> io::Result<u64> {
        let file = File::open(&self.0)?;
        file.sync_data()?;
        fs::hard_link(&self.0, target)?;
        Ok(file.metadata()?.len())
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // Gone already when it was kept; and a leftover only takes space until the run's folder goes.
        let _ = fs::remove_file(&self.0);
    }
}

/// A name that is safe in a file name, and different for different names.
pub(crate) fn encoded(name: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    let encoded: String = name
        .bytes()
        .map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02x}") })
        .collect();
    if encoded.len() <= NAME_BYTES_MAX {
        return encoded;
    }
    Sha256::digest(name).iter().map(|byte| format!("{byte:02x}")).collect()
}
