//! What the catalogue says, read in the snapshot of the backup.

use std::collections::HashMap;

use fh_core::{Error, Result};
use fh_pg::query_error;
use tokio_postgres::Client;

use crate::body::{Column, Extension, Grant, Properties, Setting};

/// A table or partitioned table of the database.
#[derive(Debug, Clone)]
pub struct Relation {
    /// OID.
    pub oid: u32,
    /// Schema, without quotes.
    pub schema: String,
    /// Name, without quotes.
    pub name: String,
    /// Whether rows live in it: false for partitioned tables, whose leaves hold them, and for unlogged tables on a
    /// standby, which are empty there by nature.
    pub has_rows: bool,
    /// Table access method; TID ranges are only known to mean blocks for `heap`.
    pub access_method: String,
    /// Bytes of the main fork now, which is at least what it was at the snapshot.
    pub heap_bytes: u64,
    /// For a configuration table of an extension: the `WHERE …` that says which rows are the user's
    /// (`pg_extension_config_dump`).
    pub condition: Option<String>,
}

impl Relation {
    /// `schema.name`, for messages.
    #[must_use]
    pub fn label(&self) -> String {
        format!("{}.{}", self.schema, self.name)
    }
}

/// Every table that `pg_dump` would lock: not the system's, not other sessions' temporary ones, and of those that
/// belong to an extension only its configuration tables.
const RELATIONS: &str = "
SELECT c.oid, n.nspname::text, c.relname::text,
       c.relkind = 'r' AND NOT (c.relpersistence = 'u' AND pg_is_in_recovery()),
       coalesce(am.amname, '')::text,
       CASE WHEN c.relkind = 'r' THEN coalesce(pg_relation_size(c.oid, 'main'), 0) ELSE 0 END::int8,
       config.condition
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_am am ON am.oid = c.relam
LEFT JOIN LATERAL (
    SELECT coalesce(e.extcondition[array_position(e.extconfig, c.oid)], '') AS condition
    FROM pg_extension e WHERE c.oid = ANY (e.extconfig)
) config ON true
WHERE c.relkind IN ('r', 'p') AND c.relpersistence <> 't'
  AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
  AND (config.condition IS NOT NULL OR NOT EXISTS (
        SELECT 1 FROM pg_depend d
        WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.objsubid = 0 AND d.deptype = 'e'))
ORDER BY c.oid";

/// The relations of the database.
///
/// # Errors
/// Exit code 3 when the catalogue cannot be read.
pub async fn relations(client: &Client) -> Result<Vec<Relation>> {
    let rows = client
        .query(RELATIONS, &[])
        .await
        .map_err(|error| query_error("cannot list the tables", error))?;
    rows.iter()
        .map(|row| {
            Ok(Relation {
                oid: row.get(0),
                schema: row.get(1),
                name: row.get(2),
                has_rows: row.get(3),
                access_method: row.get(4),
                heap_bytes: u64::try_from(row.get::<_, i64>(5)).unwrap_or_default(),
                condition: row.get(6),
            })
        })
        .collect()
}

/// The columns that COPY writes, with the type below each domain.
const COLUMNS: &str = "
WITH RECURSIVE base AS (
    SELECT oid AS top, oid AS type, -1 AS modifier FROM pg_type
    UNION ALL
    SELECT b.top, t.typbasetype, t.typtypmod FROM base b JOIN pg_type t ON t.oid = b.type WHERE t.typtype = 'd'
)
SELECT n.nspname::text, c.relname::text, a.attname::text, format_type(a.atttypid, a.atttypmod),
       CASE WHEN b.type <> a.atttypid THEN format_type(b.type, b.modifier) END,
       t.typcategory::text, a.attnotnull OR own.typnotnull
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
JOIN pg_type own ON own.oid = a.atttypid
JOIN base b ON b.top = a.atttypid
JOIN pg_type t ON t.oid = b.type AND t.typtype <> 'd'
WHERE c.relkind = 'r' AND c.relpersistence <> 't' AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
ORDER BY c.oid, a.attnum";

/// The columns of every table, by schema and name.
///
/// # Errors
/// Exit code 3 when the catalogue cannot be read.
pub async fn columns(client: &Client) -> Result<HashMap<(String, String), Vec<Column>>> {
    let rows = client
        .query(COLUMNS, &[])
        .await
        .map_err(|error| query_error("cannot list the columns", error))?;
    let mut columns: HashMap<_, Vec<Column>> = HashMap::new();
    for row in rows {
        columns.entry((row.get(0), row.get(1))).or_default().push(Column {
            name: row.get(2),
            kind: row.get(3),
            base: row.get(4),
            category: row.get(5),
            not_null: row.get(6),
        });
    }
    Ok(columns)
}

