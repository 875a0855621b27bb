//! The real binary against real servers, in good and in bad state.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod alb;
mod certificates;
mod commands;
mod hostile;
mod memory;
mod outputs;
mod printed;
mod small;
mod told;
mod tool;
mod web;
