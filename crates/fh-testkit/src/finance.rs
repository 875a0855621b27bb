//! A finance application's database of any size, for demonstrations, benchmarks and tests with many rows.

use crate::Postgres;

/// A psql script that wants the variable `rows`; it explains itself at its top.
pub const FINANCE: &str = include_str!("../sql/finance.sql");

/// Fills `database`, which must be empty, with about `rows` rows (exactly, from a few hundred on; materialized views not
/// counted). A million rows take some ten seconds.
///
/// # Panics
/// At the first statement that fails.
pub fn load(postgres: &Postgres, database: &str, rows: u64) {
    postgres.psql(database, &script(rows));
}

/// [`FINANCE`] with its variable set.
pub(crate) fn script(rows: u64) -> String {
    format!("\\set rows {rows}\n{FINANCE}")
}
