//! The probes of databases, caches, AWS and backups against real servers, in good and in bad state.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod aws;
mod backup;
mod places;
mod postgres;
mod redis;
mod round;
