//! Makes, loads, proves and commits: one transaction on one session, so that a failure leaves nothing.

use std::collections::HashMap;
use std::time::Duration;

use fh_core::progress::Progress;
use fh_core::{Error, Result};
use fh_pg::{Connection, qualified, query_error, quote_ident};
use fh_repository::Repository;

use super::choose::Chosen;
use super::definition::{self, Statement, Statements};
use super::diff::{self, Diff};
use crate::archive::{Archive, Copy};
use crate::proof::Proof;
use crate::restore::definitions::Ownership;
use crate::restore::{readback, rows};

/// Where the tables go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// Where they were, with everything that belongs to them.
    Original,
    /// Into another schema, which is made when it is not there, or under another name, or both.
    Beside {
        /// Without quotes; `None` for the table's own.
        schema: Option<String>,
        /// Without quotes; `None` for the table's own.
        name: Option<String>,
    },
    /// Nowhere: only to be compared.
    Temporary,
}

/// What to restore, and how.
#[derive(Debug)]
pub struct TableRequest<'a> {
    /// Where the segments are.
    pub repository: &'a Repository,
    /// The table of contents.
    pub archive: &'a Archive,
    /// The tables.
    pub chosen: &'a [Chosen<'a>],
    /// Where they go.
    pub place: &'a Place,
    /// Owners and privileges, in the original place.
    pub ownership: Ownership,
    /// How many keys of each kind of difference to show; `None` not to compare.
    pub diff: Option<u32>,
    /// Where progress goes.
    pub progress: &'a Progress,
}

/// What was restored.
#[derive(Debug)]
pub struct Restored {
    /// Names of the tables, as SQL, with their rows.
    pub tables: Vec<(String, u64)>,
    /// What could not be made, each with the reason.
    pub left_out: Vec<String>,
    /// How the live tables differ.
    pub diffs: Vec<Diff>,
    /// How long the transaction was open.
    pub took: Duration,
}

/// Restores the tables and proves them. Nothing is there before everything is proven.
///
/// # Errors
/// Exit code 4 when a table is there already, 1 when the rows are not those of the backup, 3 when the server refuses.
pub async fn restore(session: &Connection, request: &TableRequest<'_>) -> Result<Restored> {
    let began = std::time::Instant::now();
    let failed = |error| query_error("the restore was given up, and nothing was changed", error);
    let copies = request
        .archive
        .copies()
        .map_err(|what| Error::bad(format!("the definitions of the set are not understood: {what}")))?;
    let work = plan(request)?;
    session.batch_execute("BEGIN").await.map_err(failed)?;
    let mut restored = Restored {
        tables: Vec::new(),
        left_out: Vec::new(),
        diffs: Vec::new(),
        took: Duration::ZERO,
    };
    make_schema(session, request.place).await?;
    for target in &work.targets {
        must_not_exist(session, target).await?;
    }
    for statement in &work.statements.before {
        execute(session, statement).await?;
    }
    let bytes = request
        .chosen
        .iter()
        .flat_map(|table| &table.data)
        .map(|table| table.data.bytes)
        .sum();
    let task = request.progress.bytes("loading rows", Some(bytes));
    for (chosen, target) in request.chosen.iter().zip(&work.targets) {
        let rows = load(session, request, chosen, target, &copies, |count| task.inc(count)).await?;
        restored.tables.push((target.clone(), rows));
    }
    for statement in &work.statements.after {
        if !statement.optional {
            execute(session, statement).await?;
        } else if let Err(why) = attempt(session, statement).await? {
            restored.left_out.push(format!("{}: {why}", statement.what));
        }
    }
    if let Some(keys) = request.diff {
        for (chosen, target) in request.chosen.iter().zip(&work.targets) {
            restored
                .diffs
                .push(diff::compare(session, target, &chosen.qualified(), keys).await?);
        }
    }
    let end = match request.place {
        Place::Temporary => "ROLLBACK",
        _ => "COMMIT",
    };
    session.batch_execute(end).await.map_err(failed)?;
    if *request.place != Place::Temporary {
        for (table, _) in &restored.tables {
            session
                .batch_execute(&format!("ANALYZE {table}"))
                .await
                .map_err(|error| query_error(format!("{table} is restored, but ANALYZE failed"), error))?;
        }
    }
    restored.took = began.elapsed();
    Ok(restored)
}

struct Plan {
    statements: Statements,
    /// The tables to fill, as SQL, in the order of the chosen ones.
    targets: Vec<String>,
}

fn plan(request: &TableRequest<'_>) -> Result<Plan> {
    let Ownership {
        no_owner,
        no_privileges,
    } = request.ownership;
    if *request.place == Place::Original {
        return Ok(Plan {
            statements: definition::in_place(request.archive, request.chosen, !no_owner, !no_privileges),
            targets: request.chosen.iter().map(Chosen::qualified).collect(),
        });
    }
    let mut plan = Plan {
        statements: Statements::default(),
        targets: Vec::new(),
    };
    for (index, chosen) in request.chosen.iter().enumerate() {
        let target = match request.place {
            Place::Beside { schema, name } => qualified(
                schema.as_deref().unwrap_or(chosen.schema()),
                name.as_deref().unwrap_or(chosen.name()),
            ),
            _ => format!("pg_temp.fh_restored_{index}"),
        };
        let made = definition::elsewhere(request.archive, chosen, &target).ok_or_else(|| {
            Error::unable(format!("{} cannot be made under another name", chosen.label())).hint(
                "it inherits its columns or has a type for all of them: restore the database beside with --create, and take the table from there",
            )
        })?;
        plan.statements.before.extend(made.before);
        plan.statements.after.extend(made.after);
        plan.targets.push(target);
    }
    Ok(plan)
}

