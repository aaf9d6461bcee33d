//! The configuration: defaults, then a file, then the environment, then flags [OPS-2].
//!
//! `config/default.toml` is both the documentation and the defaults. Unknown keys are errors.

use std::{
    net::IpAddr,
    path::{Path, PathBuf},
    time::Duration,
};

use figment::{
    Figment,
    providers::{Env, Format, Serialized, Toml},
};
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;

mod secret;
mod show;

pub use secret::Secret;

const DEFAULTS: &str = include_str!("../config/default.toml");
const FILE: &str = "troupe.toml";
/// Of any key or token: whoever guesses it is let in.
pub const KEY_BYTES_MIN: usize = 32;
/// The examples have room.
const CANVAS_BYTES_MIN: usize = 65_536;
/// PostgreSQL counts in milliseconds of 31 bits, and takes 0 for no limit.
const TIMEOUT_S_MAX: u64 = 86_400;
const TEXT_KEYS: &[&str] = &[
    "auth.signing_key",
    "data_dir",
    "database.url",
    "demo.email",
    "demo.password",
    "log.level",
    "metrics.token",
    "secrets.master_key",
    "server.public_url",
];

#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    pub data_dir: PathBuf,
    pub server: Server,
    pub database: Database,
    pub auth: Auth,
    pub secrets: Secrets,
    pub demo: Demo,
    pub limits: Limits,
    pub egress: Egress,
    pub log: Log,
    pub metrics: Metrics,
    pub cors: Cors,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Server {
    pub address: IpAddr,
    pub port: u16,
    pub public_url: Option<String>,
    pub trust_forwarded_for: bool,
    pub request_timeout_s: u64,
    pub request_head_timeout_s: u64,
    pub connections_max: usize,
    pub connections_per_network_max: usize,
    pub drain_timeout_s: u64,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Database {
    pub url: Option<Secret>,
    pub connections_max: u32,
    pub statement_timeout_s: u64,
    pub lock_timeout_s: u64,
    pub idle_in_transaction_timeout_s: u64,
    pub busy_timeout_s: u64,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Auth {
    pub signing_key: Option<Secret>,
    pub former_signing_keys: Vec<Secret>,
    pub access_token_ttl_s: u64,
    pub refresh_token_ttl_s: u64,
    pub registration: bool,
    pub login_attempts_per_minute_per_account: u32,
    pub login_attempts_per_minute_per_account_everywhere: u32,
    pub login_attempts_per_minute_per_address: u32,
    pub attempt_counts_max: u64,
    pub device_ttl_s: u64,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Metrics {
    pub token: Option<Secret>,
}

impl Metrics {
    /// Whether it is the configured token, in the same time whatever it is.
    pub fn admits(&self, token: &str) -> bool {
        self.token.as_ref().is_some_and(|known| known.expose().as_bytes().ct_eq(token.as_bytes()).into())
    }
}

#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Secrets {
    pub master_key: Option<Secret>,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Demo {
    pub enabled: bool,
    pub email: String,
    pub password: Option<Secret>,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    pub body_bytes_max: usize,
    pub diagram_body_bytes_max: usize,
    pub json_depth_max: usize,
    pub json_values_max: usize,
    pub frame_bytes_max: usize,
    pub large_frames_bytes_max: usize,
    pub session_frames_in_flight_max: usize,
    pub session_bytes_in_flight_max: usize,
    pub user_bytes_in_flight_max: usize,
    pub outbox_bytes_max: usize,
    pub answers_bytes_max: usize,
    pub waiting_bytes_max: usize,
    pub answers_at_once_max: usize,
    pub answers_per_minute_max: usize,
    pub canvas_bytes_max: usize,
    pub user_time_at_once_ms: u64,
    pub user_time_per_second_ms: u64,
    pub shared_time_per_second_ms: Option<u64>,
    pub canvas_items_max: usize,
    pub canvas_values_max: usize,
    pub pending_updates_max: usize,
    pub pending_bytes_max: usize,
    pub awareness_clients_max: usize,
    pub awareness_state_bytes_max: usize,
    pub awareness_frames_per_second_max: usize,
    pub awareness_bytes_max: usize,
    pub awareness_user_bytes_min: usize,
    pub awareness_bytes_per_second: usize,
    pub awareness_user_bytes_per_second: usize,
    pub awareness_remembered_max: usize,
    pub awareness_remembered_per_user_max: usize,
    pub tombstone_bytes_idle_max: usize,
    pub tombstone_bytes_max: usize,
    pub unload_after_s: u64,
    pub canvases_bytes_max: Option<usize>,
    pub idle_canvases_bytes_max: usize,
    pub examination_bytes_max: u64,
    pub examination_timeout_s: u64,
    pub authenticate_timeout_s: u64,
    pub sessions_per_tenant_max: usize,
    pub canvases_per_socket_max: usize,
    pub runs_per_tenant_max: usize,
    pub nodes_per_run_max: usize,
    pub nodes_max: usize,
    pub analyses_max: Option<usize>,
    pub long_turns_max: Option<usize>,
    pub analysis_fuel_max: u64,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Egress {
    pub allow_private: bool,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Log {
    pub format: LogFormat,
    pub level: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    Auto,
    Human,
    Json,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Cors {
    pub origins: Vec<String>,
}

/// What the command line says about the configuration. Flags win over everything else.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct Flags {
    /// Configuration file (default: ./troupe.toml, if there is one)
    #[arg(long, global = true, value_name = "FILE", env = "TROUPE_CONFIG")]
    pub config: Option<PathBuf>,
    /// Where the embedded store, secrets, files and payloads live
    #[arg(long, global = true, value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
    /// Address to listen on
    #[arg(long, global = true, value_name = "IP")]
    pub address: Option<IpAddr>,
    /// Port to listen on; 0 takes a free one
    #[arg(long, global = true)]
    pub port: Option<u16>,
    /// PostgreSQL URL (default: embedded SQLite)
    #[arg(long, global = true, value_name = "URL")]
    pub database_url: Option<String>,
}

#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    #[error("there is no configuration file `{0}`")]
    NoFile(PathBuf),
    /// What is wrong, with the key and where it was found.
    #[error("{0}")]
    Invalid(String),
    #[error("`{key}` {problem}")]
    Value { key: &'static str, problem: String },
}

impl Config {
    pub fn load(flags: &Flags) -> Result<Self, ConfigError> {
        let mut figment = Figment::from(Toml::string(DEFAULTS));
        match &flags.config {
            Some(file) if !file.is_file() => return Err(ConfigError::NoFile(file.clone())),
            Some(file) => figment = figment.merge(Toml::file_exact(file)),
            None if Path::new(FILE).is_file() => figment = figment.merge(Toml::file_exact(FILE)),
            None => {}
        }
        figment = merge_environment(figment);
        if let Some(dir) = &flags.data_dir {
            figment = figment.merge(Serialized::default("data_dir", dir));
        }
        if let Some(address) = &flags.address {
            figment = figment.merge(Serialized::default("server.address", address));
        }
        if let Some(port) = flags.port {
            figment = figment.merge(Serialized::default("server.port", port));
        }
        if let Some(url) = &flags.database_url {
            figment = figment.merge(Serialized::default("database.url", url));
        }
        let config: Self = figment.extract().map_err(|error| ConfigError::Invalid(describe(error)))?;
        config.validated()
    }

    /// One folder per tenant, for the files that nodes read and write.
    pub fn files_root(&self) -> PathBuf {
        self.data_dir.join("files")
    }

    /// The defaults alone: where tests start from.
    pub fn defaults() -> Result<Self, ConfigError> {
        Figment::from(Toml::string(DEFAULTS)).extract().map_err(|error| ConfigError::Invalid(describe(error)))
    }

    fn validated(self) -> Result<Self, ConfigError> {
        let refuse = |key, problem: String| Err(ConfigError::Value { key, problem });
        let is_short = |key: &Secret| key.expose().len() < KEY_BYTES_MIN;
        if self.auth.signing_key.as_ref().is_some_and(is_short) {
            return refuse("auth.signing_key", format!("must have {KEY_BYTES_MIN} bytes or more"));
        }
        if self.auth.former_signing_keys.iter().any(is_short) {
            return refuse("auth.former_signing_keys", format!("each must have {KEY_BYTES_MIN} bytes or more"));
        }
        if self.metrics.token.as_ref().is_some_and(is_short) {
            return refuse("metrics.token", format!("must have {KEY_BYTES_MIN} bytes or more"));
        }
        if let Some(url) = &self.server.public_url
            && !url.starts_with("http://")
            && !url.starts_with("https://")
        {
            return refuse("server.public_url", format!("must start with http:// or https://, found `{url}`"));
        }
        let database = &self.database;
        for (key, seconds) in [
            ("database.statement_timeout_s", database.statement_timeout_s),
            ("database.lock_timeout_s", database.lock_timeout_s),
            ("database.idle_in_transaction_timeout_s", database.idle_in_transaction_timeout_s),
            ("database.busy_timeout_s", database.busy_timeout_s),
        ] {
            if !(1..=TIMEOUT_S_MAX).contains(&seconds) {
                return refuse(key, format!("must be 1 to {TIMEOUT_S_MAX}, found {seconds}"));
            }
        }
        let lease_ttl_s = troupe_actors::Limits::default().lease_ttl.as_secs();
        if database.idle_in_transaction_timeout_s >= lease_ttl_s {
            return refuse("database.idle_in_transaction_timeout_s", format!("must be less than {lease_ttl_s}"));
        }
        if self.limits.canvas_bytes_max < CANVAS_BYTES_MIN {
            return refuse("limits.canvas_bytes_max", format!("must be {CANVAS_BYTES_MIN} or more"));
        }
        if let Some(origin) = self.cors.origins.iter().find(|origin| origin.parse::<axum::http::HeaderValue>().is_err())
        {
            return refuse("cors.origins", format!("holds `{origin}`, which is no origin"));
        }
        Ok(self)
    }
}

impl Server {
    pub fn https(&self) -> bool {
        self.public_url.as_deref().is_some_and(|url| url.starts_with("https://"))
    }

    pub fn request_timeout(&self) -> Duration {
        Duration::from_secs(self.request_timeout_s)
    }

    pub fn drain_timeout(&self) -> Duration {
        Duration::from_secs(self.drain_timeout_s)
    }
}

/// The environment. Texts are taken as they are, so that a password of digits is no number.
fn merge_environment(figment: Figment) -> Figment {
    let environment = Env::prefixed("TROUPE_").split("__");
    let texts = environment.clone().only(TEXT_KEYS);
    let figment = figment.merge(environment.ignore(&["config"]).ignore(TEXT_KEYS));
    texts.iter().fold(figment, |figment, (key, text)| figment.merge(Serialized::default(key.as_str(), text)))
}

/// All problems, each with its key and where it came from.
fn describe(error: figment::Error) -> String {
    let lines: Vec<String> = error
        .into_iter()
        .map(|error| {
            let path = error.path.join(".");
            let source =
                error.metadata.as_ref().map(|metadata| format!(" (in {})", origin(metadata))).unwrap_or_default();
            match &error.kind {
                figment::error::Kind::UnknownField(field, expected) => {
                    let key = if path.is_empty() || path == *field { field.clone() } else { path };
                    format!("there is no configuration key `{key}`{source}; known here: {}", expected.join(", "))
                }
                kind => format!("configuration key `{path}`: {kind}{source}"),
            }
        })
        .collect();
    lines.join("\n")
}

/// The file's path, or what kind of source it is.
fn origin(metadata: &figment::Metadata) -> String {
    match metadata.source.as_ref().and_then(figment::Source::file_path) {
        Some(path) => path.display().to_string(),
        None => metadata.name.to_string(),
    }
}

#[cfg(test)]
mod tests;
