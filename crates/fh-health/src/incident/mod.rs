//! What may be behind it: rules over everything that was seen, each with its evidence and a chapter of the runbook.

mod facts;
mod rules;

use fh_core::Check;
use fh_core::report::Section;
use jiff::Timestamp;

pub use facts::Facts;

/// One likely cause.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    /// What it is, in one line.
    pub title: String,
    /// How much speaks for it: each piece of evidence counts.
    pub weight: u32,
    /// What speaks for it.
    pub evidence: Vec<String>,
    /// Where to read on.
    pub link: String,
}

/// The likely causes, the best founded first. `runbook` is where the chapters are.
#[must_use]
pub fn findings(checks: &[Check], runbook: &str, now: Timestamp) -> Vec<Finding> {
    let facts = Facts::new(checks, now);
    let mut found: Vec<Finding> = rules::RULES
        .iter()
        .filter_map(|rule| {
            let clues = (rule.look)(&facts)?;
            Some(Finding {
                title: rule.title.to_owned(),
                weight: clues.iter().map(|clue| clue.weight).sum(),
                evidence: clues.into_iter().map(|clue| clue.text).collect(),
                link: format!("{runbook}#{}", rule.chapter),
            })
        })
        .collect();
    found.sort_by_key(|finding| std::cmp::Reverse(finding.weight));
    found
}

/// The findings for people.
#[must_use]
pub fn section(findings: &[Finding]) -> Option<Section> {
    if findings.is_empty() {
        return None;
    }
    let mut lines = vec!["Likely causes".to_owned()];
    for (number, finding) in (1..).zip(findings) {
        lines.push(format!("{number}. {} → {}", finding.title, finding.link));
        lines.extend(finding.evidence.iter().map(|text| format!("   - {text}")));
    }
    Some(Section::Text(lines.join("\n")))
}

/// The findings for machines.
#[must_use]
pub fn json(findings: &[Finding]) -> serde_json::Value {
    findings
        .iter()
        .map(|finding| {
            serde_json::json!({
                "title": finding.title, "weight": finding.weight,
                "evidence": finding.evidence, "link": finding.link,
            })
        })
        .collect()
}

#[cfg(test)]
mod tests;
