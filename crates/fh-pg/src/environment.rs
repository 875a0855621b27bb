//! The surroundings a connection string takes its defaults from.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use fh_core::Secret;

/// libpq's environment variables, the home folder and the user's name: everything outside the connection string that
/// decides where it leads (PostgreSQL manual, 34.15). A value of its own, so that tests need not change the process's.
#[derive(Clone, Default)]
pub struct Environment {
    variables: BTreeMap<String, String>,
    /// `PGPASSWORD`, which is not among the others.
    password: Option<Secret>,
    user: Option<String>,
}

impl Environment {
    /// What this process sees: `PG…` and `HOME`, and the name of its user.
    #[must_use]
    pub fn from_process() -> Self {
        let mut environment = Self {
            user: whoami::username().ok(),
            ..Self::default()
        };
        for (name, value) in std::env::vars_os() {
            let Ok(name) = name.into_string() else { continue };
            if !name.starts_with("PG") && name != "HOME" {
                continue;
            }
            match value.into_string() {
                Ok(value) => environment = environment.with(name, value),
                Err(_) => tracing::warn!("the environment variable {name} is not UTF-8 text and is ignored"),
            }
        }
        environment
    }

    /// No variables, no home, no user.
    #[must_use]
    pub fn empty() -> Self {
        Self::default()
    }

    /// The same with one variable set.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        let (name, value) = (name.into(), value.into());
        if name == "PGPASSWORD" {
            self.password = Some(Secret::new(value));
        } else {
            self.variables.insert(name, value);
        }
        self
    }

    /// The same with another name of the operating system's user.
    #[must_use]
    pub fn with_user(mut self, name: impl Into<String>) -> Self {
        self.user = Some(name.into());
        self
    }

    /// A variable; an empty one counts as not set, which is how container settings leave one out.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        let value = match name {
            "PGPASSWORD" => self.password.as_ref().map(Secret::expose),
            _ => self.variables.get(name).map(String::as_str),
        };
        value.filter(|value| !value.is_empty())
    }

    pub(crate) fn home(&self) -> Option<PathBuf> {
        self.get("HOME").map(PathBuf::from)
    }

    pub(crate) fn user(&self) -> Option<&str> {
        self.user.as_deref()
    }
}

impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Names only: `options` and others may hold what nobody should read.
        f.debug_struct("Environment")
            .field("variables", &self.variables.keys().collect::<Vec<_>>())
            .field("password", &self.password)
            .field("user", &self.user)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_password_does_not_show() {
        let environment = Environment::empty()
            .with("PGPASSWORD", "tell-nobody")
            .with("PGHOST", "h")
            .with("PGUSER", "");
        assert_eq!(environment.get("PGPASSWORD"), Some("tell-nobody"));
        assert_eq!(
            environment.get("PGUSER"),
            None,
            "an empty variable is one that is not set"
        );
        let shown = format!("{environment:?}");
        assert!(
            shown.contains("PGHOST") && !shown.contains("tell-nobody"),
            "{shown}"
        );
    }

    #[test]
    fn the_process_has_a_user() {
        assert!(
            Environment::from_process()
                .user()
                .is_some_and(|user| !user.is_empty())
        );
    }
}
