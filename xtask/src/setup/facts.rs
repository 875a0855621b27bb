//! What the setup needs to know of the machine. Looking changes nothing.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::find;
use crate::llvm::{self, Compiler};
use crate::services;
use crate::tools::{DIST, GATES, Tool};
use crate::workspace::Workspace;

/// How system packages are installed here.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum System {
    /// Debian, Ubuntu and their kin, with the words before `apt-get`: none for root, `sudo` for others, and nothing
    /// possible without either.
    Apt { before: Option<Vec<String>> },
    /// macOS with Homebrew.
    Brew,
    /// Neither, with what there is instead.
    Other(String),
}

#[derive(Clone, Debug)]
pub(super) struct Facts {
    pub(super) system: System,
    pub(super) tools: PathBuf,
    /// The major version of the newest complete PostgreSQL.
    pub(super) postgres: Option<u32>,
    pub(super) redis: bool,
    /// age and zstd: the tests run the commands of RESTORE.md with the real ones. OpenSSL: it serves bad TLS to tests.
    pub(super) readers: bool,
    pub(super) compiler: bool,
    pub(super) git: bool,
    pub(super) llvm_major: u32,
    pub(super) llvm_found: bool,
    /// Whether the system's packages have LLVM of that major version.
    pub(super) llvm_packaged: bool,
    pub(super) rustup: bool,
    pub(super) python: bool,
    /// Python can make an environment with pip in it.
    pub(super) python_venv: bool,
    pub(super) venv_made: bool,
    /// Pinned tools that are not here.
    pub(super) missing_tools: Vec<&'static Tool>,
}

impl Facts {
    /// Looks.
    pub(super) fn look(workspace: &Workspace) -> anyhow::Result<Self> {
        let system = system();
        let compiler = Compiler::ask()?;
        let llvm_found = llvm::find(&compiler).is_ok();
        let package = format!("llvm-{}", compiler.llvm_major);
        let all_tools = GATES.iter().chain(DIST).copied();
        Ok(Self {
            // Asked only where it matters: it is the one slow question.
            llvm_packaged: !llvm_found && matches!(system, System::Apt { .. }) && packaged(&package),
            tools: workspace.tools(),
            postgres: services::postgres().map(|found| found.major),
            redis: services::redis().is_some(),
            readers: ["age", "zstd", "openssl"]
                .iter()
                .all(|name| find::on_path(name).is_some()),
            compiler: find::on_path("cc").is_some(),
            git: find::on_path("git").is_some(),
            llvm_major: compiler.llvm_major,
            llvm_found,
            rustup: find::on_path("rustup").is_some(),
            python: find::on_path("python3").is_some(),
            python_venv: succeeds("python3", &["-c", "import ensurepip, venv"]),
            venv_made: workspace.venv().join("bin/python").exists(),
            missing_tools: all_tools
                .filter(|tool| find::find(workspace, tool).is_err())
                .collect(),
            system,
        })
    }
}

fn system() -> System {
    if cfg!(target_os = "macos") {
        return match find::on_path("brew") {
            Some(_) => System::Brew,
            None => System::Other("macOS without Homebrew (https://brew.sh)".to_owned()),
        };
    }
    if find::on_path("apt-get").is_none() {
        return System::Other(format!("{} without apt-get", std::env::consts::OS));
    }
    let root = succeeds("sh", &["-c", "[ \"$(id -u)\" = 0 ]"]);
    let before = if root {
        Some(Vec::new())
    } else {
        find::on_path("sudo").map(|_| vec!["sudo".to_owned()])
    };
    System::Apt { before }
}

/// Whether apt knows the package. Its lists may be empty on a new machine; then there is no telling, and the plan,
/// which begins with `apt-get update`, takes it that they have it.
fn packaged(package: &str) -> bool {
    let lists = Path::new("/var/lib/apt/lists");
    let known = std::fs::read_dir(lists).is_ok_and(|entries| {
        entries
            .flatten()
            .any(|entry| entry.file_name().to_string_lossy().ends_with("_Packages"))
    });
    // `apt-cache show` is good only for a package that can be installed.
    !known || succeeds("apt-cache", &["show", "--no-all-versions", package])
}

fn succeeds(program: &str, args: &[&str]) -> bool {
    Command::new(program)
        .args(args)
        .output()
        .is_ok_and(|output| output.status.success())
}
