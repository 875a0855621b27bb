//! Writing evidence at the end of a run, which must not make the run fail: who may only read can verify too.

use fh_core::Error;
use fh_core::report::{Check, Status};
use fh_repository::Repository;

use super::Evidence;

/// What became of the evidence of a run.
#[derive(Debug, Default)]
pub struct Keeping {
    kept: Vec<String>,
    refused: Option<Error>,
}

impl Keeping {
    /// Writes one document. After the first failure no more are tried: they would fail alike.
    pub async fn keep(&mut self, repository: &Repository, evidence: &Evidence) {
        if self.refused.is_some() {
            return;
        }
        match evidence.keep(repository).await {
            Ok(()) => self.kept.push(evidence.key()),
            Err(error) => self.refused = Some(error),
        }
    }

    /// What to say about it; nothing when there was no evidence to keep.
    #[must_use]
    pub fn checks(&self) -> Vec<Check> {
        let mut checks = Vec::new();
        match &self.kept[..] {
            [] => {}
            [only] => checks.push(Check::pass("evidence", format!("kept as {only}"))),
            several => checks.push(Check::pass(
                "evidence",
                format!("{} documents kept", several.len()),
            )),
        }
        if let Some(error) = &self.refused {
            let check = Check::warn(
                "evidence",
                format!("could not be kept in the repository: {}", error.message()),
            );
            checks.push(error.causes().into_iter().fold(check, Check::evidence).hint(
                "let this identity write below evidence/ (s3:PutObject), or say --no-evidence where it may only read",
            ));
        }
        checks
    }
}

/// A check about documents that cannot be believed, with the status that the command gives them.
#[must_use]
pub fn doubts(doubtful: &[String], status: Status) -> Option<Check> {
    if doubtful.is_empty() {
        return None;
    }
    let check = Check::new(
        "documents",
        status,
        format!(
            "{} document(s) of evidence cannot be believed and count for nothing",
            doubtful.len()
        ),
    );
    Some(
        doubtful
            .iter()
            .fold(check, Check::evidence)
            .hint("find out who can write to the repository, and move them away when that is known"),
    )
}
