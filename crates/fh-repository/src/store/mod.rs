//! Where objects are kept: the few operations that a repository needs of a folder or a bucket.

mod directory;
mod s3;
mod s3_error;
mod s3_limits;
mod throttle;

use std::fmt::Debug;

use async_trait::async_trait;
use bytes::Bytes;
use fh_core::Result;

pub use directory::DirStore;
pub use s3::S3Store;
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
    /// The store keeps it: an Object Lock, or no right to delete.
    Kept,
}

/// One object of a listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Key, relative to the repository.
    pub key: String,
    /// Bytes.
    pub size: u64,
    /// When it was written, by the store's clock.
    pub modified: Option<jiff::Timestamp>,
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

    /// The place, for messages: a path, or `s3://bucket/prefix`.
    fn describe(&self) -> String;
}
