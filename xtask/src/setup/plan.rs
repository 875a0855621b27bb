//! From facts to steps. No step is taken here, so that the plan can be shown first, and tested.

use std::path::Path;

use super::facts::Facts;
use super::step::{Line, Plan, Step, line, words};
use super::system::Needs;
use crate::cli::Part;
use crate::tools::{DIST, Kind, Tool};

/// These tools wait for files and processes, so that compiling them unoptimised saves minutes and costs nothing.
const CHEAP_BUILD: &[(&str, &str)] = &[
    ("CARGO_PROFILE_RELEASE_OPT_LEVEL", "0"),
    ("CARGO_PROFILE_RELEASE_LTO", "off"),
    ("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16"),
    ("CARGO_PROFILE_RELEASE_DEBUG", "0"),
];

/// The steps that bring a machine with these facts to where `parts` are complete.
pub(super) fn plan(facts: &Facts, parts: &[Part]) -> Plan {
    let mut plan = Plan::default();
    let wants = |part| parts.contains(&part);
    let tools: Vec<&Tool> = facts
        .missing_tools
        .iter()
        .copied()
        .filter(|tool| match tool.kind {
            Kind::Python => wants(Part::Python),
            Kind::Cargo if DIST.iter().any(|dist| dist.program == tool.program) => wants(Part::Dist),
            Kind::Cargo => wants(Part::Cargo),
        })
        .collect();
    let python: Vec<&Tool> = tools
        .iter()
        .copied()
        .filter(|tool| tool.kind == Kind::Python)
        .collect();
    let needs = Needs {
        services: wants(Part::Services),
        python: !python.is_empty(),
    };

    plan.system_packages(facts, &needs);
    if needs.services {
        plan.llvm(facts);
    }
    for tool in tools.iter().filter(|tool| tool.kind == Kind::Cargo) {
        let package = format!("{}@{}", tool.package, tool.version);
        let argv = words(&[
            "cargo",
            "install",
            "--quiet",
            "--locked",
            "--force",
            "--root",
            &text(&facts.tools),
            &package,
        ]);
        plan.step(
            &package,
            tool.why,
            vec![Line {
                env: CHEAP_BUILD.to_vec(),
                ..line(argv)
            }],
        );
    }
    plan.python_tools(facts, &python);
    plan
}

impl Plan {
    pub(super) fn step(&mut self, what: &str, why: &str, commands: Vec<Line>) {
        self.steps.push(Step {
            what: what.to_owned(),
            why: why.to_owned(),
            commands,
        });
    }

    fn python_tools(&mut self, facts: &Facts, tools: &[&Tool]) {
        if tools.is_empty() {
            return;
        }
        let venv = facts.tools.join("venv");
        let mut commands = Vec::new();
        if !facts.venv_made {
            commands.push(line(words(&["python3", "-m", "venv", &text(&venv)])));
        }
        let pip = text(&venv.join("bin/python"));
        let mut argv = words(&[
            &pip,
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
        ]);
        argv.extend(
            tools
                .iter()
                .map(|tool| format!("{}=={}", tool.package, tool.version)),
        );
        commands.push(line(argv));
        let what: Vec<String> = tools
            .iter()
            .map(|tool| format!("{} {}", tool.package, tool.version))
            .collect();
        let why: Vec<&str> = tools.iter().map(|tool| tool.why).collect();
        self.step(
            &format!("Python tools: {}", what.join(", ")),
            &why.join("; "),
            commands,
        );
    }
}

fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::super::facts::System;
    use super::*;
    use crate::tools::{CYCLONEDX, DENY, GATES, MOTO, TYPOS};

    const USUAL: &[Part] = &[Part::Services, Part::Cargo, Part::Python];

    /// A machine that has everything.
    fn complete() -> Facts {
        Facts {
            system: System::Apt {
                before: Some(Vec::new()),
            },
            tools: "target/tools".into(),
            postgres: Some(15),
            redis: true,
            readers: true,
            compiler: true,
            git: true,
            llvm_major: 22,
            llvm_found: true,
            llvm_packaged: false,
            rustup: true,
            python: true,
            python_venv: true,
            venv_made: true,
            missing_tools: Vec::new(),
        }
    }

    fn bare() -> Facts {
        Facts {
            postgres: None,
            redis: false,
            readers: false,
            compiler: false,
            git: false,
            llvm_found: false,
            llvm_packaged: true,
            python: false,
            python_venv: false,
            venv_made: false,
            missing_tools: GATES.iter().chain(DIST).copied().collect(),
            ..complete()
        }
    }

    fn lines(plan: &Plan) -> Vec<String> {
        plan.steps
            .iter()
            .flat_map(|step| &step.commands)
            .map(ToString::to_string)
            .collect()
    }

    #[test]
    fn a_complete_machine_needs_nothing() {
        assert!(plan(&complete(), USUAL).is_complete());
    }

    #[test]
    fn a_bare_debian_gets_everything_in_order() {
        let plan = plan(&bare(), USUAL);
        assert!(plan.gaps.is_empty(), "{plan}");
        let lines = lines(&plan);
        let apt = "env DEBIAN_FRONTEND=noninteractive apt-get --quiet";
        assert_eq!(lines[0], format!("{apt} update"));
        assert_eq!(
            lines[1],
            format!(
                "{apt} install --yes --no-install-recommends postgresql postgresql-client redis-server age zstd \
                 openssl gcc libc6-dev git python3 python3-venv"
            )
        );
        assert_eq!(
            lines[3],
            format!("{apt} install --yes --no-install-recommends llvm-22 || rustup component add llvm-tools")
        );
        assert!(
            lines[4].contains("OPT_LEVEL=0")
                && lines[4].ends_with("--root target/tools cargo-nextest@0.9.143")
        );
        assert_eq!(lines[lines.len() - 2], "python3 -m venv target/tools/venv");
        assert!(
            lines[lines.len() - 1]
                .ends_with("moto[server]==5.2.5 prometheus-client==0.26.0 junitparser==5.0.3"),
            "{lines:?}"
        );
        assert!(!plan.to_string().contains("cyclonedx"), "only dist needs it");
    }

    #[test]
    fn others_than_root_use_sudo_and_without_it_are_told() {
        let mut facts = bare();
        facts.system = System::Apt {
            before: Some(vec!["sudo".to_owned()]),
        };
        assert!(lines(&plan(&facts, USUAL))[0].starts_with("sudo env DEBIAN_FRONTEND="));
        facts.system = System::Apt { before: None };
        let plan = plan(&facts, USUAL);
        assert!(
            plan.gaps[0].contains("PostgreSQL") && plan.gaps[0].contains("root or sudo"),
            "{plan}"
        );
        assert!(!lines(&plan).iter().any(|line| line.contains("apt-get")));
    }

    #[test]
    fn an_old_postgresql_is_as_good_as_none() {
        let facts = Facts {
            postgres: Some(14),
            ..complete()
        };
        assert!(lines(&plan(&facts, USUAL))[1].ends_with(" postgresql postgresql-client"));
    }

    #[test]
    fn the_coverage_tools_come_from_packages_else_from_rustup_else_from_a_person() {
        let facts = Facts {
            llvm_found: false,
            ..complete()
        };
        assert_eq!(lines(&plan(&facts, USUAL)), ["rustup component add llvm-tools"]);
        let facts = Facts {
            rustup: false,
            ..facts
        };
        assert!(plan(&facts, USUAL).gaps[0].contains("set LLVM_COV"));
        let facts = Facts {
            llvm_packaged: true,
            ..facts
        };
        assert!(lines(&plan(&facts, USUAL))[1].ends_with(" llvm-22"));
    }

    #[test]
    fn parts_are_separate() {
        assert!(
            lines(&plan(&bare(), &[Part::Services]))
                .iter()
                .all(|line| line.contains("apt-get"))
        );
        assert_eq!(lines(&plan(&bare(), &[Part::Dist])).len(), 1);
        let facts = Facts {
            missing_tools: vec![&DENY, &TYPOS, &MOTO, &CYCLONEDX],
            ..complete()
        };
        let python = lines(&plan(&facts, &[Part::Python]));
        assert_eq!(python.len(), 1);
        assert!(
            python[0].ends_with("typos==1.52.0 moto[server]==5.2.5"),
            "{python:?}"
        );
        assert!(lines(&plan(&facts, &[Part::Cargo]))[0].ends_with("cargo-deny@0.20.2"));
    }

    #[test]
    fn macos_uses_homebrew_and_others_are_told() {
        let facts = Facts {
            system: System::Brew,
            llvm_packaged: false,
            ..bare()
        };
        assert_eq!(
            lines(&plan(&facts, &[Part::Services]))[0],
            "brew install postgresql@17 redis age zstd openssl@3 git"
        );
        let facts = Facts {
            system: System::Other("linux without apt-get".into()),
            llvm_found: true,
            ..bare()
        };
        let plan = plan(&facts, &[Part::Services]);
        assert!(
            plan.steps.is_empty() && plan.gaps[0].contains("without apt-get"),
            "{plan}"
        );
        assert!(
            plan.missing()
                .starts_with("  - PostgreSQL, Redis, age, zstd and OpenSSL")
        );
    }
}
