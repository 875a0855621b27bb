//! An estimate of the room in large tables that holds no rows: their size against what the planner's statistics say the
//! rows need (page layout: PostgreSQL manual, 73.6). It is an estimate, and says so.

use fh_core::render::bytes;
use fh_core::report::{Check, Measure, Unit};
use fh_pg::quote_ident;

use super::GIB;
use super::ask::Row;
use super::question::{Asked, Plan, Question, Right};
use super::replication::whole;
use crate::limits::Limits;

/// Pages from which on a table is looked at: with 8 KiB, 8 MiB.
const PAGES: u32 = 1024;
/// Bytes at the beginning of a page.
const PAGE_HEADER: f64 = 24.0;
/// Bytes of a row's pointer.
const POINTER: f64 = 4.0;

pub(super) const BLOAT: Question = Question {
    plans: &[Plan {
        name: "bloat",
        about: "room in large tables that holds no rows, estimated",
        limits: Some(Limits::above(Unit::Bytes, GIB, 0.0).only_warn()),
    }],
    right: Right::Everyone,
    grants: &[
        "GRANT pg_read_all_data TO fh_health; -- PostgreSQL 14 or newer; before it, GRANT SELECT on the tables",
    ],
    // The hundred largest only, so that a catalogue of a hundred thousand tables costs no more.
    sql: |_, _| {
        Ok(format!(
            "WITH large AS MATERIALIZED (
  SELECT c.oid, n.nspname, c.relname, c.relpages, c.reltuples, c.relnatts,
         coalesce((SELECT option_value::int FROM pg_options_to_table(c.reloptions) WHERE option_name = 'fillfactor'), 100)
         AS fill
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
   WHERE c.relkind IN ('r', 'm') AND c.relpages >= {PAGES} AND n.nspname NOT IN ('pg_catalog', 'information_schema')
   ORDER BY c.relpages DESC LIMIT 100)
SELECT l.nspname, l.relname, l.relpages, l.reltuples, l.fill, l.relnatts, count(a.attname), count(s.attname),
       sum((1 - s.null_frac) * s.avg_width), bool_or(s.null_frac > 0)
  FROM large l
  LEFT JOIN pg_attribute a ON a.attrelid = l.oid AND a.attnum > 0 AND NOT a.attisdropped
  LEFT JOIN pg_stats s ON s.schemaname = l.nspname AND s.tablename = l.relname AND s.attname = a.attname AND NOT s.inherited
 GROUP BY 1, 2, 3, 4, 5, 6 ORDER BY 3 DESC"
        ))
    },
    judge: |asked, rows| vec![bloat(asked, rows)],
};

fn bloat(asked: &Asked<'_>, rows: &[Row]) -> Check {
    let id = asked.id("bloat");
    if rows.is_empty() {
        return Check::pass(id, "no table is large enough to be looked at (8 MiB)");
    }
    #[expect(clippy::cast_precision_loss, reason = "a page is a few KiB")]
    let page = asked.server.block_size as f64;
    let mut estimated: Vec<(f64, f64, &Row)> = rows
        .iter()
        .filter_map(|row| {
            let size = row.number(2)? * page;
            Some(((size - needed(row, page)?).max(0.0), size, row))
        })
        .collect();
    estimated.sort_by(|one, two| two.0.total_cmp(&one.0));
    let blind = rows.len() - estimated.len();
    let Some(&(waste, size, worst)) = estimated.first() else {
        let hint = format!(
            "the role sees no statistics of these tables: GRANT pg_read_all_data TO {}; (PostgreSQL 14 or newer), or \
             GRANT SELECT on them; or run ANALYZE, when they have none",
            quote_ident(&asked.server.role)
        );
        return Check::skip(
            id,
            format!("the bloat of {blind} large table(s) cannot be estimated"),
        )
        .hint(hint);
    };
    let summary = format!(
        "{}.{} has an estimated {} ({:.0} %) without rows",
        worst.text(0),
        worst.text(1),
        bytes(whole(waste)),
        waste * 100.0 / size.max(1.0)
    );
    let measure = Measure::bytes("largest", whole(waste));
    // A large table has much room in it even when it is in good order: only a half counts.
    let mut check = if waste * 2.0 >= size {
        asked.judged("bloat", measure, summary)
    } else {
        Check::pass(id, summary).measure(measure)
    };
    for (waste, size, row) in estimated
        .iter()
        .take(5)
        .filter(|(waste, size, _)| waste * 5.0 >= *size)
    {
        check = check.evidence(format!(
            "{}.{}: {} of {}",
            row.text(0),
            row.text(1),
            bytes(whole(*waste)),
            bytes(whole(*size))
        ));
    }
    if blind > 0 {
        check = check.evidence(format!(
            "{blind} more large table(s) have no statistics that this role may see"
        ));
    }
    check.hint("autovacuum is too slow for this table (autovacuum_vacuum_scale_factor), or something keeps it back; pg_repack or VACUUM FULL gives the room back")
}

/// Bytes that the table's rows need; `None` without statistics of every column.
fn needed(row: &Row, page: f64) -> Option<f64> {
    let tuples = row.number(3).filter(|tuples| *tuples >= 0.0)?;
    if row.count(6) == 0 || row.count(6) != row.count(7) {
        return None;
    }
    let nulls = if row.is(9) {
        (row.number(5)? / 8.0).ceil()
    } else {
        0.0
    };
    let header = aligned(23.0 + nulls);
    let tuple = POINTER + header + aligned(row.number(8)?);
    let per_page = ((page - PAGE_HEADER) * row.number(4)? / 100.0 / tuple)
        .floor()
        .max(1.0);
    Some((tuples / per_page).ceil() * page)
}

/// Up to the next multiple of eight.
fn aligned(bytes: f64) -> f64 {
    (bytes / 8.0).ceil() * 8.0
}
