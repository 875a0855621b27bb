//! Settings, comment and privileges of the database itself, which `pg_restore` only sets when it makes the database.

use std::collections::BTreeSet;

use fh_core::Result;
use fh_pg::{Connection, query_error, quote_ident, quote_literal};

use super::definitions::Ownership;
use crate::body::{Database, Setting};

/// Sets them on the target database, and its comment and privileges. Returns what could not be set, each with the
/// reason: a role that does not exist here, or a parameter that only a superuser may set.
///
/// # Errors
/// Exit code 3 when the server cannot be asked at all.
pub async fn apply(
    target: &Connection,
    name: &str,
    database: &Database,
    ownership: Ownership,
) -> Result<Vec<String>> {
    let rows = target
        .query("SELECT rolname::text FROM pg_roles", &[])
        .await
        .map_err(|error| query_error("cannot list the target's roles", error))?;
    let roles: BTreeSet<String> = rows.iter().map(|row| row.get(0)).collect();
    let mut left_out = Vec::new();
    for Step {
        what,
        role,
        statement,
    } in steps(name, database, ownership)
    {
        if let Some(role) = role.filter(|role| !roles.contains(role)) {
            left_out.push(format!("{what}: there is no role {role} here"));
        } else if let Err(error) = target.batch_execute(&statement).await {
            left_out.push(format!("{what}: {}", query_error("", error).causes().join(": ")));
        }
    }
    Ok(left_out)
}

/// One statement about the database itself.
struct Step {
    what: String,
    /// A role that must exist.
    role: Option<String>,
    statement: String,
}

fn steps(name: &str, database: &Database, ownership: Ownership) -> Vec<Step> {
    let quoted = quote_ident(name);
    let mut steps: Vec<Step> = database
        .settings
        .iter()
        .map(|setting| Step {
            what: format!("setting {}", setting.name),
            role: setting.role.clone(),
            statement: statement(name, setting),
        })
        .collect();
    if let Some(comment) = &database.properties.comment {
        let statement = format!("COMMENT ON DATABASE {quoted} IS {}", quote_literal(comment));
        steps.push(Step {
            what: "comment".into(),
            role: None,
            statement,
        });
    }
    let grants = database
        .properties
        .grants
        .as_ref()
        .filter(|_| !ownership.no_privileges);
    for (index, grant) in grants.into_iter().flatten().enumerate() {
        if index == 0 {
            // What everybody may do by default is not in a list that was changed unless it says so.
            let statement = format!("REVOKE ALL ON DATABASE {quoted} FROM PUBLIC");
            steps.push(Step {
                what: "privileges of PUBLIC".into(),
                role: None,
                statement,
            });
        }
        let to = grant.role.as_deref().map_or("PUBLIC".to_owned(), quote_ident);
        let option = if grant.grantable { " WITH GRANT OPTION" } else { "" };
        steps.push(Step {
            what: format!("privilege {} of {to}", grant.privilege),
            role: grant.role.clone(),
            statement: format!("GRANT {} ON DATABASE {quoted} TO {to}{option}", grant.privilege),
        });
    }
    steps
}

/// Parameters whose value is a list of identifiers, stored already quoted (`GUC_LIST_QUOTE` in PostgreSQL's
/// `guc_tables.c`; the same list as in `pg_dump`'s `variable_is_guc_list_quote`). A second pair of quotes would make one
/// name of them.
const LISTS: [&str; 6] = [
    "local_preload_libraries",
    "search_path",
    "session_preload_libraries",
    "shared_preload_libraries",
    "temp_tablespaces",
    "unix_socket_directories",
];

fn statement(database: &str, setting: &Setting) -> String {
    let subject = match &setting.role {
        Some(role) => format!("ROLE {} IN DATABASE {}", quote_ident(role), quote_ident(database)),
        None => format!("DATABASE {}", quote_ident(database)),
    };
    assignment(&subject, setting)
}

/// `ALTER subject SET name TO value`.
pub(crate) fn assignment(subject: &str, setting: &Setting) -> String {
    let value = if LISTS.contains(&setting.name.to_ascii_lowercase().as_str()) && !setting.value.is_empty() {
        setting.value.clone()
    } else {
        quote_literal(&setting.value)
    };
    // An extension's parameter has a dot in its name: each part is an identifier of its own.
    let name: Vec<String> = setting.name.split('.').map(quote_ident).collect();
    format!("ALTER {subject} SET {} TO {value}", name.join("."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_keep_their_own_quotes() {
        let setting = |role: Option<&str>, name: &str, value: &str| Setting {
            role: role.map(Into::into),
            name: name.into(),
            value: value.into(),
        };
        assert_eq!(
            statement("app", &setting(None, "search_path", "\"$user\", public")),
            "ALTER DATABASE app SET search_path TO \"$user\", public"
        );
        assert_eq!(
            statement(
                "my db",
                &setting(Some("r"), "pg_trgm.similarity_threshold", "0.5")
            ),
            "ALTER ROLE r IN DATABASE \"my db\" SET pg_trgm.similarity_threshold TO '0.5'"
        );
    }
}
