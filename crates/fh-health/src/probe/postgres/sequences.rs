//! How near sequences are to their last value, or to the last that their column can hold (PostgreSQL manual, 54.23).

use fh_core::report::{Check, Measure, Unit};
use fh_pg::quote_ident;

use super::ask::Row;
use super::question::{Asked, Plan, Question, Right};
use crate::limits::Limits;

pub(super) const SEQUENCES: Question = Question {
    plans: &[Plan {
        name: "sequences",
        about: "how full sequences and their columns are",
        limits: Some(Limits::above(Unit::Percent, 70.0, 90.0)),
    }],
    right: Right::Everyone,
    grants: &["GRANT SELECT ON ALL SEQUENCES IN SCHEMA public TO fh_health;"],
    // A bigint sequence of an integer column ends with the column. A sequence without logging is not on a standby.
    sql: |server, _| {
        let kinds = if server.standby { "'p'" } else { "'p', 'u'" };
        Ok(format!(
            "SELECT *, count(*) OVER (), count(*) FILTER (WHERE NOT readable) OVER () FROM (
SELECT n.nspname, c.relname, v.value, e.last, a.attrelid::regclass || '.' || quote_ident(a.attname), r.readable,
       CASE WHEN v.value IS NULL THEN 0 ELSE 100 * (v.value - e.first) / nullif(e.last - e.first, 0) END AS share
  FROM pg_sequence s JOIN pg_class c ON c.oid = s.seqrelid JOIN pg_namespace n ON n.oid = c.relnamespace
  LEFT JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.refclassid = 'pg_class'::regclass
       AND d.refobjsubid > 0 AND d.deptype IN ('a', 'i')
  LEFT JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
 CROSS JOIN LATERAL (SELECT has_sequence_privilege(c.oid, 'USAGE, SELECT') AS readable) r
 CROSS JOIN LATERAL (SELECT CASE WHEN r.readable THEN pg_sequence_last_value(c.oid)::numeric END AS value) v
 CROSS JOIN LATERAL (SELECT CASE a.atttypid WHEN 'int2'::regtype THEN 32767::numeric WHEN 'int4'::regtype THEN 2147483647
                                            ELSE 9223372036854775807 END AS most) w
 CROSS JOIN LATERAL (SELECT CASE WHEN s.seqincrement > 0 THEN s.seqmin ELSE s.seqmax END::numeric AS first,
                            CASE WHEN s.seqincrement > 0 THEN least(s.seqmax, w.most)
                                 ELSE greatest(s.seqmin, -w.most - 1) END AS last) e
 WHERE NOT s.seqcycle AND c.relpersistence IN ({kinds})) q
 ORDER BY share DESC LIMIT 10"
        ))
    },
    judge: |asked, rows| vec![sequences(asked, rows)],
};

fn sequences(asked: &Asked<'_>, rows: &[Row]) -> Check {
    let id = asked.id("sequences");
    let (count, hidden) = rows.first().map_or((0, 0), |row| (row.count(7), row.count(8)));
    let hint = format!(
        "for each schema with sequences: GRANT SELECT ON ALL SEQUENCES IN SCHEMA public TO {};",
        quote_ident(&asked.server.role)
    );
    if count > 0 && hidden == count {
        return Check::skip(id, format!("none of {count} sequence(s) may be read")).hint(hint);
    }
    let share = rows.first().and_then(|row| row.number(6)).unwrap_or_default();
    let summary = match rows.first() {
        None => "there is no sequence that can come to an end".to_owned(),
        Some(row) => format!(
            "the fullest of {count} sequence(s), {}.{}, is at {share:.0} %",
            row.text(0),
            row.text(1)
        ),
    };
    let measure = Measure::percent("used", share);
    let mut check = asked.judged("sequences", measure, summary);
    for row in rows
        .iter()
        .filter(|row| row.number(6).is_some_and(|share| share >= 1.0))
    {
        let column = row
            .given(4)
            .map_or_else(String::new, |column| format!(", of the column {column}"));
        check = check.evidence(format!(
            "{}.{}: {} of {} ({:.1} %){column}",
            row.text(0),
            row.text(1),
            row.text(2),
            row.text(3),
            row.number(6).unwrap_or_default()
        ));
    }
    if hidden > 0 {
        check = check.evidence(format!("{hidden} more may not be read; {hint}"));
    }
    check.hint("change the column to bigint (and the sequence with it) before inserts fail")
}
