//! Whether a set holds suspiciously less than the one before it: a backup that went well of a database that did not.

use std::collections::BTreeMap;

use fh_core::config::BackupCollapse;
use fh_core::render::{bytes, grouped};
use fh_core::report::Check;
use fh_core::{Exit, Result};
use fh_repository::{Repository, Set, SetHeader, SummaryEntry};

use super::summary::{REDIS, TABLE};
use fh_repository::inventory::Acceptances;
use fh_repository::inventory::Group;

/// The result of a comparison.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comparison {
    /// The set that was compared with; `None` for the first of its kind.
    pub with: Option<String>,
    /// One line for each thing that is suspicious.
    pub findings: Vec<String>,
}

/// Compares what a set holds with the newest earlier good one of its group that holds what it should. `before` is the id
/// of the set itself, when it is in the repository already.
///
/// # Errors
/// Exit code 3 when the store cannot be read.
pub async fn examine(
    repository: &Repository,
    limits: &BackupCollapse,
    acceptances: &Acceptances,
    group: &Group,
    before: Option<&str>,
    now: &[SummaryEntry],
) -> Result<Comparison> {
    let earlier = earlier(repository, acceptances, group, before).await?;
    let mut findings = empty(now);
    let Some(earlier) = earlier else {
        return Ok(Comparison { with: None, findings });
    };
    match repository.read_summary(&earlier) {
        Ok(then) => findings.extend(compare(limits, &then, now)),
        Err(error) if error.exit() == Exit::Bad => {
            findings.push(format!("it cannot be compared: {}", error.message()));
        }
        Err(error) => return Err(error),
    }
    Ok(Comparison {
        with: Some(earlier.id),
        findings,
    })
}

async fn earlier(
    repository: &Repository,
    acceptances: &Acceptances,
    group: &Group,
    before: Option<&str>,
) -> Result<Option<Set>> {
    let wanted = |header: &SetHeader| {
        before.is_none_or(|before| header.id.as_str() < before)
            && Group::of(header) == *group
            && acceptances.allow(header)
    };
    repository.find_newest(wanted).await
}

impl Comparison {
    /// The check `id`, which fails when something is suspicious and nobody has accepted it.
    #[must_use]
    pub fn check(&self, id: impl Into<String>, set: &str, accepted: bool) -> Check {
        let with = self.with.as_deref().unwrap_or("nothing");
        if self.findings.is_empty() {
            return Check::pass(
                id,
                match &self.with {
                    Some(with) => format!("holds as much as set {with}, or near it"),
                    None => "the first set of its kind: there is nothing to compare it with".into(),
                },
            );
        }
        let count = self.findings.len();
        let check = if accepted {
            Check::pass(
                id,
                format!("{count} thing(s) less than in set {with}, which was accepted"),
            )
        } else {
            Check::fail(id, format!("{count} thing(s) less than there should be, compared with set {with}")).hint(format!(
                "both sets are kept; look at the database, and if it is as it should be: `fh-backup accept {set}`"
            ))
        };
        self.findings
            .iter()
            .fold(check, |check, finding| check.evidence(finding.clone()))
    }
}

/// Databases without a single row.
fn empty(now: &[SummaryEntry]) -> Vec<String> {
    let mut rows: BTreeMap<&str, u64> = BTreeMap::new();
    for entry in now.iter().filter(|entry| !entry.database.is_empty()) {
        *rows.entry(&entry.database).or_default() += entry.rows;
    }
    rows.into_iter()
        .filter(|(_, rows)| *rows == 0)
        .map(|(database, _)| format!("database {database} holds no row at all"))
        .collect()
}

/// What is suspicious about `now`, coming from `then`.
#[must_use]
pub fn compare(limits: &BackupCollapse, then: &[SummaryEntry], now: &[SummaryEntry]) -> Vec<String> {
    let key = |entry: &SummaryEntry| {
        (
            entry.database.clone(),
            entry.kind.clone(),
            entry.schema.clone(),
            entry.name.clone(),
        )
    };
    let of_now: BTreeMap<_, &SummaryEntry> = now.iter().map(|entry| (key(entry), entry)).collect();
    // A cache forgets: that is no loss.
    let counts = |entry: &&SummaryEntry| entry.kind != REDIS && !ignored(&limits.ignore, entry);
    let mut findings = Vec::new();
    for before in then.iter().filter(counts) {
        let label = label(before);
        match of_now.get(&key(before)) {
            None if before.rows > 0 => {
                findings.push(format!("{label} vanished; it held {} rows", grouped(before.rows)));
            }
            Some(after) if before.rows >= limits.min_rows => {
                if dropped(before.rows, after.rows, limits.max_drop) {
                    findings.push(format!(
                        "{label} went from {} rows to {}",
                        grouped(before.rows),
                        grouped(after.rows)
                    ));
                } else if dropped(before.bytes, after.bytes, limits.max_drop) {
                    findings.push(format!(
                        "{label} went from {} to {}",
                        bytes(before.bytes),
                        bytes(after.bytes)
                    ));
                }
            }
            None | Some(_) => {}
        }
    }
    let sum = |entries: &[SummaryEntry]| {
        let counted = entries.iter().filter(counts);
        counted.fold((0, 0), |(rows, bytes), entry| {
            (rows + entry.rows, bytes + entry.bytes)
        })
    };
    let ((rows, size), (rows_now, size_now)) = (sum(then), sum(now));
    if rows >= limits.min_rows
        && (dropped(rows, rows_now, limits.max_total_drop) || dropped(size, size_now, limits.max_total_drop))
    {
        findings.push(format!(
            "all together went from {} rows, {} to {} rows, {}",
            grouped(rows),
            bytes(size),
            grouped(rows_now),
            bytes(size_now)
        ));
    }
    findings
}

