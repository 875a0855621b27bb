//! What a set holds besides databases: roles, file trees, configuration files, Redis.

mod create;
mod restore;
mod show;
mod verify;

pub use create::{check, checks, contents, plain_bytes, take};
pub use restore::restore;
pub use show::{facts, sections};
pub use verify::verify;
