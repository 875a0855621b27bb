//! Every renderer over one report full of trouble: snapshots, and readers of each format that are not ours where there
//! are any.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod formats;
mod prometheus;
mod rich;
mod secrets;
mod snapshots;
