//! From the text of a connection string to a [`ConnectionString`] with every default filled in.

mod keyword;
mod parameters;
mod resolve;
mod servers;
mod settings;
#[cfg(test)]
mod tests;
mod tls;
mod url;
mod values;

use fh_core::{Error, Result, Secret};

use crate::environment::Environment;
use crate::target::ConnectionString;
use settings::Settings;

impl ConnectionString {
    /// Reads a connection string as libpq does: a URL or keyword/value pairs, then the `PG…` variables, then libpq's own
    /// defaults (PostgreSQL manual, 34.1.1 and 34.15). Space around it, such as the newline at the end of a file, does not
    /// count. The password file is read only when a connection is made.
    ///
    /// # Errors
    /// Exit code 2 when it is malformed, names something unknown, or asks for something we cannot do. Messages name
    /// parameters, never values that could be a part of the password.
    pub fn parse(text: &Secret, environment: &Environment) -> Result<Self> {
        let mut settings = read(text.expose())?;
        settings.add_defaults(environment)?;
        resolve::resolve(&settings, environment)
    }
}

fn read(whole: &str) -> Result<Settings> {
    let text = whole.trim();
    if text.is_empty() {
        return Err(Error::usage("the connection string is empty").hint(
            "write postgresql://user@host:5432/database; a bare postgresql:// takes everything from the PG… variables",
        ));
    }
    if text.contains('\0') {
        return Err(Error::usage("the connection string has a NUL character")
            .hint("it is no text: was the right file read?"));
    }
    for scheme in ["postgresql://", "postgres://"] {
        if let Some(rest) = text.strip_prefix(scheme) {
            return url::parse(rest);
        }
    }
    match text.split_once("://") {
        // In the keyword form an = comes before anything that could hold "://".
        Some((scheme, _)) if !scheme.contains(['=', ' ', '\'']) => Err(foreign_scheme(scheme)),
        // Not trimmed: its last value may end with a backslash and a space.
        _ => keyword::parse(whole),
    }
}

/// Names in the schemes of other libraries for PostgreSQL: `postgresql+psycopg`, `jdbc:postgresql`, `postgis`.
const COUSINS: [&str; 22] = [
    "asyncpg",
    "aiopg",
    "cockroachdb",
    "django",
    "ecto",
    "jdbc",
    "pg8000",
    "pgsql",
    "pgx",
    "postgis",
    "postgres",
    "postgresql",
    "psql",
    "psycopg",
    "psycopg2",
    "psycopg2cffi",
    "psycopg3",
    "psycopg_async",
    "pygresql",
    "r2dbc",
    "timescale",
    "timescaledb",
];

/// Other databases.
const STRANGERS: [&str; 14] = [
    "db2",
    "http",
    "https",
    "mariadb",
    "mongodb",
    "mssql",
    "mysql",
    "mysql2",
    "oracle",
    "redis",
    "rediss",
    "snowflake",
    "sqlite",
    "sqlserver",
];

/// Frameworks have URLs of their own that look much the same. Only words that we know are repeated: before a misplaced `://`
/// may stand anything.
fn foreign_scheme(scheme: &str) -> Error {
    let lower = scheme.to_ascii_lowercase();
    let words: Vec<&str> = lower.split(['+', '.', ':']).collect();
    let known = |words: &[&str], list: &[&str]| words.iter().all(|word| list.contains(word));
    if known(&words, &COUSINS) {
        return Error::usage(format!(
            "the connection URL begins with {scheme}://, which is another library's way to write it"
        ))
        .hint("begin it with postgresql:// and leave the rest as it is");
    }
    let stranger = words.iter().find(|word| STRANGERS.contains(word));
    let what = match stranger {
        Some(word) => format!("the connection URL is one of {word}, not of PostgreSQL"),
        None => "the connection URL has an unknown scheme".to_owned(),
    };
    Error::usage(what).hint("it must begin with postgresql:// or postgres://")
}

/// Whether libpq would use this folder when no host is given; the password file then calls the host `localhost`.
pub(crate) fn is_default_socket_folder(folder: &std::path::Path) -> bool {
    servers::SOCKET_FOLDERS
        .iter()
        .any(|default| folder == std::path::Path::new(default))
}
