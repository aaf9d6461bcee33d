//! What is measured. A scenario runs against one server after the other, each started afresh.

mod fan_out;
mod idle;
mod join_storm;
mod observers;
mod open;
mod slow_readers;
mod soak;
mod start;

use anyhow::Result;
use clap::Subcommand;

use crate::{
    report::{Metrics, Outcome, Table},
    server::{Kind, Programs, Server},
};

#[derive(Subcommand, Clone, Debug)]
pub enum Scenario {
    /// Editors change their nodes in shared documents; every change goes to all others in the document [PERF-1, PERF-2].
    FanOut(fan_out::FanOut),
    /// Sessions that say nothing, up to the limit of open files [PERF-3].
    Idle(idle::Idle),
    /// Many clients join one large document at once [PERF-4].
    JoinStorm(join_storm::JoinStorm),
    /// One document with very many observers, edits and cursors [PERF-5].
    Observers(observers::Observers),
    /// A large document with a past is opened after a start.
    Open(open::Open),
    /// Some readers stop reading for a while [REL-6].
    SlowReaders(slow_readers::SlowReaders),
    /// Everything at once for a long time [REL-10].
    Soak(soak::Soak),
    /// From the start to the first request served [PERF-13].
    Start(start::Start),
}

impl Scenario {
    fn name(&self) -> &'static str {
        match self {
            Self::FanOut(_) => "fan-out",
            Self::Idle(_) => "idle",
            Self::JoinStorm(_) => "join-storm",
            Self::Observers(_) => "observers",
            Self::Open(_) => "open",
            Self::SlowReaders(_) => "slow-readers",
            Self::Soak(_) => "soak",
            Self::Start(_) => "start",
        }
    }

    fn parameters(&self) -> String {
        match self {
            Self::FanOut(scenario) => scenario.parameters(),
            Self::Idle(scenario) => scenario.parameters(),
            Self::JoinStorm(scenario) => scenario.parameters(),
            Self::Observers(scenario) => scenario.parameters(),
            Self::Open(scenario) => scenario.parameters(),
            Self::SlowReaders(scenario) => scenario.parameters(),
            Self::Soak(scenario) => scenario.parameters(),
            Self::Start(scenario) => scenario.parameters(),
        }
    }

    async fn measure(&self, server: Server) -> Result<Metrics> {
        match self {
            Self::FanOut(scenario) => scenario.measure(&server).await,
            Self::Idle(scenario) => scenario.measure(&server).await,
            Self::JoinStorm(scenario) => scenario.measure(&server).await,
            Self::Observers(scenario) => scenario.measure(&server).await,
            Self::Open(scenario) => scenario.measure(server).await,
            Self::SlowReaders(scenario) => scenario.measure(&server).await,
            Self::Soak(scenario) => scenario.measure(&server).await,
            Self::Start(scenario) => scenario.measure(server).await,
        }
    }

    /// Measures one server after the other. One that fails does not keep the others from being measured.
    pub async fn run(&self, servers: &[Kind], programs: &Programs) -> Table {
        let mut outcomes = Vec::new();
        for kind in servers {
            let metrics = self.run_against(*kind, programs).await.map_err(|error| format!("{error:#}"));
            outcomes.push(Outcome { server: *kind, metrics });
        }
        Table { scenario: self.name(), parameters: self.parameters(), outcomes }
    }

    async fn run_against(&self, kind: Kind, programs: &Programs) -> Result<Metrics> {
        let server = Server::start(kind, programs).await?;
        eprintln!("{} against {}, process {}", self.name(), kind.name(), server.pid());
        self.measure(server).await
    }
}
