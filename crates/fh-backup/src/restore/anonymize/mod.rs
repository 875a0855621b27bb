//! Restores without personal data: values are replaced between the segments and the target, by the rules of the
//! configuration, and afterwards the target is searched for values that were there before.

mod column;
mod fake;
mod field;
mod rules;
mod survivors;

use std::collections::HashMap;

use fh_core::{Error, Result, Secret};
use fh_pg::{Connection, query_error, quote_literal};

use self::column::{Action, Plan};
use self::fake::Fake;
use self::survivors::Originals;
use crate::source::copy;

pub use survivors::Hits;

/// Shortest key of the hashes, in characters: with a shorter one, values could be guessed.
const LEAST_SALT: usize = 16;

/// The rules, as they apply to the tables of one set, and what was met while they were applied.
#[derive(Debug, Clone)]
pub struct Anonymizer {
    /// By `schema.name`.
    tables: HashMap<String, Vec<Plan>>,
    fake: Fake,
    originals: Originals,
    /// Whether large objects are restored with their content.
    pub keep_large_objects: bool,
    /// Tables that have no rules and are restored as they are.
    pub unlisted: Vec<String>,
}

/// What anonymising came to.
#[derive(Debug, Clone)]
pub struct Anonymized {
    /// Columns whose values were replaced.
    pub columns: usize,
    /// Different values that were looked for.
    pub values: usize,
    /// Tables that have no rules and were restored as they are.
    pub unlisted: Vec<String>,
    /// Columns without rules in which values of masked columns were found, with their number.
    pub elsewhere: Vec<(String, u64)>,
    /// Whether the content of large objects was left out.
    pub without_large_objects: bool,
}

impl Anonymizer {
    /// Replaces the values in complete lines of COPY text of the table.
    ///
    /// # Errors
    /// Exit code 1 when a line has another number of values than the table has columns.
    pub fn mask(&self, table: &str, text: &[u8]) -> Result<Vec<u8>> {
        let Some(plans) = self
            .tables
            .get(table)
            .filter(|plans| plans.iter().any(Plan::changes))
        else {
            return Ok(text.to_vec());
        };
        let mut masked = Vec::with_capacity(text.len());
        let mut seen = Vec::new();
        for line in text.split_inclusive(|byte| *byte == b'\n') {
            let line = line.strip_suffix(b"\n").unwrap_or(line);
            let mut fields = line.split(|byte| *byte == b'\t');
            for (index, plan) in plans.iter().enumerate() {
                let field = fields.next().ok_or_else(|| torn(table))?;
                if index > 0 {
                    masked.push(b'\t');
                }
                if field == field::NULL || !plan.changes() {
                    masked.extend_from_slice(field);
                    continue;
                }
                let value = field::value(field);
                self.originals.note(&value, &mut seen);
                self.replace(plan, &value, &mut masked);
            }
            if fields.next().is_some() {
                return Err(torn(table));
            }
            masked.push(b'\n');
        }
        self.originals.add(seen);
        Ok(masked)
    }

    fn replace(&self, plan: &Plan, value: &[u8], out: &mut Vec<u8>) {
        match &plan.action {
            Action::Keep => field::write(value, out),
            Action::Null => out.extend_from_slice(field::NULL),
            Action::Fixed { canonical, .. } => out.extend_from_slice(canonical),
            Action::Hash(shape) => field::write(shape.fit(&self.fake.hash(value)).as_bytes(), out),
            Action::Name(shape) => field::write(shape.fit(&self.fake.name(value)).as_bytes(), out),
            Action::Email(shape) => field::write(shape.fit(&self.fake.email(value)).as_bytes(), out),
        }
    }

    /// Looks for values of before in complete lines of COPY text that were read back from the table.
    ///
    /// # Errors
    /// Exit code 1 when a line has another number of values than the table has columns.
    pub fn search(&self, table: &str, text: &[u8], hits: &mut Hits) -> Result<()> {
        let Some(plans) = self.tables.get(table) else {
            return Ok(());
        };
        if plans.iter().all(|plan| !plan.changes() && !plan.watched) {
            return Ok(());
        }
        for line in text.split_inclusive(|byte| *byte == b'\n') {
            let line = line.strip_suffix(b"\n").unwrap_or(line);
            let mut fields = line.split(|byte| *byte == b'\t');
            for plan in plans {
                let field = fields.next().ok_or_else(|| torn(table))?;
                if field == field::NULL {
                    continue;
                }
                if plan.changes() {
                    if self.survived(plan, field) {
                        hits.survivor(&plan.label);
                    }
                } else if plan.watched && self.originals.has_long(&field::value(field)) {
                    hits.elsewhere(&plan.label);
                }
            }
        }
        Ok(())
    }

