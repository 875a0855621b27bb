//! Rules on Rust files: their size, their names, tests that do not run, and lints switched off without a reason.

use super::{File, Finding};

/// Past this many lines a file needs a reason.
const LONG: usize = 400;

/// Files that are longer, with the reason.
const LONG_FILES: &[(&str, &str)] = &[
    (
        "crates/fh-backup/tests/bad_input.rs",
        "every wrong input beside the others, so that a missing one is seen",
    ),
    (
        "crates/fh-pg/src/parse/tests/errors.rs",
        "one snapshot of every wrong connection string, read from top to bottom",
    ),
    (
        "crates/fh-repository/tests/s3.rs",
        "the S3 store against one server, with its scripted faults beside their tests",
    ),
];

/// Names that say nothing of what is inside.
const EMPTY_NAMES: &[&str] = &["util", "utils", "helper", "helpers", "common", "misc"];

/// Lines of code, comments and blank lines aside, that parsing, calling the library and mapping to an exit code take.
const LONG_MAIN: usize = 30;

// Built from halves, so that this file does not find itself.
const IGNORE: &str = concat!("ign", "ore");
const ATTRIBUTES: &[&str] = &[concat!("#[al", "low("), concat!("#![al", "low(")];

/// Checks one file, if it is Rust.
pub(super) fn check(file: &File) -> Vec<Finding> {
    if !file.has_extension("rs") || file.is_data() {
        return Vec::new();
    }
    let mut findings = Vec::new();
    findings.extend(names(file));
    findings.extend(size(file));
    findings.extend(tests_that_do_not_run(file));
    findings.extend(lints_without_reason(file));
    findings
}

/// Entries of [`LONG_FILES`] for files that are gone or short again.
pub(super) fn stale_exceptions(files: &[File]) -> Vec<Finding> {
    stale(files, LONG_FILES)
}

fn stale(files: &[File], exceptions: &[(&str, &str)]) -> Vec<Finding> {
    let is_long = |path: &str| {
        files
            .iter()
            .any(|file| file.path == path && file.lines().count() > LONG)
    };
    exceptions
        .iter()
        .filter(|(path, _)| !is_long(path))
        .map(|(path, _)| {
            Finding::new(
                path,
                0,
                "it needs no exception any more; please take it out of LONG_FILES",
            )
        })
        .collect()
}

fn names(file: &File) -> Option<Finding> {
    let mut parts = file
        .path
        .split('/')
        .map(|part| part.strip_suffix(".rs").unwrap_or(part));
    let empty = parts.find(|part| EMPTY_NAMES.contains(part))?;
    Some(Finding::new(
        &file.path,
        0,
        format!("{empty:?} says nothing; please name it for what is inside"),
    ))
}

fn size(file: &File) -> Option<Finding> {
    let lines = file.lines().count();
    if lines > LONG && !LONG_FILES.iter().any(|(path, _)| *path == file.path) {
        let what = format!(
            "{lines} lines; please split it, or add it to LONG_FILES in xtask/src/tidy/rust.rs, with why"
        );
        return Some(Finding::new(&file.path, 0, what));
    }
    let code = file.lines().filter(|(_, line)| is_code(line)).count();
    if file.path.ends_with("src/main.rs") && code > LONG_MAIN {
        let what = format!(
            "{code} lines of code in main.rs; please move all but {LONG_MAIN} to the library beside it"
        );
        return Some(Finding::new(&file.path, 0, what));
    }
    None
}

fn is_code(line: &str) -> bool {
    let line = line.trim();
    !line.is_empty() && !line.starts_with("//")
}

fn tests_that_do_not_run(file: &File) -> Vec<Finding> {
    let attribute = format!("#[{IGNORE}");
    let fence = format!("```{IGNORE}");
    file.lines()
        .filter(|(_, line)| {
            let conditional = line.contains("cfg_attr(") && line.contains(&format!(", {IGNORE}"));
            line.trim_start().starts_with(&attribute) || line.contains(&fence) || conditional
        })
        .map(|(number, _)| {
            let what = "a test that does not run proves nothing; please make it run or take it out";
            Finding::new(&file.path, number, what)
        })
        .collect()
}

