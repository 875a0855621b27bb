//! Where a suite goes that this tool writes.

use std::path::Path;

use fh_core::output::write_stdout;
use fh_core::{Error, Result, atomic};

/// Writes a suite to a new file or to stdout, after it was read back: what this tool writes, it must accept.
///
/// # Errors
/// Exit code 4 when the file exists, 3 when it cannot be written.
pub(super) fn suite(text: &str, to: Option<&Path>) -> Result<()> {
    fh_scenario::parse(text, to.unwrap_or(Path::new("suite.toml")))?;
    let Some(path) = to else {
        return write_stdout(text.as_bytes());
    };
    if path.symlink_metadata().is_ok() {
        return Err(Error::refused(format!("{} exists already", path.display()))
            .hint("give another name with --to, or move the file away"));
    }
    atomic::write(path, text.as_bytes(), None)
}
