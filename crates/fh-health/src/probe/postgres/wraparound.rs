//! How far the counters of transactions and multixacts are from their end (PostgreSQL manual, 24.1.5).

use fh_core::report::{Check, Measure, Unit};

use super::ask::Row;
use super::question::{Asked, Plan, Question, Right};
use crate::limits::Limits;

/// Ages at which the server takes no more writes are a little below this.
const END: f64 = 2_147_483_648.0;

pub(super) const WRAPAROUND: Question = Question {
    plans: &[Plan {
        name: "wraparound",
        about: "how far transactions and multixacts are from wraparound",
        limits: Some(Limits::above(Unit::Percent, 40.0, 75.0)),
    }],
    right: Right::Everyone,
    grants: &[],
    sql: |_, _| {
        Ok("SELECT datname, age(datfrozenxid), mxid_age(datminmxid), current_setting('autovacuum_freeze_max_age')
  FROM pg_database ORDER BY greatest(age(datfrozenxid), mxid_age(datminmxid)) DESC LIMIT 5"
            .into())
    },
    judge: wraparound,
};

fn wraparound(asked: &Asked<'_>, rows: &[Row]) -> Vec<Check> {
    let age = |row: &Row, column| row.number(column).unwrap_or_default();
    let most = |column| rows.iter().map(|row| age(row, column)).fold(0.0, f64::max);
    let (transactions, multixacts) = (most(1), most(2));
    // Two digits are enough, and more only look exact.
    let share = (transactions.max(multixacts) * 10_000.0 / END).round() / 100.0;
    let Some(oldest) = rows.first() else {
        return vec![Check::unknown(
            asked.id("wraparound"),
            "the server lists no database",
        )];
    };
    let summary = format!(
        "{:.0} % of the way to wraparound, in {}: transactions {:.0} M old, multixacts {:.0} M",
        share,
        oldest.text(0),
        transactions / 1e6,
        multixacts / 1e6
    );
    let check = asked
        .judged("wraparound", Measure::percent("used", share), summary)
        .measure(Measure::new("xid_age", transactions, Unit::Count))
        .measure(Measure::new("multixact_age", multixacts, Unit::Count))
        .hint(
            "find what keeps VACUUM back (old transactions, prepared ones, slots, disabled autovacuum), then run \
             VACUUM (FREEZE) in that database",
        );
    vec![rows.iter().fold(check, |check, row| {
        check.evidence(format!(
            "{}: {:.0} M transactions, {:.0} M multixacts; autovacuum freezes from {:.0} M on",
            row.text(0),
            age(row, 1) / 1e6,
            age(row, 2) / 1e6,
            age(row, 3) / 1e6
        ))
    })]
}
