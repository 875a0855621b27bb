//! The first question: what server this is, and what the role may see.

use fh_pg::{ServerVersion, quote_ident};

use super::ask::Row;

/// What every check needs to know of the server.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Server {
    /// Such as 150018.
    pub(super) version: u32,
    /// Whether it is a standby.
    pub(super) standby: bool,
    pub(super) database: String,
    pub(super) role: String,
    /// Whether the role sees the sessions of others.
    pub(super) reads_stats: bool,
    /// Whether the role sees every setting.
    pub(super) reads_settings: bool,
    /// Connections that ordinary roles can have.
    pub(super) slots: u64,
    pub(super) block_size: u64,
    /// The table of Django's migrations as SQL names it, when there is one, and whether the role may read it.
    pub(super) migrations: Option<(String, bool)>,
}

/// One row with the columns that [`Server::read`] reads. `table` is where Django keeps its migrations.
///
/// `reserved_connections` came with PostgreSQL 16, and Amazon RDS has one more kind.
pub(super) fn question(table: &str) -> String {
    let table = fh_pg::quote_literal(table);
    format!(
        "SELECT pg_catalog.pg_is_in_recovery(), pg_catalog.current_database(), current_user,
       pg_catalog.pg_has_role('pg_read_all_stats', 'USAGE'), pg_catalog.pg_has_role('pg_read_all_settings', 'USAGE'),
       pg_catalog.current_setting('max_connections')::int
       - pg_catalog.current_setting('superuser_reserved_connections')::int
       - coalesce(pg_catalog.current_setting('reserved_connections', true), '0')::int
       - coalesce(nullif(pg_catalog.current_setting('rds.rds_superuser_reserved_connections', true), ''), '0')::int,
       pg_catalog.current_setting('block_size'),
       (SELECT pg_catalog.format('%I.%I', n.nspname, c.relname) FROM pg_catalog.pg_class c
          JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
         WHERE c.oid = pg_catalog.to_regclass({table})),
       pg_catalog.has_table_privilege(pg_catalog.to_regclass({table})::oid, 'SELECT')"
    )
}

impl Server {
    /// A primary of a recent version and a role with every right, to show what is asked.
    pub(super) fn example() -> Self {
        Self {
            version: 170_000,
            standby: false,
            database: "shop".to_owned(),
            role: "fh_health".to_owned(),
            reads_stats: true,
            reads_settings: true,
            slots: 97,
            block_size: 8192,
            migrations: Some(("public.django_migrations".to_owned(), true)),
        }
    }

    pub(super) fn read(version: &ServerVersion, row: &Row) -> Self {
        Self {
            version: version.number(),
            standby: row.is(0),
            database: row.text(1).to_owned(),
            role: row.text(2).to_owned(),
            reads_stats: row.is(3),
            reads_settings: row.is(4),
            slots: row.count(5),
            block_size: row.count(6).max(1024),
            migrations: row.given(7).map(|table| (table.to_owned(), row.is(8))),
        }
    }

    /// Major version, such as 15.
    pub(super) fn major(&self) -> u32 {
        self.version / 10_000
    }

    /// What lets the role see what others do.
    pub(super) fn grant_monitor(&self) -> String {
        format!("GRANT pg_monitor TO {};", quote_ident(&self.role))
    }
}
