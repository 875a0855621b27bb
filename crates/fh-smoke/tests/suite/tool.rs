//! Runs the real binary in a folder of its own, and an application for it to look at.

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use fh_testkit::webhook::{Recorded, Reply, Webhook};

pub(crate) struct Tool {
    pub(crate) folder: tempfile::TempDir,
    variables: Vec<(String, String)>,
}

#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    pub(crate) took: Duration,
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

    /// Status and summary of a check of a JSON report.
    pub(crate) fn check(&self, id: &str) -> (String, String) {
        let report = self.json();
        let checks = report["checks"].as_array().unwrap();
        let found = checks
            .iter()
            .find(|check| check["id"] == id)
            .unwrap_or_else(|| panic!("no check {id}: {report:#}"));
        let text = |key: &str| found[key].as_str().unwrap_or_default().to_owned();
        (text("status"), text("summary"))
    }
}

impl Tool {
    /// A folder with this suite as `suite.toml`.
    pub(crate) fn with_suite(suite: &str) -> Self {
        let tool = Self {
            folder: tempfile::tempdir().unwrap(),
            variables: Vec::new(),
        };
        tool.write("suite.toml", suite);
        tool
    }

    /// A suite with one environment at `base`.
    pub(crate) fn at(base: &str, suite: &str) -> Self {
        Self::with_suite(&format!("[env.test]\nbase = \"{base}\"\n{suite}"))
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).unwrap();
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.variables.push((name.into(), value.into()));
        self
    }

    /// Runs the tool with these words, separated by spaces.
    pub(crate) fn run(&self, words: &str) -> Ran {
        self.run_and(words, |_| {})
    }

    /// The same, doing something with the process's number while it runs.
    pub(crate) fn run_and(&self, words: &str, meanwhile: impl FnOnce(u32)) -> Ran {
        let mut command = Command::new(env!("CARGO_BIN_EXE_fh-smoke"));
        command
            .args(words.split_whitespace())
            .current_dir(self.folder.path())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("TZ", "UTC");
        // Where coverage is measured, the binary says there what it ran.
        if let Some(profile) = std::env::var_os("LLVM_PROFILE_FILE") {
            command.env("LLVM_PROFILE_FILE", profile);
        }
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        let began = Instant::now();
        let child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        meanwhile(child.id());
        let output = child.wait_with_output().unwrap();
        Ran {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
            took: began.elapsed(),
        }
    }
}

/// A scenario that asks for one page.
pub(crate) const ONE: &str = "[[scenario]]\nname = \"one\"\n[[scenario.step]]\nname = \"get\"\nget = \"/\"\nexpect = { status = 200 }\n";

pub(crate) const PASSWORD: &str = "s3cret&\"pass word";
pub(crate) const TOKEN: &str = "eyJhbGciOi.token.value";

/// An application with a login, a portfolio and a page, as FinanceHub has them.
pub(crate) fn application() -> Webhook {
    Webhook::answering(answer)
}

pub(crate) fn answer(request: &Recorded) -> Reply {
    let json = |status: u16, value: serde_json::Value| {
        Reply::status(status)
            .header("Content-Type", "application/json")
            .body(value.to_string())
    };
    let authorized = request.header("authorization") == Some(&format!("Bearer {TOKEN}"));
    let path = request.path.split('?').next().unwrap_or_default();
    match (request.method.as_str(), path) {
        ("GET", "/api/health/") => json(
            200,
            serde_json::json!({"status": "healthy", "database": "connected", "version": "1.2.3"}),
        ),
        ("POST", "/api/auth/login/") => {
            let body: serde_json::Value = serde_json::from_str(&request.text()).unwrap_or_default();
            if body["password"] == PASSWORD {
                json(200, serde_json::json!({"access": TOKEN, "user": {"id": 42}}))
                    .header("Set-Cookie", "session=abc123; Path=/; HttpOnly")
            } else {
                json(
                    401,
                    serde_json::json!({"detail": format!("wrong password {}", body["password"])}),
                )
            }
        }
        ("GET", "/api/portfolios/42/") if authorized => json(
            200,
            serde_json::json!({"id": 42, "positions": [{"symbol": "ABC"}, {"symbol": "XYZ"}]}),
        ),
        ("GET", "/api/portfolios/42/") => json(401, serde_json::json!({"detail": "no token"})),
        ("GET", "/echo") => json(
            200,
            serde_json::json!({"path": request.path, "cookie": request.header("cookie"), "auth": request.header("authorization")}),
        ),
        ("POST", "/echo") => json(
            200,
            serde_json::json!({"type": request.header("content-type"), "body": request.text()}),
        ),
        ("GET", "/old") => Reply::status(302).header("Location", "/new"),
        ("GET", "/new") => Reply::status(200).body("here"),
        ("GET", "/login") => Reply::status(200)
            .header("Content-Type", "text/html")
            .body("<form><input type=hidden name=csrf value=\"tok&amp;1\"><b>Hello</b> Ann, build-77</form>"),
        _ => Reply::status(404).body("no such page"),
    }
}