/// Encoding, locale, owner, comment and privileges of the database. What says who provides the locale has another column
/// in each of PostgreSQL 15, 16 and 17, and none before, so the row is looked at as JSON.
///
/// # Errors
/// Exit code 3 when the catalogue cannot be read.
pub async fn properties(client: &Client) -> Result<Properties> {
    let row = client
        .query_one(
            "SELECT pg_encoding_to_char(encoding)::text, datcollate::text, datctype::text, pg_get_userbyid(datdba)::text,
                    shobj_description(oid, 'pg_database'), datacl IS NOT NULL,
                    facts ->> 'datlocprovider', coalesce(facts ->> 'datlocale', facts ->> 'daticulocale'),
                    facts ->> 'daticurules', facts ->> 'datcollversion'
             FROM pg_database d, LATERAL (SELECT to_jsonb(d) AS facts) AS seen WHERE datname = current_database()",
            &[],
        )
        .await
        .map_err(|error| query_error("cannot read the properties of the database", error))?;
    let grants = if row.get(5) {
        Some(grants(client).await?)
    } else {
        None
    };
    Ok(Properties {
        encoding: row.get(0),
        collate: row.get(1),
        ctype: row.get(2),
        provider: row.get(6),
        locale: row.get(7),
        icu_rules: row.get(8),
        collation_version: row.get(9),
        owner: row.get(3),
        comment: row.get(4),
        grants,
    })
}

async fn grants(client: &Client) -> Result<Vec<Grant>> {
    let rows = client
        .query(
            "SELECT r.rolname::text, a.privilege_type, a.is_grantable
             FROM pg_database d, aclexplode(d.datacl) a LEFT JOIN pg_roles r ON r.oid = a.grantee
             WHERE d.datname = current_database() ORDER BY 1 NULLS FIRST, 2",
            &[],
        )
        .await
        .map_err(|error| query_error("cannot list the privileges on the database", error))?;
    Ok(rows
        .iter()
        .map(|row| Grant {
            role: row.get(0),
            privilege: row.get(1),
            grantable: row.get(2),
        })
        .collect())
}

/// The installed extensions.
///
/// # Errors
/// Exit code 3 when the catalogue cannot be read.
pub async fn extensions(client: &Client) -> Result<Vec<Extension>> {
    let rows = client
        .query(
            "SELECT extname::text, extversion FROM pg_extension ORDER BY extname",
            &[],
        )
        .await
        .map_err(|error| query_error("cannot list the extensions", error))?;
    Ok(rows
        .iter()
        .map(|row| Extension {
            name: row.get(0),
            version: row.get(1),
        })
        .collect())
}

/// Every role that something in this database depends on: owners, grantees, subjects of policies. `pg_shdepend` leaves
/// the bootstrap superuser out, so the owners named in the table of contents are added to these later.
///
/// # Errors
/// Exit code 3 when the catalogue cannot be read.
pub async fn roles(client: &Client) -> Result<Vec<String>> {
    let rows = client
        .query(
            "SELECT DISTINCT r.rolname::text FROM pg_shdepend d JOIN pg_roles r ON r.oid = d.refobjid
             WHERE d.refclassid = 'pg_authid'::regclass
               AND d.dbid = (SELECT oid FROM pg_database WHERE datname = current_database())
             ORDER BY 1",
            &[],
        )
        .await
        .map_err(|error| query_error("cannot list the roles", error))?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}

/// The settings of this database, and of roles in this database.
///
/// # Errors
/// Exit code 3 when the catalogue cannot be read.
pub async fn settings(client: &Client) -> Result<Vec<Setting>> {
    let rows = client
        .query(
            "SELECT r.rolname::text, unnest(s.setconfig)
             FROM pg_db_role_setting s LEFT JOIN pg_roles r ON r.oid = s.setrole
             WHERE s.setdatabase = (SELECT oid FROM pg_database WHERE datname = current_database())
             ORDER BY 1 NULLS FIRST, 2",
            &[],
        )
        .await
        .map_err(|error| query_error("cannot list the settings of the database", error))?;
    rows.iter()
        .map(|row| {
            let text: String = row.get(1);
            let (name, value) = text
                .split_once('=')
                .ok_or_else(|| Error::unable(format!("a setting of the database has no value: {text:?}")))?;
            Ok(Setting {
                role: row.get(0),
                name: name.to_owned(),
                value: value.to_owned(),
            })
        })
        .collect()
}
