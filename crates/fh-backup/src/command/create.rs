//! `fh-backup create`.

use std::sync::Arc;
use std::time::{Duration, Instant};

use fh_core::Result;
use fh_core::app::Session;
use fh_core::render::{bytes, grouped};
use fh_core::report::{Check, Measure, Report, Table};
use fh_repository::{Encryption, Repository, Set, SetFields, SetHeader};

use super::{parts, verdict};
use crate::body::{Body, Database};
use crate::keep::collapse;
use crate::source::backup;
use crate::source::databases::{self, Wanted};
use crate::{context, globals, keep, leaving, memory};
use fh_repository::inventory::{Acceptances, Group, accept};

/// Longest wait for `pg_dump`'s table of contents: a catalogue of a hundred thousand objects takes minutes.
const TOC_TIMEOUT: Duration = Duration::from_secs(900);

/// Takes a backup and commits it. A set that holds suspiciously little is kept, and is a failed check unless
/// `accept_collapse` says that this is right.
///
/// # Errors
/// Exit code 3 when anything was not read or not stored: then there is no set.
pub async fn run(session: &Session, accept_collapse: bool) -> Result<Report> {
    let began = Instant::now();
    let config = session.config();
    let source = context::database(session)?;
    let wanted = Wanted::new(&config.backup.databases, config.backup.all_databases)?;
    let repository = context::repository(session).await?;
    parts::check(session, &repository)?;
    let sources = databases::sources(&source, wanted, &context::connect_options(session)).await?;
    let names: Vec<String> = sources
        .iter()
        .map(|source| source.database().to_owned())
        .collect();
    let group = Group::new(
        &config.project.name,
        session.loaded.environment.as_deref(),
        &names,
    );
    let like = |header: &SetHeader| Group::of(header) == group;
    let writer = Arc::new(
        repository
            .writer_like(config.backup.compression_level, like)
            .await?,
    );
    let options = backup::Options {
        connect: context::connect_options(session),
        lock_timeout: config.database.lock_timeout.get(),
        toc_timeout: TOC_TIMEOUT,
        yield_after: config.backup.yield_after.get(),
        jobs: usize::try_from(config.backup.jobs).unwrap_or(1),
        encrypted: *repository.encryption() != Encryption::None,
    };
    let bin_dir = config.database.bin_dir.as_deref();
    let leaders = backup::begin(&sources, &options).await?;
    let globals = match leaders.first() {
        Some(leader) => Some(globals::read(&leader.connection, leader.connection.server.major()).await?),
        None => None,
    };
    let databases = backup::take_all(leaders, &options, bin_dir, &writer, &session.progress).await?;
    let body = Body {
        databases,
        globals,
        ..parts::take(session, &writer, options.encrypted).await?
    };
    let mut fields = fields(session, &body);
    fields.guide = Some(leaving::guide(&repository, &body));
    fields.summary = keep::summary::of(&body);
    let acceptances = Acceptances::read(&repository).await?;
    let limits = &config.backup.collapse;
    let compared =
        collapse::examine(&repository, limits, &acceptances, &group, None, &fields.summary).await?;
    fields.collapsed = !compared.findings.is_empty();
    let set = repository.commit(&writer, fields, &body).await?;
    // A host without a memory hears of it when it verifies; the backup is good all the same.
    if let Err(error) = memory::made(session, &repository, &set.id) {
        tracing::debug!("the set is not remembered: {error}");
    }
    if accept_collapse && set.header.collapsed {
        accept(&repository, &set.header).await?;
    }
    let mut report = report(&repository, &source.redacted(), &set, &body, began.elapsed());
    report.push(compared.check("collapse", &set.id, accept_collapse));
    Ok(report)
}