fn lints_without_reason(file: &File) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (number, line) in file.lines() {
        let Some(start) = ATTRIBUTES
            .iter()
            .find(|start| line.trim_start().starts_with(**start))
        else {
            continue;
        };
        let whole: String = file
            .lines()
            .skip(number - 1)
            .map(|(_, line)| line)
            .collect::<Vec<_>>()
            .join(" ");
        let attribute = whole.split(")]").next().unwrap_or_default();
        if !attribute.contains("reason") {
            let what =
                format!("{start}…)] without a reason; please add `, reason = \"…\"`, or better, use expect");
            findings.push(Finding::new(&file.path, number, what));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::super::tests::file;
    use super::*;

    fn texts(path: &str, text: &str) -> Vec<String> {
        check(&file(path, text)).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn long_files_need_a_reason() {
        assert!(texts("a.rs", &"x\n".repeat(400)).is_empty());
        assert!(texts("a.rs", &"x\n".repeat(401))[0].contains("401 lines"));
        assert!(texts("a.md", &"x\n".repeat(401)).is_empty());
    }

    #[test]
    fn an_exception_goes_with_its_file() {
        let files = [file("long.rs", &"x\n".repeat(500)), file("short.rs", "x\n")];
        let exceptions = [
            ("long.rs", "a table"),
            ("short.rs", "was long"),
            ("gone.rs", "was there"),
        ];
        let findings = stale(&files, &exceptions);
        assert_eq!(
            findings
                .iter()
                .map(|finding| finding.path.as_str())
                .collect::<Vec<_>>(),
            ["short.rs", "gone.rs"]
        );
    }

    #[test]
    fn main_is_short() {
        let main = format!("//! Docs.\n\n{}", "let a = 1;\n".repeat(31));
        assert!(texts("crates/fh-x/src/main.rs", &main)[0].contains("31 lines of code"));
        assert!(texts("crates/fh-x/src/lib.rs", &main).is_empty());
        let commented = format!("{}{}", "// why\n\n".repeat(40), "let a = 1;\n".repeat(30));
        assert!(texts("crates/fh-x/src/main.rs", &commented).is_empty());
    }

    #[test]
    fn names_say_what_is_inside() {
        assert!(texts("crates/fh-x/src/utils.rs", "")[0].contains("\"utils\""));
        assert!(texts("crates/fh-x/src/common/mod.rs", "")[0].contains("\"common\""));
        assert!(texts("crates/fh-x/src/common_table.rs", "").is_empty());
    }

    #[test]
    fn every_test_runs() {
        assert_eq!(texts("a.rs", &format!("    #[{IGNORE}]\n")).len(), 1);
        assert_eq!(texts("a.rs", &format!("#[{IGNORE} = \"slow\"]\n")).len(), 1);
        assert_eq!(texts("a.rs", &format!("/// ```{IGNORE}\n")).len(), 1);
        assert_eq!(
            texts("a.rs", &format!("#[cfg_attr(windows, {IGNORE})]\n")).len(),
            1
        );
        assert!(texts("a.rs", "#[test]\nfn ignores_case() {}\n").is_empty());
    }

    #[test]
    fn a_lint_is_switched_off_with_a_reason() {
        let start = ATTRIBUTES[0];
        assert_eq!(
            texts("a.rs", &format!("{start}dead_code)]\n// reason\n")).len(),
            1
        );
        assert!(
            texts(
                "a.rs",
                &format!("{start}dead_code, reason = \"read by tests\")]\n")
            )
            .is_empty()
        );
        assert!(
            texts(
                "a.rs",
                &format!("{start}\n    dead_code,\n    reason = \"x\",\n)]\n")
            )
            .is_empty()
        );
    }
}
