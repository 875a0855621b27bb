//! Where objects are kept: the few operations that a repository needs of a folder or a bucket.

mod directory;
mod s3;
mod s3_abort;
mod s3_error;
mod s3_limits;
mod s3_lock;
mod s3_multipart;
mod s3_sweep;
mod s3_write;
mod throttle;

use std::fmt::Debug;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use fh_core::{Error, Result};
use jiff::Timestamp;

pub use directory::DirStore;
pub use s3::S3Store;
pub use s3_abort::finish_aborts;
pub use throttle::Throttled;

/// What became of a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Put {
    /// The object is there, whole and durable.
    Created,
    /// There was an object of that name already; it is untouched.
    Exists,
}

/// What became of a deletion.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deleted {
    /// It is not there, whether or not it was.
    Gone,
    /// It cannot be read or listed any more, but the bucket keeps versions: its bytes stay, and cost, until a lifecycle
    /// rule removes them.
    Hidden,
    /// The store keeps it: an Object Lock, or no right to delete.
    Kept,
}

/// The Object Lock that a store sets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lock {
    /// What is written now is locked until then.
    pub until: Timestamp,
    /// What a new set needs must be locked until then at least.
    pub at_least: Timestamp,
}

/// One object of a listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Key, relative to the repository.
    pub key: String,
    /// Bytes.
    pub size: u64,
    /// When it was written, by the store's clock.
    pub modified: Option<Timestamp>,
}

/// A place for objects. There is no way to overwrite one.
#[async_trait]
pub trait Store: Send + Sync + Debug {
    /// The whole object, or `None` when there is none.
    ///
    /// # Errors
    /// Exit code 1 when it is larger than `limit` bytes, 3 when the store cannot be read.
    async fn get(&self, key: &str, limit: u64) -> Result<Option<Bytes>>;

    /// Creates an object and returns once it is durable.
    ///
    /// # Errors
    /// Exit code 3 when it was not written.
    async fn put_new(&self, key: &str, body: Bytes) -> Result<Put>;

    /// Removes an object.
    ///
    /// # Errors
    /// Exit code 3 when the store cannot say what became of it.
    async fn delete(&self, key: &str) -> Result<Deleted>;

    /// Every object whose key begins with `prefix`, in order of the keys.
    ///
    /// # Errors
    /// Exit code 3 when the store cannot be read.
    async fn list(&self, prefix: &str) -> Result<Vec<Entry>>;

    /// The Object Lock of what [`Store::put_new`] creates; `None` when it locks nothing.
    ///
    /// Not provided, like the two below: a store that wraps another one must pass them on, or nothing would be locked.
    fn lock(&self) -> Option<Lock>;

    /// Locks an object until `until`; a longer lock stays as it is.
    ///
    /// # Errors
    /// Exit code 2 when this store has no locks, 3 when the object is not locked so long now.
    async fn lock_until(&self, key: &str, until: Timestamp) -> Result<()>;

    /// Removes what writers left behind that died in the middle of an object: nobody can read it, and it takes space.
    /// Gives how many there were.
    ///
    /// # Errors
    /// Exit code 3 when the store cannot be read, or not all could be removed.
    async fn sweep_uploads(&self, older_than: Duration) -> Result<u64>;

    /// The place, for messages: a path, or `s3://bucket/prefix`.
    fn describe(&self) -> String;
}

/// The error for a lock that a store cannot give.
fn no_locks(what: &str) -> Error {
    Error::usage(format!("{what} cannot be locked: a folder has no Object Lock"))
        .hint("use a bucket, or remove backup.s3.object_lock from the configuration")
}
