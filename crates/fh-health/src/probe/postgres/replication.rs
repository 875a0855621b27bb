//! How far standbys are behind, and what slots hold back (PostgreSQL manual, 28.2.4, 28.2.6, 54.19).

use std::time::Duration;

use fh_core::render::{bytes, duration};
use fh_core::report::{Check, Measure, Status, Unit};

use super::ask::Row;
use super::question::{Asked, Plan, Question, Right};
use super::{GIB, MIB};
use crate::limits::Limits;

/// On a primary the standbys that follow it, on a standby its own distance.
pub(super) const REPLICATION: Question = Question {
    plans: &[
        Plan {
            name: "replication",
            about: "how late standbys are, or this one is",
            limits: Some(Limits::above(Unit::Seconds, 30.0, 300.0)),
        },
        Plan {
            name: "replication_bytes",
            about: "how much of the log standbys have not replayed",
            limits: Some(Limits::above(Unit::Bytes, 256.0 * MIB, 4.0 * GIB)),
        },
    ],
    right: Right::Stats,
    grants: &["GRANT pg_monitor TO fh_health;"],
    sql: |server, _| {
        Ok(if server.standby {
            "SELECT pg_is_wal_replay_paused(),
       coalesce(pg_wal_lsn_diff(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn()), 0),
       extract(epoch FROM clock_timestamp() - pg_last_xact_replay_timestamp()),
       (SELECT status FROM pg_stat_wal_receiver WHERE pid IS NOT NULL)"
                .into()
        } else {
            // A base backup that is being taken is no standby.
            "SELECT application_name, coalesce(client_addr::text, 'socket'), state, sync_state,
       extract(epoch FROM replay_lag), pg_wal_lsn_diff(pg_current_wal_lsn(), replay_lsn)
  FROM pg_stat_replication WHERE state <> 'backup' ORDER BY 6 DESC NULLS FIRST LIMIT 20"
                .into()
        })
    },
    judge: |asked, rows| {
        if asked.server.standby {
            standby(asked, rows)
        } else {
            primary(asked, rows)
        }
    },
};

/// A slot keeps every file of the log that its consumer has not read, until the disk is full.
pub(super) const SLOTS: Question = Question {
    plans: &[Plan {
        name: "slots",
        about: "what replication slots hold back",
        limits: Some(Limits::above(Unit::Bytes, GIB, 10.0 * GIB)),
    }],
    right: Right::Everyone,
    grants: &[],
    sql: |server, _| {
        // On a standby the write position is the one received; that may be null when only an archive feeds it.
        let now = if server.standby {
            "coalesce(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn())"
        } else {
            "pg_current_wal_lsn()"
        };
        Ok(format!(
            "SELECT slot_name, slot_type, active, wal_status, greatest(pg_wal_lsn_diff({now}, restart_lsn), 0)
  FROM pg_replication_slots WHERE NOT temporary ORDER BY 5 DESC NULLS LAST LIMIT 50"
        ))
    },
    judge: slots,
};

/// Both checks as one answer.
fn both(asked: &Asked<'_>, answer: impl Fn(String) -> Check) -> Vec<Check> {
    let names = ["replication", "replication_bytes"];
    names.map(|name| answer(asked.id(name))).into()
}

fn primary(asked: &Asked<'_>, rows: &[Row]) -> Vec<Check> {
    let wanted = asked.config.standbys.unwrap_or_default();
    let behind = |row: &Row| row.number(5).unwrap_or_default();
    let lag = rows
        .iter()
        .filter_map(|row| row.seconds(4))
        .max()
        .unwrap_or_default();
    let lag_bytes = rows.iter().map(behind).fold(0.0, f64::max);
    let streaming = rows.iter().filter(|row| row.text(2) == "streaming").count() as u64;
    if rows.is_empty() && wanted == 0 {
        let why = "no standby is connected, and the configuration expects none (standbys)";
        return both(asked, |id| Check::skip(id, why));
    }
    let summary = format!(
        "{streaming} standby(s) stream, the slowest is {} late",
        duration(lag)
    );
    let mut late = asked.judged("replication", Measure::duration("lag", lag), summary);
    if streaming < wanted {
        late.status = Status::Fail;
        late.summary = format!("{streaming} standby(s) stream, and the configuration expects {wanted}");
    } else if rows.is_empty() || streaming < rows.len() as u64 {
        late.status = Status::BY_IMPORTANCE[usize::from(late.status.rank().min(Status::Warn.rank()))];
    }
    let late = rows.iter().fold(late, |check, row| {
        check.evidence(format!(
            "{} at {}: {}, {}, {} behind, replay lag {}",
            row.text(0),
            row.text(1),
            row.text(2),
            row.text(3),
            bytes(whole(behind(row))),
            row.seconds(4).map_or_else(|| "not told".to_owned(), duration)
        ))
    });
    let hint = "look at the standby's log, its disk and the network; long queries on it hold replay up";
    let summary = format!(
        "the slowest of {} standby(s) is {} behind",
        rows.len(),
        bytes(whole(lag_bytes))
    );
    let far = if rows.is_empty() {
        Check::skip(asked.id("replication_bytes"), "no standby is connected")
    } else {
        asked.judged(
            "replication_bytes",
            Measure::bytes("lag", whole(lag_bytes)),
            summary,
        )
    };
    vec![
        late.measure(Measure::count("standbys", streaming)).hint(hint),
        far.hint(hint),
    ]
}

