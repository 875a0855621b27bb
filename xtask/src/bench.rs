//! `cargo xtask bench`: optimised binaries against their peers, in one run. The work is done by the binaries fh-bench and
//! fh-bench-checks of fh-testkit.

use crate::cli::{BenchOptions, CheckBenchOptions};
use crate::demo::{build, need_postgres};
use crate::process::{cargo, clean};
use crate::ui;
use crate::workspace::Workspace;

/// Whether everything that was measured also worked.
pub(crate) fn run(workspace: &Workspace, options: &BenchOptions) -> anyhow::Result<bool> {
    need_postgres(workspace, "benchmark")?;
    ui::say("bench: building optimised binaries (many minutes the first time)");
    cargo(workspace).args(build(true)).run()?;
    let folder = workspace.target().join("release");
    let bench = clean(workspace.shell.cmd(folder.join("fh-bench")));
    bench
        .arg("--fh-backup")
        .arg(folder.join("fh-backup"))
        .args(arguments(options))
        .run()?;
    Ok(true)
}

/// `tool` is `health` or `smoke`. Whether everything that was measured also worked.
pub(crate) fn checks(workspace: &Workspace, tool: &str, options: &CheckBenchOptions) -> anyhow::Result<bool> {
    need_postgres(workspace, "benchmark")?;
    ui::say("bench: building optimised binaries (many minutes the first time)");
    let program = format!("fh-{tool}");
    let packages = ["-p", &program, "-p", "fh-testkit"];
    let build = cargo(workspace).args(["build", "--release", "--bins", "--locked"]);
    build.args(packages).run()?;
    let bench = workspace.target().join("release").join("fh-bench-checks");
    let runs = options.runs.map(|runs| ["--runs".to_owned(), runs.to_string()]);
    let bench = clean(workspace.shell.cmd(bench)).arg(tool);
    bench.args(runs.into_iter().flatten()).run()?;
    Ok(true)
}

fn arguments(options: &BenchOptions) -> Vec<String> {
    let numbers = [
        ("--rows", options.rows),
        ("--runs", options.runs),
        ("--jobs", options.jobs),
    ];
    let mut arguments: Vec<String> = numbers
        .into_iter()
        .filter_map(|(flag, value)| Some([flag.to_owned(), value?.to_string()]))
        .flatten()
        .collect();
    if let Some(part) = &options.only {
        arguments.extend(["--only".to_owned(), part.clone()]);
    }
    arguments
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_handed_on() {
        assert!(arguments(&BenchOptions::default()).is_empty());
        let options = BenchOptions {
            rows: Some(5000),
            only: Some("restore".into()),
            ..BenchOptions::default()
        };
        assert_eq!(arguments(&options), ["--rows", "5000", "--only", "restore"]);
    }
}
