//! `fh-backup accept`.

use fh_core::Result;
use fh_core::report::{Check, Report};
use fh_repository::Repository;

use super::verdict;
use fh_repository::inventory::{Acceptances, accept};

/// Accepts a set that holds less than the one before it, and with it those of its kind before it.
///
/// # Errors
/// Exit code 1 when the set is damaged, 2 when there is none of that id, 3 when it could not be written down.
pub async fn run(repository: &Repository, wanted: &str) -> Result<Report> {
    let set = repository.open_set(&repository.resolve(wanted).await?).await?;
    let mut report = verdict("accept", format!("Set {}", set.id)).about("repository", repository.describe());
    report.data = serde_json::json!({ "set": set.id, "collapsed": set.header.collapsed });
    if Acceptances::read(repository).await?.allow(&set.header) {
        report.push(Check::pass(
            "accepted",
            "there is nothing to accept: it counts already",
        ));
        return Ok(report);
    }
    accept(repository, &set.header).await?;
    report.push(Check::pass(
        "accepted",
        "from now on it counts as one that holds what it should, and the next one is compared with it",
    ));
    Ok(report)
}
