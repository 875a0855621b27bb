//! Runs the real binary in a folder of its own, with nothing of this process's environment that it would listen to.

use std::path::PathBuf;
use std::process::Command;

pub(crate) struct Tool {
    pub(crate) folder: tempfile::TempDir,
    variables: Vec<(String, String)>,
}

#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ran {
    /// Fails the test unless the exit code is this.
    pub(crate) fn expect(self, code: i32) -> Self {
        assert_eq!(
            self.code, code,
            "stdout:\n{}\nstderr:\n{}",
            self.stdout, self.stderr
        );
        self
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {}", self.stdout))
    }
}

impl Tool {
    /// A folder with this configuration.
    pub(crate) fn new(config: &str) -> Self {
        let tool = Self {
            folder: tempfile::tempdir().unwrap(),
            variables: Vec::new(),
        };
        tool.configure(config);
        tool
    }

    pub(crate) fn configure(&self, config: &str) {
        std::fs::write(self.path("financehub.toml"), config).unwrap();
    }

    pub(crate) fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.variables.push((name.to_owned(), value.into()));
        self
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_fh-health"));
        command
            .args(arguments)
            .current_dir(self.folder.path())
            .env_clear();
        for name in ["PATH", "LLVM_PROFILE_FILE"] {
            if let Some(value) = std::env::var_os(name) {
                command.env(name, value);
            }
        }
        command
            .env("HOME", self.folder.path())
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .envs(self.variables.iter().map(|(name, value)| (name, value)));
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Ran {
        ran(&self.command(arguments).output().unwrap())
    }

    /// The report of `check`, as JSON.
    pub(crate) fn check(&self, arguments: &[&str]) -> serde_json::Value {
        let mut all = vec!["--format", "json"];
        all.extend(arguments);
        self.run(&all).json()
    }

    /// The memory between runs.
    pub(crate) fn memory(&self) -> serde_json::Value {
        let text = std::fs::read_to_string(self.path(".local/state/fh/health.json")).unwrap();
        serde_json::from_str(&text).unwrap()
    }
}

pub(crate) fn ran(output: &std::process::Output) -> Ran {
    Ran {
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// A check of a JSON report.
pub(crate) fn of<'r>(report: &'r serde_json::Value, id: &str) -> &'r serde_json::Value {
    let checks = report["checks"].as_array().unwrap();
    let found = checks.iter().find(|check| check["id"] == id);
    found.unwrap_or_else(|| panic!("no check {id}: {report:#}"))
}

/// Status and summary of a check.
pub(crate) fn said(report: &serde_json::Value, id: &str) -> String {
    let check = of(report, id);
    format!(
        "{}: {}",
        check["status"].as_str().unwrap(),
        check["summary"].as_str().unwrap()
    )
}

/// A port of the loopback address at which nobody listens.
pub(crate) fn closed_port() -> u16 {
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    listener.local_addr().unwrap().port()
}
