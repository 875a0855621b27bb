//! Databases that a restore makes, and drops again when it fails.

use std::time::Duration;

use fh_core::{Error, Result};
use fh_pg::{
    ConnectOptions, Connection, ConnectionString, connect, pin_session, query_error, quote_ident,
    quote_literal,
};

use super::definitions::Ownership;
use crate::body::{Database, Properties};

/// Databases that every server has, from which others are made, renamed and dropped.
const MAINTENANCE: [&str; 2] = ["postgres", "template1"];

/// A session with the server of `target`, in a database that is not the one to work on.
///
/// # Errors
/// Exit code 3 when none of the databases that every server has lets us in.
pub async fn maintenance(
    target: &ConnectionString,
    options: &ConnectOptions,
    lock_timeout: Duration,
) -> Result<Connection> {
    let mut first = None;
    for name in MAINTENANCE.into_iter().filter(|name| *name != target.database()) {
        match connect(&target.with_database(name), options).await {
            Ok(session) => {
                pin_session(&session, lock_timeout).await?;
                return Ok(session);
            }
            Err(error) => {
                first.get_or_insert(error);
            }
        }
    }
    Err(first.unwrap_or_else(|| Error::unable("no maintenance database could be tried")))
}

/// Whether the server has a database of this name.
///
/// # Errors
/// Exit code 3 when the server does not answer.
pub async fn exists(session: &Connection, name: &str) -> Result<bool> {
    let row = session
        .query_one(
            "SELECT EXISTS (SELECT 1 FROM pg_database WHERE datname = $1)",
            &[&name],
        )
        .await
        .map_err(|error| query_error("cannot list the server's databases", error))?;
    Ok(row.get(0))
}

/// A database that was made for a restore. Unless it is [kept](Made::keep), it is dropped with this value: also when the
/// run is interrupted.
#[derive(Debug)]
pub struct Made {
    name: String,
    /// The server, in a maintenance database.
    server: ConnectionString,
    options: ConnectOptions,
    owned: bool,
}

impl Made {
    /// Makes the database `name` as the backed-up one was.
    ///
    /// # Errors
    /// Exit code 4 when it exists already, 3 when the server refuses.
    pub async fn make(
        session: &Connection,
        options: &ConnectOptions,
        name: &str,
        database: &Database,
        ownership: Ownership,
    ) -> Result<Self> {
        if exists(session, name).await? {
            return Err(already_there(name));
        }
        let statement = statement(name, database, ownership, session.server.major());
        session.batch_execute(&statement).await.map_err(|error| {
            query_error(format!("cannot make the database {name}"), error).hint(
                "the role needs CREATEDB, and the server the locale of the backup; or make the database by hand and use --into",
            )
        })?;
        Ok(Self {
            name: name.to_owned(),
            server: session.target().clone(),
            options: options.clone(),
            owned: true,
        })
    }

    /// Keeps it from now on.
    pub fn keep(mut self) {
        self.owned = false;
    }

    /// Drops it, and tells in `error` whether it is gone.
    #[must_use]
    pub async fn drop_because(mut self, error: Error) -> Error {
        self.owned = false;
        let name = &self.name;
        match drop_database(&self.server, &self.options, name).await {
            Ok(()) => ended(
                error,
                &format!("the new database {name} was dropped again, nothing is left of it"),
            ),
            Err(why) => ended(
                error,
                &format!(
                    "the new database {name} is unfinished and could not be dropped ({why}): drop it by hand"
                ),
            ),
        }
    }
}

impl Drop for Made {
    fn drop(&mut self) {
        if !self.owned {
            return;
        }
        // Interrupted: nothing asynchronous of this run goes on any more, so the last step has a thread of its own.
        let (server, options, name) = (self.server.clone(), self.options.clone(), self.name.clone());
        let dropped = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            match runtime {
                Ok(runtime) => runtime.block_on(drop_database(&server, &options, &name)),
                Err(error) => Err(Error::unable("cannot start the async runtime").because(error)),
            }
        });
        match dropped.join() {
            Ok(Ok(())) => tracing::warn!("the new database {} was dropped again", self.name),
            Ok(Err(error)) => tracing::error!(
                "the new database {} is unfinished and could not be dropped: {error}",
                self.name
            ),
            Err(_) => tracing::error!("the new database {} is unfinished: drop it by hand", self.name),
        }
    }
}

