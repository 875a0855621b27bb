//! What must hold before the first byte of the target changes.

use std::collections::BTreeSet;

use fh_core::{Error, Result};
use fh_pg::{Connection, query_error};

use super::definitions::Ownership;
use crate::archive::Archive;
use crate::body::Database;

/// Checks the target and fails on the first thing that would stop or spoil the restore half way.
///
/// # Errors
/// Exit code 4 when the target is not empty, 3 when it lacks a version, an extension or a role.
pub async fn check(
    target: &Connection,
    archive: &Archive,
    database: &Database,
    ownership: Ownership,
) -> Result<()> {
    check_version(target, database)?;
    check_empty(target).await?;
    check_encoding(target, database).await?;
    check_extensions(target, database).await?;
    check_roles(target, archive, database, ownership).await
}

fn check_version(target: &Connection, database: &Database) -> Result<()> {
    let (from, to) = (database.server_version / 10_000, target.server.major());
    if to < from {
        return Err(Error::unable(format!(
            "the backup comes from PostgreSQL {from}, and the target server is PostgreSQL {to}"
        ))
        .hint(format!("restore into a server of version {from} or newer")));
    }
    Ok(())
}

/// Anything a user made, in any schema: tables, views, sequences, functions, types, or a schema of its own.
const OBJECTS: &str = "
SELECT kind, name FROM (
    SELECT 'relation' AS kind, n.nspname || '.' || c.relname AS name, c.oid, 'pg_class'::regclass AS class
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast') AND n.nspname !~ '^pg_(toast_)?temp_'
    UNION ALL
    SELECT 'function', n.nspname || '.' || p.proname, p.oid, 'pg_proc'::regclass
    FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
    WHERE n.nspname NOT IN ('pg_catalog', 'information_schema')
    UNION ALL
    SELECT 'type', n.nspname || '.' || t.typname, t.oid, 'pg_type'::regclass
    FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
    WHERE n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast') AND n.nspname !~ '^pg_(toast_)?temp_'
      AND t.typrelid = 0 AND t.typelem = 0
    UNION ALL
    SELECT 'schema', n.nspname, n.oid, 'pg_namespace'::regclass
    FROM pg_namespace n
    WHERE n.nspname NOT IN ('pg_catalog', 'information_schema', 'public', 'pg_toast') AND n.nspname !~ '^pg_(toast_)?temp_'
    UNION ALL
    SELECT 'large object', l.oid::text, l.oid, 'pg_largeobject'::regclass FROM pg_largeobject_metadata l
) found
WHERE NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.classid = found.class AND d.objid = found.oid AND d.deptype = 'e')
ORDER BY 1, 2";

async fn check_empty(target: &Connection) -> Result<()> {
    let rows = target
        .query(OBJECTS, &[])
        .await
        .map_err(|error| query_error("cannot see whether the target is empty", error))?;
    let Some(first) = rows.first() else { return Ok(()) };
    Err(Error::refused(format!(
        "the target database is not empty: it has {} object(s), for one the {} {}",
        rows.len(),
        first.get::<_, String>(0),
        first.get::<_, String>(1)
    ))
    .hint("make an empty database (createdb) and restore into that; nothing was changed"))
}

async fn check_encoding(target: &Connection, database: &Database) -> Result<()> {
    let row = target
        .query_one("SELECT current_setting('server_encoding')", &[])
        .await
        .map_err(|error| query_error("cannot read the target's encoding", error))?;
    let encoding: String = row.get(0);
    if encoding == database.properties.encoding {
        return Ok(());
    }
    Err(Error::unable(format!(
        "the target database has encoding {encoding}, the backup comes from {}",
        database.properties.encoding
    ))
    .hint(format!(
        "make the target with: CREATE DATABASE … TEMPLATE template0 ENCODING '{}' LC_COLLATE '{}' LC_CTYPE '{}'",
        database.properties.encoding, database.properties.collate, database.properties.ctype
    )))
}

async fn check_extensions(target: &Connection, database: &Database) -> Result<()> {
    let rows = target
        .query("SELECT name::text FROM pg_available_extensions", &[])
        .await
        .map_err(|error| query_error("cannot list the target's available extensions", error))?;
    let available: BTreeSet<String> = rows.iter().map(|row| row.get(0)).collect();
    let missing: Vec<&str> = database
        .extensions
        .iter()
        .map(|extension| extension.name.as_str())
        .filter(|name| !available.contains(*name))
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    Err(Error::unable(format!(
        "the target server does not offer extension(s) {}",
        missing.join(", ")
    ))
    .hint(
        "install the packages that carry them (on Debian postgresql-contrib or postgresql-<version>-<name>)",
    ))
}

async fn check_roles(
    target: &Connection,
    archive: &Archive,
    database: &Database,
    ownership: Ownership,
) -> Result<()> {
    if ownership.no_owner && ownership.no_privileges {
        return Ok(());
    }
    let rows = target
        .query("SELECT rolname::text FROM pg_roles", &[])
        .await
        .map_err(|error| query_error("cannot list the target's roles", error))?;
    let existing: BTreeSet<String> = rows.iter().map(|row| row.get(0)).collect();
    let owners = archive
        .entries
        .iter()
        .filter(|entry| !matches!(entry.kind.as_str(), "DATABASE" | "DATABASE PROPERTIES"))
        .filter_map(|entry| entry.owner.clone())
        .filter(|owner| !owner.is_empty());
    let mut needed: BTreeSet<String> = if ownership.no_owner {
        BTreeSet::new()
    } else {
        owners.collect()
    };
    if !ownership.no_privileges {
        needed.extend(database.roles.iter().cloned());
    }
    let missing: Vec<String> = needed.difference(&existing).cloned().collect();
    if missing.is_empty() {
        return Ok(());
    }
    Err(
        Error::unable(format!("the target server has no role {}", missing.join(", ")))
            .hint("create the roles first, or restore with --no-owner --no-privileges"),
    )
}
