//! Logs and metrics [OPS-4].

use std::{io::IsTerminal, sync::OnceLock, time::Duration};

use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};
use tracing_subscriber::{EnvFilter, filter::ParseError, fmt, prelude::*};

use crate::config::{Log, LogFormat};

/// One process has one recorder, however many servers a test starts.
static METRICS: OnceLock<PrometheusHandle> = OnceLock::new();

const SECONDS: [f64; 11] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0];
/// Histograms are folded into their buckets so often.
pub const UPKEEP: Duration = Duration::from_secs(5);

/// Logs go to stderr: JSON lines, or for people when that is a terminal.
pub fn start_logs(config: &Log) -> Result<(), ParseError> {
    let filter = EnvFilter::builder().parse(&config.level)?;
    let human = match config.format {
        LogFormat::Human => true,
        LogFormat::Json => false,
        LogFormat::Auto => std::io::stderr().is_terminal(),
    };
    let registry = tracing_subscriber::registry().with(filter);
    let outcome = if human {
        registry.with(fmt::layer().with_writer(std::io::stderr).with_target(false)).try_init()
    } else {
        registry.with(fmt::layer().json().flatten_event(true).with_writer(std::io::stderr)).try_init()
    };
    if outcome.is_err() {
        tracing::debug!("logs were started before");
    }
    Ok(())
}

/// The process's metrics, started at first use.
pub fn metrics() -> Result<PrometheusHandle, BuildError> {
    if let Some(handle) = METRICS.get() {
        return Ok(handle.clone());
    }
    let builder = PrometheusBuilder::new().set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &SECONDS)?;
    let recorder = builder.build_recorder();
    let handle = METRICS.get_or_init(|| recorder.handle()).clone();
    // Lost when another thread was first: then its recorder is the process's.
    let _ = metrics::set_global_recorder(recorder);
    Ok(handle)
}
