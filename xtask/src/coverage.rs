//! Line coverage: the floor, and what an LCOV report says of each crate.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Context as _;

/// Where the floor is kept.
pub(crate) const FLOOR_FILE: &str = ".config/coverage-floor";

/// Crates that only developers run: shown, and not counted against the floor.
const NOT_COUNTED: &[&str] = &["fh-docs", "fh-testkit", "xtask"];

/// The floor in the text of its file: the one line that is no comment, in percent.
pub(crate) fn floor(text: &str) -> anyhow::Result<f64> {
    let mut lines = text
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with('#'));
    let line = lines
        .next()
        .with_context(|| format!("{FLOOR_FILE} has no number in it"))?;
    anyhow::ensure!(
        lines.next().is_none(),
        "{FLOOR_FILE} has more than one number in it"
    );
    let floor: f64 = line
        .parse()
        .with_context(|| format!("{FLOOR_FILE}: {line:?} is no number"))?;
    anyhow::ensure!(
        (1.0..=100.0).contains(&floor),
        "{FLOOR_FILE}: {floor} is no percentage between 1 and 100"
    );
    Ok(floor)
}

/// Lines that can run and lines that did.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Lines {
    found: u64,
    hit: u64,
}

impl Lines {
    fn add(&mut self, other: Self) {
        self.found += other.found;
        self.hit += other.hit;
    }

    /// In percent; no lines at all are none covered.
    #[expect(clippy::cast_precision_loss, reason = "no program has 2^52 lines")]
    pub(crate) fn percent(self) -> f64 {
        if self.found == 0 {
            0.0
        } else {
            self.hit as f64 * 100.0 / self.found as f64
        }
    }
}

/// Two places, cut and not rounded: 84.996 must not read as 85.00 beside a failure.
pub(crate) fn cut(percent: f64) -> f64 {
    (percent * 100.0).floor() / 100.0
}

/// Coverage by crate.
#[derive(Debug, Default)]
pub(crate) struct Coverage {
    crates: BTreeMap<String, Lines>,
}

impl Coverage {
    /// Reads an LCOV file (`SF:` path, `LF:` lines found, `LH:` lines hit; see geninfo(1)).
    pub(crate) fn from_lcov(text: &str, root: &Path) -> anyhow::Result<Self> {
        let mut coverage = Self::default();
        let mut current = None;
        for line in text.lines() {
            let Some((field, value)) = line.split_once(':') else {
                continue;
            };
            match field {
                "SF" => current = crate_of(Path::new(value), root),
                "LF" | "LH" => {
                    let number: u64 = value
                        .parse()
                        .with_context(|| format!("LCOV: {line:?} has no number"))?;
                    let Some(name) = &current else { continue };
                    let lines = coverage.crates.entry(String::clone(name)).or_default();
                    match field {
                        "LF" => lines.add(Lines {
                            found: number,
                            hit: 0,
                        }),
                        _ => lines.add(Lines {
                            found: 0,
                            hit: number,
                        }),
                    }
                }
                _ => {}
            }
        }
        anyhow::ensure!(
            coverage.counted().found > 0,
            "the coverage report has no line of a crate that ships"
        );
        Ok(coverage)
    }

    /// All crates that count.
    pub(crate) fn counted(&self) -> Lines {
        let mut total = Lines::default();
        for (name, lines) in &self.crates {
            if !NOT_COUNTED.contains(&name.as_str()) {
                total.add(*lines);
            }
        }
        total
    }

    /// A table by crate.
    pub(crate) fn table(&self) -> String {
        let mut table = format!("{:<16} {:>7} {:>7} {:>7}\n", "crate", "lines", "run", "%");
        let mut row = |name: &str, lines: Lines, note: &str| {
            let (found, hit, percent) = (lines.found, lines.hit, cut(lines.percent()));
            table.push_str(&format!("{name:<16} {found:>7} {hit:>7} {percent:>7.2}{note}\n"));
        };
        for (name, lines) in &self.crates {
            let counts = !NOT_COUNTED.contains(&name.as_str());
            row(
                name,
                *lines,
                if counts {
                    ""
                } else {
                    "  (not counted: development only)"
                },
            );
        }
        row("counted", self.counted(), "");
        table
    }
}

/// The crate that a file belongs to, if it is one of ours.
fn crate_of(path: &Path, root: &Path) -> Option<String> {
    let mut parts = path
        .strip_prefix(root)
        .ok()?
        .iter()
        .map(|part| part.to_string_lossy());
    match parts.next()?.as_ref() {
        "crates" => parts.next().map(String::from),
        "xtask" => Some("xtask".to_owned()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LCOV: &str = "SF:/repo/crates/fh-core/src/lib.rs\nDA:1,1\nLF:10\nLH:9\nend_of_record\n\
        SF:/repo/crates/fh-core/src/exit.rs\nLF:10\nLH:10\nend_of_record\n\
        SF:/repo/crates/fh-testkit/src/lib.rs\nLF:100\nLH:0\nend_of_record\n\
        SF:/elsewhere/lib.rs\nLF:100\nLH:0\nend_of_record\n";

    #[test]
    fn crates_are_summed_and_development_ones_do_not_count() {
        let coverage = Coverage::from_lcov(LCOV, Path::new("/repo")).unwrap();
        assert_eq!(coverage.counted(), Lines { found: 20, hit: 19 });
        assert!((coverage.counted().percent() - 95.0).abs() < 1e-9);
        let table = coverage.table();
        assert!(
            table.contains("fh-testkit           100       0    0.00  (not counted"),
            "{table}"
        );
        assert!(
            table.contains("counted               20      19   95.00\n"),
            "{table}"
        );
    }

    #[test]
    fn a_report_of_nothing_is_an_error_and_not_100_percent() {
        assert!(Coverage::from_lcov("", Path::new("/repo")).is_err());
        assert!(Coverage::from_lcov("SF:/repo/xtask/src/ci.rs\nLF:5\nLH:5\n", Path::new("/repo")).is_err());
        assert!(Lines::default().percent() < 1.0);
    }

    #[test]
    fn the_floor_is_one_number() {
        assert!((floor("# why\n\n85.5\n").unwrap() - 85.5).abs() < 1e-9);
        for bad in ["# nothing\n", "85\n86\n", "many\n", "0\n", "101\n"] {
            assert!(floor(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn the_committed_floor_is_valid() {
        let workspace = crate::workspace::Workspace::find().unwrap();
        floor(&std::fs::read_to_string(workspace.root.join(FLOOR_FILE)).unwrap()).unwrap();
    }
}
