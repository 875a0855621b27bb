//! Questions about the server and the database as a whole.

use fh_core::{Error, Result};
use fh_pg::{Connection, query_error};

use super::Findings;
use crate::body::Database;

/// Sessions beside those that load: the one that looks, `pg_restore` and `pg_dump`.
const OTHERS: i64 = 3;

pub(super) fn version(findings: &mut Findings, target: &Connection, database: &Database) {
    let (from, to) = (database.server_version / 10_000, target.server.major());
    if to < from {
        findings.stop(
            "version",
            Error::unable(format!(
                "the backup comes from PostgreSQL {from}, and the target server is PostgreSQL {to}"
            ))
            .hint(format!("restore into a server of version {from} or newer")),
        );
    } else {
        findings.good("version", format!("PostgreSQL {from} into PostgreSQL {to}"));
    }
}

pub(super) async fn writable(findings: &mut Findings, target: &Connection) -> Result<()> {
    let row = target
        .query_one(
            "SELECT pg_is_in_recovery(), current_setting('transaction_read_only') = 'on'",
            &[],
        )
        .await
        .map_err(|error| query_error("cannot see whether the target can be written", error))?;
    let why = match (row.get(0), row.get(1)) {
        (true, _) => "it is a standby",
        (false, true) => "its sessions are read-only",
        (false, false) => return Ok(()),
    };
    findings.stop(
        "writable",
        Error::unable(format!("the target server cannot be written: {why}")).hint(
            "connect to the primary (target_session_attrs=read-write), and see default_transaction_read_only",
        ),
    );
    Ok(())
}

/// A restore that runs out of connections half way leaves a half database.
pub(super) async fn connections(findings: &mut Findings, target: &Connection, jobs: usize) -> Result<()> {
    let row = target
        .query_one(
            "SELECT current_setting('max_connections')::int8 - current_setting('superuser_reserved_connections')::int8
                    - (SELECT sum(numbackends)::int8 FROM pg_stat_database)",
            &[],
        )
        .await
        .map_err(|error| query_error("cannot count the target's connections", error))?;
    let free: i64 = row.get(0);
    let needed = i64::try_from(jobs).unwrap_or(i64::MAX).saturating_add(OTHERS);
    if free < needed {
        findings.stop(
            "connections",
            Error::unable(format!(
                "the target server has {} free connection(s), and {needed} are needed with {jobs} job(s)",
                free.max(0)
            ))
            .hint("use fewer --jobs, end other sessions, or raise max_connections"),
        );
    } else {
        findings.good(
            "connections",
            format!("{free} connections are free, {needed} are needed"),
        );
    }
    Ok(())
}

pub(super) async fn encoding(
    findings: &mut Findings,
    target: &Connection,
    database: &Database,
) -> Result<()> {
    let row = target
        .query_one("SELECT current_setting('server_encoding')", &[])
        .await
        .map_err(|error| query_error("cannot read the target's encoding", error))?;
    let encoding: String = row.get(0);
    let properties = &database.properties;
    if encoding == properties.encoding {
        findings.good("encoding", encoding);
    } else {
        findings.stop(
            "encoding",
            Error::unable(format!(
                "the target database has encoding {encoding}, the backup comes from {}",
                properties.encoding
            ))
            .hint(format!(
                "let --create make the database, or make it with: CREATE DATABASE … TEMPLATE template0 ENCODING '{}' LC_COLLATE '{}' LC_CTYPE '{}'",
                properties.encoding, properties.collate, properties.ctype
            )),
        );
    }
    Ok(())
}