async fn drop_database(server: &ConnectionString, options: &ConnectOptions, name: &str) -> Result<()> {
    let session = connect(server, options).await?;
    // FORCE ends the sessions that are still in it, such as those of a load that was stopped.
    session
        .batch_execute(&format!(
            "DROP DATABASE IF EXISTS {} WITH (FORCE)",
            quote_ident(name)
        ))
        .await
        .map_err(|error| query_error(format!("cannot drop the database {name}"), error))
}

/// The error with what became of the target at the end of its first line.
#[must_use]
pub fn ended(error: Error, what: &str) -> Error {
    let told = Error::new(error.exit(), format!("{}; {what}", error.message()));
    let advice = error.advice();
    let told = told.because(error);
    match advice {
        Some(advice) => told.hint(advice),
        None => told,
    }
}

pub(crate) fn already_there(name: &str) -> Error {
    Error::refused(format!("the server has a database {name} already"))
        .hint("choose another name, or --into for an empty database that exists; nothing was changed")
}

fn statement(name: &str, database: &Database, ownership: Ownership, major: u32) -> String {
    let mut statement = empty_database(name, &database.properties, major);
    if !ownership.no_owner {
        statement.push_str(&format!(" OWNER {}", quote_ident(&database.properties.owner)));
    }
    statement
}

/// `CREATE DATABASE`, from the one template that any encoding and locale can be given (PostgreSQL manual, 23.3).
pub(crate) fn empty_database(name: &str, properties: &Properties, major: u32) -> String {
    let literal = |text: &str| quote_literal(text);
    let mut statement = format!(
        "CREATE DATABASE {} TEMPLATE template0 ENCODING {} LC_COLLATE {} LC_CTYPE {}",
        quote_ident(name),
        literal(&properties.encoding),
        literal(&properties.collate),
        literal(&properties.ctype)
    );
    let locale = properties.locale.as_deref().map(literal);
    match (properties.provider.as_deref(), locale) {
        (Some("i"), Some(locale)) => {
            statement.push_str(&format!(" LOCALE_PROVIDER icu ICU_LOCALE {locale}"));
            if let Some(rules) = &properties.icu_rules {
                statement.push_str(&format!(" ICU_RULES {}", literal(rules)));
            }
        }
        (Some("b"), Some(locale)) => {
            statement.push_str(&format!(" LOCALE_PROVIDER builtin BUILTIN_LOCALE {locale}"));
        }
        (Some("c"), _) if major >= 15 => statement.push_str(" LOCALE_PROVIDER libc"),
        _ => {}
    }
    statement
}

#[cfg(test)]
mod tests {
    use super::*;

    fn database(provider: Option<&str>, locale: Option<&str>) -> Database {
        Database {
            name: "shop".into(),
            server_version: 150_000,
            snapshot_at: jiff::Timestamp::UNIX_EPOCH,
            properties: Properties {
                encoding: "UTF8".into(),
                collate: "C".into(),
                ctype: "C.UTF-8".into(),
                provider: provider.map(Into::into),
                locale: locale.map(Into::into),
                icu_rules: None,
                collation_version: None,
                owner: "app owner".into(),
                comment: None,
                grants: None,
            },
            toc: Vec::new(),
            pg_dump: String::new(),
            extensions: Vec::new(),
            roles: Vec::new(),
            settings: Vec::new(),
            tables: Vec::new(),
            large_objects: None,
            leaving: None,
        }
    }

    #[test]
    fn a_database_is_made_as_it_was() {
        let of = |provider: Option<&str>, locale: Option<&str>, no_owner: bool, major: u32| {
            let ownership = Ownership {
                no_owner,
                no_privileges: false,
            };
            statement("it's", &database(provider, locale), ownership, major)
        };
        let begin =
            "CREATE DATABASE \"it's\" TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C.UTF-8'";
        assert_eq!(of(None, None, true, 14), begin);
        assert_eq!(
            of(Some("c"), None, false, 15),
            format!("{begin} LOCALE_PROVIDER libc OWNER \"app owner\"")
        );
        assert_eq!(
            of(Some("i"), Some("de-AT"), true, 16),
            format!("{begin} LOCALE_PROVIDER icu ICU_LOCALE 'de-AT'")
        );
        assert_eq!(
            of(Some("b"), Some("C.UTF-8"), true, 17),
            format!("{begin} LOCALE_PROVIDER builtin BUILTIN_LOCALE 'C.UTF-8'")
        );
    }
}
