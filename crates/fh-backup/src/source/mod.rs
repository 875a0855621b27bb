//! The side of a backup that reads: one snapshot, its definitions from `pg_dump`, its rows by `COPY`.

pub mod backup;
pub mod catalog;
pub mod copy;
pub mod cutter;
pub mod databases;
pub mod leader;
pub mod plan;
mod read;
pub mod toc;
pub mod yielding;
