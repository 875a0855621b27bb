//! Roles, rights and tablespaces.

use std::collections::BTreeSet;

use fh_core::{Error, Result};
use fh_pg::{Connection, query_error};

use super::{Facts, Findings, Question};
use crate::archive::{Archive, Entry};
use crate::restore::fit::{Fitted, of_a_provider};

/// Roles that things belong to or are granted to must exist, and ours must be able to give things to the owners.
pub(super) fn existing(findings: &mut Findings, question: &Question<'_>, facts: &Facts) {
    let ownership = question.ownership;
    let database = question.database;
    let mut owners = BTreeSet::new();
    if !ownership.no_owner {
        owners.extend(
            question
                .archive
                .entries
                .iter()
                .filter_map(owner)
                .map(str::to_owned),
        );
        if question.to_be_made {
            owners.insert(database.properties.owner.clone());
        }
    }
    let mut needed = owners.clone();
    if !ownership.no_privileges {
        needed.extend(database.roles.iter().cloned());
    }
    let missing: Vec<&str> = needed
        .difference(&facts.roles)
        .map(String::as_str)
        .filter(|role| !of_a_provider(role))
        .collect();
    if missing.is_empty() {
        findings.good("roles", format!("{} role(s), all there", needed.len()));
    } else {
        findings.stop(
            "roles",
            Error::unable(format!("the target server has no role {}", missing.join(", ")))
                .hint("create the roles first, or restore with --no-owner --no-privileges"),
        );
    }
    let closed: Vec<&str> = owners
        .iter()
        .map(String::as_str)
        .filter(|owner| {
            !facts.superuser && facts.roles.contains(*owner) && !facts.can_become.contains(*owner)
        })
        .collect();
    if !closed.is_empty() {
        findings.stop(
            "owners",
            Error::unable(format!(
                "{} cannot make things that belong to {}: it is not a member",
                facts.user,
                closed.join(", ")
            ))
            .hint(format!(
                "GRANT the role(s) to {}, restore as another role (--role), or restore with --no-owner",
                facts.user
            )),
        );
    }
}

fn owner(entry: &Entry) -> Option<&str> {
    let of_the_database = matches!(entry.kind.as_str(), "DATABASE" | "DATABASE PROPERTIES");
    entry
        .owner
        .as_deref()
        .filter(|owner| !owner.is_empty() && !of_the_database)
}

/// Our role must be able to make things in the database, and in the schema that every database has.
pub(super) async fn rights(
    findings: &mut Findings,
    target: &Connection,
    archive: &Archive,
    facts: &Facts,
) -> Result<()> {
    let row = target
        .query_one(
            "SELECT has_database_privilege(current_database(), 'CREATE'),
                    coalesce((SELECT has_schema_privilege(oid, 'CREATE') FROM pg_namespace WHERE nspname = 'public'), true)",
            &[],
        )
        .await
        .map_err(|error| query_error("cannot see what the role may do in the target", error))?;
    if !row.get::<_, bool>(0) {
        findings.stop(
            "rights",
            Error::unable(format!(
                "{} may not make anything in the target database",
                facts.user
            ))
            .hint("GRANT CREATE ON DATABASE … to it, or restore as the database's owner"),
        );
    }
    let in_public = archive
        .entries
        .iter()
        .any(|entry| entry.kind == "TABLE" && entry.namespace.as_deref() == Some("public"));
    if in_public && !row.get::<_, bool>(1) {
        findings.stop(
            "schema rights",
            Error::unable(format!("{} may not make anything in the schema public", facts.user)).hint(
                "restore as the database's owner, or GRANT CREATE ON SCHEMA public to the role (PostgreSQL 15 took it from everybody)",
            ),
        );
    }
    Ok(())
}

/// A missing tablespace is passed over: where things lie does not change what they are.
pub(super) fn tablespaces(findings: &mut Findings, archive: &Archive, facts: &Facts) {
    let missing = missing_tablespaces(archive, facts);
    if !missing.is_empty() {
        findings.warn(
            "tablespaces",
            format!(
                "the target server has no tablespace {}: everything goes to the default one",
                missing.join(", ")
            ),
            "create the tablespace(s) first if it matters where things lie",
        );
    }
}

/// Names of tablespaces that the server does not have.
pub(crate) fn missing_tablespaces(archive: &Archive, facts: &Facts) -> Vec<String> {
    let named: BTreeSet<String> = archive
        .entries
        .iter()
        .filter_map(|entry| entry.tablespace.clone())
        .filter(|name| !name.is_empty())
        .collect();
    named.difference(&facts.tablespaces).cloned().collect()
}

/// What needs a superuser and cannot be left out, because other things need it.
pub(super) fn superuser_only(findings: &mut Findings, fitted: &Fitted) {
    if !fitted.impossible.is_empty() {
        findings.stop(
            "superuser",
            Error::unable(format!(
                "only a superuser can make {}",
                fitted.impossible.join(", ")
            ))
            .hint("restore as a superuser, or into a server where the role is one"),
        );
    }
    if !fitted.left_out.is_empty() {
        findings.warn(
            "left out",
            format!("left out of the restore: {}", fitted.left_out.join("; ")),
            "the target's role may not make them, or they belong to a cloud provider; make them by hand if they are needed",
        );
    }
}
