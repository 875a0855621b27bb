//! Object Lock of a set's segments. A lock must outlive the newest set that needs the object, not only the one that wrote
//! it: otherwise, after some weeks, the old part of every backup could be removed (kopia/kopia#1067).

use fh_core::Result;
use futures_util::{StreamExt as _, TryStreamExt as _};

use crate::description;
use crate::repository::Repository;
use crate::segment::{SegmentWriter, object_key};

/// Locks extended at the same time: each is a small call, and a bucket answers slowly.
const AT_ONCE: usize = 16;

impl Repository {
    /// Extends the lock of every object that the new set needs and whose lock is too short, and of the description,
    /// without which nothing can be read. A store without locks needs nothing.
    pub(crate) async fn hold(&self, writer: &SegmentWriter) -> Result<()> {
        let Some(lock) = self.store.lock() else {
            return Ok(());
        };
        let short = writer
            .used()
            .into_iter()
            .filter(|object| object.locked_until < Some(lock.at_least));
        futures_util::stream::iter(short)
            .map(Ok)
            .try_for_each_concurrent(AT_ONCE, async |object| {
                self.store
                    .lock_until(&object_key(&object.object), lock.until)
                    .await?;
                writer.locked(&object.object, lock.until);
                Ok(())
            })
            .await?;
        self.store.lock_until(description::OBJECT, lock.until).await
    }
}