/// The clock is only asked when something is still to be replayed, or when nothing can come any more: a primary without
/// work sends nothing to replay, and its standby is not late.
fn standby(asked: &Asked<'_>, rows: &[Row]) -> Vec<Check> {
    let Some(row) = rows.first() else {
        return both(asked, |id| {
            Check::unknown(id, "the standby said nothing about its replay")
        });
    };
    let behind = row.number(1).unwrap_or_default().max(0.0);
    let receiver = row.given(3);
    let current = behind == 0.0 && receiver.is_some();
    let lag = if current {
        Some(Duration::ZERO)
    } else {
        row.seconds(2)
    };
    let feed = match receiver {
        Some(status) => format!("its receiver is {status}"),
        None => "no receiver runs, so nothing comes from the primary".to_owned(),
    };
    let paused = if row.is(0) { ", replay is paused" } else { "" };
    let mut late = match lag {
        Some(lag) => {
            let summary = format!("this standby is {} late{paused}; {feed}", duration(lag));
            asked.judged("replication", Measure::duration("lag", lag), summary)
        }
        None => Check::unknown(
            asked.id("replication"),
            format!("this standby has replayed no transaction since it started{paused}; {feed}"),
        ),
    };
    if (row.is(0) || receiver.is_none()) && late.status == Status::Pass {
        late.status = Status::Warn;
    }
    let summary = format!("{} of the log are still to be replayed", bytes(whole(behind)));
    let far = asked.judged("replication_bytes", Measure::bytes("lag", whole(behind)), summary);
    let hint = if row.is(0) {
        "SELECT pg_wal_replay_resume() lets replay go on"
    } else {
        "look at the standby's log, recovery_min_apply_delay, its disk and the network to the primary"
    };
    vec![late.hint(hint), far.hint(hint)]
}

fn slots(asked: &Asked<'_>, rows: &[Row]) -> Vec<Check> {
    let held = |row: &Row| row.number(4).unwrap_or_default();
    let most = rows.iter().map(held).fold(0.0, f64::max);
    let lost: Vec<&Row> = rows.iter().filter(|row| row.text(3) == "lost").collect();
    let idle = rows.iter().filter(|row| !row.is(2)).count();
    let summary = match rows.first() {
        None => "there is no replication slot".to_owned(),
        Some(row) => format!(
            "{} slot(s), {idle} without a consumer; {} holds back {} of log",
            rows.len(),
            row.text(0),
            bytes(whole(most))
        ),
    };
    let measure = Measure::bytes("retained", whole(most));
    let mut check = asked.judged("slots", measure, summary);
    if let Some(row) = lost.first() {
        check.status = Status::Fail;
        check.summary = format!("the slot {} is lost: its consumer needs a new copy", row.text(0));
    } else if check.status == Status::Pass && (idle > 0 || rows.iter().any(|row| row.text(3) == "unreserved"))
    {
        check.status = Status::Warn;
    }
    let check = rows.iter().fold(check, |check, row| {
        check.evidence(format!(
            "{} ({}): {}, wal_status {}, holds back {}",
            row.text(0),
            row.text(1),
            if row.is(2) { "active" } else { "inactive" },
            row.given(3).unwrap_or("not told"),
            row.number(4)
                .map_or_else(|| "nothing".to_owned(), |held| bytes(whole(held)))
        ))
    });
    vec![check.measure(Measure::count("inactive", idle as u64)).hint(
        "start the consumer, or drop the slot with pg_drop_replication_slot('NAME'); max_slot_wal_keep_size \
                 keeps a slot from filling the disk",
    )]
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a size that the server gave, never negative here"
)]
pub(super) fn whole(size: f64) -> u64 {
    size.max(0.0) as u64
}
