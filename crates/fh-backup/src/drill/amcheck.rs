//! `amcheck`: every B-tree index is consistent in itself, and holds every row of its table (PostgreSQL manual, F.1).

use std::sync::Arc;
use std::time::{Duration, Instant};

use fh_core::Result;
use fh_core::progress::Progress;
use fh_core::report::{Check, Measure};
use fh_pg::{
    ConnectOptions, Connection, ConnectionString, connect, describe, pin_session, query_error, quote_ident,
};

use crate::workers::{Queue, on_each};

/// Where the extension goes when the database does not have it: a schema that no user has.
const SCHEMA: &str = "fh_drill_amcheck";

/// Every usable B-tree, those of the catalogues and of TOAST too; the largest first.
const INDEXES: &str = "
SELECT c.oid, n.nspname || '.' || c.relname
FROM pg_catalog.pg_index i
JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
JOIN pg_catalog.pg_am a ON a.oid = c.relam
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE a.amname = 'btree' AND c.relkind = 'i' AND c.relpersistence <> 't' AND i.indisready AND i.indisvalid
ORDER BY c.relpages DESC";

/// SQLSTATEs that say that data is damaged: `data_corrupted` and `index_corrupted` (PostgreSQL manual, appendix A).
const DAMAGED: [&str; 2] = ["XX001", "XX002"];
/// `insufficient_privilege`
const NOT_ALLOWED: &str = "42501";

/// How to work.
#[derive(Debug)]
pub struct Plan<'a> {
    /// The restored database.
    pub target: &'a ConnectionString,
    /// How each session connects.
    pub connect: &'a ConnectOptions,
    /// How long to wait for a lock.
    pub lock_timeout: Duration,
    /// Sessions at the same time.
    pub jobs: usize,
    /// Where progress goes.
    pub progress: &'a Progress,
}

/// What one index gave.
enum Found {
    Whole,
    Damaged(String),
    Unknown(String),
    NotAllowed(String),
}

/// Checks every index. Where the extension is not to be had, the check is skipped and says so.
///
/// # Errors
/// Exit code 3 when a session is lost.
pub async fn check(plan: &Plan<'_>) -> Result<Check> {
    let began = Instant::now();
    let first = session(plan).await?;
    let schema = match install(&first).await? {
        Ok(schema) => schema,
        Err(why) => return Ok(skipped(why)),
    };
    let rows = first
        .query(INDEXES, &[])
        .await
        .map_err(|error| query_error("cannot list the indexes", error))?;
    let indexes: Vec<(u32, String)> = rows.iter().map(|row| (row.get(0), row.get(1))).collect();
    let total = indexes.len();
    let task = plan.progress.items("checking indexes", Some(total as u64));
    let mut sessions = vec![first];
    while sessions.len() < plan.jobs.clamp(1, total.max(1)) {
        sessions.push(session(plan).await?);
    }
    let queue = Queue::new(indexes);
    let statement = format!(
        "SELECT {}.bt_index_check($1::oid::regclass, true)",
        quote_ident(&schema)
    );
    let statement = Arc::new(statement);
    let found = on_each(sessions, |session| {
        let (queue, task, statement) = (queue.clone(), task.clone(), Arc::clone(&statement));
        async move {
            let mut found = Vec::new();
            while let Some((oid, name)) = queue.next() {
                found.push(look(&session, &statement, oid, &name).await?);
                task.inc(1);
            }
            Ok(found)
        }
    });
    let found: Vec<Found> = found.await?.into_iter().flatten().collect();
    Ok(verdict(&found)
        .took(began.elapsed())
        .measure(Measure::count("indexes", total as u64)))
}

async fn session(plan: &Plan<'_>) -> Result<Connection> {
    let connection = connect(plan.target, plan.connect).await?;
    pin_session(&connection, plan.lock_timeout).await?;
    Ok(connection)
}

