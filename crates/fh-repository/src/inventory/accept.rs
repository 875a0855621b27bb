//! Accepting that a set holds less than the one before it: a document that somebody wrote on purpose.

use fh_core::Result;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::group::Group;
use crate::repository::Repository;
use crate::set::SetHeader;

const FOLDER: &str = "accepted/";

/// `accepted/<set>.json`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Accepted {
    /// Id of the set.
    pub set: String,
    /// What it is a set of.
    pub group: Group,
    /// When it was accepted.
    pub at: Timestamp,
    /// On which host.
    pub host: String,
}

/// All acceptances of a repository.
#[derive(Debug, Clone, Default)]
pub struct Acceptances(Vec<Accepted>);

impl Acceptances {
    /// Reads them. A document that cannot be believed accepts nothing.
    ///
    /// # Errors
    /// Exit code 3 when the store cannot be read.
    pub async fn read(repository: &Repository) -> Result<Self> {
        let found = repository.documents::<Accepted>(FOLDER).await?;
        let believed = found.into_iter().filter_map(|found| found.document.ok());
        Ok(Self(believed.collect()))
    }

    /// Whether a set may count as one that holds what it should: it did not collapse, or it was accepted. Who accepts a
    /// set has seen those before it too.
    #[must_use]
    pub fn allow(&self, header: &SetHeader) -> bool {
        !header.collapsed || self.cover(&Group::of(header), &header.id)
    }

    /// Whether the set, or a later one of its group, was accepted.
    #[must_use]
    pub fn cover(&self, group: &Group, set: &str) -> bool {
        self.0
            .iter()
            .any(|accepted| accepted.group == *group && accepted.set.as_str() >= set)
    }
}

/// Accepts a set. Doing so twice is the same as once.
///
/// # Errors
/// Exit code 3 when the document was not written.
pub async fn accept(repository: &Repository, header: &SetHeader) -> Result<()> {
    let group = Group::of(header);
    if Acceptances::read(repository)
        .await?
        .0
        .iter()
        .any(|accepted| accepted.set == header.id)
    {
        return Ok(());
    }
    let accepted = Accepted {
        set: header.id.clone(),
        group,
        at: Timestamp::now(),
        host: rustix::system::uname().nodename().to_string_lossy().into_owned(),
    };
    repository
        .put_document(&format!("{FOLDER}{}.json", header.id), &accepted)
        .await
}
