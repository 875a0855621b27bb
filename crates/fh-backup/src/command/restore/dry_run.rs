//! `--dry-run`: what stands in the way, and what would be done.

use fh_core::Result;
use fh_core::render::{bytes, grouped};
use fh_core::report::{Check, Failure, Report, Section};

use super::anonymous;
use super::target::Way;
use crate::restore::Request;
use crate::restore::made::{already_there, exists, maintenance};
use crate::restore::{preflight, swap};

/// Looks at the target and changes nothing.
///
/// # Errors
/// Exit code 3 when the server cannot be reached. What stands in the way is in the report, and gives its exit code.
pub(super) async fn run(mut report: Report, request: &Request<'_>, way: Way) -> Result<Report> {
    let name = request.target.database();
    let inspection = if way == Way::Fill {
        let session = request.session().await?;
        let mut inspection = request.inspect(&session, false).await?;
        anonymous::look(&mut inspection.findings, request, &session).await;
        inspection
    } else {
        let server = maintenance(&request.target, &request.connect, request.lock_timeout).await?;
        let mut inspection = request.inspect(&server, true).await?;
        if way == Way::Replace {
            swap::check(&mut inspection.findings, &server, name).await?;
        } else if exists(&server, name).await? {
            inspection.findings.stop("target", already_there(name));
        }
        preflight::can_create(&mut inspection.findings, &server).await?;
        anonymous::look(&mut inspection.findings, request, &server).await;
        inspection
    };
    let mut findings = inspection.findings;
    for check in findings.checks() {
        report.push(check.clone());
    }
    let plan = plan(request, way);
    report.show(Section::facts("What would be done", plan.clone()));
    report.data = serde_json::json!({
        "dry_run": true,
        "database": request.database.name,
        "target": request.target.redacted(),
        "plan": plan.into_iter().map(|(key, value)| (key.to_owned(), value.into())).collect::<serde_json::Map<_, _>>(),
    });
    match findings.error() {
        Some(error) => report.failure = Some(Failure::from(&error)),
        None => report.push(Check::pass(
            "dry run",
            "nothing stands in the way; nothing was changed",
        )),
    }
    Ok(report)
}

fn plan(request: &Request<'_>, way: Way) -> Vec<(&'static str, String)> {
    let database = request.database;
    let name = request.target.database();
    let data: Vec<_> = database
        .tables
        .iter()
        .map(|table| &table.data)
        .chain(&database.large_objects)
        .collect();
    let rows: u64 = data.iter().map(|data| data.proof.rows).sum();
    let text: u64 = data.iter().map(|data| data.bytes).sum();
    let segments: usize = data.iter().map(|data| data.segments.len()).sum();
    vec![
        (
            "target",
            match way {
                Way::Fill => format!("fill the empty database {name}"),
                Way::Create => format!("make the database {name}"),
                Way::Replace => format!("restore beside {name}, prove it, swap the names, keep the old one"),
            },
        ),
        (
            "from",
            format!("{}, as it was at {}", database.name, database.snapshot_at),
        ),
        ("tables", grouped(database.tables.len() as u64)),
        ("rows", grouped(rows)),
        ("rows as text", bytes(text)),
        (
            "segments to fetch",
            grouped((segments + database.toc.len()) as u64),
        ),
        ("jobs", request.jobs.to_string()),
    ]
}
