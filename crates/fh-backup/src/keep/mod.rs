//! Keeping and noticing: what a set holds in short, whether that is too little, and which sets may go.

pub mod collapse;
pub mod plan;
pub mod removal;
pub mod retention;
pub mod summary;

/// The name of this host, for documents.
#[must_use]
pub fn host() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

/// Name and version of this program, for documents.
pub const TOOL: &str = concat!("fh-backup ", env!("CARGO_PKG_VERSION"));
