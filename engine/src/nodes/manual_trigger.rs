//! `manual_trigger`: where a run starts when a person presses Run.

use schemars::JsonSchema;
use serde::Deserialize;
use troupe_model::{NodeFailure, Output, Payload, Port, PortKind};

use crate::{
    node::{CheckContext, Checked, Outcome, RunContext},
    typed::{Category, Description, TypedNode},
};

#[derive(Debug, Deserialize, JsonSchema)]
pub struct Config {}

#[derive(Debug)]
pub struct ManualTrigger;

impl TypedNode for ManualTrigger {
    type Config = Config;

    fn describe(&self) -> Description {
        Description::new("manual_trigger", Category::Triggers, "Manual trigger")
            .about("Starts the workflow when somebody presses Run.")
            .look("circle-play", "#16a34a")
            .output(Port::new("out", "Start", PortKind::Any))
    }

    fn check(&self, _config: &Config, _ctx: &CheckContext<'_>) -> Checked {
        Checked::default()
    }

    async fn run(&self, _config: Config, _ctx: RunContext) -> Result<Outcome, NodeFailure> {
        Ok(Outcome::Completed(vec![Output { port: "out".to_owned(), payload: Payload::Signal }]))
    }
}
