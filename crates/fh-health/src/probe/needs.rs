//! What a check needs to be allowed.

/// What it takes to run a check, so that nobody has to give more.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Needs {
    /// SQL statements that are sent.
    pub sql: Vec<String>,
    /// GRANT statements that a role without privileges needs.
    pub grants: Vec<String>,
    /// IAM actions, such as `ecs:DescribeServices`.
    pub iam: Vec<String>,
    /// Everything else, one line each: ports, files, programs.
    pub other: Vec<String>,
}

impl Needs {
    /// A line of [`Self::other`].
    #[must_use]
    pub fn other(mut self, line: impl Into<String>) -> Self {
        self.other.push(line.into());
        self
    }
}
