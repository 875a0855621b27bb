//! What is wrong, where, and since when.
//!
//! A [probe] looks at one thing (a web address, a database, a host) and answers with checks. A [round] runs all probes at
//! once under one deadline; [rules] say from where on a check warns or fails, what it depends on, and how long it must be
//! bad before that is believed.
//!
//! ```
//! use fh_core::report::{Status, Unit};
//! use fh_health::limits::Limits;
//!
//! let connections = Limits::above(Unit::Percent, 80.0, 95.0);
//! assert_eq!(connections.judge(85.0), Status::Warn);
//! let left = Limits::below(Unit::Percent, 33.3, 16.7);
//! assert_eq!(left.judge(10.0), Status::Fail);
//! ```

pub mod alert;
pub mod cli;
pub mod command;
pub mod engine;
pub mod glob;
pub mod incident;
pub mod limits;
pub mod memory;
pub mod probe;
pub mod record;
pub mod round;
pub mod rules;
pub mod samples;
pub mod selection;
pub mod shown;
pub mod slo;
pub mod tell;

pub use cli::Cli;
