//! Brings the roles of a set to a server, in one transaction.

use std::collections::BTreeSet;

use fh_core::Result;
use fh_pg::{Connection, query_error};

use super::{Globals, Plan, Step, plan, read};

/// What was done.
#[derive(Debug)]
pub struct Applied {
    /// What was planned.
    pub plan: Plan,
    /// What the server refused, each with its words.
    pub refused: Vec<String>,
}

/// Makes the missing roles with their memberships, settings and comments. `dry_run` only compares. Nothing is changed
/// unless every missing role could be made.
///
/// # Errors
/// Exit code 3 when a role cannot be made, or the server cannot be asked.
pub async fn apply(target: &Connection, wanted: &Globals, dry_run: bool) -> Result<Applied> {
    let major = target.server.major();
    let there = read(target, major).await?;
    let rows = target
        .query("SELECT rolname::text FROM pg_roles WHERE rolname ~ '^pg_'", &[])
        .await
        .map_err(|error| query_error("cannot list the target's roles", error))?;
    let system: BTreeSet<String> = rows.iter().map(|row| row.get(0)).collect();
    let plan = plan(wanted, &there, &system, major);
    let mut refused = Vec::new();
    if !dry_run && !plan.steps.is_empty() {
        run(target, "BEGIN").await?;
        for step in &plan.steps {
            refused.extend(attempt(target, step).await?);
        }
        run(target, "COMMIT").await?;
    }
    Ok(Applied { plan, refused })
}

async fn run(target: &Connection, statement: &str) -> Result<()> {
    target
        .batch_execute(statement)
        .await
        .map_err(|error| query_error("cannot change the target's roles", error))
}

/// Runs one statement; what may be left out is undone to a savepoint when it fails.
async fn attempt(target: &Connection, step: &Step) -> Result<Option<String>> {
    if step.required {
        let made = target.batch_execute(&step.statement).await;
        return made.map(|()| None).map_err(|error| {
            query_error(format!("cannot make {}", step.what), error)
                .hint("the restoring role needs CREATEROLE; nothing was changed")
        });
    }
    let mut words = String::new();
    for statement in [Some(&step.statement), step.otherwise.as_ref()]
        .into_iter()
        .flatten()
    {
        run(target, "SAVEPOINT fh_step").await?;
        match target.batch_execute(statement).await {
            Ok(()) => {
                run(target, "RELEASE SAVEPOINT fh_step").await?;
                return Ok((!words.is_empty()).then(|| {
                    format!(
                        "{}: made, but not as granted by the same role: {words}",
                        step.what
                    )
                }));
            }
            Err(error) => {
                words = query_error("", error).causes().join(": ");
                run(target, "ROLLBACK TO SAVEPOINT fh_step").await?;
            }
        }
    }
    Ok(Some(format!("{}: {words}", step.what)))
}
