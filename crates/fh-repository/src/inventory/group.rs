//! Which sets belong together: those of one project, one environment and the same databases.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::set::SetHeader;

/// Sets of one group are compared with each other, and only with each other is it decided which may go.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Group {
    /// Project.
    pub project: String,
    /// Environment.
    pub environment: Option<String>,
    /// Names of the databases, sorted.
    pub databases: Vec<String>,
}

impl Group {
    /// The group of a set.
    #[must_use]
    pub fn of(header: &SetHeader) -> Self {
        Self::new(&header.project, header.environment.as_deref(), &header.databases)
    }

    /// The group that a set of these databases would be in.
    #[must_use]
    pub fn new(project: &str, environment: Option<&str>, databases: &[String]) -> Self {
        let mut databases = databases.to_vec();
        databases.sort();
        databases.dedup();
        Self {
            project: project.to_owned(),
            environment: environment.map(str::to_owned),
            databases,
        }
    }

    /// Whether it is of this project and environment.
    #[must_use]
    pub fn is_of(&self, project: &str, environment: Option<&str>) -> bool {
        self.project == project && self.environment.as_deref() == environment
    }

    /// Whether sets of `other` hold every database of this one.
    #[must_use]
    pub fn is_within(&self, other: &Self) -> bool {
        self.project == other.project
            && self.environment == other.environment
            && self.databases.iter().all(|name| other.databases.contains(name))
    }

    /// The databases, as the end of a check's id: `shop` or `shop,orders`.
    #[must_use]
    pub fn short(&self) -> String {
        if self.databases.is_empty() {
            "(no database)".into()
        } else {
            self.databases.join(",")
        }
    }
}

impl fmt::Display for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {}", self.short(), self.project)?;
        match &self.environment {
            Some(environment) => write!(f, ", {environment}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_of_databases_does_not_matter() {
        let group = |names: &[&str]| {
            let names: Vec<String> = names.iter().map(ToString::to_string).collect();
            Group::new("shop", Some("production"), &names)
        };
        assert_eq!(group(&["b", "a"]), group(&["a", "b"]));
        assert!(group(&["a"]).is_within(&group(&["b", "a"])));
        assert!(!group(&["b", "a"]).is_within(&group(&["a"])));
        assert_eq!(group(&["b", "a"]).to_string(), "a,b of shop, production");
    }
}
