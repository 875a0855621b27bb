//! Some tables of a set, in a database that is in use: each whole, in one transaction, proven before it is committed.

mod choose;
mod definition;
mod diff;
mod run;

pub use choose::{Chosen, choose};
pub use diff::Diff;
pub use run::{Place, Restored, TableRequest, restore};
