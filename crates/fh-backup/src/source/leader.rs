//! The session that owns the snapshot and holds the locks until the end.

use std::time::Duration;

use fh_core::{Error, Result};
use fh_pg::{ConnectOptions, Connection, ConnectionString, connect, pin_session, qualified, query_error};

use super::catalog::{self, Relation};

/// Tables locked by one statement: fewer round trips, and still a statement of readable size.
const LOCK_BATCH: usize = 200;

/// An open `REPEATABLE READ READ ONLY` transaction with an exported snapshot.
///
/// It holds ACCESS SHARE on every table from before the definitions are read until the backup ends, so that nothing
/// can be dropped, rewritten or truncated in between.
#[derive(Debug)]
pub struct Leader {
    /// The session. Its transaction ends when it is dropped.
    pub connection: Connection,
    /// Name of the exported snapshot.
    pub snapshot: String,
    /// The server's clock at the snapshot.
    pub snapshot_at: jiff::Timestamp,
    /// Bytes of a block.
    pub block_size: u64,
    /// The tables, all locked.
    pub relations: Vec<Relation>,
}

impl Leader {
    /// Takes the snapshot, lists the tables in it and locks them.
    ///
    /// # Errors
    /// Exit code 3 when the server cannot be reached, a lock is not granted in time, or a table was dropped or
    /// rewritten between the snapshot and its lock: to an older snapshot a rewritten table looks empty, and that must
    /// never become a backup.
    pub async fn begin(
        source: &ConnectionString,
        options: &ConnectOptions,
        lock_timeout: Duration,
    ) -> Result<Self> {
        let connection = connect(source, options).await?;
        pin_session(&connection, lock_timeout).await?;
        begin_transaction(&connection, None).await?;
        let row = connection
            .query_one(
                "SELECT pg_export_snapshot(), (extract(epoch FROM clock_timestamp()) * 1000)::int8,
                        current_setting('block_size')::int8",
                &[],
            )
            .await
            .map_err(|error| query_error("cannot export a snapshot", error))?;
        let snapshot_at = jiff::Timestamp::from_millisecond(row.get(1))
            .map_err(|error| Error::unable("the server's clock is out of range").because(error))?;
        let relations = catalog::relations(&connection).await?;
        let leader = Self {
            snapshot: row.get(0),
            snapshot_at,
            block_size: u64::try_from(row.get::<_, i64>(2)).unwrap_or(8192).max(1),
            relations,
            connection,
        };
        leader.lock().await?;
        leader.check_not_rewritten().await?;
        Ok(leader)
    }

    /// The reason for a failure of anything that used the snapshot: when this session was lost, that is it, and what came
    /// of it (a snapshot that nobody knows) only confuses.
    #[must_use]
    pub fn blame(&self, error: Error) -> Error {
        let Some(reason) = self.connection.lost() else {
            return error;
        };
        let advice = fh_pg::recovery_conflict(reason).unwrap_or(
            "see the server's log, and whether it was restarted or the session was ended by somebody",
        );
        Error::unable("the session that holds the snapshot and the locks was lost")
            .because(reason.to_owned())
            .hint(advice)
    }

    async fn lock(&self) -> Result<()> {
        for batch in self.relations.chunks(LOCK_BATCH) {
            let names: Vec<String> = batch
                .iter()
                .map(|table| format!("ONLY {}", qualified(&table.schema, &table.name)))
                .collect();
            let statement = format!("LOCK TABLE {} IN ACCESS SHARE MODE", names.join(", "));
            self.connection.batch_execute(&statement).await.map_err(|error| {
                let hint = match error.code().map(tokio_postgres::error::SqlState::code) {
                    Some("42P01") => "a table was dropped or renamed while the backup began: run it again",
                    Some("55P03") => {
                        "another session holds or waits for an exclusive lock, probably a migration: run the backup again after it"
                    }
                    Some("42501") => "the backup's role needs SELECT on every table: GRANT pg_read_all_data TO it",
                    _ => "see the server's log",
                };
                query_error("cannot lock the tables for reading", error).hint(hint)
            })?;
        }
        Ok(())
    }

    /// `pg_class` shows the file node of our snapshot, `pg_relation_filenode` the one of this moment; the lock is held,
    /// so they cannot differ later if they agree now.
    async fn check_not_rewritten(&self) -> Result<()> {
        let oids: Vec<u32> = self.relations.iter().map(|table| table.oid).collect();
        let rows = self
            .connection
            .query(
                "SELECT c.oid::regclass::text FROM pg_class c
                 WHERE c.oid = ANY ($1) AND c.relkind = 'r'
                   AND pg_relation_filenode(c.oid) IS DISTINCT FROM c.relfilenode",
                &[&oids],
            )
            .await
            .map_err(|error| query_error("cannot compare the tables' file nodes", error))?;
        let Some(first) = rows.first() else { return Ok(()) };
        Err(Error::unable(format!(
            "{} table(s) were rewritten or dropped while the backup began, {} for one",
            rows.len(),
            first.get::<_, String>(0)
        ))
        .hint("TRUNCATE, VACUUM FULL, CLUSTER or a migration ran just now: run the backup again"))
    }
}

/// Opens another session on the leader's snapshot.
///
/// # Errors
/// Exit code 3 when the server cannot be reached or does not know the snapshot any more.
pub async fn follower(
    source: &ConnectionString,
    options: &ConnectOptions,
    lock_timeout: Duration,
    snapshot: &str,
) -> Result<Connection> {
    let connection = connect(source, options).await?;
    pin_session(&connection, lock_timeout).await?;
    begin_transaction(&connection, Some(snapshot)).await?;
    Ok(connection)
}

async fn begin_transaction(connection: &Connection, snapshot: Option<&str>) -> Result<()> {
    let mut statement = String::from("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
    if let Some(snapshot) = snapshot {
        statement.push_str("; SET TRANSACTION SNAPSHOT ");
        statement.push_str(&fh_pg::quote_literal(snapshot));
    }
    connection
        .batch_execute(&statement)
        .await
        .map_err(|error| query_error("cannot begin the backup's transaction", error))
}
