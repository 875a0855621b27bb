//! Which database to restore, and into which.

use fh_core::app::Session;
use fh_core::{Error, Hint as _, Result, Secret};
use fh_pg::ConnectionString;

use crate::body::{Body, Database};
use crate::cli::Restore;
use crate::context;

/// What becomes of the target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// It exists and is empty.
    Fill,
    /// It is made.
    Create,
    /// It is in use, and is replaced.
    Replace,
}

impl Way {
    pub(super) const fn of(restore: &Restore) -> Self {
        if restore.replace {
            Self::Replace
        } else if restore.create {
            Self::Create
        } else {
            Self::Fill
        }
    }
}

/// The database to restore into.
///
/// # Errors
/// Exit code 2 when it is not clear.
pub(in crate::command) fn target(session: &Session, restore: &Restore) -> Result<ConnectionString> {
    let target = match &restore.target_url_env {
        Some(variable) => context::connection_string(session, &url(variable)?)?,
        None => {
            let configured =
                context::database(session).hint(|| "give the target with --target-url-env VARIABLE")?;
            match &restore.into {
                Some(name) => configured.with_database(name),
                None => configured,
            }
        }
    };
    Ok(match &restore.role {
        Some(role) => target.with_role(role),
        None => target,
    })
}

fn url(variable: &str) -> Result<Secret> {
    let url = std::env::var(variable).ok().filter(|url| !url.is_empty());
    url.map(Secret::new).ok_or_else(|| {
        Error::usage(format!(
            "the environment variable {variable} of --target-url-env is not set"
        ))
        .hint("put the connection URL of the target database there")
    })
}

/// The database of the set.
///
/// # Errors
/// Exit code 2 when it is not clear which one, or it is not in the set.
pub(in crate::command) fn choose<'a>(body: &'a Body, wanted: Option<&str>) -> Result<&'a Database> {
    let names = || {
        body.databases
            .iter()
            .map(|database| database.name.as_str())
            .collect::<Vec<_>>()
            .join(", ")
    };
    match (wanted, &body.databases[..]) {
        (None, [only]) => Ok(only),
        (None, _) => Err(
            Error::usage(format!("the set holds several databases: {}", names()))
                .hint("say which one with --database"),
        ),
        (Some(name), databases) => databases
            .iter()
            .find(|database| database.name == name)
            .ok_or_else(|| {
                Error::usage(format!("the set holds no database {name:?}"))
                    .hint(format!("it holds {}", names()))
            }),
    }
}
