//! A plan's parts, and how it is shown.

use std::fmt;

/// What will be done, and what cannot be.
#[derive(Debug, Default, Eq, PartialEq)]
pub(super) struct Plan {
    pub(super) steps: Vec<Step>,
    /// What is missing and must come from a person, with advice.
    pub(super) gaps: Vec<String>,
}

/// One thing to install.
#[derive(Debug, Eq, PartialEq)]
pub(super) struct Step {
    pub(super) what: String,
    pub(super) why: String,
    pub(super) commands: Vec<Line>,
}

/// A command line, as words.
#[derive(Debug, Eq, PartialEq)]
pub(super) struct Line {
    pub(super) env: Vec<(&'static str, &'static str)>,
    pub(super) argv: Vec<String>,
    /// Run when that fails; empty for nothing.
    pub(super) otherwise: Vec<String>,
}

impl Plan {
    /// Whether there is nothing to do and nothing to say.
    pub(super) fn is_complete(&self) -> bool {
        self.steps.is_empty() && self.gaps.is_empty()
    }

    /// What is missing, as a list.
    pub(super) fn missing(&self) -> String {
        let steps = self.steps.iter().map(|step| step.what.as_str());
        let all: Vec<String> = steps
            .chain(self.gaps.iter().map(String::as_str))
            .map(|what| format!("  - {what}"))
            .collect();
        all.join("\n")
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.steps.is_empty() {
            writeln!(formatter, "This will be installed:\n")?;
        }
        for step in &self.steps {
            writeln!(formatter, "  {}\n    why: {}", step.what, step.why)?;
            for line in &step.commands {
                writeln!(formatter, "    $ {line}")?;
            }
        }
        if !self.gaps.is_empty() {
            writeln!(formatter, "\nThis cannot be installed from here:\n")?;
        }
        for gap in &self.gaps {
            writeln!(formatter, "  - {gap}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Line {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, value) in &self.env {
            write!(formatter, "{name}={value} ")?;
        }
        formatter.write_str(&self.argv.join(" "))?;
        if !self.otherwise.is_empty() {
            write!(formatter, " || {}", self.otherwise.join(" "))?;
        }
        Ok(())
    }
}

pub(super) fn line(argv: Vec<String>) -> Line {
    Line {
        env: Vec::new(),
        argv,
        otherwise: Vec::new(),
    }
}

pub(super) fn apt(before: &[String], rest: &[&str]) -> Line {
    let mut argv = before.to_vec();
    argv.extend(words(&[
        "env",
        "DEBIAN_FRONTEND=noninteractive",
        "apt-get",
        "--quiet",
    ]));
    argv.extend(words(rest));
    line(argv)
}

pub(super) fn apt_install(before: &[String], packages: &[&str]) -> Line {
    let mut rest = vec!["install", "--yes", "--no-install-recommends"];
    rest.extend(packages);
    apt(before, &rest)
}

pub(super) fn words(list: &[&str]) -> Vec<String> {
    list.iter().map(|word| (*word).to_owned()).collect()
}
