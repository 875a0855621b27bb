//! Extensions that the backup needs.

use fh_core::Error;

use super::{Facts, Findings};
use crate::body::Database;

pub(super) fn check(findings: &mut Findings, database: &Database, facts: &Facts) {
    let mut missing = Vec::new();
    let mut other_version = Vec::new();
    let mut closed = Vec::new();
    for extension in &database.extensions {
        let Some(available) = facts.extensions.get(&extension.name) else {
            missing.push(extension.name.clone());
            continue;
        };
        // pg_restore names no version: the default one is made.
        let default = available.default.as_deref().unwrap_or_default();
        if default != extension.version && !available.installed {
            let offered: Vec<&str> = available.versions.iter().map(String::as_str).collect();
            other_version.push(format!(
                "{} {} becomes {default} (offered: {})",
                extension.name,
                extension.version,
                offered.join(", ")
            ));
        }
        if !facts.privileged() && !available.installed && !available.open.contains(default) {
            closed.push(extension.name.clone());
        }
    }
    if !missing.is_empty() {
        findings.stop(
            "extensions",
            Error::unable(format!(
                "the target server does not offer extension(s) {}",
                missing.join(", ")
            ))
            .hint(
                "install the packages that carry them (on Debian postgresql-contrib or postgresql-<version>-<name>)",
            ),
        );
    }
    if !other_version.is_empty() {
        findings.warn(
            "extension versions",
            format!("extensions of another version: {}", other_version.join("; ")),
            "read the extension's release notes; what the newer version does differently cannot be seen from here",
        );
    }
    if missing.is_empty() && other_version.is_empty() {
        findings.good(
            "extensions",
            format!("{} extension(s), all offered", database.extensions.len()),
        );
    }
    if !closed.is_empty() {
        findings.stop(
            "extension rights",
            Error::unable(format!(
                "only a superuser may make extension(s) {}, and {} is none",
                closed.join(", "),
                facts.user
            ))
            .hint("let a superuser make them in the empty target database first (CREATE EXTENSION), or restore as one"),
        );
    }
}