/// The schema of the extension, or why there is none.
async fn install(session: &Connection) -> Result<std::result::Result<String, String>> {
    let failed = |error| query_error("cannot see whether amcheck is there", error);
    let installed = "SELECT n.nspname::text FROM pg_catalog.pg_extension e
        JOIN pg_catalog.pg_namespace n ON n.oid = e.extnamespace WHERE e.extname = 'amcheck'";
    if let Some(row) = session.query_opt(installed, &[]).await.map_err(failed)? {
        return Ok(Ok(row.get(0)));
    }
    let available = "SELECT FROM pg_catalog.pg_available_extensions WHERE name = 'amcheck'";
    if session.query_opt(available, &[]).await.map_err(failed)?.is_none() {
        return Ok(Err("the server does not offer the extension amcheck".into()));
    }
    let create = format!("CREATE SCHEMA {SCHEMA}; CREATE EXTENSION amcheck SCHEMA {SCHEMA}");
    match session.batch_execute(&create).await {
        Ok(()) => Ok(Ok(SCHEMA.to_owned())),
        Err(error) if error.code().is_some_and(|code| code.code() == NOT_ALLOWED) => Ok(Err(format!(
            "the role may not install amcheck: {}",
            describe(&error)
        ))),
        Err(error) => Err(query_error(
            "cannot install amcheck in the scratch database",
            error,
        )),
    }
}

async fn look(session: &Connection, statement: &str, oid: u32, name: &str) -> Result<Found> {
    let Err(error) = session.execute(statement, &[&oid]).await else {
        return Ok(Found::Whole);
    };
    let Some(code) = error.code().map(|code| code.code().to_owned()) else {
        return Err(query_error(format!("cannot check the index {name}"), error));
    };
    let told = format!("{name}: {}", describe(&error));
    Ok(match code.as_str() {
        code if DAMAGED.contains(&code) => Found::Damaged(told),
        NOT_ALLOWED => Found::NotAllowed(told),
        // The server is stopping: classes 57P01 to 57P03.
        code if code.starts_with("57P") => {
            return Err(query_error(format!("cannot check the index {name}"), error));
        }
        _ => Found::Unknown(told),
    })
}

fn skipped(why: String) -> Check {
    Check::skip("amcheck", why).hint(
        "indexes were not checked against their tables: install the package with the contrib modules (on Debian \
         postgresql-<version>), and let a role drill that may use amcheck",
    )
}

fn verdict(found: &[Found]) -> Check {
    let (mut damaged, mut unknown) = (Vec::new(), Vec::new());
    for one in found {
        match one {
            Found::Whole => {}
            Found::Damaged(told) => damaged.push(told),
            Found::Unknown(told) => unknown.push(told),
            Found::NotAllowed(told) => return skipped(format!("the role may not use amcheck: {told}")),
        }
    }
    let all = found.len();
    if !damaged.is_empty() {
        let check = Check::fail("amcheck", format!("{} of {all} indexes are damaged", damaged.len()))
            .hint("the rows are right, and the server made wrong indexes of them: suspect its locale, memory or disk");
        return damaged.into_iter().chain(unknown).fold(check, Check::evidence);
    }
    if !unknown.is_empty() {
        let check = Check::unknown(
            "amcheck",
            format!("{} of {all} indexes could not be checked", unknown.len()),
        );
        return unknown.into_iter().fold(check, Check::evidence);
    }
    Check::pass(
        "amcheck",
        format!("{all} indexes hold every row of their tables, in order"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use fh_core::report::Status;

    #[test]
    fn an_index_that_was_not_checked_is_never_a_pass() {
        let status = |found: &[Found]| verdict(found).status;
        let told = || "i".to_owned();
        assert_eq!(status(&[Found::Whole, Found::Whole]), Status::Pass);
        assert_eq!(status(&[Found::Whole, Found::Unknown(told())]), Status::Unknown);
        assert_eq!(
            status(&[Found::Unknown(told()), Found::Damaged(told())]),
            Status::Fail
        );
        assert_eq!(status(&[Found::Whole, Found::NotAllowed(told())]), Status::Skip);
    }
}
