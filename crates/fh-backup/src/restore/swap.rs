//! Puts a proven database in the place of the live one: two renames in one transaction.

use std::time::Duration;

use fh_core::{Error, Result};
use fh_pg::{Connection, query_error, quote_ident};

use super::preflight::Findings;

/// Longest name of a database, in bytes (PostgreSQL manual, 4.1.1: `NAMEDATALEN` less one).
const LONGEST: usize = 63;

/// How often sessions that are still in the live database are ended while the rename waits for them.
const AGAIN: Duration = Duration::from_millis(100);

/// The names in a replacement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Names {
    /// The live database.
    pub live: String,
    /// The new one, until it takes the live one's name.
    pub fresh: String,
    /// The live one, afterwards.
    pub old: String,
}

impl Names {
    /// `shop`, `shop_fh_20261123t020000123z` and `shop_before_20261123t020000123z`. A long name is cut, so that all fit.
    #[must_use]
    pub fn at(live: &str, now: jiff::Timestamp) -> Self {
        let stamp = now.strftime("%Y%m%dt%H%M%S%3fz").to_string();
        let named = |word: &str| {
            let ending = format!("_{word}_{stamp}");
            let mut end = live.len().min(LONGEST - ending.len());
            while !live.is_char_boundary(end) {
                end -= 1;
            }
            format!("{}{ending}", &live[..end])
        };
        Self {
            live: live.to_owned(),
            fresh: named("fh"),
            old: named("before"),
        }
    }

    /// Statements that undo the swap, for the report.
    #[must_use]
    pub fn swap_back(&self) -> String {
        let (live, fresh, old) = (
            quote_ident(&self.live),
            quote_ident(&self.fresh),
            quote_ident(&self.old),
        );
        format!("ALTER DATABASE {live} RENAME TO {fresh}; ALTER DATABASE {old} RENAME TO {live};")
    }

    /// The statement that removes the old database, for the report.
    #[must_use]
    pub fn drop_old(&self) -> String {
        format!("DROP DATABASE {};", quote_ident(&self.old))
    }

    /// Statements that do the swap by hand.
    #[must_use]
    pub fn swap_by_hand(&self) -> String {
        let (live, fresh, old) = (
            quote_ident(&self.live),
            quote_ident(&self.fresh),
            quote_ident(&self.old),
        );
        format!("ALTER DATABASE {live} RENAME TO {old}; ALTER DATABASE {fresh} RENAME TO {live};")
    }
}

/// Asks what would make the swap fail at the end of a long restore.
///
/// # Errors
/// Exit code 3 when the server does not answer.
pub async fn check(findings: &mut Findings, session: &Connection, live: &str) -> Result<()> {
    let row = session
        .query_opt(
            "SELECT r.rolsuper OR (r.rolcreatedb AND pg_has_role(current_user, d.datdba, 'USAGE')), d.datistemplate,
                    (SELECT count(*) FROM pg_prepared_xacts WHERE database = d.datname),
                    (SELECT count(*) FROM pg_replication_slots WHERE database = d.datname)
             FROM pg_database d, pg_roles r WHERE d.datname = $1 AND r.rolname = current_user",
            &[&live],
        )
        .await
        .map_err(|error| query_error("cannot look at the database to replace", error))?;
    let Some(row) = row else {
        findings.stop(
            "replace",
            Error::usage(format!("there is no database {live} to replace"))
                .hint("--create makes a new one; check the name and the server"),
        );
        return Ok(());
    };
    let (may, template): (bool, bool) = (row.get(0), row.get(1));
    let (prepared, slots): (i64, i64) = (row.get(2), row.get(3));
    if template {
        findings.stop(
            "replace",
            Error::refused(format!("{live} is a template database, which is not replaced")),
        );
    } else if !may {
        findings.stop(
            "replace",
            Error::unable(format!("the role may not rename the database {live}"))
                .hint("it needs CREATEDB and to be the database's owner, or to be a superuser"),
        );
    } else if prepared > 0 {
        findings.stop(
            "replace",
            Error::refused(format!(
                "{live} has {prepared} prepared transaction(s), with which it cannot be renamed"
            ))
            .hint("COMMIT PREPARED or ROLLBACK PREPARED them first (pg_prepared_xacts)"),
        );
    } else {
        findings.good("replace", format!("{live} can be renamed"));
    }
    if slots > 0 {
        findings.warn(
            "replication",
            format!("{slots} logical replication slot(s) belong to {live}, and stay with the old database"),
            "set replication up anew on the new database, and drop the old slots: they keep the server's log",
        );
    }
    Ok(())
}

/// Renames `live` to `old` and `fresh` to `live`: both or, when anything fails, neither.
///
/// The rename takes the lock that every new session of the database needs first, and then waits for the sessions that
/// are still there; those are ended meanwhile, over and over. So the live database is away only between the end of its
/// sessions and the commit, and a process that dies here leaves everything as it was.
///
/// # Errors
/// Exit code 3 when a session could not be ended or the server refuses; nothing is renamed then.
pub async fn swap(session: &Connection, helper: &Connection, names: &Names) -> Result<()> {
    let renames = format!("BEGIN; {} COMMIT", names.swap_by_hand());
    let mut renaming = std::pin::pin!(session.batch_execute(&renames));
    let mut refused = None;
    let renamed = loop {
        tokio::select! {
            result = &mut renaming => break result,
            () = tokio::time::sleep(AGAIN) => {
                if let Err(error) = end_sessions(helper, names).await {
                    refused = Some(error);
                }
            }
        }
    };
    renamed.map_err(|error| {
        let error = query_error(
            format!("{} could not be renamed, and is as it was", names.live),
            error,
        );
        match refused {
            Some(why) => error.hint(format!(
                "sessions in it could not be ended ({why}): end them, then swap by hand: {}",
                names.swap_by_hand()
            )),
            None => error.hint(format!(
                "swap by hand once nobody is in it: {}",
                names.swap_by_hand()
            )),
        }
    })
}

/// Ends every session of both databases that may be ended; fails with the last one that may not.
async fn end_sessions(helper: &Connection, names: &Names) -> Result<()> {
    let failed = |error| query_error("not allowed", error);
    // Whoever may not see the kind of a process may not end it either, and is told so by the attempt.
    let sessions = helper
        .query(
            "SELECT pid FROM pg_stat_activity
             WHERE datname IN ($1, $2) AND coalesce(backend_type, 'client backend') = 'client backend'",
            &[&names.live, &names.fresh],
        )
        .await
        .map_err(failed)?;
    let mut refused = None;
    for row in sessions {
        let pid: i32 = row.get(0);
        if let Err(error) = helper.query("SELECT pg_terminate_backend($1)", &[&pid]).await {
            refused = Some(error);
        }
    }
    refused.map_or(Ok(()), |error| Err(failed(error)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_fit_and_stay_apart() {
        let now = "2026-11-23T02:00:00Z".parse().unwrap();
        let names = Names::at("shop", now);
        assert_eq!(names.fresh, "shop_fh_20261123t020000000z");
        assert_eq!(names.old, "shop_before_20261123t020000000z");
        assert_eq!(
            names.swap_back(),
            "ALTER DATABASE shop RENAME TO shop_fh_20261123t020000000z; \
             ALTER DATABASE shop_before_20261123t020000000z RENAME TO shop;"
        );
        let long = Names::at(&"ä".repeat(31), now);
        assert!(long.fresh.len() <= LONGEST && long.old.len() <= LONGEST);
        assert_ne!(long.fresh, long.old);
    }
}
