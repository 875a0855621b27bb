//! Who is connected, and who holds a transaction open: `pg_stat_activity` and `pg_prepared_xacts` (PostgreSQL manual,
//! 28.2.3 and 54.16).

use fh_core::render::{duration, grouped};
use fh_core::report::{Check, Measure, Unit};

use super::ask::Row;
use super::question::{Asked, Plan, Question, Right};
use super::sight::shape;
use crate::limits::Limits;

/// Sessions of clients; others have no slot of `max_connections`, or one that clients cannot use.
const CLIENTS: &str = "backend_type = 'client backend' AND pid <> pg_backend_pid()";

/// Connections in use. Their number is known to everybody, whose they are is not.
pub(super) const CONNECTIONS: Question = Question {
    plans: &[Plan {
        name: "connections",
        about: "connections in use, of those that ordinary roles can have",
        limits: Some(Limits::above(Unit::Percent, 80.0, 95.0)),
    }],
    right: Right::Everyone,
    grants: &[],
    sql: |server, _| {
        let which = if server.reads_stats {
            "backend_type = 'client backend'"
        } else {
            "true"
        };
        Ok(format!(
            "SELECT count(*), coalesce(state, 'unknown state'), usename, datname, application_name, sum(count(*)) OVER ()
  FROM pg_stat_activity WHERE datid IS NOT NULL AND {which}
 GROUP BY 2, 3, 4, 5 ORDER BY 1 DESC LIMIT 5"
        ))
    },
    judge: connections,
};

/// The oldest transaction that works.
pub(super) const TRANSACTIONS: Question = Question {
    plans: &[Plan {
        name: "transactions",
        about: "the longest transaction that works",
        limits: Some(Limits::above(Unit::Seconds, 600.0, 3600.0)),
    }],
    right: Right::Stats,
    grants: &["GRANT pg_monitor TO fh_health;"],
    sql: |_, _| {
        Ok(oldest(
            "state IN ('active', 'fastpath function call')",
            "xact_start",
        ))
    },
    judge: |asked, rows| {
        vec![held_open(asked, rows, "transactions", "has run", "no transaction is at work")
            .hint("see what it does; pg_cancel_backend(PID) ends the statement, pg_terminate_backend(PID) the session")]
    },
};

/// The transaction that has been idle for longest: it keeps its locks, and VACUUM from its work.
pub(super) const IDLE: Question = Question {
    plans: &[Plan {
        name: "idle_in_transaction",
        about: "the longest idle transaction",
        limits: Some(Limits::above(Unit::Seconds, 60.0, 600.0)),
    }],
    right: Right::Stats,
    grants: &["GRANT pg_monitor TO fh_health;"],
    sql: |_, _| Ok(oldest("state LIKE 'idle in transaction%'", "state_change")),
    judge: |asked, rows| {
        vec![
            held_open(
                asked,
                rows,
                "idle_in_transaction",
                "has been idle in a transaction", "no transaction is idle")
            .hint(
                "the application must commit or roll back; idle_in_transaction_session_timeout ends such sessions, \
                 pg_terminate_backend(PID) this one",
            ),
        ]
    },
};

/// Prepared transactions: nobody but their maker ends them, and a restart does not.
pub(super) const PREPARED: Question = Question {
    plans: &[Plan {
        name: "prepared_transactions",
        about: "the oldest prepared transaction",
        limits: Some(Limits::above(Unit::Seconds, 300.0, 3600.0)),
    }],
    right: Right::Everyone,
    grants: &[],
    sql: |_, _| {
        Ok(
            "SELECT gid, owner, database, extract(epoch FROM clock_timestamp() - prepared), count(*) OVER ()
  FROM pg_prepared_xacts ORDER BY prepared LIMIT 10"
                .into(),
        )
    },
    judge: prepared,
};

fn oldest(state: &str, since: &str) -> String {
    format!(
        "SELECT pid, usename, datname, application_name, extract(epoch FROM clock_timestamp() - {since}), left(query, 2000),
       coalesce(wait_event_type || ': ' || wait_event, '')
  FROM pg_stat_activity WHERE {CLIENTS} AND {state} AND xact_start IS NOT NULL ORDER BY {since} LIMIT 5"
    )
}

