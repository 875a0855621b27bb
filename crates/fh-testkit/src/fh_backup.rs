//! Running fh-backup as a person would: by its command line.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, ensure};

use crate::Postgres;
use crate::host::without_settings;

/// The program with a repository and keys of its own.
pub(crate) struct FhBackup {
    program: PathBuf,
    dir: PathBuf,
    /// `PATH` with the server's own pg_dump first.
    path: std::ffi::OsString,
    bin_dir: PathBuf,
}

impl FhBackup {
    pub(crate) fn new(program: PathBuf, dir: &Path, postgres: &Postgres) -> Result<Self> {
        let program = std::path::absolute(program)?;
        let bin_dir = postgres.bin_dir().to_owned();
        let old = std::env::var_os("PATH").unwrap_or_default();
        let path = std::env::join_paths([bin_dir.clone()].into_iter().chain(std::env::split_paths(&old)))?;
        Ok(Self {
            program,
            dir: dir.to_owned(),
            path,
            bin_dir,
        })
    }

    pub(crate) fn repository(&self) -> PathBuf {
        self.dir.join("repository")
    }

    fn key_file(&self) -> PathBuf {
        self.dir.join("repository.key")
    }

    pub(crate) fn identity(&self) -> PathBuf {
        self.dir.join("identity.txt")
    }

    /// Makes the identity file and gives the recipient (public key) it names.
    pub(crate) fn generate_key(&self) -> Result<String> {
        self.run(self.command(&["key", "generate", "--to"]).arg(self.identity()))?;
        let identity = fs_err::read_to_string(self.identity())?;
        let recipient = identity
            .lines()
            .find_map(|line| line.strip_prefix("# public key: "));
        Ok(recipient
            .context("the identity file names no public key")?
            .trim()
            .to_owned())
    }

    pub(crate) fn init(&self, recipient: &str) -> Result<()> {
        self.run(self.in_repository(&["init", "--recipient", recipient]))
    }

    pub(crate) fn create(&self, url: &str) -> Result<()> {
        self.run(self.in_repository(&["create"]).env("DATABASE_URL", url))
    }

    pub(crate) fn verify(&self) -> Result<()> {
        self.run(
            self.in_repository(&["verify", "--full", "latest"])
                .arg("--identity")
                .arg(self.identity()),
        )
    }

    pub(crate) fn restore(&self, url: &str) -> Result<()> {
        let mut command = self.in_repository(&["restore", "--target-url-env", "RESTORE_URL", "latest"]);
        self.run(
            command
                .arg("--identity")
                .arg(self.identity())
                .env("RESTORE_URL", url),
        )
    }

    /// Bytes of all files of the repository.
    pub(crate) fn repository_size(&self) -> Result<u64> {
        fn below(dir: &Path) -> Result<u64> {
            let mut sum = 0;
            for entry in fs_err::read_dir(dir)? {
                let entry = entry?;
                sum += if entry.file_type()?.is_dir() {
                    below(&entry.path())?
                } else {
                    entry.metadata()?.len()
                };
            }
            Ok(sum)
        }
        below(&self.repository())
    }

    /// A command that sees none of the caller's own settings: neither databases, nor configuration, nor cloud.
    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        without_settings(&mut command);
        command
            .args(arguments)
            .current_dir(&self.dir)
            .env("PATH", &self.path)
            .env("FH_PG_BINDIR", &self.bin_dir)
            .stdin(Stdio::null());
        command
    }

    pub(crate) fn in_repository(&self, arguments: &[&str]) -> Command {
        let mut command = self.command(arguments);
        command
            .arg("--repository")
            .arg(self.repository())
            .arg("--key-file")
            .arg(self.key_file());
        command
    }

    /// Runs it to its end; what it printed is shown when it failed.
    fn run(&self, mut command: impl std::borrow::BorrowMut<Command>) -> Result<()> {
        let command = command.borrow_mut();
        let output = command
            .output()
            .with_context(|| format!("cannot start {}", self.program.display()))?;
        let said = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim_end().to_owned();
        let words = command
            .get_args()
            .map(|word| word.to_string_lossy())
            .collect::<Vec<_>>()
            .join(" ");
        ensure!(
            output.status.success(),
            "`fh-backup {words}` ended with {}\n{}\n{}",
            output.status,
            said(&output.stderr),
            said(&output.stdout),
        );
        Ok(())
    }
}

/// The fh-backup that was built together with this program.
pub(crate) fn beside_us() -> Result<PathBuf> {
    let file = std::env::current_exe()?.with_file_name("fh-backup");
    ensure!(
        file.is_file(),
        "{} does not exist; build it, or name one with --fh-backup",
        file.display()
    );
    Ok(file)
}
