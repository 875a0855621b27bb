//! Whether the log is archived now, by when it last worked and not by how often it ever failed (PostgreSQL manual,
//! 28.2.12).

use std::time::Duration;

use fh_core::render::{bytes, duration};
use fh_core::report::{Check, Measure, Unit};

use super::ask::Row;
use super::question::{Asked, Plan, Question, Right};
use crate::limits::Limits;

pub(super) const ARCHIVER: Question = Question {
    plans: &[Plan {
        name: "archiver",
        about: "how long the log has not been archived",
        limits: Some(Limits::above(Unit::Seconds, 300.0, 1800.0)),
    }],
    right: Right::Everyone,
    grants: &[],
    sql: |server, _| {
        if server.standby {
            return Err("the primary archives, not this standby".into());
        }
        Ok("SELECT current_setting('archive_mode'), last_archived_wal, extract(epoch FROM clock_timestamp() - last_archived_time),
       last_failed_wal, extract(epoch FROM clock_timestamp() - last_failed_time), pg_walfile_name(pg_current_wal_lsn()),
       (SELECT setting FROM pg_settings WHERE name = 'wal_segment_size'),
       extract(epoch FROM clock_timestamp() - coalesce(stats_reset, pg_postmaster_start_time())), failed_count
  FROM pg_stat_archiver"
            .into())
    },
    judge: |asked, rows| vec![archiver(asked, rows)],
};

fn archiver(asked: &Asked<'_>, rows: &[Row]) -> Check {
    let id = asked.id("archiver");
    let Some(row) = rows.first() else {
        return Check::unknown(id, "the server says nothing about its archiver");
    };
    if row.text(0) == "off" {
        return Check::skip(id, "archive_mode is off: the log is not archived");
    }
    let (archived, failed) = (row.seconds(2), row.seconds(4));
    // A time is an age here: the smaller one is the newer.
    let failing = failed.is_some_and(|failed| archived.is_none_or(|archived| failed < archived));
    let waiting = behind(row);
    let stuck = failing || waiting.is_some_and(|(files, _)| files > 2);
    let since = archived.or_else(|| row.seconds(7)).unwrap_or_default();
    let late = if stuck { since } else { Duration::ZERO };
    let summary = match (failing, archived) {
        (true, Some(archived)) => format!("archiving has failed since {} ago", duration(archived)),
        (true, None) => "archiving fails, and nothing was ever archived".to_owned(),
        (false, Some(archived)) => format!("the log was last archived {} ago", duration(archived)),
        (false, None) => "nothing was archived yet".to_owned(),
    };
    let mut check = asked.judged("archiver", Measure::duration("late", late), summary);
    if let Some((files, size)) = waiting {
        check = check.measure(Measure::bytes("waiting", size));
        if files > 0 {
            check = check.evidence(format!(
                "about {files} file(s), {}, wait to be archived",
                bytes(size)
            ));
        }
    }
    if let Some(failed) = failed {
        check = check.evidence(format!(
            "{} failure(s); the last one {} ago, with {}",
            row.text(8),
            duration(failed),
            row.text(3)
        ));
    }
    check.hint("see the server's log for what archive_command says; the log fills the disk until it works")
}

/// Files of the log between the last one archived and the one being written, and their bytes.
fn behind(row: &Row) -> Option<(u64, u64)> {
    let size = row.count(6);
    let number = |name: &str| -> Option<u64> {
        let part = |from: usize| u64::from_str_radix(name.get(from..from + 8)?, 16).ok();
        Some(part(8)? * ((1 << 32) / size.max(1)) + part(16)?)
    };
    let files = number(row.text(5))?.checked_sub(number(row.text(1))? + 1)?;
    Some((files, files * size))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_counted_across_the_32_bit_boundary() {
        let row = |archived: &str, current: &str| {
            let cells = ["on", archived, "", "", "", current, "16777216"];
            Row(cells.iter().map(|cell| Some((*cell).to_owned())).collect())
        };
        let of = |archived, current| behind(&row(archived, current)).map(|(files, _)| files);
        assert_eq!(
            of("000000010000000000000041", "000000010000000000000042"),
            Some(0)
        );
        assert_eq!(
            of("0000000100000000000000FE", "000000010000000100000001"),
            Some(2)
        );
        let backup = "000000010000000000000041.00000028.backup";
        assert_eq!(of(backup, "000000010000000000000044"), Some(2));
        assert_eq!(of("00000002.history", "000000020000000000000044"), None);
    }
}
