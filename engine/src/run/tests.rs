//! The machine against a simulated world: every run ends, replay equals live, nothing completed runs twice.

mod properties;
mod scale;
mod scenarios;
mod world;
