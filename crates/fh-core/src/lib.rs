//! What every tool is made of.
//!
//! A tool is a clap parser with the [`Common`](app::Common) options, and a function from a session to a report; this
//! crate reads the configuration, watches for signals, prints the report in the format that was asked for, and ends
//! with the exit code that the report or the error stands for.

pub mod app;
pub mod atomic;
pub mod cancel;
pub mod config;
pub mod confirm;
pub mod deadline;
pub mod duration;
pub mod encodings;
pub mod error;
pub mod exit;
pub mod lock;
pub mod logs;
pub mod nearest;
pub mod notify;
pub mod output;
pub mod progress;
pub mod render;
pub mod report;
pub mod secret;
pub mod size;
pub mod state;
pub mod tls;

pub use cancel::Cancel;
pub use deadline::Deadline;
pub use error::{Context, Error, Hint, Result};
pub use exit::Exit;
pub use report::{Check, Measure, Report, Status};
pub use secret::{Secret, scrub};
