//! `restore --table`: some tables of a set, beside the live ones.

use fh_core::render::{bytes, grouped};
use fh_core::report::{Check, Measure, Report, Section, Table};
use fh_core::{Error, Hint as _, Result};

use crate::cli::Restore;
use crate::restore::Request;
use crate::restore::table::{Chosen, Diff, Place, Restored, TableRequest, choose, restore};

/// What can be seen to be wrong without looking at the set.
pub(super) fn check_usage(options: &Restore) -> Result<()> {
    if options.into_table.is_some() && options.table.len() != 1 {
        return Err(
            Error::usage("--into-table gives one table a name, and several are restored")
                .hint("restore them one by one, or all into a schema with --into-schema"),
        );
    }
    if options.diff && !options.diff_only && place(options) == Place::Original {
        return Err(Error::usage(
            "--diff compares with the live table, and this restore would be in its place",
        )
        .hint("restore beside it with --into-schema or --into-table, or only compare with --diff-only"));
    }
    if options.fail_on_diff && !options.diff && !options.diff_only {
        return Err(Error::usage("--fail-on-diff needs --diff or --diff-only"));
    }
    Ok(())
}

fn place(options: &Restore) -> Place {
    match (options.diff_only, &options.into_schema, &options.into_table) {
        (true, _, _) => Place::Temporary,
        (false, None, None) => Place::Original,
        (false, schema, name) => Place::Beside {
            schema: schema.clone(),
            name: name.clone(),
        },
    }
}

/// Restores the tables, proves them, and compares them with the live ones when asked to.
///
/// # Errors
/// Those of [`restore`]; exit code 2 for a table that is not in the set.
pub(super) async fn run(mut report: Report, request: &Request<'_>, options: &Restore) -> Result<Report> {
    let chosen = choose(request.archive, request.database, &options.table)?;
    let place = place(options);
    if options.dry_run {
        return Ok(plan(report, request, &chosen, &place));
    }
    let session = request.session().await?;
    let tables = TableRequest {
        repository: &request.repository,
        archive: request.archive,
        chosen: &chosen,
        place: &place,
        ownership: request.ownership,
        diff: (options.diff || options.diff_only).then_some(options.diff_keys),
        progress: &request.progress,
    };
    let restored = restore(&session, &tables)
        .await
        .hint(|| "the transaction was rolled back: nothing of this restore is in the database")?;
    for check in checks(&restored, &place) {
        report.push(check);
    }
    if !restored.diffs.is_empty() {
        report.show(table(&restored.diffs));
        for diff in &restored.diffs {
            report.push(difference(diff, options.fail_on_diff));
        }
    }
    report.data = serde_json::json!({
        "database": request.database.name,
        "target": request.target.redacted(),
        "tables": restored.tables.iter().map(|(name, rows)| serde_json::json!({ "table": name, "rows": rows })).collect::<Vec<_>>(),
        "left_out": restored.left_out,
        "diffs": restored.diffs,
        "seconds": restored.took.as_secs_f64(),
    });
    Ok(report)
}

fn checks(restored: &Restored, place: &Place) -> Vec<Check> {
    let mut checks = Vec::new();
    for (name, rows) in &restored.tables {
        let summary = match place {
            Place::Temporary => format!(
                "{} rows were read from the backup, with its count and hash; nothing of them stays",
                grouped(*rows)
            ),
            _ => format!(
                "{} rows read back: count and hash are those of the backup",
                grouped(*rows)
            ),
        };
        checks.push(
            Check::pass(format!("table {name}"), summary)
                .measure(Measure::count("rows", *rows))
                .took(restored.took),
        );
    }
    if let Place::Beside { .. } = place {
        checks.push(Check::skip(
            "definitions",
            "beside the live table only columns, CHECK constraints and the primary key are made: no other index, foreign key, trigger, sequence or privilege",
        ));
    }
    if !restored.left_out.is_empty() {
        let check = Check::warn(
            "left out",
            format!(
                "{} thing(s) could not be made beside the rows",
                restored.left_out.len()
            ),
        )
        .hint("make them by hand if they are needed; the rows are all there");
        checks.push(restored.left_out.iter().fold(check, Check::evidence));
    }
    checks
}

fn difference(diff: &Diff, fail: bool) -> Check {
    let id = format!("diff {}", diff.table);
    let summary = format!(
        "{} only in the backup, {} only live, {} different, {} the same",
        grouped(diff.only_in_backup),
        grouped(diff.only_live),
        grouped(diff.different),
        grouped(diff.same)
    );
    let check = match (diff.total(), fail) {
        (0, _) => Check::pass(id, summary),
        (_, true) => Check::fail(id, summary),
        (_, false) => Check::warn(id, summary),
    };
    let check = diff.keys.iter().fold(check, Check::evidence);
    if diff.not_compared.is_empty() {
        check
    } else {
        check.evidence(format!("columns not compared: {}", diff.not_compared.join(", ")))
    }
}

fn table(diffs: &[Diff]) -> Table {
    let mut table = Table::new("The live tables against the backup")
        .left("table")
        .right("only in the backup")
        .right("only live")
        .right("different")
        .right("the same");
    for diff in diffs {
        table.push([
            diff.table.clone(),
            grouped(diff.only_in_backup),
            grouped(diff.only_live),
            grouped(diff.different),
            grouped(diff.same),
        ]);
    }
    table
}

fn plan(mut report: Report, request: &Request<'_>, chosen: &[Chosen<'_>], place: &Place) -> Report {
    let place = match place {
        Place::Original => "where they were".to_owned(),
        Place::Temporary => "into temporary tables, to compare".to_owned(),
        Place::Beside { schema, name } => format!(
            "into {}.{}",
            schema.as_deref().unwrap_or("(their schema)"),
            name.as_deref().unwrap_or("(their name)")
        ),
    };
    for table in chosen {
        let data = table.data.iter().map(|table| &table.data);
        let (rows, text, segments) = data.fold((0, 0, 0), |(rows, text, segments), data| {
            (
                rows + data.proof.rows,
                text + data.bytes,
                segments + data.segments.len() as u64,
            )
        });
        report.push(Check::pass(
            format!("table {}", table.label()),
            format!(
                "{} rows, {} as text, in {} segments to fetch",
                grouped(rows),
                bytes(text),
                grouped(segments)
            ),
        ));
    }
    report.show(Section::facts(
        "What would be done",
        [
            ("target", request.target.redacted()),
            ("tables", format!("{} {place}", chosen.len())),
        ],
    ));
    report
}
