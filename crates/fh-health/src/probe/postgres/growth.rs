//! How fast the database grows, over an hour at least: from one minute to the next it says nothing.

use std::time::Duration;

use fh_core::render::{bytes, duration};
use fh_core::report::{Check, Measure, Unit};

use super::ask::Row;
use super::question::{Asked, Plan, Question, Right};
use super::replication::whole;
use crate::limits::Limits;
use crate::samples::Sample;

/// The shortest time that a rate is computed over, and the longest that one measurement is kept for it.
const SHORTEST: Duration = Duration::from_secs(3600);
const LONGEST: Duration = Duration::from_secs(24 * 3600);
/// Growth in a day that is worth a word; a small database doubles easily.
const NOTABLE: f64 = (1_u64 << 30) as f64;

pub(super) const GROWTH: Question = Question {
    plans: &[Plan {
        name: "growth",
        about: "growth in a day, over an hour at least",
        limits: Some(Limits::above(Unit::Percent, 20.0, 100.0)),
    }],
    right: Right::Everyone,
    grants: &[],
    sql: |_, _| Ok("SELECT pg_database_size(current_database())".into()),
    judge: |asked, rows| vec![growth(asked, rows)],
};

fn growth(asked: &Asked<'_>, rows: &[Row]) -> Check {
    let id = asked.id("growth");
    let Some(size) = rows.first().and_then(|row| row.number(0)) else {
        return Check::unknown(id, "the server does not tell the database's size");
    };
    let key = asked.id("growth.size");
    let (before, after, now) = (&asked.context.before, &asked.context.after, asked.context.now);
    let base = before.get(&key);
    let age = base.and_then(|base| Duration::try_from(now.duration_since(base.at)).ok());
    let measure = Measure::bytes("size", whole(size));
    match (base, age) {
        (Some(Sample { value: old, at }), Some(age)) if age >= SHORTEST => {
            if age >= LONGEST {
                after.count(key, size, now);
            } else {
                after.count(key, old, at);
            }
            let daily = (size - old) * 86_400.0 / age.as_secs_f64();
            let share = daily * 100.0 / old.max(1.0);
            let summary = format!(
                "the database has {}, and grew by {} within {} ({share:+.1} % a day)",
                bytes(whole(size)),
                bytes(whole(size - old)),
                duration(age)
            );
            let per_day = Measure::percent("per_day", share);
            let check = if daily >= NOTABLE {
                asked.judged("growth", per_day, summary)
            } else {
                Check::pass(id, summary).measure(per_day)
            };
            check
                .measure(measure)
                .hint("see which tables grow: an import, a log table, or bloat; and how long the disk lasts")
        }
        (Some(Sample { value: old, at }), Some(_)) => {
            after.count(key, old, at);
            young(id, size).measure(measure)
        }
        _ => {
            after.count(key, size, now);
            young(id, size).measure(measure)
        }
    }
}

fn young(id: String, size: f64) -> Check {
    Check::skip(
        id,
        format!(
            "the database has {}; an hour of runs tells how fast it grows",
            bytes(whole(size))
        ),
    )
}
