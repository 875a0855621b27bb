//! Which layer wins, and what is said about where a value came from.

use proptest::prelude::*;

use super::*;
use crate::config::{NotifyOn, Origin, SecretSource};

const ALL: &str = r#"
[backup]
repository = "./sets"
directory = "sub/dir"
recipients = ["age1a", "age1b"]
key = { file = "keys/repository" }
jobs = 3
[database]
bin_dir = "pg/bin"
ssl_root_cert = "/etc/ca.pem"
connect_timeout = "2s"
[notify]
on = "always"
[env.production]
protected = true
[env.production.backup]
recipients = ["age1p"]
key = { env = "KEY" }
[env.production.backup.s3]
bucket = "prod-backups"
path_style = true
"#;

fn production() -> ConfigSource {
    ConfigSource {
        environment: Some("production".into()),
        ..ConfigSource::default()
    }
}

#[test]
fn without_a_file_everything_is_default() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join(".git")).unwrap();
    let loaded = load_in(folder.path(), &ConfigSource::default(), &[("DATABASE_URL", "")]).unwrap();
    assert_eq!(loaded.file, None);
    assert!(
        loaded
            .entries()
            .iter()
            .all(|entry| entry.origin == Origin::Default)
    );
    insta::assert_snapshot!(shown(&loaded), @r#"
    protected = false  # default
    project.name = "project"  # default
    project.state_dir = null  # default
    database.url = null  # default
    database.bin_dir = null  # default
    database.connect_timeout = "10s"  # default
    database.lock_timeout = "30s"  # default
    database.ssl_root_cert = null  # default
    redis.url = null  # default
    aws.region = null  # default
    aws.profile = null  # default
    aws.endpoint_url = null  # default
    backup.repository = null  # default
    backup.directory = null  # default
    backup.recipients = []  # default
    backup.key = null  # default
    backup.identity = null  # default
    backup.compression_level = 1  # default
    backup.jobs = 2  # default
    backup.limit_upload = null  # default
    backup.yield_after = "20s"  # default
    backup.databases = []  # default
    backup.all_databases = false  # default
    backup.files = []  # default
    backup.config_files = []  # default
    backup.redis.enabled = false  # default
    backup.redis.elasticache = null  # default
    backup.s3.bucket = null  # default
    backup.s3.prefix = null  # default
    backup.s3.region = null  # default
    backup.s3.profile = null  # default
    backup.s3.endpoint_url = null  # default
    backup.s3.path_style = null  # default
    backup.s3.storage_class = null  # default
    backup.s3.sse_kms_key_id = null  # default
    backup.s3.object_lock = null  # default
    backup.s3.checksums = null  # default
    backup.s3.part_size = null  # default
    backup.s3.attempts = null  # default
    backup.copy.to = null  # default
    backup.copy.s3.bucket = null  # default
    backup.copy.s3.prefix = null  # default
    backup.copy.s3.region = null  # default
    backup.copy.s3.profile = null  # default
    backup.copy.s3.endpoint_url = null  # default
    backup.copy.s3.path_style = null  # default
    backup.copy.s3.storage_class = null  # default
    backup.copy.s3.sse_kms_key_id = null  # default
    backup.copy.s3.object_lock = null  # default
    backup.copy.s3.checksums = null  # default
    backup.copy.s3.part_size = null  # default
    backup.copy.s3.attempts = null  # default
    backup.gc_grace = "1d"  # default
    backup.collapse.max_drop = 50  # default
    backup.collapse.max_total_drop = 20  # default
    backup.collapse.min_rows = 1000  # default
    backup.collapse.ignore = []  # default
    backup.retention.keep_last = 0  # default
    backup.retention.keep_hourly = 0  # default
    backup.retention.keep_daily = 0  # default
    backup.retention.keep_weekly = 0  # default
    backup.retention.keep_monthly = 0  # default
    backup.retention.keep_yearly = 0  # default
    backup.retention.keep_within = null  # default
    backup.retention.min = 2  # default
    backup.retention.require = "verified"  # default
    backup.retention.time_zone = "UTC"  # default
    backup.retention.times = "checked"  # default
    backup.status.max_age = "1d2h"  # default
    backup.status.max_verify_age = null  # default
    backup.status.max_drill_age = null  # default
    backup.hooks.before = []  # default
    backup.hooks.after = []  # default
    backup.hooks.failed = []  # default
    backup.hooks.finally = []  # default
    backup.hooks.timeout = "10m"  # default
    backup.ping.prune = null  # default
    backup.ping.drill = null  # default
    backup.ping.status = null  # default
    backup.drill.database = null  # default
    backup.drill.server_url = null  # default
    backup.drill.folder = null  # default
    backup.drill.max_rto = null  # default
    backup.drill.statement_timeout = "1m"  # default
    backup.drill.assertions = []  # default
    backup.anonymize.salt = null  # default
    backup.anonymize.large_objects = "empty"  # default
    backup.anonymize.unlisted = "keep"  # default
    health.deadline = "30s"  # default
    health.timeout = "10s"  # default
    health.alert_warnings = false  # default
    health.ping_url = null  # default
    health.runbook = "runbooks/INCIDENT.md"  # default
    health.http = []  # default
    health.tls = []  # default
    health.dns = []  # default
    health.tcp = []  # default
    health.command = []  # default
    health.host = null  # default
    health.postgres = []  # default
    health.redis = []  # default
    health.aws.ecs = []  # default
    health.aws.targets = []  # default
    health.aws.alarms = []  # default
    health.aws.metrics = []  # default
    health.aws.rds = []  # default
    health.aws.elasticache = []  # default
    health.backup = null  # default
    health.slo = []  # default
    notify.slack_webhook = null  # default
    notify.ping_url = null  # default
    notify.on = "change"  # default
    notify.remind_after = "20h"  # default
    "#);
}