/// Whether `after` is more than `percent` less than `before`.
fn dropped(before: u64, after: u64, percent: u32) -> bool {
    let lost = u128::from(before.saturating_sub(after));
    lost * 100 > u128::from(before) * u128::from(percent)
}

fn label(entry: &SummaryEntry) -> String {
    match entry.kind.as_str() {
        TABLE => format!("table {}.{} of {}", entry.schema, entry.name, entry.database),
        kind => format!("{} {} {}", kind.replace('_', " "), entry.name, entry.database)
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" "),
    }
}

fn ignored(patterns: &[String], entry: &SummaryEntry) -> bool {
    let name = if entry.schema.is_empty() {
        entry.name.clone()
    } else {
        format!("{}.{}", entry.schema, entry.name)
    };
    patterns.iter().any(|pattern| fits(pattern, &name))
}

/// Whether `name` is what `pattern` says, with `*` for any text.
fn fits(pattern: &str, name: &str) -> bool {
    let Some((head, rest)) = pattern.split_once('*') else {
        return pattern == name;
    };
    let Some(left) = name.strip_prefix(head) else {
        return false;
    };
    left.char_indices()
        .map(|(at, _)| at)
        .chain([left.len()])
        .any(|at| fits(rest, &left[at..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(name: &str, rows: u64, bytes: u64) -> SummaryEntry {
        SummaryEntry {
            database: "shop".into(),
            kind: TABLE.into(),
            schema: "public".into(),
            name: name.into(),
            rows,
            bytes,
        }
    }

    fn found(then: &[SummaryEntry], now: &[SummaryEntry]) -> Vec<String> {
        compare(&BackupCollapse::default(), then, now)
    }

    const NOTHING: [&str; 0] = [];

    #[test]
    fn growth_and_small_losses_are_nothing() {
        let then = [
            table("a", 10_000, 1_000_000),
            table("b", 2000, 1000),
            table("small", 900, 10),
        ];
        let now = [
            table("a", 9000, 900_000),
            table("b", 1500, 750),
            table("small", 1, 1),
            table("new", 0, 0),
        ];
        assert_eq!(found(&then, &now), NOTHING);
        assert_eq!(found(&[], &now), NOTHING);
    }

    #[test]
    fn each_kind_of_loss_is_told() {
        let then = [table("a", 10_000, 1_000_000), table("b", 2000, 1000)];
        assert_eq!(
            found(&then, &then[..1]),
            ["table public.b of shop vanished; it held 2,000 rows"]
        );
        assert_eq!(
            found(&then, &[then[0].clone(), table("b", 999, 1000)]),
            ["table public.b of shop went from 2,000 rows to 999"]
        );
        assert_eq!(
            found(&then, &[then[0].clone(), table("b", 2000, 499)]),
            ["table public.b of shop went from 1000 B to 499 B"]
        );
        let findings = found(&then, &[table("a", 10_000, 799_000), then[1].clone()]);
        assert_eq!(findings.len(), 1);
        assert!(
            findings[0].starts_with("all together went from 12,000 rows"),
            "{findings:?}"
        );
        assert_eq!(
            empty(&[table("a", 0, 0), table("b", 0, 0)]),
            ["database shop holds no row at all"]
        );
        assert_eq!(empty(&[table("a", 0, 0), table("b", 1, 4)]), NOTHING);
    }

    #[test]
    fn an_empty_table_may_go_and_an_ignored_one_may_do_as_it_likes() {
        assert_eq!(found(&[table("a", 0, 0)], &[]), NOTHING);
        let limits = BackupCollapse {
            ignore: vec!["public.events_*".into()],
            ..BackupCollapse::default()
        };
        let then = [table("events_2026_01", 90_000, 900_000), table("a", 2000, 2000)];
        assert_eq!(compare(&limits, &then, &then[1..]), NOTHING);
        assert_eq!(
            compare(&limits, &then, &then[..1]).len(),
            2,
            "the rest is judged without it"
        );
    }

    #[test]
    fn a_star_stands_for_any_text() {
        for (pattern, name, expected) in [
            ("a", "a", true),
            ("a", "ab", false),
            ("*", "", true),
            ("a*", "abc", true),
            ("*c", "abc", true),
            ("a*c*", "abcd", true),
            ("a*x", "abc", false),
            ("**é*", "aé", true),
        ] {
            assert_eq!(fits(pattern, name), expected, "{pattern} {name}");
        }
    }
}
