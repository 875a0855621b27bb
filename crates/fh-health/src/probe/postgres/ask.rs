//! Many questions in one round trip: a transaction that only reads, with time limits of its own.

use std::time::Duration;

use fh_core::{Deadline, Result};
use fh_pg::{Connection, describe, query_error};
use futures_util::TryStreamExt as _;
use tokio_postgres::SimpleQueryMessage;

/// Messages to the server at most, the one that ends the transaction included. Each question that the server refuses
/// costs one, because it takes those behind it along.
pub(super) const ROUND_TRIPS: usize = 8;
/// How long parting may take: what was found out must not come too late for it.
pub(super) const GOODBYE: Duration = Duration::from_millis(100);
/// Rows of one answer at most. No question wants as many.
const ROWS: usize = 50_000;

/// How long one statement may run, and how long it may wait for a lock.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    pub(super) statement: Duration,
    pub(super) lock: Duration,
    /// Whether names without a schema mean the catalogue's. Otherwise it is the role's own search path.
    pub(super) catalogue: bool,
}

/// What became of a question.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Answer {
    Rows(Vec<Row>),
    /// The server's words.
    Refused(String),
    /// Why it was not asked.
    NotAsked(String),
}

/// A row, as text.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Row(pub(super) Vec<Option<String>>);

impl Row {
    /// The text of a column; empty when it is null.
    pub(super) fn text(&self, column: usize) -> &str {
        self.given(column).unwrap_or_default()
    }

    /// The text of a column; `None` when it is null.
    pub(super) fn given(&self, column: usize) -> Option<&str> {
        self.0.get(column)?.as_deref()
    }

    /// A number; `None` when it is null.
    pub(super) fn number(&self, column: usize) -> Option<f64> {
        self.given(column)?.parse().ok()
    }

    /// A count; zero when it is null.
    pub(super) fn count(&self, column: usize) -> u64 {
        self.given(column)
            .and_then(|text| text.parse().ok())
            .unwrap_or_default()
    }

    /// Whether a column is true.
    pub(super) fn is(&self, column: usize) -> bool {
        self.text(column) == "t"
    }

    /// Seconds as a length of time; `None` when it is null. A moment that the server's clock puts into the future is now.
    pub(super) fn seconds(&self, column: usize) -> Option<Duration> {
        Duration::try_from_secs_f64(self.number(column)?.max(0.0)).ok()
    }
}

/// What the server answered, and what that cost.
#[derive(Debug)]
pub(super) struct Answers {
    /// One for each question, in their order.
    pub(super) answers: Vec<Answer>,
    /// Messages that were sent.
    pub(super) round_trips: usize,
}

/// Asks everything, in as few messages as the server's refusals allow, and not more than `most`.
///
/// # Errors
/// Exit code 3 when the connection is lost. A question that is refused is no error.
pub(super) async fn ask(
    connection: &Connection,
    limits: Limits,
    deadline: Deadline,
    questions: &[String],
    most: usize,
) -> Result<Answers> {
    let mut answers: Vec<Answer> = Vec::with_capacity(questions.len());
    let mut round_trips = 0;
    let mut failed = false;
    while answers.len() < questions.len() {
        // One is kept for ending the transaction.
        if round_trips + 1 >= most.max(2) {
            let why = "too many questions before it were refused".to_owned();
            answers.resize(questions.len(), Answer::NotAsked(why));
            break;
        }
        let Ok(left) = deadline.bound(limits.statement, "asking PostgreSQL") else {
            let why = "the deadline came first".to_owned();
            answers.resize(questions.len(), Answer::NotAsked(why));
            break;
        };
        let message = Message {
            failed_before: failed,
            limits: Limits {
                statement: left,
                ..limits
            },
            questions: &questions[answers.len()..],
        };
        round_trips += 1;
        let left = deadline.remaining().unwrap_or(Duration::MAX);
        let sent = message.send(connection, &mut answers, questions.len());
        failed = match tokio::time::timeout(left, sent).await {
            Ok(outcome) => outcome?,
            Err(_) => {
                // The connection is thrown away with the answer that is still to come; the server is told to stop.
                let token = connection.cancel_token();
                let _ = tokio::time::timeout(GOODBYE, token.cancel()).await;
                let why = "the server did not answer within the deadline".to_owned();
                answers.resize(questions.len(), Answer::NotAsked(why));
                return Ok(Answers { answers, round_trips });
            }
        };
    }
    if failed {
        round_trips += 1;
        let _ = connection.batch_execute("ROLLBACK").await;
    }
    Ok(Answers { answers, round_trips })
}

/// One message: a transaction with settings of its own, which a pooler's connection loses with it.
struct Message<'a> {
    /// A refusal leaves a transaction behind that takes nothing any more.
    failed_before: bool,
    limits: Limits,
    questions: &'a [String],
}

impl Message<'_> {
    /// The statements before the questions.
    fn preamble(&self) -> Vec<String> {
        let millis = |limit: Duration| limit.as_millis().clamp(1, i32::MAX as u128);
        let mut preamble = Vec::new();
        if self.failed_before {
            preamble.push("ROLLBACK".to_owned());
        }
        preamble.extend([
            "BEGIN READ ONLY".to_owned(),
            format!("SET LOCAL statement_timeout = {}", millis(self.limits.statement)),
            format!("SET LOCAL lock_timeout = {}", millis(self.limits.lock)),
            "SET LOCAL jit = off".to_owned(),
        ]);
        if self.limits.catalogue {
            preamble.push("SET LOCAL search_path = pg_catalog".to_owned());
        }
        preamble
    }

    /// Sends it and adds an answer for each question that came to an end. True when the last of them was refused.
    async fn send(
        &self,
        connection: &Connection,
        answers: &mut Vec<Answer>,
        questions: usize,
    ) -> Result<bool> {
        let lost = |error| query_error("the connection to PostgreSQL was lost", error);
        let preamble = self.preamble();
        // Each statement of it gives a completion before those of the questions.
        let mut silent = preamble.len();
        let text = format!(
            "{};\n{};\nCOMMIT",
            preamble.join(";\n"),
            self.questions.join(";\n")
        );
        let stream = connection.simple_query_raw(&text).await.map_err(lost)?;
        let mut stream = std::pin::pin!(stream);
        let mut rows = Vec::new();
        loop {
            match stream.try_next().await {
                Ok(Some(SimpleQueryMessage::Row(row))) if rows.len() < ROWS => {
                    let cells = (0..row.len()).map(|at| row.get(at).map(ToOwned::to_owned));
                    rows.push(Row(cells.collect()));
                }
                Ok(Some(SimpleQueryMessage::CommandComplete(_))) if silent > 0 => silent -= 1,
                Ok(Some(SimpleQueryMessage::CommandComplete(_))) if answers.len() < questions => {
                    answers.push(Answer::Rows(std::mem::take(&mut rows)));
                }
                Ok(Some(_)) => {}
                Ok(None) => return Ok(false),
                Err(error) if error.as_db_error().is_some() && silent == 0 && answers.len() < questions => {
                    answers.push(Answer::Refused(describe(&error)));
                    return Ok(true);
                }
                Err(error) => return Err(lost(error)),
            }
        }
    }
}
