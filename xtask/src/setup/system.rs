//! What the system's own package manager installs.

use super::facts::{Facts, System};
use super::step::{Plan, apt, apt_install, line, words};
use crate::services::OLDEST_POSTGRES;

/// What of the system is needed.
pub(super) struct Needs {
    pub(super) services: bool,
    pub(super) python: bool,
}

impl Plan {
    /// What the system's own packages bring, in one go.
    pub(super) fn system_packages(&mut self, facts: &Facts, needs: &Needs) {
        let mut wanted: Vec<(&str, &[&str], &[&str])> = Vec::new();
        if needs.services {
            if facts.postgres.is_none_or(|major| major < OLDEST_POSTGRES) {
                wanted.push((
                    "PostgreSQL",
                    &["postgresql", "postgresql-client"],
                    &["postgresql@17"],
                ));
            }
            if !facts.redis {
                wanted.push(("Redis", &["redis-server"], &["redis"]));
            }
            if !facts.readers {
                wanted.push((
                    "age, zstd and OpenSSL",
                    &["age", "zstd", "openssl"],
                    &["age", "zstd", "openssl@3"],
                ));
            }
            if !facts.compiler {
                // Homebrew itself cannot be without one.
                wanted.push(("a C compiler", &["gcc", "libc6-dev"], &[]));
            }
            if !facts.git {
                wanted.push(("git", &["git"], &["git"]));
            }
        }
        if needs.python && !(facts.python && facts.python_venv) {
            wanted.push(("Python with venv", &["python3", "python3-venv"], &["python@3"]));
        }
        if wanted.is_empty() {
            return;
        }
        let names = wanted
            .iter()
            .map(|(name, ..)| *name)
            .collect::<Vec<_>>()
            .join(", ");
        match &facts.system {
            System::Apt { before: Some(before) } => {
                let packages: Vec<&str> = wanted.iter().flat_map(|(_, apt, _)| apt.iter().copied()).collect();
                let mut why = "the tests, gates and the demo run real servers".to_owned();
                if packages.contains(&"postgresql") || packages.contains(&"redis-server") {
                    why.push_str(
                        "; Debian's packages also start a server each on the usual port, which the toolkit does not use",
                    );
                }
                self.step(&names, &why, vec![apt(before, &["update"]), apt_install(before, &packages)]);
            }
            System::Apt { before: None } => self.gaps.push(format!(
                "{names}: installing system packages needs root or sudo; please ask someone who has it, and run this again"
            )),
            System::Brew => {
                let packages: Vec<&str> = wanted.iter().flat_map(|(_, _, brew)| brew.iter().copied()).collect();
                if packages.is_empty() {
                    self.gaps.push(format!("{names}: please run `xcode-select --install`"));
                    return;
                }
                let mut argv = words(&["brew", "install"]);
                argv.extend(words(&packages));
                let why = "the tests, gates and the demo run real servers";
                self.step(&names, why, vec![line(argv)]);
            }
            System::Other(what) => self
                .gaps
                .push(format!("{names}: this is {what}; please install it with what you use here, and run this again")),
        }
    }

    /// LLVM's tools: the system's package, else rustup's component, which is part of the toolchain. Whether apt has the
    /// package may be known only after its update, so the second is also there in case the first fails.
    pub(super) fn llvm(&mut self, facts: &Facts) {
        if facts.llvm_found {
            return;
        }
        let component = words(&["rustup", "component", "add", "llvm-tools"]);
        let commands = match &facts.system {
            System::Apt { before: Some(before) } if facts.llvm_packaged => {
                let mut install = apt_install(before, &[&format!("llvm-{}", facts.llvm_major)]);
                if facts.rustup {
                    install.otherwise = component;
                }
                vec![apt(before, &["update"]), install]
            }
            _ if facts.rustup => vec![line(component)],
            _ => Vec::new(),
        };
        if commands.is_empty() {
            let major = facts.llvm_major;
            self.gaps.push(format!(
                "llvm-cov and llvm-profdata {major}: neither the system's packages nor rustup have them; please install \
                 LLVM {major} and set LLVM_COV and LLVM_PROFDATA"
            ));
            return;
        }
        self.step(
            "LLVM's coverage tools",
            "they must be of the compiler's own LLVM version",
            commands,
        );
    }
}
