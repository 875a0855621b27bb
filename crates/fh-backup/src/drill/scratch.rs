//! The scratch database of a drill: made, dropped, and never anything else than that.

use std::time::Duration;

use fh_core::{Context as _, Deadline, Error, Hint as _, Result};
use fh_pg::{ConnectOptions, Connection, ConnectionString, connect, query_error, quote_ident, quote_literal};
use jiff::{SignedDuration, Timestamp};

use crate::body::Properties;
use crate::restore::made::empty_database;

/// What the names of scratch databases begin with. Nothing of another name is ever dropped.
pub const PREFIX: &str = "fh_drill_";
/// What their comments begin with; the time follows.
const COMMENT: &str = "fh-backup drill begun ";
/// The comment of one that somebody wants to look at.
const KEPT: &str = "fh-backup drill, kept for a look";
/// Left behind by a drill that was killed, once it is this old.
const OLD: SignedDuration = SignedDuration::from_hours(24);
/// SQLSTATEs of a locale that the operating system, or ICU, does not know (`createdb` in PostgreSQL's dbcommands.c).
const NO_SUCH_LOCALE: [&str; 2] = ["42809", "22023"];

/// A database that goes with its value, on every way out.
#[derive(Debug)]
pub struct Scratch {
    server: ConnectionString,
    options: ConnectOptions,
    name: String,
    /// It still has to be dropped.
    there: bool,
}

impl Scratch {
    /// Makes an empty database with the encoding and locale of the one that was backed up. Where the server does not
    /// know that locale, it is `C`, and a note says so.
    ///
    /// # Errors
    /// Exit code 3 when the server cannot be reached or the role may not create databases.
    pub async fn make(
        server: &ConnectionString,
        options: &ConnectOptions,
        properties: &Properties,
    ) -> Result<(Self, Option<String>)> {
        let session = connect(server, options).await?;
        let now = Timestamp::now();
        let name = format!(
            "{PREFIX}{}_{}",
            now.strftime("%Y%m%dt%H%M%S_%6f"),
            std::process::id()
        );
        let scratch = Self {
            server: session.target().clone(),
            options: options.clone(),
            name,
            // From now on: an answer that is lost on the way may mean that it was made.
            there: true,
        };
        let made = scratch.create(&session, properties).await;
        let note = match made {
            Err(error)
                if error
                    .code()
                    .is_some_and(|code| NO_SUCH_LOCALE.contains(&code.code())) =>
            {
                let plain = Properties {
                    collate: "C".into(),
                    ctype: "C".into(),
                    provider: None,
                    locale: None,
                    ..properties.clone()
                };
                scratch
                    .create(&session, &plain)
                    .await
                    .map_err(|error| scratch.not_made(error))?;
                Some(format!(
                    "the server has no locale {}, so that C is used: the order of texts may differ",
                    properties.locale.as_ref().unwrap_or(&properties.collate)
                ))
            }
            other => {
                other.map_err(|error| scratch.not_made(error))?;
                None
            }
        };
        scratch.comment(&session, &format!("{COMMENT}{now}")).await?;
        Ok((scratch, note))
    }

    async fn create(
        &self,
        session: &Connection,
        properties: &Properties,
    ) -> std::result::Result<(), tokio_postgres::Error> {
        let statement = empty_database(&self.name, properties, session.server.major());
        session.batch_execute(&statement).await
    }

    fn not_made(&self, error: tokio_postgres::Error) -> Error {
        query_error(format!("cannot make the scratch database {}", self.name), error)
            .hint("the role of the drill's server needs CREATEDB (ALTER ROLE … CREATEDB)")
    }

    async fn comment(&self, session: &Connection, text: &str) -> Result<()> {
        let statement = format!(
            "COMMENT ON DATABASE {} IS {}",
            quote_ident(&self.name),
            quote_literal(text)
        );
        session
            .batch_execute(&statement)
            .await
            .map_err(|error| query_error("cannot mark the scratch database", error))
    }

