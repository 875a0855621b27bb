//! The roles that a database needs, on a server where nobody else works.

use std::collections::BTreeSet;

use fh_core::Result;
use fh_pg::{Connection, query_error, quote_ident};

use crate::archive::Archive;
use crate::body::Database;

/// Makes every role that owns something or is granted something, or that has settings, and does not exist. None can log
/// in. They are superusers, because some things may belong to superusers only (an event trigger, a publication of all
/// tables); on a throw-away server there is nothing to protect from them.
///
/// # Errors
/// Exit code 3 when a role cannot be made.
pub async fn make(server: &Connection, archive: &Archive, database: &Database) -> Result<()> {
    let rows = server
        .query("SELECT rolname::text FROM pg_roles", &[])
        .await
        .map_err(|error| query_error("cannot list the roles of the throw-away server", error))?;
    let there: BTreeSet<String> = rows.iter().map(|row| row.get(0)).collect();
    for role in needed(archive, database) {
        // Those beginning with pg_ are the server's own; a version that lacks one says so in the restore.
        if there.contains(&role) || role.starts_with("pg_") {
            continue;
        }
        let statement = format!("CREATE ROLE {} NOLOGIN SUPERUSER", quote_ident(&role));
        server
            .batch_execute(&statement)
            .await
            .map_err(|error| query_error(format!("cannot make the role {role}"), error))?;
    }
    Ok(())
}

fn needed(archive: &Archive, database: &Database) -> BTreeSet<String> {
    let owners = archive.entries.iter().filter_map(|entry| entry.owner.as_ref());
    let settings = database
        .settings
        .iter()
        .filter_map(|setting| setting.role.as_ref());
    owners
        .chain(&database.roles)
        .chain(settings)
        .filter(|role| !role.is_empty())
        .cloned()
        .collect()
}
