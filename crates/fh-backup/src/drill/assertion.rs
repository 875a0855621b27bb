//! The user's own questions: one query that gives one value, and what the value must be.

use std::cmp::Ordering;
use std::fmt;
use std::time::Duration;

use fh_core::config::BackupAssertion;
use fh_core::report::Check;
use fh_core::{Error, Result};
use fh_pg::{Connection, describe, query_error};
use tokio_postgres::SimpleQueryMessage;

use crate::evidence::Answer;

/// A question that is ready to be asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assertion {
    /// What it is about.
    pub name: String,
    /// The query, without a semicolon at its end.
    sql: String,
    expected: Expectation,
}

/// What a value must be.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Expectation {
    operator: Operator,
    value: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operator {
    Equal,
    Unequal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// Longer ones first: `<=` begins with `<`.
const OPERATORS: [(&str, Operator); 8] = [
    ("<=", Operator::LessOrEqual),
    (">=", Operator::GreaterOrEqual),
    ("!=", Operator::Unequal),
    ("<>", Operator::Unequal),
    ("==", Operator::Equal),
    ("=", Operator::Equal),
    ("<", Operator::Less),
    (">", Operator::Greater),
];

impl Assertion {
    /// Reads the configuration's assertions.
    ///
    /// # Errors
    /// Exit code 2 when one has no query, no value to expect, or the name of another.
    pub fn all(configured: &[BackupAssertion]) -> Result<Vec<Self>> {
        let mut assertions: Vec<Self> = Vec::new();
        for one in configured {
            let wrong = |what: &str| {
                Error::usage(format!("the assertion {:?} {what}", one.name))
                    .hint("see [[backup.drill.assertions]] in the configuration")
            };
            let sql = one.sql.trim().trim_end_matches(';').trim_end();
            if one.name.trim().is_empty() || assertions.iter().any(|known| known.name == one.name) {
                return Err(wrong("needs a name of its own"));
            }
            if sql.is_empty() {
                return Err(wrong("has no query"));
            }
            assertions.push(Self {
                name: one.name.clone(),
                sql: sql.to_owned(),
                expected: Expectation::parse(&one.expect).ok_or_else(|| wrong("expects no value"))?,
            });
        }
        Ok(assertions)
    }

    /// The query as a part of one of ours: it can be one query only, and of a million rows two are enough.
    fn statement(&self) -> String {
        // The newline ends a comment in the last line.
        format!("SELECT * FROM (\n{}\n) AS assertion LIMIT 2", self.sql)
    }
}

impl Expectation {
    fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let (operator, value) = OPERATORS
            .into_iter()
            .find_map(|(sign, operator)| Some((operator, text.strip_prefix(sign)?.trim_start())))
            .unwrap_or((Operator::Equal, text));
        (!value.is_empty()).then(|| Self {
            operator,
            value: value.to_owned(),
        })
    }

    fn holds(&self, found: &str) -> bool {
        let order = compare(found, &self.value);
        match self.operator {
            Operator::Equal => order == Ordering::Equal,
            Operator::Unequal => order != Ordering::Equal,
            Operator::Less => order == Ordering::Less,
            Operator::LessOrEqual => order != Ordering::Greater,
            Operator::Greater => order == Ordering::Greater,
            Operator::GreaterOrEqual => order != Ordering::Less,
        }
    }
}

impl fmt::Display for Expectation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = match self.operator {
            Operator::Equal => return f.write_str(&self.value),
            Operator::Unequal => "!=",
            Operator::Less => "<",
            Operator::LessOrEqual => "<=",
            Operator::Greater => ">",
            Operator::GreaterOrEqual => ">=",
        };
        write!(f, "{sign} {}", self.value)
    }
}

/// Numbers by value, everything else as text: ISO dates have the order of their texts. The server writes booleans as `t`
/// and `f`.
fn compare(found: &str, wanted: &str) -> Ordering {
    if let (Ok(found), Ok(wanted)) = (found.parse::<i128>(), wanted.parse::<i128>()) {
        return found.cmp(&wanted);
    }
    let number = |text: &str| text.parse::<f64>().ok().filter(|number| number.is_finite());
    if let (Some(found), Some(wanted)) = (number(found), number(wanted)) {
        return found.total_cmp(&wanted);
    }
    match (found, wanted) {
        ("t", "true") | ("f", "false") => Ordering::Equal,
        _ => found.cmp(wanted),
    }
}

