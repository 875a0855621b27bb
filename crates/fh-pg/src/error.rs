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
    let mut text = format!("{}: {} (SQLSTATE {})", said.severity(), said.message(), said.code().code());
    for (label, part) in [("DETAIL", said.detail()), ("HINT", said.hint()), ("CONTEXT", said.where_())] {
        if let Some(part) = part {
            text.push_str(&format!("; {label}: {}", part.replace('\n', " ")));
        }
    }
    text
}

/// An error of exit code 3 for a query that failed: `what` says what was not done, the server's words are the cause.
///
/// ```no_run
/// # async fn example(connection: &fh_pg::Connection) -> fh_core::Result<()> {
/// connection.batch_execute("CHECKPOINT").await.map_err(|error| fh_pg::query_error("cannot make a checkpoint", error))?;
/// # Ok(())
/// # }
/// ```
#[must_use]
#[expect(clippy::needless_pass_by_value, reason = "made for map_err, which gives the error away")]
pub fn query_error(what: impl Into<String>, error: tokio_postgres::Error) -> Error {
    let lost = error.is_closed() || error.source().is_some_and(|cause| cause.is::<std::io::Error>());
    let described = Error::unable(what).because(describe(&error));
    if lost {
        described.hint("the session was lost: see the server's log, and whether something between closes idle connections")
    } else {
        described
    }
}