async fn make_schema(session: &Connection, place: &Place) -> Result<()> {
    let Place::Beside {
        schema: Some(schema), ..
    } = place
    else {
        return Ok(());
    };
    // Asked first: to say IF NOT EXISTS, the right to make schemas is needed even where there is nothing to make.
    let failed = |error| query_error(format!("cannot make the schema {schema}"), error);
    let row = session
        .query_one(
            "SELECT EXISTS (SELECT 1 FROM pg_namespace WHERE nspname = $1)",
            &[schema],
        )
        .await
        .map_err(failed)?;
    if row.get(0) {
        return Ok(());
    }
    session
        .batch_execute(&format!("CREATE SCHEMA {}", quote_ident(schema)))
        .await
        .map_err(failed)
}

async fn must_not_exist(session: &Connection, target: &str) -> Result<()> {
    let row = session
        .query_one("SELECT to_regclass($1) IS NOT NULL", &[&target])
        .await
        .map_err(|error| query_error(format!("cannot see whether {target} is there"), error))?;
    if row.get(0) {
        return Err(Error::refused(format!("{target} is there already")).hint(
            "restore beside it with --into-schema or --into-table, or rename it first; nothing was changed",
        ));
    }
    Ok(())
}

async fn execute(session: &Connection, statement: &Statement) -> Result<()> {
    session.batch_execute(&statement.sql).await.map_err(|error| {
        query_error(
            format!("cannot make the {}, and nothing was changed", statement.what),
            error,
        )
    })
}

/// Tries a statement; a failure is undone and told.
async fn attempt(session: &Connection, statement: &Statement) -> Result<std::result::Result<(), String>> {
    let failed = |error| query_error("the restore was given up, and nothing was changed", error);
    session
        .batch_execute("SAVEPOINT optional")
        .await
        .map_err(failed)?;
    match session.batch_execute(&statement.sql).await {
        Ok(()) => {
            session
                .batch_execute("RELEASE SAVEPOINT optional")
                .await
                .map_err(failed)?;
            Ok(Ok(()))
        }
        Err(error) if error.as_db_error().is_some() => {
            session
                .batch_execute("ROLLBACK TO SAVEPOINT optional")
                .await
                .map_err(failed)?;
            Ok(Err(fh_pg::describe(&error)))
        }
        Err(error) => Err(failed(error)),
    }
}

/// Loads one table from its own segments and reads it back; gives the number of rows.
async fn load(
    session: &Connection,
    request: &TableRequest<'_>,
    chosen: &Chosen<'_>,
    target: &str,
    copies: &HashMap<i64, Copy>,
    mut on_bytes: impl FnMut(u64),
) -> Result<u64> {
    let label = chosen.label();
    let in_place = *request.place == Place::Original;
    // Rows of partitions that are put into one table can only be told apart by number and hash together.
    let mut together: Option<(String, Proof)> = None;
    let mut rows = 0;
    for table in &chosen.data {
        let what = table.label();
        let copy = copies.get(&table.dump_id).ok_or_else(|| {
            Error::bad(format!(
                "the definitions of the set have no entry for the rows of {what}"
            ))
        })?;
        let into = Copy {
            table: if in_place {
                copy.table.clone()
            } else {
                target.to_owned()
            },
            columns: copy.columns.clone(),
        };
        let sink = session
            .copy_in(&into.load())
            .await
            .map_err(|error| query_error(format!("cannot load the rows of {what}"), error))?;
        let expected = table.data.proof;
        let check = |found: rows::Sent| {
            if found.stored == expected {
                Ok(())
            } else {
                let who = "the stored segments hold";
                Err(rows::mismatch(&what, expected, found.stored, who))
            }
        };
        let segments = &table.data.segments;
        rows::send(
            sink,
            request.repository,
            &what,
            segments,
            None,
            &mut on_bytes,
            check,
        )
        .await?;
        if in_place && copy.table == qualified(&table.schema, &table.name) {
            let statement = copy.read(&copy.table);
            rows += readback::compare(session, &[statement], &what, expected, |_, _| Ok(())).await?;
            continue;
        }
        let (columns, proof) = together.get_or_insert_with(|| (copy.columns.clone(), Proof::default()));
        if *columns != copy.columns {
            return Err(Error::unable(format!(
                "the partitions of {label} have their columns in different orders, and cannot be proven together"
            ))
            .hint("restore the partitions one by one, each by its own name"));
        }
        proof.merge(expected);
    }
    if let Some((columns, proof)) = together {
        // In place, rows went through the root; beside, all are in the one table.
        let from = if columns.is_empty() { "SELECT" } else { "SELECT " };
        let only = if in_place { "" } else { "ONLY " };
        let statement = format!("COPY ({from}{columns} FROM {only}{target}) TO STDOUT");
        rows += readback::compare(session, &[statement], &label, proof, |_, _| Ok(())).await?;
    }
    Ok(rows)
}
