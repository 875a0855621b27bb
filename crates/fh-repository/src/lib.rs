//! The backup repository: sets, the segments they name, and the stores that hold both.
//!
//! A backup is one *set* file and the *segments* it names; there is no index, no catalogue and no lock file. Segments
//! are written first, the set last, and no object is ever overwritten, so a run that dies leaves unreferenced segments
//! and nothing else. docs/FORMAT.md describes every byte.
//!
//! ```
//! use fh_repository::{Access, Location, Repository, S3Options, SegmentRef, SetFields, open_store};
//!
//! async fn round_trip(place: &str) -> fh_core::Result<()> {
//!     let store = open_store(&Location::parse(place)?, &S3Options::default(), fh_core::Deadline::never()).await?;
//!     Repository::create(store.clone(), &[]).await?;
//!     let repository = Repository::open(store, Access::default()).await?;
//!
//!     let writer = repository.writer(1).await?;
//!     let segment = writer.put(bytes::Bytes::from_static(b"1\tone\n")).await?;
//!     let set = repository.commit(&writer, SetFields::default(), &vec![segment]).await?;
//!
//!     let set = repository.open_set(&set.id).await?;
//!     let body: Vec<SegmentRef> = repository.read_body(&set)?;
//!     assert_eq!(repository.read_segment(&body[0]).await?, b"1\tone\n");
//!     Ok(())
//! }
//!
//! let folder = tempfile::tempdir().unwrap();
//! let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
//! runtime.block_on(round_trip(&folder.path().join("backups").display().to_string())).unwrap();
//! ```

mod codec;
mod commit;
mod configured;
mod copy;
mod crypt;
mod description;
mod document;
pub mod evidence;
mod garbage;
mod hold;
pub mod inventory;
mod key;
mod location;
mod marks;
mod named;
mod removal;
mod repository;
mod rotation;
mod segment;
mod set;
mod store;
mod summary;
mod sweep;
mod verify;

pub use copy::{Copied, Mirror};
pub use crypt::{Generated, Recipients, generate_identity};
pub use description::{Description, Encryption};
pub use document::Found;
pub use garbage::{Collected, GarbageOptions};
pub use key::RepositoryKey;
pub use location::{Location, S3Options, open_store};
pub use repository::{Access, Created, Repository};
pub use rotation::Rotation;
pub use segment::{SegmentRef, SegmentWriter, Written};
pub use set::{Contents, Guide, Set, SetFields, SetHeader, SetState, SetSummary, StoredObject, Totals};
pub use store::{Deleted, DirStore, Entry, Lock, Put, S3Store, Store, Throttled, finish_aborts};
pub use summary::SummaryEntry;
pub use verify::{Finding, Findings, Judged, Portion};
