//! The side of a backup that writes: definitions by `pg_restore`, rows by `COPY`, and the proof that they are the same.

mod analyze;
pub mod anonymize;
pub mod compare;
pub mod definitions;
pub mod fit;
pub mod made;
mod perform;
pub mod preflight;
pub mod readback;
pub mod rows;
mod run;
mod schedule;
pub mod settings;
pub mod swap;
pub mod table;
mod work;

pub use run::{ProofOf, Proven, Request, fill};
