//! The server: HTTP and WebSocket edges, authentication, configuration, start and stop, and the command line.
//!
//! The only crate that knows HTTP. It decides nothing about canvases and runs: it asks `troupe_actors::System`.

pub mod api;
pub mod app;
pub mod auth;
pub mod cli;
pub mod config;
mod data_dir;
pub mod demo;
pub mod docs;
pub mod examination;
pub mod health;
pub mod http;
mod identity;
pub mod policy;
pub mod problem;
pub mod router;
pub mod routes;
pub mod server;
pub mod sockets;
pub mod telemetry;
pub mod web;
