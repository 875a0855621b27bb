//! `fh-backup list`.

use fh_core::Result;
use fh_core::render::{bytes, grouped};
use fh_core::report::{Check, Report, Status, Table};
use fh_repository::{Repository, SetState};

use super::listing;
use crate::evidence::{self, Outcome, Standing};

/// Lists every set, oldest first, with the damaged ones marked.
///
/// # Errors
/// Exit code 3 when the repository cannot be read.
pub async fn run(repository: &Repository) -> Result<Report> {
    let sets = repository.list_sets().await?;
    let standings = evidence::newest(repository).await?;
    let mut table = Table::new("Sets")
        .left("set")
        .left("databases")
        .right("tables")
        .right("rows")
        .right("plain")
        .right("stored")
        .left("last_verified")
        .left("drill")
        .right("rto")
        .left("state");
    let mut data = Vec::new();
    let mut report =
        listing("list", format!("{} set(s)", sets.len())).about("repository", repository.describe());
    for set in &sets {
        match &set.state {
            SetState::Good(header) => {
                let standing = standings.of(&set.id);
                let [verified, drill, rto] = proven(&standing);
                let state = if standing.damaged { "DAMAGED" } else { "sealed" };
                table.push([
                    set.id.clone(),
                    header.databases.join(", "),
                    header.totals.tables.to_string(),
                    grouped(header.totals.rows),
                    bytes(header.totals.plain_bytes),
                    bytes(header.totals.stored_bytes),
                    verified,
                    drill,
                    rto,
                    state.to_owned(),
                ]);
                if standing.damaged {
                    report.push(
                        Check::fail(
                            &set.id,
                            "its newest evidence that looks deep enough says that it is damaged",
                        )
                        .hint("`fh-backup show` tells what was found; take a new backup now"),
                    );
                }
                data.push(serde_json::json!({
                    "set": set.id,
                    "state": state.to_lowercase(),
                    "header": header.summary(),
                    "evidence": standing.summary(),
                }));
            }
            SetState::Damaged(reason) => {
                let mut row = vec![set.id.clone()];
                row.resize(9, "-".into());
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
    if let Some(check) = evidence::doubts(&standings.doubtful, Status::Warn) {
        report.push(check);
    }
    report.show(table);
    report.data = serde_json::json!({ "sets": data });
    Ok(report)
}

/// When and how it was last verified and drilled, and how long the restore took.
fn proven(standing: &Standing) -> [String; 3] {
    let none = || "-".to_owned();
    let verified = standing.verified_at.zip(standing.verified_kind);
    let failed = standing
        .last
        .filter(|last| last.result == Outcome::Bad && last.kind == evidence::Kind::Drill);
    [
        verified.map_or_else(none, |(at, kind)| {
            format!("{} {}", minute(at), kind.word().trim_start_matches("verify-"))
        }),
        match (failed, standing.drilled_at) {
            (Some(last), _) => format!("{} FAILED", minute(last.at)),
            (None, at) => at.map_or_else(none, minute),
        },
        standing.rto.map_or_else(none, fh_core::render::duration),
    ]
}

/// Short enough for a table.
pub(super) fn minute(time: jiff::Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%MZ").to_string()
}