    /// The database.
    #[must_use]
    pub fn target(&self) -> ConnectionString {
        self.server.with_database(&self.name)
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Drops it.
    ///
    /// # Errors
    /// Exit code 3 when it is still there.
    pub async fn remove(mut self) -> Result<()> {
        self.there = false;
        let session = connect(&self.server, &self.options).await?;
        drop_database(&session, &self.name).await
    }

    /// Leaves it to the user; later drills leave it alone as well.
    ///
    /// # Errors
    /// Exit code 3 when it cannot be marked; it stays all the same.
    pub async fn keep(mut self) -> Result<()> {
        self.there = false;
        let session = connect(&self.server, &self.options).await?;
        self.comment(&session, KEPT).await
    }

    /// The server is gone, and the database with it.
    pub fn forget(mut self) {
        self.there = false;
    }
}

impl Drop for Scratch {
    /// The way out of errors, signals and deadlines. The runtime may be ending, so this has one of its own.
    fn drop(&mut self) {
        if !self.there {
            return;
        }
        let (server, name) = (self.server.clone(), self.name.clone());
        let options = ConnectOptions {
            connect_timeout: Duration::from_secs(5),
            deadline: Deadline::never(),
            ..self.options.clone()
        };
        let dropped = std::thread::spawn(move || -> Result<()> {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .or_unable(|| "cannot start the async runtime")?;
            runtime.block_on(async {
                let work = async { drop_database(&connect(&server, &options).await?, &name).await };
                tokio::time::timeout(Duration::from_secs(10), work)
                    .await
                    .or_unable(|| "the server did not answer within 10 seconds")?
            })
        });
        if let Ok(Err(error)) = dropped.join() {
            tracing::warn!(
                "the scratch database {} on {} was not dropped, a drill tomorrow will do it: {error}",
                self.name,
                self.server.place()
            );
        }
    }
}

/// Drops a scratch database and ends the sessions in it.
async fn drop_database(session: &Connection, name: &str) -> Result<()> {
    if !is_scratch(name) {
        return Err(
            Error::refused(format!("{name} is not a scratch database of a drill"))
                .hint("nothing was dropped"),
        );
    }
    let statement = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", quote_ident(name));
    session
        .batch_execute(&statement)
        .await
        .map_err(|error| query_error(format!("cannot drop the scratch database {name}"), error))
        .hint(|| format!("drop it by hand: DROP DATABASE {name} WITH (FORCE)"))
}

fn is_scratch(name: &str) -> bool {
    name.strip_prefix(PREFIX).is_some_and(|rest| {
        rest.starts_with(|first: char| first.is_ascii_digit())
            && rest
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
    })
}

/// When the drill of this comment began; `None` for any other comment.
fn begun(comment: &str) -> Option<Timestamp> {
    comment.strip_prefix(COMMENT)?.parse().ok()
}

/// Drops what killed drills have left on the server, once it is a day old. Both name and comment must say that it is one
/// of ours. Returns the names.
///
/// # Errors
/// Exit code 3 when the server cannot be asked.
pub async fn sweep(server: &ConnectionString, options: &ConnectOptions) -> Result<Vec<String>> {
    let session = connect(server, options).await?;
    let rows = session
        .query(
            "SELECT datname::text, shobj_description(oid, 'pg_database') FROM pg_database WHERE datname LIKE 'fh\\_drill\\_%'",
            &[],
        )
        .await
        .map_err(|error| query_error("cannot list the databases of the drill's server", error))?;
    let mut dropped = Vec::new();
    for row in rows {
        let (name, comment): (String, Option<String>) = (row.get(0), row.get(1));
        let old = comment
            .as_deref()
            .and_then(begun)
            .is_some_and(|begun| Timestamp::now().duration_since(begun) >= OLD);
        if !old || !is_scratch(&name) {
            continue;
        }
        match drop_database(&session, &name).await {
            Ok(()) => dropped.push(name),
            Err(error) => tracing::warn!("{error}"),
        }
    }
    Ok(dropped)
}

/// Refuses a server URL that is the database that is backed up: a typing mistake there must not cost more than this.
///
/// # Errors
/// Exit code 4.
pub fn refuse_source(server: &ConnectionString, source: Option<&ConnectionString>) -> Result<()> {
    let same = source.is_some_and(|source| {
        source.database() == server.database()
            && source.servers().iter().any(|one| server.servers().contains(one))
    });
    if !same {
        return Ok(());
    }
    Err(Error::refused(format!(
        "the drill's server is the database that is backed up: {}",
        server.redacted()
    ))
    .hint("give the URL of a server for drills, with a database such as postgres, or drill with --local; nothing was changed"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_own_names_and_comments_count() {
        for (name, ours) in [
            ("fh_drill_20261123t020000_123456_77", true),
            ("fh_drill_", false),
            ("fh_drill_results", false),
            ("fh_drill_1; DROP", false),
            ("shop", false),
            ("x_fh_drill_1", false),
        ] {
            assert_eq!(is_scratch(name), ours, "{name}");
        }
        assert!(begun("fh-backup drill begun 2026-11-23T02:00:00.5Z").is_some());
        for other in [KEPT, "fh-backup drill begun soon", "", "production"] {
            assert_eq!(begun(other), None, "{other}");
        }
    }
}
