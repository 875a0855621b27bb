//! Runs the real binary in a folder of its own, with nothing of this process's environment that it would listen to.
#![allow(
    dead_code,
    unreachable_pub,
    missing_docs,
    clippy::unwrap_used,
    clippy::panic,
    reason = "each test file uses a part"
)]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use fh_testkit::{Postgres, S3};

pub struct Tool {
    pub folder: tempfile::TempDir,
    variables: Vec<(String, String)>,
    /// `--repository` and keys, for every call.
    place: Vec<String>,
}

#[derive(Debug)]
pub struct Ran {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Ran {
    /// Fails the test unless the exit code is this.
    pub fn expect(self, code: i32) -> Self {
        assert_eq!(
            self.code, code,
            "stdout:\n{}\nstderr:\n{}",
            self.stdout, self.stderr
        );
        self
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {}", self.stdout))
    }
}

impl Tool {
    pub fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            variables: Vec::new(),
            place: Vec::new(),
        }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.set(name, value);
        self
    }

    pub fn set(&mut self, name: &str, value: impl Into<String>) {
        self.variables.retain(|(known, _)| known != name);
        self.variables.push((name.to_owned(), value.into()));
    }

    /// A repository in a folder beside, encrypted or not.
    pub fn in_folder(self, encrypted: bool) -> Self {
        let place = self.path("repository").display().to_string();
        self.with_repository(&place, encrypted)
    }

    /// From now on without the private key, like a host that only backs up.
    pub fn without_identity(mut self) -> Self {
        if let Some(at) = self.place.iter().position(|part| part == "--identity") {
            self.place.drain(at..at + 2);
        }
        self
    }

    /// A repository in a bucket.
    pub fn in_s3(self, s3: &S3, encrypted: bool) -> Self {
        s3.create_bucket("backups");
        self.with("AWS_ACCESS_KEY_ID", s3.access_key())
            .with("AWS_SECRET_ACCESS_KEY", s3.secret_key())
            .with("AWS_REGION", "eu-central-1")
            .with("AWS_ENDPOINT_URL", s3.endpoint())
            .with_repository("s3://backups/shop/main", encrypted)
    }

    fn with_repository(mut self, place: &str, encrypted: bool) -> Self {
        self.place = vec!["--repository".into(), place.to_owned()];
        let mut init = vec!["init".to_owned()];
        if encrypted {
            let identity = self.path("identity.txt").display().to_string();
            let made = self
                .run(&["--format", "json", "key", "generate", "--to", &identity])
                .expect(0);
            let recipient = made.json()["data"]["recipient"].as_str().unwrap().to_owned();
            init.extend(["--recipient".into(), recipient]);
            self.place.extend([
                "--key-file".into(),
                self.path("repository.key").display().to_string(),
            ]);
        }
        let init: Vec<&str> = init.iter().map(String::as_str).collect();
        self.run(&init).expect(0);
        if encrypted {
            self.place.extend([
                "--identity".into(),
                self.path("identity.txt").display().to_string(),
            ]);
        }
        self
    }

    /// From now on the repository is there.
    pub fn move_to(&mut self, place: &str) {
        place.clone_into(&mut self.place[1]);
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_fh-backup"));
        command.args(arguments);
        self.dressed(command)
    }

    /// The command with this tool's place and variables.
    pub fn dressed(&self, mut command: Command) -> Command {
        command
            .current_dir(self.folder.path())
            .env_clear()
            .args(&self.place);
        for name in ["PATH", "LLVM_PROFILE_FILE", "FH_PG_BINDIR"] {
            if let Some(value) = std::env::var_os(name) {
                command.env(name, value);
            }
        }
        // No profile of the developer's, and no instance metadata service to wait for.
        command
            .env("HOME", self.folder.path())
            .env("AWS_EC2_METADATA_DISABLED", "true");
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        command
    }

    pub fn run(&self, arguments: &[&str]) -> Ran {
        ran(&self.command(arguments).output().unwrap())
    }

    /// As [`Tool::run`], with another identity than the fixture's.
    pub fn run_with_identity(&self, identity: &str, arguments: &[&str]) -> Ran {
        let mut command = self.command(arguments);
        let mut given: Vec<_> = command.get_args().map(ToOwned::to_owned).collect();
        if let Some(at) = given.iter().position(|argument| argument == "--identity") {
            given[at + 1] = self.path(identity).into_os_string();
        }
        let mut changed = Command::new(command.get_program());
        changed.args(given).env_clear().current_dir(self.folder.path());
        for (name, value) in command.get_envs() {
            if let Some(value) = value {
                changed.env(name, value);
            }
        }
        command = changed;
        ran(&command.output().unwrap())
    }

    /// The id of the newest set.
    pub fn newest(&self) -> String {
        let sets = self.run(&["list", "--format", "json"]).expect(0).json();
        sets["data"]["sets"].as_array().unwrap().last().unwrap()["set"]
            .as_str()
            .unwrap()
            .to_owned()
    }

    /// Ids of all sets.
    pub fn sets(&self) -> Vec<String> {
        let sets = self.run(&["list", "--format", "json"]).expect(0).json();
        let id = |set: &serde_json::Value| set["set"].as_str().unwrap().to_owned();
        sets["data"]["sets"].as_array().unwrap().iter().map(id).collect()
    }

    /// The text with this test's folders replaced, for comparing.
    pub fn redact(&self, text: &str) -> String {
        text.replace(&self.folder.path().display().to_string(), "[folder]")
    }
}

pub fn ran(output: &Output) -> Ran {
    Ran {
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// A server with one database of a few tables.
pub fn small_server() -> Option<Postgres> {
    let server = fh_testkit::start_or_skip(Postgres::try_start())?;
    server.create_database("shop");
    server.psql(
        "shop",
        "CREATE TABLE item (id int PRIMARY KEY, name text NOT NULL);
         INSERT INTO item SELECT n, 'item ' || n FROM generate_series(1, 5000) n;
         CREATE TABLE empty (x int);
         CREATE SEQUENCE counter; SELECT setval('counter', 41);",
    );
    Some(server)
}

/// Every file below a folder, with its content. A program at work there takes files away or renames them while this reads:
/// what has gone since it was listed is left out.
pub fn files(folder: &Path) -> std::collections::BTreeMap<PathBuf, Vec<u8>> {
    let there = |result: std::io::Result<Vec<u8>>| match result {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
        other => Some(other.unwrap()),
    };
    let mut found = std::collections::BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if let Some(content) = there(std::fs::read(&path)) {
                drop(found.insert(path, content));
            }
        }
    }
    found
}

/// A check of a JSON report.
pub fn check<'r>(report: &'r serde_json::Value, id: &str) -> &'r serde_json::Value {
    let checks = report["checks"].as_array().unwrap();
    checks
        .iter()
        .find(|check| check["id"] == id)
        .unwrap_or_else(|| panic!("no check {id}: {report}"))
}

/// The documents of evidence in the repository beside, oldest first.
pub fn evidence(tool: &Tool) -> Vec<String> {
    files(&tool.path("repository"))
        .into_iter()
        .filter(|(path, _)| path.display().to_string().contains("/evidence/"))
        .map(|(_, bytes)| String::from_utf8(bytes).unwrap())
        .collect()
}

/// What `list` says of the newest set.
pub fn listed(tool: &Tool) -> serde_json::Value {
    let list = tool.run(&["list", "--format", "json"]).json();
    list["data"]["sets"].as_array().unwrap().last().unwrap().clone()
}