#[expect(clippy::cast_precision_loss, reason = "connections are few")]
fn connections(asked: &Asked<'_>, rows: &[Row]) -> Vec<Check> {
    let used = rows.first().map_or(0, |row| row.count(5));
    let slots = asked.server.slots;
    let share = used as f64 * 100.0 / slots.max(1) as f64;
    let measure = Measure::percent("used", share);
    let summary = format!("{used} of {slots} connections are in use ({share:.0} %)");
    let mut check = asked
        .judged("connections", measure, summary)
        .measure(Measure::count("connections", used))
        .measure(Measure::count("slots", slots))
        .hint("find who holds them; a pooler (PgBouncer, RDS Proxy) or smaller pools in the application need fewer");
    for row in rows {
        check = check.evidence(format!(
            "{} × {}, {}",
            grouped(row.count(0)),
            row.text(1),
            who(row.text(2), row.text(3), row.text(4))
        ));
    }
    if !asked.server.reads_stats {
        check = check.evidence(format!(
            "counted with the server's own workers, because the role cannot tell them apart: {}",
            asked.server.grant_monitor()
        ));
    }
    vec![check]
}

fn held_open(asked: &Asked<'_>, rows: &[Row], name: &str, does: &str, none: &str) -> Check {
    let longest = rows.first().and_then(|row| row.seconds(4)).unwrap_or_default();
    let summary = match rows.first() {
        None => none.to_owned(),
        Some(row) => format!(
            "pid {} ({}) {does} for {}",
            row.text(0),
            who(row.text(1), row.text(2), row.text(3)),
            duration(longest)
        ),
    };
    let check = asked.judged(name, Measure::duration("longest", longest), summary);
    rows.iter().fold(check, |check, row| {
        let waits = match row.text(6) {
            "" => String::new(),
            event => format!(" (waits for {event})"),
        };
        check.evidence(format!(
            "pid {}, {}, {}{waits}: {}",
            row.text(0),
            who(row.text(1), row.text(2), row.text(3)),
            duration(row.seconds(4).unwrap_or_default()),
            asked.shown(row.text(5))
        ))
    })
}

fn prepared(asked: &Asked<'_>, rows: &[Row]) -> Vec<Check> {
    let oldest = rows.first().and_then(|row| row.seconds(3)).unwrap_or_default();
    let count = rows.first().map_or(0, |row| row.count(4));
    let summary = match rows.first() {
        None => "no transaction is prepared".to_owned(),
        Some(row) => format!(
            "{count} prepared transaction(s), the oldest, {:?} of {}@{}, for {}",
            row.text(0),
            row.text(1),
            row.text(2),
            duration(oldest)
        ),
    };
    let measure = Measure::duration("oldest", oldest);
    let check = asked
        .judged("prepared_transactions", measure, summary)
        .measure(Measure::count("prepared", count))
        .hint(
            "it holds its locks and keeps VACUUM from its work, also across restarts: the transaction manager must end \
             it, or COMMIT PREPARED or ROLLBACK PREPARED does",
        );
    vec![rows.iter().fold(check, |check, row| {
        check.evidence(format!(
            "{:?} of {}@{}, {} old",
            row.text(0),
            row.text(1),
            row.text(2),
            duration(row.seconds(3).unwrap_or_default())
        ))
    })]
}

/// `app@shop, gunicorn`
pub(super) fn who(role: &str, database: &str, application: &str) -> String {
    let mut text = format!("{role}@{database}");
    if !application.is_empty() {
        let short: String = application.chars().take(40).collect();
        text.push_str(&format!(", {short}"));
    }
    text
}

impl Asked<'_> {
    /// A statement as far as it may be shown.
    pub(super) fn shown(&self, query: &str) -> String {
        if self.config.show_queries {
            shape(query)
        } else {
            "(statements are not shown: show_queries = false)".to_owned()
        }
    }
}
