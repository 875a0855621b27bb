//! PostgreSQL from the inside: every check over one connection that only reads, in two messages when nothing is refused.
//!
//! A role with `pg_monitor` sees all of it. What a role may not see is a skip with the GRANT that would help, never a
//! pass: the server answers such questions with rows full of nothing.

mod activity;
mod archiver;
mod ask;
mod bloat;
mod connect;
mod counters;
mod django;
mod growth;
mod indexes;
mod locks;
mod question;
mod replication;
mod sequences;
mod server;
mod settings;
mod sight;
mod wraparound;

use std::sync::Arc;

use fh_core::config::HealthPostgres;
use fh_core::report::{Status, Unit};
use fh_core::{Check, Result};

use self::ask::{Answer, Answers, Limits as Times, ask};
use self::question::{Asked, Question, Right};
use self::server::Server;
use super::{Context, Needs, Planned, Probe, Setup};
use crate::limits::Limits;

const MIB: f64 = (1_u64 << 20) as f64;
const GIB: f64 = (1_u64 << 30) as f64;

/// Every question, in the order in which people read the answers.
const QUESTIONS: [&Question; 17] = [
    &activity::CONNECTIONS,
    &locks::LOCKS,
    &activity::TRANSACTIONS,
    &activity::IDLE,
    &activity::PREPARED,
    &replication::REPLICATION,
    &replication::SLOTS,
    &archiver::ARCHIVER,
    &wraparound::WRAPAROUND,
    &counters::DATABASE,
    &counters::CHECKPOINTS,
    &growth::GROWTH,
    &sequences::SEQUENCES,
    &indexes::INVALID,
    &indexes::UNUSED,
    &settings::SETTINGS,
    &django::MIGRATIONS,
];

/// Asked last and alone: it is the only one that may take long, and must not take others along.
const LAST: &Question = &bloat::BLOAT;

/// End of the id of the check that all others depend on.
const CONNECT: &str = "connect";

/// The probes of `[[health.postgres]]`, or of `database.url` when there are none.
pub(super) fn probes(setup: &Setup<'_>) -> Result<Vec<Arc<dyn Probe>>> {
    let config = setup.config();
    let mut entries = config.health.postgres.clone();
    if entries.is_empty() && config.database.url.is_some() {
        entries.push(HealthPostgres::of_the_environment());
    }
    entries
        .into_iter()
        .map(|entry| -> Result<Arc<dyn Probe>> {
            let id = setup.id("postgres", &entry.name)?;
            if entry.url.is_none() && config.database.url.is_none() {
                return Err(setup
                    .wrong("postgres", &entry.name, "there is no connection URL")
                    .hint("give url, or set DATABASE_URL"));
            }
            if let Some(name) = entry.migrations.expected.iter().find(|name| !name.contains('.')) {
                return Err(setup
                    .wrong(
                        "postgres",
                        &entry.name,
                        format!("{name:?} is not the name of a migration"),
                    )
                    .hint("write APP.NAME, such as \"accounts.0003_user_phone\""));
            }
            Ok(Arc::new(Database { id, entry }))
        })
        .collect()
}

/// One database.
struct Database {
    id: String,
    entry: HealthPostgres,
}

impl Probe for Database {
    fn id(&self) -> &str {
        &self.id
    }

    fn checks(&self) -> Vec<Planned> {
        let connect = Planned::new(
            format!("{}.{CONNECT}", self.id),
            "the server accepts a connection, in what time",
        )
        .limits(Limits::above(Unit::Seconds, 1.0, 5.0));
        let plans = questions().flat_map(|question| question.plans);
        let planned = plans.map(|plan| {
            let planned = Planned::new(format!("{}.{}", self.id, plan.name), plan.about);
            match plan.limits {
                Some(limits) => planned.limits(limits),
                None => planned,
            }
        });
        std::iter::once(connect).chain(planned).collect()
    }

    fn run(&self, context: &Context) -> Vec<Check> {
        match super::block_on(self.look(context)) {
            Ok(checks) => checks,
            Err(error) => self.none(Check::from_error(self.id(CONNECT), &error)),
        }
    }

