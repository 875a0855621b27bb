//! Medians and ratios, as Markdown.

use std::fmt::Write as _;
use std::process::Command;

use anyhow::Result;

use crate::bench::{Cost, measure, mebibytes, median};

/// What was measured under one heading.
pub(super) struct Table {
    title: String,
    rows: Vec<Row>,
    notes: Vec<String>,
}

struct Row {
    name: String,
    costs: Vec<Cost>,
}

impl Table {
    pub(super) fn new(title: impl Into<String>) -> Self {
        Self {
            title: title.into(),
            rows: Vec::new(),
            notes: Vec::new(),
        }
    }

    /// Runs everybody in turns, ours first.
    pub(super) fn measure(&mut self, runs: u32, peers: &mut [(&str, Command)]) -> Result<()> {
        for _ in 0..runs {
            for (name, command) in peers.iter_mut() {
                let cost = measure(command, name)?;
                self.add(name, cost);
            }
        }
        Ok(())
    }

    fn add(&mut self, name: &str, cost: Cost) {
        match self.rows.iter_mut().find(|row| row.name == name) {
            Some(row) => row.costs.push(cost),
            None => self.rows.push(Row {
                name: name.to_owned(),
                costs: vec![cost],
            }),
        }
    }

    /// Milliseconds of the row, by the clock.
    pub(super) fn wall_ms(&self, name: &str) -> Option<f64> {
        let row = self.rows.iter().find(|row| row.name == name)?;
        Some(row.wall() * 1000.0)
    }

    pub(super) fn note(&mut self, text: impl Into<String>) {
        self.notes.push(text.into());
    }

    pub(super) fn markdown(&self) -> String {
        let mut out = format!("### {}\n", self.title);
        if let Some(ours) = self.rows.first() {
            out.push_str("\n| | wall ms | × | CPU ms | × | peak MiB |\n|---|--:|--:|--:|--:|--:|\n");
            for row in &self.rows {
                let ratio = |of: fn(&Row) -> f64| {
                    if std::ptr::eq(row, ours) || of(row) <= 0.0 {
                        String::new()
                    } else {
                        format!("{:.2}", of(ours) / of(row))
                    }
                };
                let _ = writeln!(
                    out,
                    "| {} | {:.1} | {} | {:.0} | {} | {:.1} |",
                    row.name,
                    row.wall() * 1000.0,
                    ratio(Row::wall),
                    row.cpu() * 1000.0,
                    ratio(Row::cpu),
                    median(row.costs.iter().map(|cost| mebibytes(cost.rss))),
                );
            }
        }
        for note in &self.notes {
            let _ = write!(out, "\n- {note}");
        }
        out.push('\n');
        out
    }
}

impl Row {
    fn wall(&self) -> f64 {
        median(self.costs.iter().map(|cost| cost.wall))
    }

    fn cpu(&self) -> f64 {
        median(self.costs.iter().map(|cost| cost.cpu))
    }
}
