//! The servers that are measured, each started in the same way: Troupe, and those that people use today.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use clap::ValueEnum;
use reqwest::Url;
use rustix::process::Signal;
use tempfile::TempDir;

use crate::{
    api::Api,
    connection::Document,
    process::{self, Process},
    usage::Usage,
    wire,
};

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Kind {
    Troupe,
    /// `@y/websocket-server`, in memory.
    YWebsocket,
    /// The same with its LevelDB.
    YWebsocketLeveldb,
    /// With its SQLite extension.
    Hocuspocus,
    /// With files.
    YSweet,
}

impl Kind {
    pub fn name(self) -> &'static str {
        match self {
            Self::Troupe => "troupe",
            Self::YWebsocket => "y-websocket",
            Self::YWebsocketLeveldb => "y-ws+leveldb",
            Self::Hocuspocus => "hocuspocus",
            Self::YSweet => "y-sweet",
        }
    }

    /// Whether it says when an edit is durable.
    pub fn acknowledges(self) -> bool {
        self == Self::Troupe
    }

    fn is_node(self) -> bool {
        matches!(self, Self::YWebsocket | Self::YWebsocketLeveldb | Self::Hocuspocus)
    }
}

/// Where the servers' programs are.
#[derive(clap::Args, Clone, Debug)]
pub struct Programs {
    /// Troupe's server; the one beside this program if not given.
    #[arg(long, global = true)]
    troupe: Option<PathBuf>,
    /// The folder of the other servers, with their packages installed.
    #[arg(long, global = true, default_value = "loadtests/peers")]
    peers: PathBuf,
    /// Y-Sweet's server; the one that `make loadtests` builds if not given.
    #[arg(long, global = true)]
    y_sweet: Option<PathBuf>,
}

pub struct Server {
    pub kind: Kind,
    address: SocketAddr,
    url: Url,
    process: Process,
    programs: Programs,
    api: Option<Api>,
}

const STARTS_WITHIN: Duration = Duration::from_secs(30);
/// How long a server gets to tidy up before its memory is read.
const SETTLES_WITHIN: Duration = Duration::from_secs(2);

impl Server {
    pub async fn start(kind: Kind, programs: &Programs) -> Result<Self> {
        let (address, folder) = (process::free_address()?, process::folder()?);
        let process = launch(kind, programs, address, folder)?;
        let url: Url = format!("http://{address}").parse()?;
        let api = if kind == Kind::Troupe { Some(Api::register(&url).await?) } else { None };
        Ok(Self { kind, address, url, process, programs: programs.clone(), api })
    }

    /// Stops it, starts it again on the same data, and says how long it then took to serve a request.
    pub async fn restart(mut self) -> Result<(Self, Duration)> {
        let folder = self.process.stop()?;
        let begun = Instant::now();
        self.process = launch(self.kind, &self.programs, self.address, folder)?;
        match &self.api {
            Some(api) => drop(api.get("workflows?limit=1").await?),
            None => drop(reqwest::get(self.url.clone()).await.context("it answers no request")?),
        }
        Ok((self, begun.elapsed()))
    }

    pub fn pid(&self) -> u32 {
        self.process.pid()
    }

    pub fn usage(&self) -> Result<Usage> {
        Usage::of(self.pid()).with_context(|| format!("{} is gone:\n{}", self.kind.name(), self.process.last_words()))
    }

    /// Its memory when it is at rest: JavaScript's garbage is collected before.
    pub fn usage_at_rest(&self) -> Result<Usage> {
        for _ in 0..2 {
            if self.kind.is_node() {
                self.process.signal(Signal::Usr2)?;
            }
            std::thread::sleep(SETTLES_WITHIN / 2);
        }
        self.usage()
    }