    fn needs(&self, check: &str) -> Needs {
        let name = check.strip_prefix(&format!("{}.", self.id)).unwrap_or_default();
        let server = Server::example();
        let mut needs = Needs::default();
        needs.sql.push(server::question(&self.entry.migrations.table));
        let asks = |question: &&Question| {
            question
                .plans
                .iter()
                .any(|plan| name.split('.').next() == Some(plan.name))
        };
        for question in questions().filter(asks) {
            if let Ok(sql) = (question.sql)(&server, &self.entry) {
                needs.sql.push(sql);
            }
            needs
                .grants
                .extend(question.grants.iter().map(ToString::to_string));
        }
        if self.entry.iam {
            needs.iam.push("rds-db:connect".to_owned());
        }
        needs
            .grants
            .insert(0, "GRANT CONNECT ON DATABASE … TO fh_health;".to_owned());
        needs.other("one connection for all checks of this database, read-only, with statement_timeout and lock_timeout")
    }
}

fn questions() -> impl Iterator<Item = &'static Question> {
    QUESTIONS.into_iter().chain([LAST])
}

impl Database {
    fn id(&self, name: &str) -> String {
        format!("{}.{name}", self.id)
    }

    async fn look(&self, context: &Context) -> Result<Vec<Check>> {
        let (connection, connected) = match connect::connect(self, context).await {
            Ok(found) => found,
            Err(error) => return Ok(self.none(connect::refused(self.id(CONNECT), &error))),
        };
        let times = Times {
            statement: self.entry.statement_timeout.get(),
            lock: self.entry.lock_timeout.get(),
            catalogue: true,
        };
        let first = [server::question(&self.entry.migrations.table)];
        let own_path = Times {
            catalogue: false,
            ..times
        };
        let answers = ask(&connection, own_path, context.deadline, &first, 2).await?;
        let server = match answers.answers.into_iter().next() {
            Some(Answer::Rows(rows)) if !rows.is_empty() => Server::read(&connection.server, &rows[0]),
            other => return Ok(self.none(connect::silent(self.id(CONNECT), other))),
        };
        let asked = Asked {
            id: &self.id,
            server: &server,
            config: &self.entry,
            context,
        };
        let mut checks = vec![connected];
        let mut round_trips = answers.round_trips;
        for group in [&QUESTIONS[..], &[LAST]] {
            let left = ask::ROUND_TRIPS - round_trips;
            let (found, used) = self.group(&connection, times, &asked, group, left).await?;
            checks.extend(found);
            round_trips += used;
        }
        if let Some(first) = checks.first_mut() {
            first
                .measures
                .push(fh_core::Measure::count("round_trips", round_trips as u64));
        }
        let _ = tokio::time::timeout(ask::GOODBYE, connection.close()).await;
        Ok(checks)
    }

    /// Asks some questions at once.
    async fn group(
        &self,
        connection: &fh_pg::Connection,
        times: Times,
        asked: &Asked<'_>,
        questions: &[&Question],
        round_trips: usize,
    ) -> Result<(Vec<Check>, usize)> {
        let prepared: Vec<(&Question, Result<String, Vec<Check>>)> = questions
            .iter()
            .map(|question| {
                let sql = if question.right == Right::Stats && !asked.server.reads_stats {
                    let why = format!(
                        "the role {} does not see the sessions of others",
                        asked.server.role
                    );
                    Err(question.skipped(asked, &why, &asked.server.grant_monitor()))
                } else {
                    let sql = (question.sql)(asked.server, asked.config);
                    sql.map_err(|why| question.skipped(asked, &why, ""))
                };
                (*question, sql)
            })
            .collect();
        let wanted: Vec<String> = prepared.iter().filter_map(|(_, sql)| sql.clone().ok()).collect();
        let Answers { answers, round_trips } =
            ask(connection, times, asked.context.deadline, &wanted, round_trips).await?;
        let mut answers = answers.into_iter();
        let mut checks = Vec::new();
        for (question, sql) in prepared {
            checks.extend(match sql {
                Ok(_) => {
                    let none = || Answer::NotAsked("the server gave no answer".to_owned());
                    question.checks(asked, &answers.next().unwrap_or_else(none))
                }
                Err(skipped) => skipped,
            });
        }
        let connect = self.id(CONNECT);
        let checks = checks.into_iter().map(|mut check| {
            // Nobody needs advice about what is well.
            check.hint = check.hint.filter(|_| check.status != Status::Pass);
            check.depends_on(connect.as_str())
        });
        Ok((checks.collect(), round_trips))
    }

    /// The reason, and every other check as one that hangs on it.
    fn none(&self, reason: Check) -> Vec<Check> {
        let connect = self.id(CONNECT);
        let plans = questions().flat_map(|question| question.plans);
        let others = plans.map(|plan| {
            Check::unknown(self.id(plan.name), "there is no connection to ask over")
                .depends_on(connect.as_str())
        });
        std::iter::once(reason).chain(others).collect()
    }
}
