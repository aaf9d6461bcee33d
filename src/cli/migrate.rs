//! `troupe migrate`: the database's schema, without starting a server.

use std::process::ExitCode;

use crate::{config::Config, server};

pub async fn execute(config: &Config) -> anyhow::Result<ExitCode> {
    let store = server::open_store(config).await?;
    println!("the {:?} database has this version's schema", store.engine());
    store.close().await;
    Ok(ExitCode::SUCCESS)
}
