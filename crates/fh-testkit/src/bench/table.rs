//! Medians and ratios, as Markdown.

use std::fmt::Write as _;

use super::Options;
use super::measure::Cost;
use super::peers::{Peer, Scene};

/// Everything that was measured.
pub(super) struct Results {
    /// What was measured on, for the head of the table.
    about: Vec<String>,
    rows: Vec<Row>,
}

struct Row {
    what: String,
    peer: Peer,
    costs: Vec<Cost>,
    /// Bytes in the peer's repository or file after the last run.
    stored: u64,
    /// Bytes that the last run added.
    sent: u64,
}

impl Results {
    pub(super) fn new(scene: &Scene<'_>) -> Self {
        Self {
            about: scene.about(),
            rows: Vec::new(),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    pub(super) fn add(&mut self, what: &str, peer: Peer, cost: Cost, stored: u64, sent: u64) {
        let found = self
            .rows
            .iter_mut()
            .find(|row| row.what == what && row.peer == peer);
        match found {
            Some(row) => {
                row.costs.push(cost);
                (row.stored, row.sent) = (stored, sent);
            }
            None => self.rows.push(Row {
                what: what.to_owned(),
                peer,
                costs: vec![cost],
                stored,
                sent,
            }),
        }
    }

    pub(super) fn markdown(&self, options: &Options) -> String {
        let mut out = String::new();
        for line in &self.about {
            let _ = writeln!(out, "- {line}");
        }
        let _ = writeln!(
            out,
            "- medians of {} run(s) in turns, {} jobs; × is ours divided by theirs",
            options.runs, options.jobs
        );
        let mut seen: Vec<&str> = Vec::new();
        for row in &self.rows {
            if !seen.contains(&row.what.as_str()) {
                seen.push(&row.what);
                self.section(&row.what, &mut out);
            }
        }
        for peer in Peer::missing() {
            let _ = writeln!(
                out,
                "\nNot measured: {}, which is not on this machine.",
                peer.name()
            );
        }
        out
    }

    fn section(&self, what: &str, out: &mut String) {
        let rows: Vec<&Row> = self.rows.iter().filter(|row| row.what == what).collect();
        let ours = rows.iter().find(|row| row.peer == Peer::FhBackup);
        let _ = writeln!(
            out,
            "\n### {what}\n\n| | wall s | × | CPU s | × | peak MiB | stored MiB | × | sent MiB | × |\n\
             |---|--:|--:|--:|--:|--:|--:|--:|--:|--:|"
        );
        for row in &rows {
            let ratio = |of: fn(&Row) -> f64| {
                ours.filter(|ours| ours.peer != row.peer && of(row) > 0.0)
                    .map_or_else(String::new, |ours| format!("{:.2}", of(ours) / of(row)))
            };
            let size = |bytes: u64| {
                if bytes == 0 {
                    String::new()
                } else {
                    format!("{:.1}", mebibytes(bytes))
                }
            };
            let _ = writeln!(
                out,
                "| {} | {:.2} | {} | {:.2} | {} | {:.0} | {} | {} | {} | {} |",
                row.peer.name(),
                row.wall(),
                ratio(Row::wall),
                row.cpu(),
                ratio(Row::cpu),
                median(row.costs.iter().map(|cost| mebibytes(cost.rss))),
                size(row.stored),
                ratio(|row| mebibytes(row.stored)),
                size(row.sent),
                ratio(|row| mebibytes(row.sent)),
            );
        }
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

#[expect(clippy::cast_precision_loss, reason = "shown with one digit")]
pub(crate) fn mebibytes(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}

/// The middle value; of an even number, the mean of the two in the middle.
pub(crate) fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => 0.0,
        count if count % 2 == 1 => values[middle],
        _ => f64::midpoint(values[middle - 1], values[middle]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle() {
        assert!((median([3.0, 1.0, 2.0].into_iter()) - 2.0).abs() < 1e-9);
        assert!((median([4.0, 1.0, 2.0, 3.0].into_iter()) - 2.5).abs() < 1e-9);
    }
}
