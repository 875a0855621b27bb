//! Giving way: a backup holds ACCESS SHARE on every table, so that a migration waits for it, and everybody else waits for
//! the migration.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use fh_core::render::duration;
use fh_core::{Error, Result, scrub};
use fh_pg::query_error;
use tokio_postgres::Client;

/// Pause between two looks at most.
const PACE: Duration = Duration::from_secs(1);
/// Characters shown of the statement that waits.
const SHOWN: usize = 160;

/// Sessions that wait for a lock of this one, which holds one on every table. Statistics are frozen at their first use in
/// a transaction, so they are asked for anew (PostgreSQL manual, 28.2.2). Our own sessions, which may wait behind the
/// other one by then, are not counted.
const WAITING: &str = "
SELECT l.pid, l.mode, coalesce(l.relation::regclass::text, l.locktype), coalesce(a.usename, '?')::text,
       coalesce(a.application_name, ''), coalesce(a.query, ''),
       (SELECT count(*) FROM pg_locks w LEFT JOIN pg_stat_activity o ON o.pid = w.pid
        WHERE NOT w.granted AND l.pid = ANY (pg_blocking_pids(w.pid))
          AND o.application_name IS DISTINCT FROM current_setting('application_name'))
FROM pg_locks l CROSS JOIN (SELECT pg_stat_clear_snapshot()) fresh LEFT JOIN pg_stat_activity a ON a.pid = l.pid
WHERE NOT l.granted AND l.pid <> pg_backend_pid() AND pg_backend_pid() = ANY (pg_blocking_pids(l.pid))";

/// Returns once a session has waited for a lock of the leader's for longer than `limit`, with the error that names it. With
/// a limit of zero it never returns.
///
/// # Errors
/// It always gives one, of exit code 3: somebody waits, or the server cannot be asked.
pub async fn until_somebody_waits(leader: &Client, limit: Duration) -> Error {
    if limit.is_zero() {
        return std::future::pending().await;
    }
    let mut since: HashMap<i32, Instant> = HashMap::new();
    loop {
        let waiting = match waiting(leader).await {
            Ok(waiting) => waiting,
            Err(error) => return error,
        };
        since.retain(|pid, _| waiting.iter().any(|session| session.pid == *pid));
        for session in &waiting {
            let waited = since.entry(session.pid).or_insert_with(Instant::now).elapsed();
            if waited >= limit {
                return session.error(waited);
            }
        }
        tokio::time::sleep(PACE.min(limit / 4)).await;
    }
}

struct Waiting {
    pid: i32,
    mode: String,
    relation: String,
    user: String,
    application: String,
    query: String,
    behind: i64,
}

async fn waiting(leader: &Client) -> Result<Vec<Waiting>> {
    let rows = leader
        .query(WAITING, &[])
        .await
        .map_err(|error| query_error("cannot see who waits for the backup's locks", error))?;
    Ok(rows
        .iter()
        .map(|row| Waiting {
            pid: row.get(0),
            mode: row.get(1),
            relation: row.get(2),
            user: row.get(3),
            application: row.get(4),
            query: row.get(5),
            behind: row.get(6),
        })
        .collect())
}

impl Waiting {
    fn error(&self, waited: Duration) -> Error {
        let statement: String = scrub(&self.query)
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" ")
            .chars()
            .take(SHOWN)
            .collect();
        let application = match self.application.as_str() {
            "" => String::new(),
            name => format!(" ({name})"),
        };
        let behind = match self.behind {
            0 => String::new(),
            1 => ", and one more session waits behind it".to_owned(),
            count => format!(", and {count} more sessions wait behind it"),
        };
        Error::unable(format!(
            "the backup gave way to process {} of {}{application}, which has waited {} for {} on {}{behind}",
            self.pid,
            self.user,
            duration(waited),
            self.mode,
            self.relation,
        ))
        .because(std::io::Error::other(format!("waiting: {statement}")))
        .hint("run the backup again when that is done; --yield-after 0s never gives way")
    }
}
