//! The actors on a real embedded store.

mod canvas;
mod run;
mod world;
