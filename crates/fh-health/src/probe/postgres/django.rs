//! Migrations of Django that are in the code and not in the database, or the other way round.
//!
//! What is compared: the rows of `django_migrations` (app and name) with the files `APP/migrations/NAME.py` below the
//! configured folders, or with the configured list of `app.name`. The app is the name of the folder above
//! `migrations`, which is Django's own default for its label. A squashed migration counts as applied when all those
//! that it names in `replaces` are.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use fh_core::config::{HealthMigrations, HealthPostgres};
use fh_core::report::{Check, Measure};
use fh_core::{Context as _, Result};
use fh_pg::quote_ident;

use super::ask::Row;
use super::question::{Asked, Plan, Question, Right};

/// Folders inside each other that are looked into.
const DEEPEST: usize = 8;
/// Bytes of a migration that are read: `replaces` stands at its beginning.
const HEAD: u64 = 64 << 10;

/// A migration of the code, and those that it replaces.
type Known = BTreeMap<(String, String), Vec<(String, String)>>;

pub(super) const MIGRATIONS: Question = Question {
    plans: &[Plan {
        name: "migrations",
        about: "Django's migrations that are not applied",
        limits: None,
    }],
    right: Right::Everyone,
    grants: &["GRANT SELECT ON django_migrations TO fh_health;"],
    sql: |server, config| match &server.migrations {
        _ if !configured(config) => {
            Err("no migrations are configured to be compared with (migrations)".into())
        }
        // Judged without rows.
        None | Some((_, false)) => Ok("SELECT NULL WHERE false".into()),
        Some((table, true)) => Ok(format!("SELECT app, name FROM {table} LIMIT 40000")),
    },
    judge: |asked, rows| vec![migrations(asked, rows)],
};

fn configured(config: &HealthPostgres) -> bool {
    let wanted = &config.migrations;
    !wanted.folders.is_empty() || !wanted.expected.is_empty()
}

fn migrations(asked: &Asked<'_>, rows: &[Row]) -> Check {
    let id = asked.id("migrations");
    let table = &asked.config.migrations.table;
    match &asked.server.migrations {
        None => {
            return Check::fail(
                id,
                format!("there is no table {table} in {}", asked.server.database),
            )
            .hint("run `manage.py migrate`, or check database and search_path of the role");
        }
        Some((table, false)) => {
            return Check::skip(id, format!("the role may not read {table}")).hint(format!(
                "GRANT SELECT ON {table} TO {};",
                quote_ident(&asked.server.role)
            ));
        }
        Some(_) => {}
    }
    let known = match known(asked) {
        Ok(known) => known,
        Err(error) => return Check::from_error(id, &error),
    };
    let applied: BTreeSet<(String, String)> = rows
        .iter()
        .map(|row| (row.text(0).to_owned(), row.text(1).to_owned()))
        .collect();
    compare(id, &known, &applied).evidence(format!(
        "compared: {} row(s) of {table} with {} migration(s) of {}",
        applied.len(),
        known.len(),
        compared_with(&asked.config.migrations)
    ))
}

fn compared_with(wanted: &HealthMigrations) -> String {
    let folders = wanted.folders.iter().map(|folder| folder.display().to_string());
    let list = (!wanted.expected.is_empty()).then(|| "the configured list".to_owned());
    folders.chain(list).collect::<Vec<_>>().join(", ")
}

fn compare(id: String, known: &Known, applied: &BTreeSet<(String, String)>) -> Check {
    let is_applied = |name: &(String, String)| applied.contains(name);
    let missing: Vec<String> = known
        .iter()
        .filter(|(name, replaced)| {
            !is_applied(name) && (replaced.is_empty() || !replaced.iter().all(is_applied))
        })
        .map(|((app, name), _)| format!("{app}.{name}"))
        .collect();
    let apps: BTreeSet<&str> = known.keys().map(|(app, _)| app.as_str()).collect();
    let replaced: BTreeSet<&(String, String)> = known.values().flatten().collect();
    // Apps of other packages (auth, sessions) have no files here.
    let ahead: Vec<String> = applied
        .iter()
        .filter(|name| {
            apps.contains(name.0.as_str()) && !known.contains_key(*name) && !replaced.contains(name)
        })
        .map(|(app, name)| format!("{app}.{name}"))
        .collect();
    let check = match (missing.first(), ahead.first()) {
        (Some(first), _) => Check::fail(
            id,
            format!("{} migration(s) are not applied, such as {first}", missing.len()),
        )
        .hint("run `manage.py migrate` of the deployed code"),
        (None, Some(first)) => Check::warn(
            id,
            format!(
                "the database is ahead: {} applied migration(s) are not in the code, such as {first}",
                ahead.len()
            ),
        )
        .hint("an older version of the code was deployed, or the configured folders are not those that run"),
        (None, None) if known.is_empty() => {
            return Check::unknown(id, "no migration was found in the configured folders")
                .hint("name the folder above the apps: it must contain APP/migrations/0001_….py");
        }
        (None, None) => Check::pass(
            id,
            format!(
                "all {} migration(s) of {} app(s) are applied",
                known.len(),
                apps.len()
            ),
        ),
    };
    let check = missing.iter().take(10).fold(check, |check, name| {
        check.evidence(format!("not applied: {name}"))
    });
    let check = ahead.iter().take(10).fold(check, |check, name| {
        check.evidence(format!("not in the code: {name}"))
    });
    check
        .measure(Measure::count("missing", missing.len() as u64))
        .measure(Measure::count("ahead", ahead.len() as u64))
}

