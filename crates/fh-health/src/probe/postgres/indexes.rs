//! Indexes that do not work, and indexes that nobody uses (PostgreSQL manual, 28.2.20 and 53.26).
//!
//! Sizes come from `pg_class.relpages`, which takes no lock: a migration that holds a table must not hold this check.

use fh_core::render::{bytes, duration};
use fh_core::report::{Check, Measure, Status, Unit};

use super::GIB;
use super::ask::Row;
use super::question::{Asked, Plan, Question, Right};
use super::replication::whole;
use crate::limits::Limits;

/// Left behind by a `CREATE INDEX CONCURRENTLY` that failed: written to, and never read.
pub(super) const INVALID: Question = Question {
    plans: &[Plan {
        name: "invalid_indexes",
        about: "indexes that do not work",
        limits: None,
    }],
    right: Right::Everyone,
    grants: &[],
    sql: |_, _| {
        Ok(
            "SELECT n.nspname, c.relname, t.relname, i.indisunique, count(*) OVER ()
  FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_class t ON t.oid = i.indrelid
  JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE NOT (i.indisvalid AND i.indisready AND i.indislive) AND n.nspname !~ '^pg_toast'
   AND NOT EXISTS (SELECT FROM pg_stat_progress_create_index p WHERE p.index_relid = i.indexrelid)
 ORDER BY 1, 2 LIMIT 20"
                .into(),
        )
    },
    judge: invalid,
};

pub(super) const UNUSED: Question = Question {
    plans: &[Plan {
        name: "unused_indexes",
        about: "room of indexes that nobody reads",
        limits: Some(Limits::above(Unit::Bytes, GIB, 0.0).only_warn()),
    }],
    right: Right::Everyone,
    grants: &[],
    // Only those that serve nothing but reading: a key or a constraint is used by every write.
    sql: |server, _| {
        Ok(format!(
            "SELECT d.since, s.schemaname, s.indexrelname, s.relname, c.relpages::bigint * {block},
       sum(c.relpages::bigint) OVER () * {block}, count(s.indexrelid) OVER ()
  FROM (SELECT extract(epoch FROM clock_timestamp() - coalesce(stats_reset, pg_postmaster_start_time())) AS since
          FROM pg_stat_database WHERE datname = current_database()) d
  LEFT JOIN (pg_stat_user_indexes s JOIN pg_index i ON i.indexrelid = s.indexrelid JOIN pg_class c ON c.oid = s.indexrelid)
    ON s.idx_scan = 0 AND i.indisvalid AND NOT i.indisunique AND c.relpages > 0
   AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = s.indexrelid)
 ORDER BY 5 DESC NULLS LAST LIMIT 10",
            block = server.block_size
        ))
    },
    judge: unused,
};

fn invalid(asked: &Asked<'_>, rows: &[Row]) -> Vec<Check> {
    let id = asked.id("invalid_indexes");
    let count = rows.first().map_or(0, |row| row.count(4));
    let mut check = match rows.first() {
        None => Check::pass(id, "every index is valid"),
        Some(row) => Check::warn(
            id,
            format!("{count} index(es) are not valid, such as {}", named(row)),
        ),
    };
    for row in rows {
        let unique = if row.is(3) {
            ", and does not keep its values unique"
        } else {
            ""
        };
        check = check.evidence(format!("{} on {}{unique}", named(row), row.text(2)));
    }
    if !rows.is_empty() && !asked.server.reads_stats {
        check = check.evidence(format!(
            "one that is just being built would look the same to this role: {}",
            asked.server.grant_monitor()
        ));
    }
    vec![
        check
            .measure(Measure::count("invalid", count))
            .hint("DROP INDEX CONCURRENTLY it, find out why it failed, and build it again"),
    ]
}

fn unused(asked: &Asked<'_>, rows: &[Row]) -> Vec<Check> {
    let id = asked.id("unused_indexes");
    let Some(since) = rows.first().and_then(|row| row.seconds(0)) else {
        return vec![Check::unknown(
            id,
            "the server does not say how old its statistics are",
        )];
    };
    let enough = asked.config.unused_after.get();
    if since < enough {
        let summary = format!(
            "the statistics are {} old; it takes {} to tell which indexes nobody uses",
            duration(since),
            duration(enough)
        );
        return vec![Check::skip(id, summary)];
    }
    let rows: Vec<&Row> = rows.iter().filter(|row| row.given(2).is_some()).collect();
    let size = rows.first().and_then(|row| row.number(5)).unwrap_or_default();
    let count = rows.first().map_or(0, |row| row.count(6));
    let summary = if rows.is_empty() {
        format!("every index was used within {}", duration(since))
    } else {
        format!(
            "{count} index(es) of {} were not used within {}",
            bytes(whole(size)),
            duration(since)
        )
    };
    let measure = Measure::bytes("size", whole(size));
    let mut check = asked.judged("unused_indexes", measure, summary);
    for row in rows {
        let size = bytes(whole(row.number(4).unwrap_or_default()));
        check = check.evidence(format!(
            "{}.{} on {}, {size}",
            row.text(1),
            row.text(2),
            row.text(3)
        ));
    }
    if check.status != Status::Pass {
        check = check.hint("look whether a standby uses them, which this server cannot know; then drop them");
    }
    vec![check.measure(Measure::count("unused", count))]
}

fn named(row: &Row) -> String {
    format!("{}.{}", row.text(0), row.text(1))
}
