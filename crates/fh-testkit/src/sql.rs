//! The schema zoo: a database with one of everything, for tests that backup and restore must not lose any of it.

use crate::Postgres;

/// A psql script (it uses `\if` and `\gset`) for an empty database and a superuser. It says at its top what it needs.
pub const SCHEMA_ZOO: &str = include_str!("../sql/schema_zoo.sql");

/// Fills `database`, which must be empty, with the zoo. It takes about two seconds.
///
/// # Panics
/// At the first statement that fails.
pub fn load_schema_zoo(postgres: &Postgres, database: &str) {
    postgres.psql(database, SCHEMA_ZOO);
}
