//! `--anonymize`: whether it may be done, and what it came to.

use std::sync::Arc;

use fh_core::app::Session;
use fh_core::render::grouped;
use fh_core::report::{Check, Measure};
use fh_core::{Error, Result};
use fh_pg::Connection;

use crate::archive::Archive;
use crate::body::Database;
use crate::cli::Restore;
use crate::context;
use crate::restore::Request;
use crate::restore::anonymize::{Anonymized, Anonymizer};
use crate::restore::preflight::Findings;

/// The rules, fitted to the set; none when they were not asked for.
///
/// # Errors
/// Exit code 4 for a protected environment, 2 when the rules do not fit the set.
pub(super) fn rules(
    session: &Session,
    options: &Restore,
    archive: &Archive,
    database: &Database,
) -> Result<Option<Arc<Anonymizer>>> {
    if !options.anonymize {
        return Ok(None);
    }
    if session.config().protected {
        return Err(
            Error::refused("an anonymised database is not restored into a protected environment")
                .hint("choose the environment that it is for with --env, such as staging"),
        );
    }
    let rules = &session.config().backup.anonymize;
    let source = rules.salt.as_ref().ok_or_else(|| {
        Error::usage("backup.anonymize.salt is not set, and hashes without a key can be guessed")
            .hint("set it to a secret of 16 characters or more, such as { env = \"FH_ANONYMIZE_SALT\" }")
    })?;
    let salt = context::secret(session, source, "the key of the anonymised values")?;
    Anonymizer::new(rules, &salt, archive, database).map(|rules| Some(Arc::new(rules)))
}

/// Whether the fixed values are of their columns' types, as far as the types are there already.
pub(super) async fn look(findings: &mut Findings, request: &Request<'_>, server: &Connection) {
    let Some(rules) = &request.anonymizer else { return };
    let mut rules = rules.as_ref().clone();
    match rules.settle(server, false).await {
        Ok(()) => findings.good("rules", "every column that could hold personal data has a rule"),
        Err(error) => findings.stop("rules", error),
    }
}

/// What anonymising came to.
pub(super) fn checks(done: &Anonymized) -> Vec<Check> {
    let mut checks = vec![
        Check::pass(
            "anonymised",
            format!(
                "{} column(s) were masked, and none of their {} values of before is in them any more",
                done.columns,
                grouped(done.values as u64)
            ),
        )
        .measure(Measure::count("values", done.values as u64)),
    ];
    if !done.unlisted.is_empty() {
        checks.push(
            Check::warn(
                "unlisted tables",
                format!(
                    "{} table(s) have no rules and are as they were",
                    done.unlisted.len()
                ),
            )
            .evidence(done.unlisted.join(", "))
            .hint("give them rules, or set backup.anonymize.unlisted = \"sensitive\""),
        );
    }
    if !done.elsewhere.is_empty() {
        let check = Check::warn(
            "masked values elsewhere",
            "columns without a rule hold values that were masked",
        )
        .hint("give these columns a rule, \"keep\" if it is no harm");
        checks.push(done.elsewhere.iter().fold(check, |check, (column, count)| {
            check.evidence(format!("{column}: {}", grouped(*count)))
        }));
    }
    if done.without_large_objects {
        checks.push(Check::skip(
            "large objects",
            "their content was left out (backup.anonymize.large_objects)",
        ));
    }
    checks
}
