//! What was measured: a table with ratios to Troupe for people, and a line of JSON for programs.

use std::{fmt::Write as _, fs::OpenOptions, io::Write as _, path::Path};

use anyhow::Result;
use hdrhistogram::Histogram;
use serde_json::{Map, Value, json};

use crate::server::Kind;

pub struct Metric {
    name: String,
    value: f64,
    /// Shown beside other servers' values as a multiple of Troupe's.
    compared: bool,
}

/// The measurements of one server, in the order of the table.
#[derive(Default)]
pub struct Metrics(Vec<Metric>);

impl Metrics {
    /// A cost: less is better, and compared.
    pub fn cost(&mut self, name: &str, value: f64) {
        self.0.push(Metric { name: name.to_owned(), value, compared: true });
    }

    pub fn fact(&mut self, name: &str, value: f64) {
        self.0.push(Metric { name: name.to_owned(), value, compared: false });
    }

    /// Percentiles in milliseconds.
    pub fn latency(&mut self, name: &str, micros: &Histogram<u64>, quantiles: &[f64]) {
        if micros.is_empty() {
            return;
        }
        for quantile in quantiles {
            let percent = (quantile * 1000.0).round() / 10.0;
            self.cost(&format!("{name} p{percent} ms"), micros.value_at_quantile(*quantile) as f64 / 1000.0);
        }
    }

    fn get(&self, name: &str) -> Option<f64> {
        self.0.iter().find(|metric| metric.name == name).map(|metric| metric.value)
    }
}

pub struct Outcome {
    pub server: Kind,
    /// Or why there is nothing.
    pub metrics: Result<Metrics, String>,
}

/// One scenario, all servers.
pub struct Table {
    pub scenario: &'static str,
    pub parameters: String,
    pub outcomes: Vec<Outcome>,
}

impl Table {
    pub fn text(&self) -> String {
        let mut text = format!("{}: {}\n", self.scenario, self.parameters);
        let measured: Vec<_> =
            self.outcomes.iter().filter_map(|outcome| Some((outcome.server, outcome.metrics.as_ref().ok()?))).collect();
        let ours = measured.iter().find(|(server, _)| *server == Kind::Troupe).map(|(_, metrics)| *metrics);
        let _ = write!(text, "{:<34}", "");
        for (server, _) in &measured {
            let _ = write!(text, "{:>20}", server.name());
        }
        text.push('\n');
        for name in names(&measured) {
            let _ = write!(text, "{name:<34}");
            for (server, metrics) in &measured {
                let metric = metrics.0.iter().find(|metric| metric.name == name);
                let base = ours.filter(|_| *server != Kind::Troupe).and_then(|ours| ours.get(&name));
                let _ = write!(text, "{:>20}", metric.map(|metric| cell(metric, base)).unwrap_or_default());
            }
            text.push('\n');
        }
        for outcome in &self.outcomes {
            if let Err(why) = &outcome.metrics {
                let _ = writeln!(text, "{}: {why}", outcome.server.name());
            }
        }
        text
    }

    /// Appends one line for each server.
    pub fn append_to(&self, file: &Path) -> Result<()> {
        let mut file = OpenOptions::new().create(true).append(true).open(file)?;
        for outcome in &self.outcomes {
            let metrics = match &outcome.metrics {
                Ok(metrics) => metrics.0.iter().map(|metric| (metric.name.clone(), json!(metric.value))).collect(),
                Err(why) => Map::from_iter([("error".to_owned(), Value::from(why.as_str()))]),
            };
            let line = json!({
                "scenario": self.scenario,
                "parameters": self.parameters,
                "server": outcome.server.name(),
                "metrics": metrics,
            });
            writeln!(file, "{line}")?;
        }
        Ok(())
    }
}

/// All metrics' names, in the order in which they first appear.
fn names(measured: &[(Kind, &Metrics)]) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for metric in measured.iter().flat_map(|(_, metrics)| &metrics.0) {
        if !names.contains(&metric.name) {
            names.push(metric.name.clone());
        }
    }
    names
}

fn cell(metric: &Metric, base: Option<f64>) -> String {
    let value = number(metric.value);
    match base {
        Some(base) if metric.compared && base > 0.0 => format!("{value} ({}×)", number(metric.value / base)),
        _ => value,
    }
}

/// Three digits that matter.
fn number(value: f64) -> String {
    match value.abs() {
        size if size >= 100.0 || value == 0.0 => format!("{value:.0}"),
        size if size >= 10.0 => format!("{value:.1}"),
        size if size >= 1.0 => format!("{value:.2}"),
        _ => format!("{value:.3}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_servers_show_their_ratio_and_failures_show_why() {
        let mut ours = Metrics::default();
        ours.cost("CPU µs", 0.5);
        let mut theirs = Metrics::default();
        theirs.cost("CPU µs", 9.5);
        theirs.fact("lost", 3.0);
        let table = Table {
            scenario: "fan-out",
            parameters: "2 × 2".to_owned(),
            outcomes: vec![
                Outcome { server: Kind::Troupe, metrics: Ok(ours) },
                Outcome { server: Kind::YWebsocket, metrics: Ok(theirs) },
                Outcome { server: Kind::YSweet, metrics: Err("it did not start".to_owned()) },
            ],
        };
        let text = table.text();
        assert!(text.contains("0.500") && text.contains("9.50 (19.0×)"), "{text}");
        assert!(text.contains("y-sweet: it did not start"), "{text}");
        let file = tempfile::NamedTempFile::new().unwrap();
        table.append_to(file.path()).unwrap();
        let lines = std::fs::read_to_string(file.path()).unwrap();
        let second: Value = serde_json::from_str(lines.lines().nth(1).unwrap()).unwrap();
        assert_eq!(second["metrics"]["lost"], 3.0);
    }
}
