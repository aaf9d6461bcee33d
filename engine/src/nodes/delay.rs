//! `delay`: passes its input on after some time. No task waits meanwhile [RUN-17].

use std::{collections::BTreeMap, time::Duration};

use schemars::JsonSchema;
use serde::Deserialize;
use troupe_model::{NodeFailure, Output, Payload, Port, PortKind};

use crate::{
    node::{CheckContext, Checked, Outcome, RunContext},
    typed::{Category, Description, TypedNode},
};

#[derive(Debug, Deserialize, JsonSchema)]
pub struct Config {
    /// How long to wait, in milliseconds; at most 30 days.
    #[schemars(title = "Duration (ms)", range(max = 2_592_000_000_u64))]
    #[serde(default = "one_second")]
    duration_ms: u64,
}

fn one_second() -> u64 {
    1_000
}

#[derive(Debug)]
pub struct Delay;

impl TypedNode for Delay {
    type Config = Config;

    fn describe(&self) -> Description {
        Description::new("delay", Category::Flow, "Delay")
            .about("Waits, then passes its input on.")
            .look("timer", "#0891b2")
            .input(Port::new("in", "Input", PortKind::Any))
            .output(Port::new("out", "Output", PortKind::Any))
    }

    fn check(&self, _config: &Config, ctx: &CheckContext<'_>) -> Checked {
        let schema = ctx.inputs.get("in").and_then(|inputs| inputs.first()).cloned().flatten();
        Checked { outputs: BTreeMap::from([("out".to_owned(), schema)]), ..Checked::default() }
    }

    async fn run(&self, config: Config, mut ctx: RunContext) -> Result<Outcome, NodeFailure> {
        let payload = ctx.inputs.remove("in").and_then(|mut inputs| inputs.pop()).unwrap_or(Payload::Signal);
        let until = ctx.now.after(Duration::from_millis(config.duration_ms));
        Ok(Outcome::WaitUntil(until, vec![Output { port: "out".to_owned(), payload }]))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use troupe_model::{RunEventKind, Timestamp};

    use crate::testing::Bench;

    /// [RUN-17] It asks to be woken, and holds no task.
    #[tokio::test]
    async fn it_asks_to_be_woken() {
        let input = troupe_model::Payload::Json { value: json!(7) };
        let report = Bench::new().execute("delay", json!({"duration_ms": 500}), vec![input.clone()]).await;
        let RunEventKind::NodeWaiting { until, outputs, .. } = report else { panic!("{report:?}") };
        assert_eq!(until, Timestamp::from_millis(1_500));
        assert_eq!(outputs[0].payload, input);
    }
}
