//! `fh-backup show`.

use fh_core::Result;
use fh_core::render::{bytes, grouped};
use fh_core::report::{Report, Section, Status, Table};
use fh_repository::{Repository, Set};

use super::{listing, parts};
use crate::body::{Body, Database};
use crate::evidence::{self, Evidence};

/// Shows one set: its header always, its tables when they can be decrypted.
///
/// # Errors
/// Exit code 1 when the set is damaged, 2 when there is no such set.
pub async fn run(repository: &Repository, wanted: &str) -> Result<Report> {
    let set = repository.open_set(&repository.resolve(wanted).await?).await?;
    let mut report = listing("show", format!("Set {}", set.id)).about("repository", repository.describe());
    report.show(header(&set));
    let (proofs, doubtful) = evidence::of_set(repository, &set.id).await?;
    report.show(proven(&proofs));
    if let Some(check) = evidence::doubts(&doubtful, Status::Warn) {
        report.push(check);
    }
    let mut data = serde_json::json!({ "set": set.id, "header": set.header.summary(), "evidence": proofs });
    if repository.can_read() {
        let body: Body = repository.read_body(&set)?;
        for database in &body.databases {
            report.show(facts(database));
            report.show(tables(database));
        }
        for section in parts::sections(&body) {
            report.show(section);
        }
        data["databases"] = serde_json::to_value(&body.databases).unwrap_or_default();
        data["parts"] = parts::facts(&body);
    } else {
        report.show(Section::Text(
            "The tables are encrypted: give --identity to see them.".into(),
        ));
    }
    report.data = data;
    Ok(report)
}

fn header(set: &Set) -> Section {
    let header = &set.header;
    let totals = &header.totals;
    let mut pairs = vec![
        ("taken".to_owned(), header.created.to_string()),
        ("host".to_owned(), header.host.clone()),
        ("tool".to_owned(), header.tool.clone()),
        ("project".to_owned(), header.project.clone()),
        ("databases".to_owned(), header.databases.join(", ")),
        ("rows".to_owned(), grouped(totals.rows)),
        ("plain".to_owned(), bytes(totals.plain_bytes)),
        (
            "stored".to_owned(),
            format!("{} in {} segments", bytes(totals.stored_bytes), totals.segments),
        ),
        (
            "new then".to_owned(),
            format!("{} in {} segments", bytes(totals.new_bytes), totals.new_segments),
        ),
    ];
    if !header.recipients.is_empty() {
        pairs.push(("encrypted to".to_owned(), header.recipients.join(", ")));
    }
    if let Some(environment) = &header.environment {
        pairs.insert(1, ("environment".to_owned(), environment.clone()));
    }
    Section::Facts {
        title: "Set".into(),
        pairs,
    }
}

/// What verifications and drills found, newest first.
fn proven(proofs: &[Evidence]) -> Section {
    if proofs.is_empty() {
        return Section::Text("No evidence yet: `fh-backup verify` and `fh-backup drill` make some.".into());
    }
    let mut shown = Table::new("Evidence")
        .left("when")
        .left("what")
        .left("result")
        .right("rto")
        .left("found");
    for one in proofs.iter().rev() {
        let subset = one.subset.map_or_else(String::new, |part| format!(" {part}"));
        let rto = one.drill.as_ref().and_then(|drill| drill.rto);
        let rto = rto.and_then(|rto| std::time::Duration::try_from_secs_f64(rto.total).ok());
        shown.push([
            super::list::minute(one.finished),
            format!("{}{subset}", one.kind),
            match one.result {
                evidence::Outcome::Good => "good".to_owned(),
                evidence::Outcome::Bad => "BAD".to_owned(),
            },
            rto.map_or_else(|| "-".to_owned(), fh_core::render::duration),
            one.details.problems.first().cloned().unwrap_or_default(),
        ]);
    }
    shown.into()
}

fn facts(database: &Database) -> Section {
    let properties = &database.properties;
    let extensions: Vec<String> = database
        .extensions
        .iter()
        .map(|extension| format!("{} {}", extension.name, extension.version))
        .collect();
    Section::Facts {
        title: format!("Database {}", database.name),
        pairs: vec![
            ("snapshot".into(), database.snapshot_at.to_string()),
            (
                "server".into(),
                format!("PostgreSQL {}", server(database.server_version)),
            ),
            (
                "encoding".into(),
                format!(
                    "{}, {}, {}",
                    properties.encoding, properties.collate, properties.ctype
                ),
            ),
            ("extensions".into(), extensions.join(", ")),
            ("roles needed".into(), database.roles.join(", ")),
        ],
    }
}

/// `150018` as `15.18`.
fn server(number: u32) -> String {
    format!("{}.{}", number / 10_000, number % 10_000)
}

fn tables(database: &Database) -> Table {
    let mut shown = Table::new(format!("Tables of {}", database.name))
        .left("table")
        .right("rows")
        .right("bytes")
        .left("hash");
    for table in &database.tables {
        let data = &table.data;
        shown.push([
            table.label(),
            grouped(data.proof.rows),
            bytes(data.bytes),
            data.proof.hash_hex(),
        ]);
    }
    if let Some(data) = &database.large_objects {
        shown.push([
            "(large objects)".into(),
            grouped(data.proof.rows),
            bytes(data.bytes),
            data.proof.hash_hex(),
        ]);
    }
    shown
}
