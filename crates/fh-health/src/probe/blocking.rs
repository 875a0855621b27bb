//! A probe that waits for asynchronous work.

use fh_core::{Context as _, Result};

/// Runs the work on a runtime of its own, on this thread. What is still blocked in there when the work has ended, such as
/// the look-up of a name, is left behind.
///
/// # Errors
/// Those of the work, and exit code 3 when there is no runtime to be had.
pub(crate) fn block_on<T>(work: impl Future<Output = Result<T>>) -> Result<T> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .or_unable(|| "cannot start the runtime of a check")?;
    let result = runtime.block_on(work);
    runtime.shutdown_background();
    result
}
