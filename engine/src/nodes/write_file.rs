//! `write_file`: a table into a CSV, Parquet or NDJSON file.

use std::{io, path::Path};

use schemars::JsonSchema;
use serde::Deserialize;
use troupe_model::{NodeFailure, Payload, Port, PortKind};

use crate::{
    frames::{
        Fault, Tables,
        format::{Encoding, FileFormat},
        sink::{self, Format},
        transform,
        watch,
    },
    node::{CheckContext, Checked, Outcome, RunContext},
    payloads::{Scratch, encoded},
    typed::{Category, Description, TypedNode},
};

#[derive(Debug, Deserialize, JsonSchema)]
pub struct Config {
    /// The file, relative to your files folder. A name that ends in `.gz` is packed.
    #[schemars(length(min = 1))]
    path: String,
    #[serde(default)]
    format: FileFormat,
    /// Replace a file that is there already. Otherwise the node fails when there is one.
    #[serde(default = "yes")]
    overwrite: bool,
}

fn yes() -> bool {
    true
}

#[derive(Debug)]
pub struct WriteFile;

impl TypedNode for WriteFile {
    type Config = Config;

    fn describe(&self) -> Description {
        Description::new("write_file", Category::Outputs, "Write file")
            .about("Writes the table to a CSV, Parquet or NDJSON file, and passes it on.")
            .look("file-output", "#db2777")
            .input(Port::new("in", "Table", PortKind::Frame))
            .output(Port::new("out", "The same table", PortKind::Frame))
    }

    fn check(&self, config: &Config, ctx: &CheckContext<'_>) -> Checked {
        transform::check(ctx, |tables| {
            let frame = tables.one("in")?.frame.clone();
            format(config)?;
            Ok(frame)
        })
    }

    async fn run(&self, config: Config, ctx: RunContext) -> Result<Outcome, NodeFailure> {
        watch::blocking(ctx.cancel.clone(), move || write(&config, &ctx)).await
    }
}

fn write(config: &Config, ctx: &RunContext) -> Result<Outcome, NodeFailure> {
    let format = format(config)?;
    let target = ctx.files.writable(&config.path)?;
    if !config.overwrite && target.exists() {
        return Err(exists(&config.path).into());
    }
    let watch = ctx.watch();
    let tables = Tables::in_run(ctx, &watch)?;
    let (frame, _) = watch.count(tables.one("in")?.frame.clone());
    let part = Scratch::beside(&target, &format!("{}-{}.part", ctx.run, encoded(&ctx.node)));
    watch.run(sink::to_file(frame, part.path(), &format)?)?;
    let bytes = keep(part, &target, config).map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => exists(&config.path),
        _ => Fault::io("the file cannot be written", &error),
    })?;
    ctx.progress.bytes(bytes);
    let input = ctx.inputs.get("in").and_then(|payloads| payloads.first()).cloned();
    Ok(transform::completed(input.unwrap_or(Payload::Signal)))
}

fn keep(part: Scratch, target: &Path, config: &Config) -> io::Result<u64> {
    match config.overwrite {
        true => part.keep_as(target),
        false => part.keep_as_new(target),
    }
}

fn format(config: &Config) -> Result<Format, Fault> {
    let (encoding, gzip) = config.format.of(&config.path)?;
    Ok(match encoding {
        Encoding::Csv => Format::Csv { gzip },
        Encoding::Parquet => Format::Parquet,
        Encoding::NdJson => Format::NdJson { gzip },
    })
}

fn exists(path: &str) -> Fault {
    Fault::new("file_exists", format!("there is a file `{path}` already"))
        .at("/path")
        .fix("choose another name, or switch `overwrite` on")
}