    /// Whether a value of a masked column is one that was there before. What the rule itself gives is none.
    fn survived(&self, plan: &Plan, field: &[u8]) -> bool {
        match &plan.action {
            Action::Keep => false,
            Action::Null => true,
            Action::Fixed { canonical, .. } => field != canonical.as_slice(),
            Action::Name(_) if fake::is_made_up(&field::value(field)) => false,
            Action::Name(_) | Action::Hash(_) | Action::Email(_) => self.originals.has(&field::value(field)),
        }
    }

    /// Asks the server how it writes the fixed values: `0` in a column with two decimals is read back as `0.00`.
    /// With `types_exist` false, a type that is not there yet is passed over.
    ///
    /// # Errors
    /// Exit code 2 when a fixed value is none of its column's type.
    pub async fn settle(&mut self, session: &Connection, types_exist: bool) -> Result<()> {
        for plan in self.tables.values_mut().flatten() {
            let Action::Fixed { text, canonical } = &mut plan.action else {
                continue;
            };
            let cast = format!("SELECT CAST({} AS {})", quote_literal(text), plan.kind);
            if !types_exist && let Err(error) = session.query(&cast, &[]).await {
                // undefined_object and invalid_schema_name: made by the restore itself.
                if error
                    .code()
                    .is_some_and(|code| ["42704", "3F000"].contains(&code.code()))
                {
                    continue;
                }
                return Err(Error::usage(format!(
                    "the fixed value of {} is none of type {}",
                    plan.label, plan.kind
                ))
                .because(fh_pg::describe(&error))
                .hint("correct it in [backup.anonymize.tables]; nothing was changed"));
            }
            let mut written = Vec::new();
            copy::each_row(session, &format!("COPY ({cast}) TO STDOUT"), &plan.label, |row| {
                written.extend_from_slice(row);
                Ok(())
            })
            .await?;
            *canonical = written.strip_suffix(b"\n").unwrap_or(&written).to_vec();
        }
        session
            .batch_execute("SELECT 1")
            .await
            .map_err(|error| query_error("the session was lost", error))
    }

    /// The end of the proof.
    ///
    /// # Errors
    /// Exit code 1 when a value survived where it must not.
    pub fn verdict(&self, hits: Hits) -> Result<Anonymized> {
        let masked = self
            .tables
            .values()
            .flatten()
            .filter(|plan| plan.changes())
            .count();
        let (survivors, elsewhere) = hits.into_parts();
        if !survivors.is_empty() {
            let told: Vec<String> = survivors
                .iter()
                .map(|(column, count)| format!("{column} ({count})"))
                .collect();
            return Err(Error::bad(format!(
                "values of before are still in masked columns: {}",
                told.join(", ")
            ))
            .hint("the target is not anonymised: drop it, and report this as a mistake of the tool"));
        }
        Ok(Anonymized {
            columns: masked,
            values: self.originals.count(),
            unlisted: self.unlisted.clone(),
            elsewhere,
            without_large_objects: !self.keep_large_objects,
        })
    }
}

fn torn(table: &str) -> Error {
    Error::bad(format!(
        "a row of {table} has another number of values than the table has columns"
    ))
}

/// The key of the hashes.
///
/// # Errors
/// Exit code 2 when it is too short.
fn checked_salt(salt: &Secret) -> Result<&str> {
    let text = salt.expose().trim();
    if text.chars().count() < LEAST_SALT {
        return Err(Error::usage(format!(
            "backup.anonymize.salt has fewer than {LEAST_SALT} characters"
        ))
        .hint("make one with `openssl rand -hex 32`, and keep it secret: who has it can test guesses"));
    }
    Ok(text)
}

#[cfg(test)]
mod tests;
