//! What a drill finds, as checks for people and as evidence for the repository.

use std::time::Duration;

use fh_core::Error;
use fh_core::duration::Period;
use fh_core::render::{duration, grouped};
use fh_core::report::{Check, Measure, Section, Status, Table};
use jiff::Timestamp;

use super::{Kind, Proven};
use crate::body::Database;
use crate::evidence::{Details, Drill, Evidence, Rto};

/// Everything that a drill has found so far.
#[derive(Debug)]
pub(super) struct Findings {
    pub(super) checks: Vec<Check>,
    pub(super) sections: Vec<Section>,
    pub(super) drill: Drill,
    details: Details,
    /// The set was restored, and every row came back.
    whole: bool,
}

impl Default for Findings {
    fn default() -> Self {
        Self {
            checks: Vec::new(),
            sections: Vec::new(),
            drill: Drill {
                database: String::new(),
                server_version: None,
                rto: None,
                assertions: Vec::new(),
            },
            details: Details::default(),
            whole: false,
        }
    }
}

impl Findings {
    /// The set could be opened.
    pub(super) fn begin(&mut self, database: &Database) {
        self.drill.database.clone_from(&database.name);
    }

    /// The set, or what it gave, is not what it says.
    pub(super) fn damaged(&mut self, id: &str, error: &Error) {
        self.checks.push(Check::from_error(id, error).hint(
            "this set cannot be restored whole: take a new backup now, and look for the cause in the store",
        ));
    }

    /// Rows were loaded and read back, and are those of the backup.
    pub(super) fn restored(&mut self, database: &Database, proven: &Proven, definitions: Check) {
        self.whole = definitions.status != Status::Fail;
        self.details.tables = database.tables.len() as u64;
        self.details.rows = proven.rows;
        let data = database.tables.iter().map(|table| &table.data);
        self.details.bytes = data.chain(&database.large_objects).map(|data| data.bytes).sum();
        self.checks.push(
            Check::pass(
                "rows",
                format!(
                    "{} tables, {} rows read back: every count and hash is that of the backup",
                    database.tables.len(),
                    grouped(proven.rows)
                ),
            )
            .measure(Measure::count("rows", proven.rows))
            .took(proven.loading),
        );
        self.checks.push(definitions);
        if !proven.settings_left_out.is_empty() {
            let told = format!("{} could not be set", proven.settings_left_out.len());
            let check = Check::warn("settings", told);
            self.checks
                .push(proven.settings_left_out.iter().fold(check, Check::evidence));
        }
        self.sections.push(tables(database).into());
    }

    /// How long it took, against the limit.
    pub(super) fn timed(&mut self, rto: Rto, limit: Option<Period>) {
        self.drill.rto = Some(rto);
        let time = |seconds: f64| Duration::try_from_secs_f64(seconds).unwrap_or_default();
        let total = time(rto.total);
        let told = format!(
            "restored and proven in {}: rows {}, indexes {}, proof {}",
            duration(total),
            duration(time(rto.load)),
            duration(time(rto.indexes)),
            duration(time(rto.proof))
        );
        let mut measure = Measure::duration("rto", total);
        if let Some(limit) = limit {
            measure = measure.critical_at(limit.get().as_secs_f64());
        }
        let check = match limit {
            Some(limit) if total > limit.get() => Check::fail("rto", format!("{told}; the limit is {limit}"))
                .hint("give the restore more --jobs or a faster server, or raise backup.drill.max_rto"),
            _ => Check::pass("rto", told),
        };
        self.checks.push(
            check
                .measure(measure)
                .measure(Measure::duration("rto_load", time(rto.load)))
                .measure(Measure::duration("rto_indexes", time(rto.indexes)))
                .measure(Measure::duration("rto_proof", time(rto.proof))),
        );
    }

    /// What the drill proves; nothing when it found nothing bad and could not find out everything.
    pub(super) fn evidence(&self, set: &str, began: Timestamp) -> Option<Evidence> {
        let mut details = self.details.clone();
        for check in self.checks.iter().filter(|check| check.status == Status::Fail) {
            details.problem(format!("{}: {}", check.id, check.summary));
            for line in &check.evidence {
                details.problem(line);
            }
        }
        let unknown = self.checks.iter().any(|check| check.status == Status::Unknown);
        if details.problems.is_empty() && unknown {
            return None;
        }
        let mut evidence = Evidence::now(crate::keep::TOOL, set, Kind::Drill, began, details);
        evidence.whole = self.whole;
        evidence.drill = Some(self.drill.clone());
        Some(evidence)
    }

    /// For machines.
    pub(super) fn data(&self, set: &str, server: &str) -> serde_json::Value {
        serde_json::json!({
            "set": set,
            "server": server,
            "tables": self.details.tables,
            "rows": self.details.rows,
            "drill": self.drill,
        })
    }
}

/// Every table with what was compared.
fn tables(database: &Database) -> Table {
    let mut shown = Table::new(format!("Tables of {}, restored and compared", database.name))
        .left("table")
        .right("rows")
        .left("hash")
        .left("result");
    let tables = database.tables.iter().map(|table| (table.label(), &table.data));
    let objects = database
        .large_objects
        .iter()
        .map(|data| ("(large objects)".to_owned(), data));
    for (name, data) in tables.chain(objects) {
        shown.push([
            name,
            grouped(data.proof.rows),
            data.proof.hash_hex(),
            "equal".to_owned(),
        ]);
    }
    shown
}