/// Asks every question, each in a read-only transaction of its own that is rolled back. A question that the database
/// cannot answer is unknown, which is neither good nor bad.
///
/// # Errors
/// Exit code 3 when the session is lost.
pub async fn ask(
    connection: &Connection,
    assertions: &[Assertion],
    limit: Duration,
) -> Result<(Vec<Check>, Vec<Answer>)> {
    let (mut checks, mut answers) = (Vec::new(), Vec::new());
    let millis = limit.as_millis().clamp(1, i32::MAX as u128);
    for assertion in assertions {
        let id = format!("assertion.{}", assertion.name);
        let failed = |error| query_error(format!("cannot ask {:?}", assertion.name), error);
        connection
            .batch_execute(&format!(
                "BEGIN TRANSACTION READ ONLY; SET LOCAL statement_timeout = {millis}"
            ))
            .await
            .map_err(failed)?;
        let answer = connection.simple_query(&assertion.statement()).await;
        let answer = match answer {
            Ok(messages) => value(&messages),
            Err(error) if error.as_db_error().is_some() => Err(describe(&error)),
            Err(error) => return Err(failed(error)),
        };
        connection.batch_execute("ROLLBACK").await.map_err(failed)?;
        match answer {
            Ok(found) => {
                let holds = found.as_deref().is_some_and(|found| assertion.expected.holds(found));
                let answer = Answer {
                    name: assertion.name.clone(),
                    expected: assertion.expected.to_string(),
                    found: found.unwrap_or_else(|| "NULL".to_owned()),
                    holds,
                };
                let told = format!("expected {}, found {}", answer.expected, answer.found);
                checks.push(if holds { Check::pass(id, told) } else { Check::fail(id, told) });
                answers.push(answer);
            }
            Err(why) => checks.push(
                Check::unknown(id, "the database gave no answer")
                    .evidence(why)
                    .hint("correct the query under [[backup.drill.assertions]]: it must give one row with one value"),
            ),
        }
    }
    Ok((checks, answers))
}

/// The one value of a result; `None` is NULL.
fn value(messages: &[SimpleQueryMessage]) -> Result<Option<String>, String> {
    let mut rows = messages.iter().filter_map(|message| match message {
        SimpleQueryMessage::Row(row) => Some(row),
        _ => None,
    });
    let row = rows.next().ok_or("it gives no row")?;
    if rows.next().is_some() {
        return Err("it gives several rows".into());
    }
    match row.len() {
        1 => Ok(row.get(0).map(str::to_owned)),
        count => Err(format!("it gives {count} columns")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holds(expected: &str, found: &str) -> bool {
        Expectation::parse(expected).unwrap().holds(found)
    }

    #[test]
    fn numbers_count_and_texts_are_compared_as_they_are() {
        for (expected, good, bad) in [
            (">= 100", "100", "99"),
            ("> 9", "10", "9"),
            ("<10", "9.5", "10.0"),
            ("<= 9007199254740992", "9007199254740992", "9007199254740993"),
            ("!= 0", "1", "0.0"),
            ("42", "42", "4"),
            ("= open", "open", "closed"),
            ("true", "t", "f"),
            ("false", "f", "t"),
            (">= 2026-11-01", "2026-11-23 02:00:00+00", "2026-10-31"),
        ] {
            assert!(holds(expected, good), "{expected}: {good}");
            assert!(!holds(expected, bad), "{expected}: {bad}");
        }
        assert_eq!(Expectation::parse(" >= "), None);
        assert_eq!(Expectation::parse(""), None);
    }

    #[test]
    fn what_cannot_be_asked_is_refused_before_anything_is_restored() {
        let one = |name: &str, sql: &str, expect: &str| BackupAssertion {
            name: name.into(),
            sql: sql.into(),
            expect: expect.into(),
        };
        let read = |list: &[BackupAssertion]| Assertion::all(list).map_err(|error| error.exit());
        assert!(read(&[one("a", "SELECT 1;", "1"), one("b", "SELECT 2", "2")]).is_ok());
        for wrong in [
            vec![one("", "SELECT 1", "1")],
            vec![one("a", " ; ", "1")],
            vec![one("a", "SELECT 1", ">")],
            vec![one("a", "SELECT 1", "1"), one("a", "SELECT 2", "2")],
        ] {
            assert_eq!(read(&wrong), Err(fh_core::Exit::Usage), "{wrong:?}");
        }
    }
}
