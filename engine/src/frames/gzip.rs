//! Gzip, with an eye on bombs: a few kilobytes can unpack to more than a disk holds [SEC-1].

use std::{
    fs::File,
    io::{self, BufReader, BufWriter, Read, Write},
    path::Path,
};

use flate2::read::MultiGzDecoder;
use troupe_model::NodeFailure;

use super::{Fault, watch::Watch};

/// How much one file may unpack to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub bytes_max: u64,
    /// Text rarely shrinks more than this.
    pub ratio_max: u64,
    /// Up to here no ratio is suspicious.
    pub ratio_from_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { bytes_max: 20 << 30, ratio_max: 200, ratio_from_bytes: 1 << 30 }
    }
}

const CHUNK_BYTES: usize = 1 << 20;

/// A reader of the unpacked text.
pub(crate) fn reader(file: File) -> impl Read {
    MultiGzDecoder::new(BufReader::new(file))
}

/// Unpacks `source` into `target`. Cancellation is seen and progress told after each chunk.
pub(crate) fn unpack(source: &Path, target: &Path, limits: Limits, watch: &Watch) -> Result<(), NodeFailure> {
    let failed = |error: io::Error| Fault::io("the file cannot be unpacked", &error);
    let file = File::open(source).map_err(failed)?;
    let packed = file.metadata().map_err(failed)?.len();
    let bytes_max = limits.bytes_max.min(packed.saturating_mul(limits.ratio_max).max(limits.ratio_from_bytes));
    let position = file.try_clone().map_err(failed)?;
    let mut unpacked = reader(file);
    let mut out = BufWriter::new(File::create(target).map_err(failed)?);
    let mut chunk = vec![0; CHUNK_BYTES];
    let mut bytes = 0;
    loop {
        watch.alive()?;
        let read = unpacked.read(&mut chunk).map_err(broken)?;
        if read == 0 {
            break;
        }
        bytes += read as u64;
        if bytes > bytes_max {
            return Err(too_large(bytes_max).into());
        }
        out.write_all(&chunk[..read]).map_err(failed)?;
        watch.progress.bytes(bytes);
        if let Some(fraction) = fraction(&position, packed) {
            watch.progress.fraction(fraction);
        }
    }
    Ok(out.flush().map_err(failed)?)
}

/// Where the shared cursor of the packed file is.
fn fraction(mut file: &File, packed: u64) -> Option<f64> {
    let position = io::Seek::stream_position(&mut file).ok()?;
    (packed > 0).then(|| position as f64 / packed as f64)
}

pub(crate) fn broken(error: io::Error) -> Fault {
    Fault::new("invalid_gzip", "the file is not valid gzip, or it is cut off")
        .reason(error.to_string())
        .fix("upload the file again, or remove `.gz` from its name if it is not packed")
}

fn too_large(bytes_max: u64) -> Fault {
    Fault::new("unpacked_too_large", format!("the file unpacks to more than {bytes_max} bytes"))
        .reason("files that unpack to far more than their size are refused")
        .fix("unpack the file before you upload it, or split it")
}

#[cfg(test)]
mod tests {
    use flate2::{Compression, write::GzEncoder};
    use tokio_util::sync::CancellationToken;

    use super::*;
    use crate::progress::Progress;

    /// [SEC-1] What unpacks to too much is refused before it fills the disk.
    #[test]
    fn a_bomb_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let (source, target) = (folder.path().join("bomb.gz"), folder.path().join("bomb"));
        let mut packer = GzEncoder::new(File::create(&source).unwrap(), Compression::best());
        packer.write_all(&vec![b'0'; 16 << 20]).unwrap();
        packer.finish().unwrap();
        let watch = Watch { cancel: CancellationToken::new(), progress: Progress::default(), rows_expected: None };
        let unpack = |limits| unpack(&source, &target, limits, &watch);
        let by_size = Limits { bytes_max: 1 << 20, ..Limits::default() };
        assert_eq!(unpack(by_size).unwrap_err().code, "unpacked_too_large");
        let by_ratio = Limits { ratio_max: 100, ratio_from_bytes: 1 << 20, ..Limits::default() };
        assert_eq!(unpack(by_ratio).unwrap_err().code, "unpacked_too_large");
        assert!(target.metadata().unwrap().len() < 4 << 20);
        unpack(Limits::default()).unwrap();
        assert_eq!(target.metadata().unwrap().len(), 16 << 20);
    }
}
