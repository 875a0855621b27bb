//! What must hold before the first byte of the target changes. Every question is asked, so that the operator hears of
//! all that is in the way at once.

mod collations;
mod disk;
mod empty;
mod extensions;
mod facts;
mod findings;
pub(crate) mod roles;
mod server;

use fh_core::{Error, Result};
use fh_pg::{Connection, quote_ident};

use super::definitions::Ownership;
use super::fit::{Fitted, fit};
use crate::archive::Archive;
use crate::body::Database;

pub use facts::{Available, Facts};
pub use findings::Findings;

/// What is to be restored, and how.
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    /// The database of the set.
    pub database: &'a Database,
    /// Its table of contents.
    pub archive: &'a Archive,
    /// Owners and privileges.
    pub ownership: Ownership,
    /// Sessions that will load at the same time.
    pub jobs: usize,
    /// Whether the session is on the server only, and the database will be made.
    pub to_be_made: bool,
}

/// Asks everything, and fits the table of contents to what the target can do.
///
/// # Errors
/// Exit code 3 when the server cannot be asked. What is in the way is a finding.
pub async fn look(target: &Connection, question: &Question<'_>) -> Result<(Findings, Fitted)> {
    let mut findings = Findings::default();
    let mut facts = Facts::read(target).await?;
    if question.to_be_made {
        facts.as_in_a_new_database();
    }
    server::version(&mut findings, target, question.database);
    server::writable(&mut findings, target).await?;
    server::connections(&mut findings, target, question.jobs).await?;
    if !question.to_be_made {
        empty::check(&mut findings, target).await?;
        server::encoding(&mut findings, target, question.database).await?;
        roles::rights(&mut findings, target, question.archive, &facts).await?;
    }
    extensions::check(&mut findings, question.database, &facts);
    collations::check(&mut findings, target, question).await?;
    roles::existing(&mut findings, question, &facts);
    roles::tablespaces(&mut findings, question.archive, &facts);
    disk::check(&mut findings, target, question.database).await?;
    let fitted = fit(question.archive, &facts);
    roles::superuser_only(&mut findings, &fitted);
    Ok((findings, fitted))
}

/// Whether the role may make a database.
///
/// # Errors
/// Exit code 3 when the server does not answer.
pub async fn can_create(findings: &mut Findings, server: &Connection) -> Result<()> {
    let facts = Facts::read(server).await?;
    if !facts.can_create_databases {
        findings.stop(
            "create",
            Error::unable(format!("{} may not make databases", facts.user)).hint(format!(
                "ALTER ROLE {} CREATEDB, or make an empty database and use --into",
                quote_ident(&facts.user)
            )),
        );
    }
    Ok(())
}
