//! Who waits for a lock, and who holds it: `pg_blocking_pids` (PostgreSQL manual, 9.27.3 and 28.2.3).

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use fh_core::render::duration;
use fh_core::report::{Check, Measure, Unit};

use super::activity::who;
use super::ask::Row;
use super::question::{Asked, Plan, Question, Right};
use crate::limits::Limits;

/// Lines of evidence at most; a stalled table can hold up hundreds of sessions.
const SHOWN: usize = 8;

pub(super) const LOCKS: Question = Question {
    plans: &[Plan {
        name: "locks",
        about: "the longest wait for a lock, and who holds it",
        limits: Some(Limits::above(Unit::Seconds, 10.0, 60.0)),
    }],
    right: Right::Stats,
    grants: &["GRANT pg_monitor TO fh_health;"],
    // pg_locks.waitstart came with PostgreSQL 14; before it, the statement's beginning is the best there is.
    sql: |server, _| {
        let since = if server.major() >= 14 {
            "coalesce((SELECT min(waitstart) FROM pg_locks l WHERE l.pid = a.pid AND NOT l.granted), a.query_start)"
        } else {
            "a.query_start"
        };
        Ok(format!(
            "WITH waiting AS MATERIALIZED (
  SELECT pid, pg_blocking_pids(pid) AS held_by FROM pg_stat_activity WHERE wait_event_type = 'Lock' LIMIT 200)
SELECT a.pid, array_to_string(w.held_by, ','), a.usename, a.datname, a.application_name, coalesce(a.state, a.backend_type),
       CASE WHEN w.pid IS NOT NULL THEN extract(epoch FROM clock_timestamp() - {since}) END,
       extract(epoch FROM clock_timestamp() - a.xact_start), left(a.query, 2000)
  FROM pg_stat_activity a LEFT JOIN waiting w ON w.pid = a.pid
 WHERE w.pid IS NOT NULL OR a.pid IN (SELECT unnest(held_by) FROM waiting)"
        ))
    },
    judge: |asked, rows| vec![locks(asked, rows)],
};

/// A session that waits or is waited for.
struct Session<'r> {
    row: &'r Row,
    /// Whom it waits for; empty for one that does not wait. 0 is a prepared transaction.
    held_by: Vec<i64>,
}

impl Session<'_> {
    fn waits(&self) -> Option<Duration> {
        self.row.seconds(6)
    }

    fn name(&self) -> String {
        format!(
            "pid {} ({})",
            self.row.text(0),
            who(self.row.text(2), self.row.text(3), self.row.text(4))
        )
    }
}

fn locks(asked: &Asked<'_>, rows: &[Row]) -> Check {
    let sessions: BTreeMap<i64, Session<'_>> = rows
        .iter()
        .filter_map(|row| {
            let held_by = row
                .text(1)
                .split(',')
                .filter_map(|pid| pid.parse().ok())
                .collect();
            Some((row.text(0).parse().ok()?, Session { row, held_by }))
        })
        .collect();
    let mut waiting: Vec<&Session<'_>> = sessions.values().filter(|it| it.waits().is_some()).collect();
    waiting.sort_by_key(|session| std::cmp::Reverse(session.waits()));
    let longest = waiting.first().and_then(|it| it.waits()).unwrap_or_default();
    let roots = roots(&sessions);
    let summary = match roots.first() {
        _ if waiting.is_empty() => "no session waits for a lock".to_owned(),
        Some((pid, held_up)) => format!(
            "{} holds up {held_up} session(s), the longest for {}",
            holder(&sessions, *pid),
            duration(longest)
        ),
        None => format!(
            "{} session(s) wait for each other, the longest for {}",
            waiting.len(),
            duration(longest)
        ),
    };
    let mut check = asked
        .judged("locks", Measure::duration("longest_wait", longest), summary)
        .measure(Measure::count("waiting", waiting.len() as u64))
        .hint("end the first one: it must commit, or pg_terminate_backend(PID) ends its session");
    for (pid, held_up) in roots.iter().take(SHOWN) {
        let line = match sessions.get(pid) {
            Some(session) => format!(
                "{} holds up {held_up}, is {}, its transaction is {} old: {}",
                session.name(),
                session.row.text(5),
                duration(session.row.seconds(7).unwrap_or_default()),
                asked.shown(session.row.text(8))
            ),
            None => format!("{} holds up {held_up}", holder(&sessions, *pid)),
        };
        check = check.evidence(line);
    }
    for session in waiting.iter().take(SHOWN) {
        let by: Vec<String> = session.held_by.iter().map(ToString::to_string).collect();
        check = check.evidence(format!(
            "{} has waited {} for {}: {}",
            session.name(),
            duration(session.waits().unwrap_or_default()),
            by.join(", "),
            asked.shown(session.row.text(8))
        ));
    }
    if waiting.len() > SHOWN {
        check = check.evidence(format!("and {} more wait", waiting.len() - SHOWN));
    }
    check
}

/// Who holds others up without waiting itself, and how many, the worst first.
fn roots(sessions: &BTreeMap<i64, Session<'_>>) -> Vec<(i64, usize)> {
    let mut held_up: BTreeMap<i64, BTreeSet<i64>> = BTreeMap::new();
    for (pid, session) in sessions.iter().filter(|(_, session)| !session.held_by.is_empty()) {
        for root in roots_of(*pid, sessions) {
            held_up.entry(root).or_default().insert(*pid);
        }
        let _ = session;
    }
    let mut roots: Vec<(i64, usize)> = held_up.iter().map(|(root, by)| (*root, by.len())).collect();
    roots.sort_by_key(|(pid, count)| (std::cmp::Reverse(*count), *pid));
    roots
}

fn roots_of(pid: i64, sessions: &BTreeMap<i64, Session<'_>>) -> BTreeSet<i64> {
    let (mut seen, mut next, mut found) = (BTreeSet::new(), vec![pid], BTreeSet::new());
    while let Some(pid) = next.pop() {
        if !seen.insert(pid) {
            continue;
        }
        match sessions.get(&pid) {
            Some(session) if !session.held_by.is_empty() => next.extend(&session.held_by),
            _ => {
                found.insert(pid);
            }
        }
    }
    found
}

fn holder(sessions: &BTreeMap<i64, Session<'_>>, pid: i64) -> String {
    match sessions.get(&pid) {
        Some(session) => session.name(),
        None if pid == 0 => "a prepared transaction".to_owned(),
        None => format!("pid {pid}"),
    }
}