/// Every entry on a line.
fn shown(loaded: &Loaded) -> String {
    let lines: Vec<String> = loaded
        .entries()
        .iter()
        .map(|entry| format!("{} = {}  # {}", entry.path, entry.value, entry.origin))
        .collect();
    lines.join("\n")
}

#[test]
fn an_environment_lies_over_the_base_and_replaces_lists_and_secrets_whole() {
    let folder = folder_with(ALL);
    let loaded = load_in(folder.path(), &production(), &[]).unwrap();
    assert_eq!(loaded.environment.as_deref(), Some("production"));
    assert_eq!(loaded.config.backup.recipients, ["age1p"]);
    assert_eq!(loaded.config.backup.jobs, 3);
    assert_eq!(loaded.config.notify.on, NotifyOn::Always);
    assert!(matches!(&loaded.config.backup.key, Some(SecretSource::Env { env }) if env == "KEY"));
    let set: Vec<String> = shown(&loaded)
        .lines()
        .filter(|line| !line.ends_with("# default"))
        .map(|line| line.replace(&folder.path().display().to_string(), "DIR"))
        .collect();
    insta::assert_snapshot!(set.join("\n"), @r#"
    protected = true  # financehub.toml:15:1
    database.bin_dir = "DIR/pg/bin"  # financehub.toml:9:1
    database.connect_timeout = "2s"  # financehub.toml:11:1
    database.ssl_root_cert = "/etc/ca.pem"  # financehub.toml:10:1
    backup.repository = "DIR/sets"  # financehub.toml:3:1
    backup.directory = "DIR/sub/dir"  # financehub.toml:4:1
    backup.recipients = ["age1p"]  # financehub.toml:17:1
    backup.key = {"env":"KEY"}  # financehub.toml:18:1
    backup.jobs = 3  # financehub.toml:7:1
    backup.s3.bucket = "prod-backups"  # financehub.toml:20:1
    backup.s3.path_style = true  # financehub.toml:21:1
    notify.on = "always"  # financehub.toml:13:1
    "#);
}

#[test]
fn relative_paths_of_the_file_start_at_its_folder_and_others_stay() {
    let folder = folder_with(ALL);
    let below = folder.path().join("a/b");
    std::fs::create_dir_all(&below).unwrap();
    let loaded = load_in(
        &below,
        &ConfigSource::default(),
        &[("FH_BACKUP_IDENTITY_FILE", "id.txt")],
    )
    .unwrap();
    let text = format!("{:?}", loaded.config).replace(&folder.path().display().to_string(), "DIR");
    for path in [
        "\"DIR/sets\"",
        "\"DIR/sub/dir\"",
        "\"DIR/keys/repository\"",
        "\"DIR/pg/bin\"",
        "\"/etc/ca.pem\"",
        "\"id.txt\"",
    ] {
        assert!(text.contains(path), "{path} in {text}");
    }
    let loaded = load_with("[backup]\nrepository = 's3://b/p'\n", &[], &[]).unwrap();
    assert_eq!(loaded.config.backup.repository.as_deref(), Some("s3://b/p"));
}

#[test]
fn every_relative_path_in_the_file_is_anchored() {
    let keys = [
        "database.url",
        "redis.url",
        "backup.key",
        "backup.identity",
        "notify.slack_webhook",
        "notify.ping_url",
    ];
    let mut toml: String = keys
        .iter()
        .map(|key| format!("{key} = {{ file = 'rel/x' }}\n"))
        .collect();
    for key in [
        "project.state_dir",
        "database.bin_dir",
        "database.ssl_root_cert",
        "backup.directory",
        "backup.repository",
    ] {
        toml.push_str(&format!("{key} = 'rel/x'\n"));
    }
    let text = serde_json::to_string(&load(&toml).unwrap().config).unwrap();
    assert!(!text.contains("\"rel/x\""), "{text}");
    assert_eq!(text.matches("/rel/x\"").count(), 11, "{text}");
}

#[test]
fn the_file_is_found_above_but_not_above_the_repository() {
    let outer = folder_with("[backup]\njobs = 7\n");
    let below = outer.path().join("x");
    std::fs::create_dir_all(below.join(".git")).unwrap();
    std::fs::create_dir_all(outer.path().join("y/z")).unwrap();
    let none = load_in(&below, &ConfigSource::default(), &[]).unwrap();
    assert_eq!(none.file, None);
    let found = load_in(&outer.path().join("y/z"), &ConfigSource::default(), &[]).unwrap();
    assert_eq!(found.config.backup.jobs, 7);
    let named = load_in(
        &below,
        &ConfigSource::default(),
        &[("FH_CONFIG", "../financehub.toml")],
    )
    .unwrap();
    assert_eq!(named.config.backup.jobs, 7);
}

#[test]
fn every_variable_reaches_its_setting() {
    for variable in crate::config::VARIABLES {
        let loaded = load_with("", &[(variable.name, "some-value")], &[]).unwrap();
        assert_eq!(loaded.origins.of(variable.path), &Origin::Env(variable.name));
        let entries = loaded.entries();
        let entry = entries.iter().find(|entry| entry.path == variable.path).unwrap();
        assert_ne!(entry.value, serde_json::Value::Null, "{}", variable.name);
        let changed = entries
            .iter()
            .filter(|entry| entry.origin != Origin::Default)
            .count();
        assert_eq!(changed, 1, "{}", variable.name);
    }
}

#[test]
fn of_two_variables_for_one_setting_the_first_counts_and_an_empty_one_does_not() {
    let both = [
        ("AWS_DEFAULT_REGION", "us-east-1"),
        ("AWS_REGION", "eu-central-1"),
    ];
    assert_eq!(
        load_with("", &both, &[]).unwrap().config.aws.region.as_deref(),
        Some("eu-central-1")
    );
    let empty = [("AWS_DEFAULT_REGION", "us-east-1"), ("AWS_REGION", "")];
    assert_eq!(
        load_with("", &empty, &[]).unwrap().config.aws.region.as_deref(),
        Some("us-east-1")
    );
}

#[test]
fn text_of_variables_and_flags_becomes_what_the_setting_asks_for() {
    let flags = [
        ("backup.jobs", "8", "--jobs"),
        ("backup.compression_level", "-3", "--level"),
        ("backup.recipients", "age1a, age1b,", "--recipients"),
        ("backup.s3.path_style", "yes", "--path-style"),
        ("database.lock_timeout", "1m", "--lock-timeout"),
        ("notify.on", "failure", "--notify-on"),
        ("protected", "0", "--protected"),
    ];
    let config = load_with("protected = true\n", &[], &flags).unwrap().config;
    assert_eq!(config.backup.jobs, 8);
    assert_eq!(config.backup.compression_level, -3);
    assert_eq!(config.backup.recipients, ["age1a", "age1b"]);
    assert_eq!(config.backup.s3.path_style, Some(true));
    assert_eq!(config.database.lock_timeout.get().as_secs(), 60);
    assert_eq!(config.notify.on, NotifyOn::Failure);
    assert!(!config.protected);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever subset of layers sets a value, the strongest that does so wins.
    #[test]
    fn the_strongest_layer_wins(base: bool, env: bool, weak: bool, strong: bool, flag: bool) {
        let toml = format!(
            "{}\n[env.production]\n{}\n",
            if base { "[aws]\nregion = 'base'" } else { "" },
            if env { "aws.region = 'env'" } else { "" },
        );
        let mut variables = Vec::new();
        if weak { variables.push(("AWS_DEFAULT_REGION", "weak")); }
        if strong { variables.push(("AWS_REGION", "strong")); }
        let mut source = production();
        if flag { source.flags.push(("aws.region".into(), "flag".into(), "--region")); }
        let expected = [(flag, "flag"), (strong, "strong"), (weak, "weak"), (env, "env"), (base, "base")]
            .into_iter()
            .find_map(|(set, value)| set.then_some(value));
        let folder = folder_with(&toml);
        let loaded = load_in(folder.path(), &source, &variables).unwrap();
        prop_assert_eq!(loaded.config.aws.region.as_deref(), expected);
        prop_assert_eq!(loaded.origins.of("aws.region") == &Origin::Default, expected.is_none());
    }
}
