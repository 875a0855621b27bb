//! The tests, and the coverage that the same run measured: one instrumented build, one run, two lines of the table.

use anyhow::Context as _;

use super::{Counts, Outcome, Run, TestRun, verdict};
use crate::coverage::{Coverage, FLOOR_FILE, cut, floor};
use crate::process::{cargo, clean};
use crate::{llvm, tools, ui};

/// What both ways to run the tests have in common. No `--all-targets` here: it would build examples as tests, and a test
/// that runs an example then does not find it; what features are on is the same. The profile `ci` goes on after a
/// failure and writes a JUnit file.
const NEXTEST: [&str; 5] = ["nextest", "--workspace", "--locked", "--profile", "ci"];

pub(super) fn test(run: &Run) -> anyhow::Result<Outcome> {
    if let Err(missing) = run.tool(&tools::NEXTEST) {
        return Ok(Outcome::Fail(missing.to_string()));
    }
    let junit = run.workspace.target().join("nextest/ci/junit.xml");
    // The file of an earlier run must not be taken for this one's.
    run.workspace.shell.remove_path(&junit)?;
    let (outcome, measured) = match instrumented(run) {
        Ok(command) => {
            let outcome = verdict(&command, "");
            let measured = match &outcome {
                Outcome::Pass(_) => Ok(()),
                _ => Err("the tests did not pass, so their coverage means nothing".to_owned()),
            };
            (outcome, measured)
        }
        Err(why) => {
            ui::say(&format!("coverage cannot be measured: {why}"));
            let mut arguments = NEXTEST.to_vec();
            arguments.insert(1, "run");
            let command = with_tool_path(
                run,
                cargo(run.workspace).args(arguments).env("FH_TEST_REQUIRE", "all"),
            );
            (verdict(&command, ""), Err(why))
        }
    };
    let counts = std::fs::read_to_string(&junit)
        .ok()
        .and_then(|text| counts(&text));
    *run.tests.borrow_mut() = Some(TestRun { counts, measured });
    Ok(match (outcome, counts) {
        (Outcome::Pass(_), None) => {
            Outcome::Fail("nextest left no record of the tests that it ran".to_owned())
        }
        (Outcome::Pass(_), Some(counts)) if counts.passed == 0 => Outcome::Fail("no test ran".to_owned()),
        (Outcome::Pass(_), Some(counts)) => Outcome::Pass(format!("{} tests", counts.passed)),
        (Outcome::Fail(_), Some(counts)) if counts.failed > 0 => Outcome::Fail(format!(
            "{} of {} tests failed",
            counts.failed,
            counts.failed + counts.passed
        )),
        (other, _) => other,
    })
}

pub(super) fn coverage(run: &Run) -> anyhow::Result<Outcome> {
    let measured = run.tests.borrow().as_ref().map(|tests| tests.measured.clone());
    match measured {
        None => return Ok(Outcome::Unavailable("the tests were not run".to_owned())),
        Some(Err(why)) => return Ok(Outcome::Unavailable(why)),
        Some(Ok(())) => {}
    }
    let report = run.workspace.target().join("coverage/lcov.info");
    std::fs::create_dir_all(report.with_file_name("")).context("creating target/coverage")?;
    let command = llvm_cov(run).map_err(anyhow::Error::msg)?;
    // A process that a test killed while it wrote its profile leaves one that cannot be read. It is left out, and only
    // makes the coverage look smaller.
    command
        .args(["report", "--failure-mode", "all", "--lcov", "--output-path"])
        .arg(&report)
        .run()?;
    let text = std::fs::read_to_string(&report).with_context(|| format!("reading {}", report.display()))?;
    let coverage = Coverage::from_lcov(&text, &run.workspace.root)?;
    ui::say(coverage.table().trim_end());
    let floor = floor(&std::fs::read_to_string(run.workspace.root.join(FLOOR_FILE)).context(FLOOR_FILE)?)?;
    let percent = coverage.counted().percent();
    let shown = cut(percent);
    Ok(if percent >= floor {
        Outcome::Pass(format!("{shown:.2} % of lines, floor {floor} %"))
    } else {
        Outcome::Fail(format!(
            "{shown:.2} % of lines run, and {floor} % is the floor ({FLOOR_FILE})"
        ))
    })
}

/// The instrumented run, after taking away what earlier ones left, or why there is none.
fn instrumented<'r>(run: &'r Run) -> Result<xshell::Cmd<'r>, String> {
    // Old objects would be reported as code that no test ran.
    let clean = llvm_cov(run)?.args(["clean", "--workspace"]);
    clean.run().map_err(|error| error.to_string())?;
    Ok(llvm_cov(run)?
        .args(NEXTEST)
        .args(["--no-report", "--no-cfg-coverage"])
        .env("FH_TEST_REQUIRE", "all"))
}

/// cargo-llvm-cov, told where LLVM's tools are and not to change the toolchain.
fn llvm_cov<'r>(run: &'r Run) -> Result<xshell::Cmd<'r>, String> {
    let program = run
        .tool(&tools::LLVM_COV)
        .map_err(|missing| missing.to_string())?;
    let compiler = llvm::Compiler::ask().map_err(|error| format!("{error:#}"))?;
    let llvm = llvm::find(&compiler).map_err(|missing| missing.to_string())?;
    let command = clean(run.workspace.shell.cmd(program)).arg("llvm-cov");
    let command = command
        .env("LLVM_COV", llvm.cov)
        .env("LLVM_PROFDATA", llvm.profdata);
    Ok(with_tool_path(run, command.env("CARGO_LLVM_COV_SETUP", "no")))
}

/// Puts the tools that `cargo xtask setup` installed on PATH, because cargo finds nextest there.
fn with_tool_path<'r>(run: &Run, command: xshell::Cmd<'r>) -> xshell::Cmd<'r> {
    let old = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::iter::once(run.workspace.tools().join("bin")).chain(std::env::split_paths(&old));
    match std::env::join_paths(folders) {
        Ok(path) => command.env("PATH", path),
        Err(_) => command,
    }
}

/// The numbers in nextest's JUnit file: those of its first element, `<testsuites … tests="4" failures="0" errors="0">`.
fn counts(junit: &str) -> Option<Counts> {
    let element = junit.split("<testsuites ").nth(1)?.split('>').next()?;
    let number = |name: &str| -> Option<u64> {
        let value = element.split(&format!("{name}=\"")).nth(1)?.split('"').next()?;
        value.parse().ok()
    };
    let failed = number(" failures")? + number(" errors")?;
    Some(Counts {
        passed: number(" tests")?.checked_sub(failed)?,
        failed,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_junit_file_tells_how_many_tests_ran() {
        let junit = "<?xml version=\"1.0\"?>\n<testsuites name=\"nextest-run\" tests=\"5\" failures=\"1\" errors=\"1\" \
                     uuid=\"x\"><testsuite tests=\"9\"/></testsuites>";
        assert_eq!(counts(junit), Some(Counts { passed: 3, failed: 2 }));
        assert_eq!(counts("<testsuites name=\"x\">"), None);
        assert_eq!(counts(""), None);
    }
}