fn fields(session: &Session, body: &Body) -> SetFields {
    let totals: Vec<_> = body.databases.iter().map(backup::totals).collect();
    SetFields {
        host: keep::host(),
        tool: keep::TOOL.into(),
        project: session.config().project.name.clone(),
        environment: session.loaded.environment.clone(),
        databases: body
            .databases
            .iter()
            .map(|database| database.name.clone())
            .collect(),
        // The oldest: what came after it in another database may be missing in this one.
        snapshot_at: body.databases.iter().map(|database| database.snapshot_at).min(),
        tables: body
            .databases
            .iter()
            .map(|database| database.tables.len() as u64)
            .sum(),
        rows: totals.iter().map(|(proof, _)| proof.rows).sum(),
        plain_bytes: totals.iter().map(|(_, bytes)| bytes).sum::<u64>() + parts::plain_bytes(body),
        contents: parts::contents(body),
        ..SetFields::default()
    }
}

fn report(repository: &Repository, source: &str, set: &Set, body: &Body, took: Duration) -> Report {
    let SetHeader { totals, .. } = &set.header;
    let mut report = verdict("create", format!("Backup {}", set.id))
        .about("database", source)
        .about("repository", repository.describe())
        .about("set", set.id.clone());
    for check in body.databases.iter().map(|database| tables(body, database)) {
        report.push(check);
    }
    if let Some(check) = snapshots(&body.databases) {
        report.push(check);
    }
    for check in parts::checks(body) {
        report.push(check);
    }
    report.push(
        Check::pass(
            "stored",
            format!(
                "{} segments, {}; {} of them new, {} sent",
                totals.segments,
                bytes(totals.stored_bytes),
                totals.new_segments,
                bytes(totals.new_bytes)
            ),
        )
        .measure(Measure::bytes("stored", totals.stored_bytes))
        .measure(Measure::bytes("sent", totals.new_bytes)),
    );
    report.push(Check::pass("committed", format!("set {} is durable", set.id)).took(took));
    if let Some(locked) = locked(&set.header) {
        report.push(locked);
    }
    report.show(largest(body));
    report.data = serde_json::json!({ "set": set.id, "header": set.header.summary() });
    report
}

/// How long nobody may remove what the set needs; nothing where the store does not lock.
fn locked(header: &SetHeader) -> Option<Check> {
    header.locked_in.as_ref()?;
    let until = header.segments.iter().map(|object| object.locked_until).min()??;
    Some(Check::pass(
        "locked",
        format!("every segment is locked until {until} at least"),
    ))
}

fn tables(body: &Body, database: &Database) -> Check {
    let (proof, bytes) = backup::totals(database);
    let id = match &body.databases[..] {
        [_] => "tables".to_owned(),
        _ => format!("tables of {}", database.name),
    };
    let summary = format!(
        "{} tables, {} rows read in one snapshot",
        database.tables.len(),
        grouped(proof.rows)
    );
    Check::pass(id, summary)
        .measure(Measure::count("rows", proof.rows))
        .measure(Measure::bytes("plain", bytes))
}

/// How far the snapshots of several databases are apart: there is none that spans them.
fn snapshots(databases: &[Database]) -> Option<Check> {
    let times = || databases.iter().map(|database| database.snapshot_at);
    let (first, last) = (times().min()?, times().max()?);
    if databases.len() < 2 {
        return None;
    }
    let apart = last.duration_since(first).unsigned_abs();
    let check = Check::pass(
        "snapshots",
        format!(
            "{} snapshots, taken within {} ms",
            databases.len(),
            apart.as_millis()
        ),
    );
    Some(check.measure(Measure::duration("apart", apart)))
}

/// The ten largest tables: what an operator looks at first when a backup grew.
fn largest(body: &Body) -> Table {
    let several = body.databases.len() > 1;
    let mut tables: Vec<_> = body
        .databases
        .iter()
        .flat_map(|database| database.tables.iter().map(move |table| (database, table)))
        .collect();
    tables.sort_by_key(|(_, table)| std::cmp::Reverse(table.data.bytes));
    let mut shown = Table::new("Largest tables")
        .left("table")
        .right("rows")
        .right("bytes")
        .right("segments");
    for (database, table) in tables.iter().take(10) {
        let label = table.label();
        shown.push([
            if several {
                format!("{}: {label}", database.name)
            } else {
                label
            },
            grouped(table.data.proof.rows),
            bytes(table.data.bytes),
            table.data.segments.len().to_string(),
        ]);
    }
    shown
}
