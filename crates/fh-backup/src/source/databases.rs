//! Which databases go into the set.

use fh_core::{Error, Result};
use fh_pg::{ConnectOptions, ConnectionString, connect, query_error};

/// What the configuration says about it.
#[derive(Debug, Clone, Copy)]
pub enum Wanted<'a> {
    /// The one that the connection URL names.
    OfUrl,
    /// These, on the server of the URL.
    Named(&'a [String]),
    /// All of the server's.
    All,
}

impl<'a> Wanted<'a> {
    /// Reads it from the two settings.
    ///
    /// # Errors
    /// Exit code 2 when names are given and all are wanted, or a name stands there twice or is empty.
    pub fn new(names: &'a [String], all: bool) -> Result<Self> {
        for (index, name) in names.iter().enumerate() {
            if name.is_empty() || names[..index].contains(name) {
                return Err(Error::usage(format!(
                    "backup.databases names the database {name:?} twice, or it is empty"
                )));
            }
        }
        match (names, all) {
            ([], false) => Ok(Self::OfUrl),
            ([], true) => Ok(Self::All),
            (_, false) => Ok(Self::Named(names)),
            (_, true) => Err(Error::usage(
                "backup.databases names databases, and backup.all_databases wants all",
            )
            .hint("remove one of the two")),
        }
    }
}

/// Every database but the templates and those that nobody may connect to. `rdsadmin` is Amazon's own and closed to its
/// customers (Amazon RDS User Guide, "Understanding the rds_superuser role"). One that this role may not connect to
/// stays in the list: the backup then fails, and is not silently smaller.
const ALL: &str = "SELECT datname::text FROM pg_database
WHERE datallowconn AND NOT datistemplate AND datname <> 'rdsadmin' ORDER BY datname";

/// The databases, each as a target of its own.
///
/// # Errors
/// Exit code 3 when the server cannot be asked, or has none.
pub async fn sources(
    url: &ConnectionString,
    wanted: Wanted<'_>,
    options: &ConnectOptions,
) -> Result<Vec<ConnectionString>> {
    let names: Vec<String> = match wanted {
        Wanted::OfUrl => return Ok(vec![url.clone()]),
        Wanted::Named(names) => names.to_vec(),
        Wanted::All => {
            let connection = connect(url, options).await?;
            let rows = connection
                .query(ALL, &[])
                .await
                .map_err(|error| query_error("cannot list the databases of the server", error))?;
            rows.iter().map(|row| row.get(0)).collect()
        }
    };
    if names.is_empty() {
        return Err(Error::unable("the server has no database to back up"));
    }
    Ok(names.into_iter().map(|name| url.with_database(name)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_contradicts_itself_is_a_usage_error() {
        let names = |names: &[&str]| names.iter().map(ToString::to_string).collect::<Vec<_>>();
        assert!(matches!(Wanted::new(&[], false), Ok(Wanted::OfUrl)));
        assert!(matches!(Wanted::new(&[], true), Ok(Wanted::All)));
        assert!(matches!(Wanted::new(&names(&["a", "b"]), false), Ok(Wanted::Named(two)) if two.len() == 2));
        for (names, all) in [
            (names(&["a"]), true),
            (names(&["a", "a"]), false),
            (names(&[""]), false),
        ] {
            let error = Wanted::new(&names, all).unwrap_err();
            assert_eq!(error.exit(), fh_core::Exit::Usage, "{names:?}");
        }
    }
}
