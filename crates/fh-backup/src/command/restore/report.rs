//! What a restore of a whole database tells.

use std::time::Duration;

use fh_core::render::grouped;
use fh_core::report::{Check, Measure};

use crate::body::Database;
use crate::restore::swap::Names;
use crate::restore::{ProofOf, Proven};

/// The checks of a finished restore.
pub(super) fn checks(proven: &Proven, database: &Database, proof: ProofOf) -> Vec<Check> {
    let mut checks = vec![
        Check::pass(
            "rows",
            format!(
                "{} tables, {} rows {}",
                database.tables.len(),
                grouped(proven.rows),
                match (&proven.anonymized, proof) {
                    (Some(_), _) => "read back: every count is that of the backup, every hash that of the anonymised rows",
                    (None, ProofOf::ReadBack) => "read back: every count and hash is that of the backup",
                    (None, ProofOf::Count) => "hashed on their way in and counted in the target; they were not read back",
                }
            ),
        )
        .measure(Measure::count("rows", proven.rows))
        .took(proven.loading),
        definitions(proven),
    ];
    if !proven.settings_left_out.is_empty() {
        let check = Check::warn(
            "settings",
            format!("{} could not be set", proven.settings_left_out.len()),
        );
        checks.push(proven.settings_left_out.iter().fold(check, Check::evidence));
    }
    checks
}

/// The last check: how long it took, and where things are now.
pub(super) fn restored(name: &str, took: Duration, replaced: Option<&Names>) -> Check {
    let check = match replaced {
        None => Check::pass("restored", format!("the database {name} can be used")),
        Some(names) => Check::pass(
            "restored",
            format!(
                "{} is the restored one; the one before is {}",
                names.live, names.old
            ),
        )
        .evidence(format!(
            "to swap back, once nobody is in it: {}",
            names.swap_back()
        ))
        .evidence(format!("when it is not needed any more: {}", names.drop_old()))
        .hint("look at the application before the old database is dropped"),
    };
    check.took(took).measure(Measure::duration("took", took))
}

/// Sequence values and definitions of the target against those of the backup.
pub(in crate::command) fn definitions(proven: &Proven) -> Check {
    let difference = &proven.difference;
    if difference.is_none() {
        return Check::pass(
            "definitions",
            format!(
                "{} definitions and sequence values are equal",
                difference.compared
            ),
        );
    }
    let lost = difference_is_loss(proven);
    let summary = format!(
        "{} missing, {} changed, {} more than in the backup",
        difference.missing.len(),
        difference.changed.len(),
        difference.extra.len()
    );
    let check = if lost {
        Check::fail("definitions", summary)
    } else {
        Check::warn("definitions", summary)
    };
    let told = [
        ("missing", &difference.missing),
        ("changed", &difference.changed),
        ("extra", &difference.extra),
    ];
    told.into_iter()
        .flat_map(|(word, names)| names.iter().map(move |name| format!("{word}: {name}")))
        .fold(check, Check::evidence)
        .hint("compare `pg_dump --schema-only` of both; another server version may write the same thing differently")
}

/// Whether something of the backup is not in the target: then it is not what a live database may be replaced by.
pub(super) fn difference_is_loss(proven: &Proven) -> bool {
    let difference = &proven.difference;
    !difference.missing.is_empty()
        || difference
            .changed
            .iter()
            .any(|what| what.starts_with("SEQUENCE SET"))
}
