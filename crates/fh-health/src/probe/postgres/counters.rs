//! What the counters did since the run before: values since the server's start say little about now (PostgreSQL manual,
//! 28.2.14 to 28.2.17).

use fh_core::render::{bytes, duration, grouped};
use fh_core::report::{Check, Measure, Unit};

use super::MIB;
use super::ask::Row;
use super::question::{Asked, Plan, Question, Right, Since};
use super::replication::whole;
use crate::limits::Limits;

/// Reads of pages that make a share of misses worth a word.
const ENOUGH_READS: f64 = 10_000.0;
/// Checkpoints that make a share worth a word.
const ENOUGH_CHECKPOINTS: f64 = 4.0;

pub(super) const DATABASE: Question = Question {
    plans: &[
        Plan {
            name: "cache",
            about: "page reads that missed shared_buffers, since the last run",
            limits: Some(Limits::above(Unit::Percent, 10.0, 0.0).only_warn()),
        },
        Plan {
            name: "temp_files",
            about: "temporary files, since the last run",
            limits: Some(Limits::above(Unit::BytesPerSecond, 10.0 * MIB, 0.0).only_warn()),
        },
        Plan {
            name: "deadlocks",
            about: "deadlocks, since the last run",
            limits: Some(Limits::above(Unit::Count, 1.0, 10.0)),
        },
    ],
    right: Right::Everyone,
    grants: &[],
    sql: |_, _| {
        Ok("SELECT blks_hit, blks_read, temp_bytes, temp_files, deadlocks
  FROM pg_stat_database WHERE datname = current_database()"
            .into())
    },
    judge: |asked, rows| match rows.first() {
        Some(row) => vec![cache(asked, row), temporary(asked, row), deadlocks(asked, row)],
        None => ["cache", "temp_files", "deadlocks"]
            .map(|name| Check::unknown(asked.id(name), "the server has no statistics of this database"))
            .into(),
    },
};

pub(super) const CHECKPOINTS: Question = Question {
    plans: &[Plan {
        name: "checkpoints",
        about: "checkpoints that did not wait for their time, since the last run",
        limits: Some(Limits::above(Unit::Percent, 50.0, 0.0).only_warn()),
    }],
    right: Right::Everyone,
    grants: &[],
    // They moved with PostgreSQL 17.
    sql: |server, _| {
        if server.standby {
            Err("a standby makes restart points when its primary makes checkpoints".into())
        } else if server.major() >= 17 {
            Ok("SELECT num_timed, num_requested FROM pg_stat_checkpointer".into())
        } else {
            Ok("SELECT checkpoints_timed, checkpoints_req FROM pg_stat_bgwriter".into())
        }
    },
    judge: |asked, rows| vec![checkpoints(asked, rows)],
};

fn cache(asked: &Asked<'_>, row: &Row) -> Check {
    let number = |column| row.number(column).unwrap_or_default();
    let hit = asked.since("cache.hit", number(0));
    let read = asked.since("cache.read", number(1));
    let (Since::Grown(hits), Since::Grown(reads)) = (hit, read) else {
        let worse = if read == Since::Reset { read } else { hit };
        return asked.not_yet("cache", worse);
    };
    let (hit, read, elapsed) = (hits.amount, reads.amount, hits.over);
    let share = read * 100.0 / (hit + read).max(1.0);
    if hit + read < ENOUGH_READS {
        let pages = grouped(whole(hit + read));
        let why = format!(
            "only {pages} page(s) were read within {}: too few to judge",
            duration(elapsed)
        );
        return Check::skip(asked.id("cache"), why);
    }
    let summary = format!(
        "{share:.1} % of {} page reads missed shared_buffers within {}",
        grouped(whole(hit + read)),
        duration(elapsed)
    );
    asked
        .judged("cache", Measure::percent("misses", share), summary)
        .hint("find statements that read much (pg_stat_statements), and see whether shared_buffers and memory fit the working set")
}

fn temporary(asked: &Asked<'_>, row: &Row) -> Check {
    let since = asked.since("temp_files.bytes", row.number(2).unwrap_or_default());
    let files = asked.since("temp_files.files", row.number(3).unwrap_or_default());
    let Since::Grown(growth) = since else {
        return asked.not_yet("temp_files", since);
    };
    let count = match files {
        Since::Grown(files) => files.amount,
        _ => 0.0,
    };
    let summary = format!(
        "{} temporary file(s) of {} in all within {}",
        grouped(whole(count)),
        bytes(whole(growth.amount)),
        duration(growth.over)
    );
    let measure = Measure::new("rate", growth.per_second(), Unit::BytesPerSecond);
    asked
        .judged("temp_files", measure, summary)
        .measure(Measure::bytes("written", whole(growth.amount)))
        .hint("sorts and hashes do not fit into work_mem; log_temp_files = 0 names the statements")
}

fn deadlocks(asked: &Asked<'_>, row: &Row) -> Check {
    let since = asked.since("deadlocks.count", row.number(4).unwrap_or_default());
    let Since::Grown(growth) = since else {
        return asked.not_yet("deadlocks", since);
    };
    let count = growth.amount;
    let summary = format!(
        "{} deadlock(s) within {}",
        grouped(whole(count)),
        duration(growth.over)
    );
    let measure = Measure::count("deadlocks", whole(count));
    asked
        .judged("deadlocks", measure, summary)
        .hint("the server's log has both statements of each; lock rows in the same order everywhere")
}

fn checkpoints(asked: &Asked<'_>, rows: &[Row]) -> Check {
    let Some(row) = rows.first() else {
        return Check::unknown(
            asked.id("checkpoints"),
            "the server does not count its checkpoints",
        );
    };
    let number = |column| row.number(column).unwrap_or_default();
    let timed = asked.since("checkpoints.timed", number(0));
    let requested = asked.since("checkpoints.requested", number(1));
    let (Since::Grown(by_time), Since::Grown(by_need)) = (timed, requested) else {
        let worse = if requested == Since::Reset {
            requested
        } else {
            timed
        };
        return asked.not_yet("checkpoints", worse);
    };
    let (timed, requested, elapsed) = (by_time.amount, by_need.amount, by_time.over);
    let all = timed + requested;
    let summary = format!(
        "{requested:.0} of {all:.0} checkpoint(s) within {} did not wait for checkpoint_timeout",
        duration(elapsed)
    );
    let measure = Measure::percent("requested", requested * 100.0 / all.max(1.0));
    if all < ENOUGH_CHECKPOINTS {
        let check = Check::pass(
            asked.id("checkpoints"),
            format!("{summary}: too few to be a pattern"),
        );
        return check.measure(measure);
    }
    asked
        .judged("checkpoints", measure, summary)
        .hint("raise max_wal_size, so that checkpoints come by time")
}
