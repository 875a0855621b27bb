//! `config show` and `config check`, the same in every tool.

use serde_json::Value;

use crate::config::{Config, Loaded, LocalSecrets, SecretSource};
use crate::report::{Check, Report, Section, Table};

/// Looks at the configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::Subcommand)]
pub enum ConfigCommand {
    /// Show every setting with its value and where it came from; secrets are masked.
    #[command(
        before_help = "Examples:\n  {tool} config show\n  {tool} config show --env production --format json"
    )]
    Show,
    /// Check that the configuration is valid and that its secrets can be read here.
    #[command(before_help = "Examples:\n  {tool} config check\n  {tool} config check --config staging.toml")]
    Check,
}

impl ConfigCommand {
    /// The report on a configuration that could be loaded; one that could not has ended the run with exit code 2.
    #[must_use]
    pub fn report(self, tool: &str, loaded: &Loaded) -> Report {
        match self {
            Self::Show => show(tool, loaded),
            Self::Check => check(tool, loaded),
        }
    }
}

fn source(loaded: &Loaded) -> String {
    match &loaded.file {
        Some(path) => path.display().to_string(),
        None => "none".into(),
    }
}

fn show(tool: &str, loaded: &Loaded) -> Report {
    let mut report = Report::listing(tool, "config show", "Configuration").about("file", source(loaded));
    let entries = loaded.entries();
    let mut table = Table::new("").left("setting").left("value").left("from");
    for entry in &entries {
        let value = match &entry.value {
            Value::Null => "-".to_owned(),
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        table.push([entry.path.clone(), value, entry.origin.to_string()]);
    }
    report.show(Section::Table(table));
    report.data = serde_json::json!({ "file": loaded.file, "settings": entries });
    report
}

fn check(tool: &str, loaded: &Loaded) -> Report {
    let mut report = Report::verdict_run(tool, "config check", "Configuration").about("file", source(loaded));
    let given = loaded
        .entries()
        .iter()
        .filter(|entry| entry.origin != crate::config::Origin::Default)
        .count();
    report.push(Check::pass(
        "config",
        format!("valid; {given} settings are not the built-in ones"),
    ));
    for (path, secret) in secrets(&loaded.config) {
        report.push(readable(path, secret));
    }
    report
}

/// Every secret that is configured. A setting that is missing here is missing in `config check` only.
fn secrets(config: &Config) -> impl Iterator<Item = (&'static str, &SecretSource)> {
    [
        ("database.url", &config.database.url),
        ("redis.url", &config.redis.url),
        ("backup.key", &config.backup.key),
        ("backup.identity", &config.backup.identity),
        ("health.ping_url", &config.health.ping_url),
        ("notify.slack_webhook", &config.notify.slack_webhook),
        ("notify.ping_url", &config.notify.ping_url),
    ]
    .into_iter()
    .filter_map(|(path, secret)| Some((path, secret.as_ref()?)))
}

fn readable(path: &str, secret: &SecretSource) -> Check {
    if matches!(
        secret,
        SecretSource::SecretsManager { .. } | SecretSource::Ssm { .. }
    ) {
        return Check::skip(path, format!("not fetched: it is in {}", secret.place()));
    }
    match secret.resolve(&LocalSecrets, path) {
        Ok(_) => Check::pass(path, format!("readable, from {}", secret.place())),
        // Only a warning: a host that backs up need not have the key that restores.
        Err(error) => {
            let unreadable = Check::from_error(path, &error);
            Check {
                status: crate::report::Status::Warn,
                ..unreadable
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::ConfigSource;
    use crate::render::{Format, RenderOptions, render};
    use crate::report::{FailOn, Status};

    fn loaded(toml: &str) -> Loaded {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("financehub.toml"), toml).unwrap();
        Config::load(&ConfigSource::default(), &|_| None, folder.path()).unwrap()
    }

    #[test]
    fn show_masks_secrets_and_tells_origins() {
        let loaded = loaded("[database]\nurl = \"postgres://u:visible-password@h/db\"\n");
        let report = ConfigCommand::Show.report("fh-x", &loaded);
        let text = render(&report, Format::Human, &RenderOptions::default());
        assert!(!text.contains("visible-password"), "{text}");
        let line = text
            .lines()
            .find(|line| line.starts_with("database.url "))
            .unwrap();
        assert!(
            line.contains("***") && line.contains("financehub.toml:2:1"),
            "{line}"
        );
        assert!(
            text.lines()
                .any(|line| line.starts_with("backup.jobs ") && line.ends_with("default")),
            "{text}"
        );
        assert_eq!(report.exit(FailOn::Error), crate::Exit::Good);
    }

    #[test]
    fn check_warns_of_a_secret_that_cannot_be_read() {
        let loaded = loaded(
            "[database]\nurl = { file = \"missing.txt\" }\n[redis]\nurl = { ssm = \"/redis\" }\n[backup]\nkey = \"plain\"\n",
        );
        let report = ConfigCommand::Check.report("fh-x", &loaded);
        let found: Vec<_> = report
            .checks
            .iter()
            .map(|check| (check.id.as_str(), check.status))
            .collect();
        assert_eq!(
            found,
            [
                ("config", Status::Pass),
                ("database.url", Status::Warn),
                ("redis.url", Status::Skip),
                ("backup.key", Status::Pass),
            ]
        );
        assert!(report.checks[1].hint.is_some());
    }
}
