//! Whether anything of a user's is in the database already.

use fh_core::{Error, Result};
use fh_pg::{Connection, query_error};

use super::Findings;

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

pub(super) async fn check(findings: &mut Findings, target: &Connection) -> Result<()> {
    let rows = target
        .query(OBJECTS, &[])
        .await
        .map_err(|error| query_error("cannot see whether the target is empty", error))?;
    let Some(first) = rows.first() else {
        findings.good("empty", "nothing is in the target database");
        return Ok(());
    };
    findings.stop(
        "empty",
        Error::refused(format!(
            "the target database is not empty: it has {} object(s), for one the {} {}",
            rows.len(),
            first.get::<_, String>(0),
            first.get::<_, String>(1)
        ))
        .hint(
            "make an empty database (createdb, or --create with another name) and restore into that; nothing was changed",
        ),
    );
    Ok(())
}