/// What the configuration says that should be applied.
fn known(asked: &Asked<'_>) -> Result<Known> {
    let wanted = &asked.config.migrations;
    let mut known = Known::new();
    for name in &wanted.expected {
        let Some((app, name)) = name.split_once('.') else {
            return Err(
                fh_core::Error::usage(format!("{name:?} is not the name of a migration"))
                    .hint("write APP.NAME, such as \"accounts.0003_user_phone\""),
            );
        };
        known.insert((app.to_owned(), name.to_owned()), Vec::new());
    }
    for folder in &wanted.folders {
        look_into(folder, 0, &mut known)?;
    }
    Ok(known)
}

fn look_into(folder: &Path, depth: usize, known: &mut Known) -> Result<()> {
    let failed = || format!("cannot look for migrations in {}", folder.display());
    for entry in fs_err::read_dir(folder).or_unable(failed)? {
        let path = entry.or_unable(failed)?.path();
        let name = path
            .file_name()
            .and_then(|name| name.to_str())
            .unwrap_or_default()
            .to_owned();
        // A link to a folder above would lead round in a circle.
        if path.is_symlink() || name.starts_with('.') || name == "node_modules" {
            continue;
        }
        if path.is_dir() {
            if name == "migrations" {
                let app = folder
                    .file_name()
                    .and_then(|name| name.to_str())
                    .unwrap_or_default();
                of_app(app, &path, known)?;
            } else if depth < DEEPEST {
                look_into(&path, depth + 1, known)?;
            }
        }
    }
    Ok(())
}

fn of_app(app: &str, folder: &Path, known: &mut Known) -> Result<()> {
    use std::io::Read as _;
    let failed = || format!("cannot read the migrations in {}", folder.display());
    for entry in fs_err::read_dir(folder).or_unable(failed)? {
        let path = entry.or_unable(failed)?.path();
        let stem = path
            .file_stem()
            .and_then(|stem| stem.to_str())
            .unwrap_or_default();
        // Django takes every module but those that begin with _ or ~ (`MigrationLoader.load_disk`).
        if path.extension().is_none_or(|kind| kind != "py") || stem.starts_with(['_', '~']) {
            continue;
        }
        let mut head = Vec::new();
        let file = fs_err::File::open(&path).or_unable(failed)?;
        file.take(HEAD).read_to_end(&mut head).or_unable(failed)?;
        let replaces = replaces(&String::from_utf8_lossy(&head));
        known.insert((app.to_owned(), stem.to_owned()), replaces);
    }
    Ok(())
}

/// The pairs in `replaces = [("app", "0001_initial"), …]`.
fn replaces(source: &str) -> Vec<(String, String)> {
    let line = |at: usize| {
        source[..at]
            .rsplit('\n')
            .next()
            .is_some_and(|before| before.trim().is_empty())
    };
    let Some(at) = source
        .match_indices("replaces")
        .map(|(at, _)| at)
        .find(|at| line(*at))
    else {
        return Vec::new();
    };
    let Some(list) = source[at..]
        .split_once('[')
        .and_then(|(_, rest)| rest.split_once(']'))
    else {
        return Vec::new();
    };
    let words: Vec<&str> = list.0.split(['"', '\'']).skip(1).step_by(2).collect();
    words
        .chunks_exact(2)
        .map(|pair| (pair[0].to_owned(), pair[1].to_owned()))
        .collect()
}

#[cfg(test)]
mod tests {
    use fh_core::Status;

    use super::*;

    fn name(text: &str) -> (String, String) {
        let (app, name) = text.split_once('.').unwrap();
        (app.to_owned(), name.to_owned())
    }

    fn status(known: &[(&str, &[&str])], applied: &[&str]) -> Status {
        let known = known
            .iter()
            .map(|(of, replaced)| (name(of), replaced.iter().map(|it| name(it)).collect()))
            .collect();
        compare("x".into(), &known, &applied.iter().map(|it| name(it)).collect()).status
    }

    #[test]
    fn code_and_database_are_compared_both_ways() {
        assert_eq!(status(&[("a.1", &[])], &["a.1", "auth.7"]), Status::Pass);
        assert_eq!(status(&[("a.1", &[]), ("a.2", &[])], &["a.1"]), Status::Fail);
        assert_eq!(status(&[("a.1", &[])], &["a.1", "a.2"]), Status::Warn);
        assert_eq!(status(&[], &["a.1"]), Status::Unknown);
        // A squashed one counts when all that it replaces are there, and they need no files any more.
        assert_eq!(status(&[("a.3", &["a.1", "a.2"])], &["a.1", "a.2"]), Status::Pass);
        assert_eq!(status(&[("a.3", &["a.1", "a.2"])], &["a.1"]), Status::Fail);
    }

    #[test]
    fn what_a_squashed_migration_replaces_is_read() {
        let source = "class Migration:\n    # replaces nothing\n    replaces = [('a', '0001_x'), (\"a\", \"0002_y\")]\n";
        assert_eq!(replaces(source), [name("a.0001_x"), name("a.0002_y")]);
        assert!(replaces("class Migration:\n    dependencies = []\n").is_empty());
    }
}
