//! The side of a backup that writes: definitions by `pg_restore`, rows by `COPY`, and the proof that they are the same.

pub mod compare;
pub mod definitions;
pub mod preflight;
pub mod readback;
pub mod rows;
mod run;
pub mod settings;

pub use run::{Proven, Request, run};
