//! What the server said, as text.

use std::error::Error as StdError;

use fh_core::Error;
use tokio_postgres::error::DbError;

/// The server's words in one line: `ERROR: relation "x" does not exist (SQLSTATE 42P01); DETAIL: …; HINT: …`. An error
/// that did not come from the server gives its chain of causes.
#[must_use]
pub fn describe(error: &tokio_postgres::Error) -> String {
    if let Some(said) = error.as_db_error() {
        return describe_server(said);
    }
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        next = cause.source();
    }
    text
}

pub(crate) fn describe_server(said: &DbError) -> String {
    let mut text = format!(
        "{}: {} (SQLSTATE {})",
        said.severity(),
        said.message(),
        said.code().code()
    );
    for (label, part) in [
        ("DETAIL", said.detail()),
        ("HINT", said.hint()),
        ("CONTEXT", said.where_()),
    ] {
        if let Some(part) = part {
            text.push_str(&format!("; {label}: {}", part.replace('\n', " ")));
        }
    }
    text
}

/// An error of exit code 3 for a query that failed: `what` says what was not done, the server's words are the cause.
///
/// SQLSTATEs whose remedy is the same whatever was asked for bring their hint. For the others (a missing right, a
/// missing table, a lock that was not had) the caller knows better what to do: the first hint of an error stays, so
/// there is none here.
///
/// ```no_run
/// # async fn example(connection: &fh_pg::Connection) -> fh_core::Result<()> {
/// connection.batch_execute("CHECKPOINT").await.map_err(|error| fh_pg::query_error("cannot make a checkpoint", error))?;
/// # Ok(())
/// # }
/// ```
#[must_use]
#[expect(
    clippy::needless_pass_by_value,
    reason = "made for map_err, which gives the error away"
)]
pub fn query_error(what: impl Into<String>, error: tokio_postgres::Error) -> Error {
    let text = describe(&error);
    let described = Error::unable(what).because(text.clone());
    if let Some(hint) = recovery_conflict(&text) {
        return described.hint(hint);
    }
    let lost = error.is_closed() || error.source().is_some_and(<dyn StdError>::is::<std::io::Error>);
    match error.code().and_then(|code| remedy(code.code())) {
        Some(hint) => described.hint(hint),
        None if lost => described
            .hint("the session was lost: see the server's log, and whether something between closes idle connections"),
        None => described,
    }
}

/// What to do when a standby ended a statement or a session because it could not replay a change otherwise (PostgreSQL
/// manual, 26.4.2); `None` when the server's words are about something else.
#[must_use]
pub fn recovery_conflict(said: &str) -> Option<&'static str> {
    said.contains("conflict with recovery").then_some(
        "the standby had to replay a change that removes rows still being read: run it again, and on the standby set hot_standby_feedback = on or a larger max_standby_streaming_delay (-1 waits for ever), or read from the primary",
    )
}

/// What to do about a SQLSTATE (PostgreSQL manual, appendix A).
fn remedy(code: &str) -> Option<&'static str> {
    Some(match code {
        "25006" => {
            "the server or the role is read-only: connect to the primary (target_session_attrs=read-write)"
        }
        "25P03" | "25P04" | "57P05" => {
            "a time limit of the server ended the session: see its idle and transaction timeouts"
        }
        "40001" | "40P01" => "another session was in the way: run it again",
        "53100" | "58030" => {
            "the server's disk is full or broken: see its log, and make room before anything else"
        }
        "53200" => "the server is out of memory: see work_mem, max_locks_per_transaction and its log",
        "53300" => "no connection is left: see max_connections and pg_stat_activity; fewer --jobs need fewer",
        "57014" => {
            "somebody or a time limit cancelled the statement: see statement_timeout and the server's log"
        }
        "57P01" | "57P02" | "57P03" => {
            "the server was stopped or restarted, or an administrator ended the session: see its log"
        }
        "XX001" | "XX002" => {
            "the server's files are damaged: keep every backup there is, and see its log before writing anything"
        }
        _ => return None,
    })
}
