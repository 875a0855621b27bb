//! `fh-backup list`.

use fh_core::Result;
use fh_core::render::{bytes, grouped};
use fh_core::report::{Check, Report, Table};
use fh_repository::{Repository, SetState};

use super::listing;

/// Lists every set, oldest first, with the damaged ones marked.
///
/// # Errors
/// Exit code 3 when the repository cannot be read.
pub async fn run(repository: &Repository) -> Result<Report> {
    let sets = repository.list_sets().await?;
    let mut table = Table::new("Sets")
        .left("set")
        .left("databases")
        .right("tables")
        .right("rows")
        .right("plain")
        .right("stored")
        .left("state");
    let mut data = Vec::new();
    let mut report =
        listing("list", format!("{} set(s)", sets.len())).about("repository", repository.describe());
    for set in &sets {
        match &set.state {
            SetState::Good(header) => {
                table.push([
                    set.id.clone(),
                    header.databases.join(", "),
                    header.totals.tables.to_string(),
                    grouped(header.totals.rows),
                    bytes(header.totals.plain_bytes),
                    bytes(header.totals.stored_bytes),
                    "sealed".to_owned(),
                ]);
                data.push(
                    serde_json::json!({ "set": set.id, "state": "sealed", "header": header.summary() }),
                );
            }
            SetState::Damaged(reason) => {
                let mut row = vec![set.id.clone()];
                row.resize(6, "-".into());
                row.push("DAMAGED".into());
                table.push(row);
                report.push(
                    Check::fail(&set.id, reason.clone())
                        .hint("it cannot be restored; take a new backup and keep this file for an inquiry"),
                );
                data.push(serde_json::json!({ "set": set.id, "state": "damaged", "reason": reason }));
            }
        }
    }
    report.show(table);
    report.data = serde_json::json!({ "sets": data });
    Ok(report)
}
