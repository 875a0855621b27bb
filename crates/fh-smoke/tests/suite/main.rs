//! The real binary against real servers: runs, pages, wrong input, and the suite that ships. One program, because linking
//! takes longer than running.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod financehub;
mod hostile;
mod input;
mod pages;
mod run;
mod tool;
