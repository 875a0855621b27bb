//! Settings of the database and of roles in it, which `pg_restore` only sets when it makes the database itself.

use std::collections::BTreeSet;

use fh_core::Result;
use fh_pg::{Connection, query_error, quote_ident, quote_literal};

use crate::body::{Database, Setting};

/// Sets them on the target database. Returns the settings that could not be set, each with the reason: a role that does
/// not exist here, or a parameter that only a superuser may set.
///
/// # Errors
/// Exit code 3 when the server cannot be asked at all.
pub async fn apply(target: &Connection, name: &str, database: &Database) -> Result<Vec<String>> {
    let rows = target
        .query("SELECT rolname::text FROM pg_roles", &[])
        .await
        .map_err(|error| query_error("cannot list the target's roles", error))?;
    let roles: BTreeSet<String> = rows.iter().map(|row| row.get(0)).collect();
    let mut left_out = Vec::new();
    for setting in &database.settings {
        if let Some(role) = setting.role.as_ref().filter(|role| !roles.contains(*role)) {
            left_out.push(format!("{} for role {role}: there is no such role here", setting.name));
        } else if let Err(error) = target.batch_execute(&statement(name, setting)).await {
            let error = query_error(&setting.name, error);
            left_out.push(format!("{}: {}", setting.name, error.causes().join(": ")));
        }
    }
    Ok(left_out)
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
            statement("my db", &setting(Some("r"), "pg_trgm.similarity_threshold", "0.5")),
            "ALTER ROLE r IN DATABASE \"my db\" SET pg_trgm.similarity_threshold TO '0.5'"
        );
    }
}