    /// Fresh, empty documents.
    pub async fn documents(&self, count: usize) -> Result<Vec<Arc<Document>>> {
        let mut documents = Vec::new();
        let Some(api) = &self.api else {
            documents.extend((0..count).map(|number| self.document(&format!("document-{number}"), "")));
            return Ok(documents);
        };
        let workspace = api.workspace().await?;
        for number in 0..count {
            let workflow = api.workflow(&workspace, &format!("Document {number}")).await?;
            documents.push(self.document(&workflow, &api.authorization()));
        }
        Ok(documents)
    }

    fn document(&self, name: &str, headers: &str) -> Arc<Document> {
        let path = match self.kind {
            Kind::Troupe => format!("/collab/{name}?ack=1"),
            Kind::YWebsocket | Kind::YWebsocketLeveldb => format!("/{name}"),
            Kind::Hocuspocus => "/".to_owned(),
            Kind::YSweet => format!("/d/{name}/ws/{name}"),
        };
        let mut prefix = Vec::new();
        if self.kind == Kind::Hocuspocus {
            wire::put_bytes(&mut prefix, name.as_bytes());
        }
        let upgrade = upgrade(self.address, &path, headers);
        Arc::new(Document { name: name.to_owned(), address: self.address, upgrade, prefix })
    }
}

/// The HTTP request that opens a socket. Each of the headers ends its line.
pub fn upgrade(address: SocketAddr, path: &str, headers: &str) -> Vec<u8> {
    format!(
        "GET {path} HTTP/1.1\r\nHost: {address}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{headers}\r\n"
    )
    .into_bytes()
}

fn launch(kind: Kind, programs: &Programs, address: SocketAddr, folder: TempDir) -> Result<Process> {
    let mut command = command(kind, programs, address, folder.path())?;
    let mut process = Process::start(&mut command, folder)?;
    process.listens(address, STARTS_WITHIN).with_context(|| format!("{} was not started", kind.name()))?;
    Ok(process)
}

fn command(kind: Kind, programs: &Programs, address: SocketAddr, folder: &Path) -> Result<Command> {
    if kind == Kind::Troupe {
        let program = programs.troupe.clone().map_or_else(|| process::sibling("troupe"), Ok)?;
        return Ok(troupe(&program, address, folder));
    }
    let port = address.port().to_string();
    let script = |name: &str| {
        ensure!(
            programs.peers.join("node_modules").is_dir(),
            "{} has no node_modules: run `npm ci` there, or `make loadtests`",
            programs.peers.display()
        );
        let mut node = Command::new("node");
        node.arg("--expose-gc").arg(programs.peers.join(name)).env("PORT", &port).env("DATA", folder);
        Ok(node)
    };
    Ok(match kind {
        Kind::Troupe | Kind::YWebsocket => script("y-websocket.js")?,
        Kind::YWebsocketLeveldb => {
            let mut node = script("y-websocket.js")?;
            node.env("YPERSISTENCE", folder.join("leveldb"));
            node
        }
        Kind::Hocuspocus => script("hocuspocus.js")?,
        Kind::YSweet => {
            let program = programs.y_sweet.clone().map_or_else(|| process::sibling("../y-sweet/bin/y-sweet"), Ok)?;
            let mut y_sweet = Command::new(program);
            y_sweet.args(["serve", "--host", "127.0.0.1", "--port", &port]).arg(folder.join("documents"));
            y_sweet
        }
    })
}

/// Troupe with its embedded store, as it is delivered, but for the demo.
pub fn troupe(program: &Path, address: SocketAddr, folder: &Path) -> Command {
    let mut command = Command::new(program);
    command
        .arg("serve")
        .current_dir(folder)
        .env("TROUPE_DATA_DIR", folder.join("data"))
        .env("TROUPE_SERVER__ADDRESS", address.ip().to_string())
        .env("TROUPE_SERVER__PORT", address.port().to_string())
        .env("TROUPE_DEMO__ENABLED", "false")
        // All come from this machine.
        .env("TROUPE_SERVER__CONNECTIONS_PER_NETWORK_MAX", "20000")
        .env("TROUPE_LOG__LEVEL", "warn");
    command
}
