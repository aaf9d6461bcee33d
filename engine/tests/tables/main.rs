//! Node types over tables, on files and real data. Every run is compared with its design-time check.

#![allow(clippy::unwrap_used)]

mod costs;
mod errors;
mod files;
mod flights;
mod previews;
mod transforms;
mod world;
