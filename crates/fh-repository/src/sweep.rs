//! What writers left behind that died in the middle of an object.

use std::time::Duration;

use fh_core::Result;

use crate::repository::Repository;

impl Repository {
    /// Removes unfinished multipart uploads below the repository's prefix, or temporary files in its folder, that are older
    /// than `older_than`, and gives their number. No set can need them. A writer beside us may be at work on younger ones:
    /// a day is a safe age.
    ///
    /// # Errors
    /// Exit code 3 when the store cannot be read, or not all could be removed.
    pub async fn sweep_uploads(&self, older_than: Duration) -> Result<u64> {
        self.store.sweep_uploads(older_than).await
    }
}
