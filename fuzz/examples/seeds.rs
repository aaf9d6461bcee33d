//! `seeds FOLDER`: writes each target's seeds into a folder of its name, for libFuzzer.

use std::{env, fs, io, path::PathBuf};

use troupe_fuzz::{TARGETS, seeds};

fn main() -> io::Result<()> {
    let folder = PathBuf::from(env::args_os().nth(1).ok_or(io::ErrorKind::InvalidInput)?);
    for (target, _) in TARGETS {
        let folder = folder.join(target);
        fs::create_dir_all(&folder)?;
        for (index, seed) in seeds::of(target).iter().enumerate() {
            fs::write(folder.join(format!("seed-{index}")), seed)?;
        }
    }
    Ok(())
}
