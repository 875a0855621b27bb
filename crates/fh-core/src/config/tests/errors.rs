//! The text of every error, as an operator reads it.

use super::*;

#[test]
fn an_unknown_key_is_named_with_its_place_and_the_nearest() {
    insta::assert_snapshot!(error("[backup]\njobs = 2\n  recipient = []\n"), @r"
    error: unknown key `recipient` in [backup] (financehub.toml:3:3)
    hint: did you mean `recipients`? known keys: repository, directory, recipients, key, identity, compression_level, jobs, limit_upload, yield_after, databases, all_databases, files, config_files, redis, s3, copy, gc_grace, collapse, retention, status, hooks, ping, drill, anonymize
    ");
}

#[test]
fn an_unknown_section() {
    insta::assert_snapshot!(error("[bakup]\njobs = 2\n"), @r"
    error: unknown key `bakup` (financehub.toml:1:2)
    hint: did you mean `backup`? known keys: protected, project, database, redis, aws, backup, health, notify, env
    ");
}

#[test]
fn an_unknown_key_with_nothing_near() {
    insta::assert_snapshot!(error("[redis]\npassword_file = 1\n"), @r"
    error: unknown key `password_file` in [redis] (financehub.toml:2:1)
    hint: known keys: url
    ");
}

#[test]
fn an_unknown_key_in_a_nested_section() {
    insta::assert_snapshot!(error("[backup.s3]\nbukket = 'x'\n"), @r"
    error: unknown key `bukket` in [backup.s3] (financehub.toml:2:1)
    hint: did you mean `bucket`? known keys: bucket, prefix, region, profile, endpoint_url, path_style, storage_class, sse_kms_key_id, object_lock, checksums, part_size, attempts
    ");
}

#[test]
fn an_unknown_key_of_an_environment_that_was_not_chosen() {
    insta::assert_snapshot!(error("[env.production.backup]\nrecipient = []\n"), @r"
    error: unknown key `recipient` in [env.production.backup] (financehub.toml:2:1)
    hint: did you mean `recipients`? known keys: repository, directory, recipients, key, identity, compression_level, jobs, limit_upload, yield_after, databases, all_databases, files, config_files, redis, s3, copy, gc_grace, collapse, retention, status, hooks, ping, drill, anonymize
    ");
}

#[test]
fn an_unknown_section_of_an_environment() {
    insta::assert_snapshot!(error("[env.production.env.staging]\nprotected = true\n"), @r"
    error: unknown key `env` in [env.production] (financehub.toml:1:17)
    hint: known keys: protected, project, database, redis, aws, backup, health, notify
    ");
}

#[test]
fn a_wrong_type_in_an_environment_that_was_not_chosen() {
    insta::assert_snapshot!(error("[env.production]\nprotected = 'yes'\n"), @r"
    error: env.production.protected: expected true or false, found a string (financehub.toml:2:1)
    hint: write true or false, without quotes
    ");
}

#[test]
fn a_string_where_a_number_belongs() {
    insta::assert_snapshot!(error("[backup]\njobs = \"4\"\n"), @r"
    error: backup.jobs: expected a whole number from 0 to 4294967295, found a string (financehub.toml:2:1)
    hint: write the value without quotes
    ");
}

#[test]
fn a_number_out_of_range() {
    insta::assert_snapshot!(error("[backup]\njobs = -1\n"), @r"
    error: backup.jobs: expected a whole number from 0 to 4294967295, found -1 (financehub.toml:2:1)
    hint: write a whole number from 0 to 4294967295
    ");
}

#[test]
fn a_fraction_where_a_whole_number_belongs() {
    insta::assert_snapshot!(error("[backup]\ncompression_level = 1.5\n"), @r"
    error: backup.compression_level: expected a whole number from -2147483648 to 2147483647, found a number with a fraction (financehub.toml:2:1)
    hint: write a whole number from -2147483648 to 2147483647
    ");
}

#[test]
fn a_number_where_a_duration_belongs() {
    insta::assert_snapshot!(error("[database]\nconnect_timeout = 10\n"), @r#"
    error: database.connect_timeout: expected a length of time with its unit, found a whole number (financehub.toml:2:1)
    hint: write it as a string with a unit, such as connect_timeout = "90s"
    "#);
}

#[test]
fn a_duration_without_a_unit() {
    insta::assert_snapshot!(error("[database]\nconnect_timeout = \"10\"\n"), @r"
    error: database.connect_timeout: `10` is not a length of time: a unit is missing (financehub.toml:2:1)
    hint: write whole numbers with a unit (ms, s, m, h, d or w), such as 90s, 10m or 1h30m
    ");
}

#[test]
fn a_string_where_a_list_belongs() {
    insta::assert_snapshot!(error("[backup]\nrecipients = \"age1abc\"\n"), @r#"
    error: backup.recipients: expected a list, found a string (financehub.toml:2:1)
    hint: write it as a list: recipients = ["…"]
    "#);
}

#[test]
fn a_number_inside_a_list_of_strings() {
    insta::assert_snapshot!(error("[backup]\nrecipients = [\n  \"age1abc\",\n  7,\n]\n"), @r"
    error: backup.recipients[1]: expected a string, found a whole number (financehub.toml:4:3)
    hint: write the value in quotes
    ");
}

#[test]
fn a_value_where_a_section_belongs() {
    insta::assert_snapshot!(error("database = \"postgres://u:p@h/d\"\n"), @r"
    error: database: expected a table, found a string (financehub.toml:1:1)
    hint: write it as a table: [database]
    ");
}

#[test]
fn a_number_where_a_path_belongs() {
    insta::assert_snapshot!(error("[backup]\ndirectory = 7\n"), @r"
    error: backup.directory: expected a path, found a whole number (financehub.toml:2:1)
    hint: write the value in quotes
    ");
}

#[test]
fn a_date_where_a_string_belongs() {
    insta::assert_snapshot!(error("[aws]\nregion = 2026-01-01\n"), @r"
    error: aws.region: expected a string, found a date or time (financehub.toml:2:1)
    hint: write the value in quotes
    ");
}

#[test]
fn an_unknown_choice() {
    insta::assert_snapshot!(error("[notify]\non = \"failures\"\n"), @r"
    error: notify.on: unknown value `failures` (financehub.toml:2:1)
    hint: did you mean `failure`? known values: failure, change, always
    ");
}

#[test]
fn a_number_where_a_choice_belongs() {
    insta::assert_snapshot!(error("[notify]\non = 3\n"), @r"
    error: notify.on: expected a string, found a whole number (financehub.toml:2:1)
    hint: write the value in quotes
    ");
}

#[test]
fn an_empty_table_for_a_secret() {
    insta::assert_snapshot!(error("[database]\nurl = {}\n"), @r#"
    error: database.url: the table of a secret is empty (financehub.toml:2:1)
    hint: give one string, or a table such as { file = "PATH" }
    "#);
}

#[test]
fn two_sources_for_a_secret() {
    insta::assert_snapshot!(error("[database]\nurl = { env = 'A', file = 'b' }\n"), @r#"
    error: database.url: a secret has one source, and several are given (financehub.toml:2:1)
    hint: give one string, or a table such as { file = "PATH" }
    "#);
}

#[test]
fn an_unknown_source_for_a_secret() {
    insta::assert_snapshot!(error("[database]\nurl = { vault = 'a' }\n"), @r"
    error: unknown key `vault` in [database.url] (financehub.toml:2:1)
    hint: known keys: env, file, secretsmanager, ssm
    ");
}

#[test]
fn an_environment_that_is_no_table() {
    insta::assert_snapshot!(error("[env]\nproduction = true\n"), @r"
    error: env.production: expected a table (financehub.toml:2:1)
    hint: settings of one environment go under [env.NAME] or [env.NAME.SECTION]
    ");
    insta::assert_snapshot!(error("env = 'production'\n"), @r"
    error: env: expected a table (financehub.toml:1:1)
    hint: settings of one environment go under [env.NAME] or [env.NAME.SECTION]
    ");
}

#[test]
fn invalid_toml() {
    insta::assert_snapshot!(error("[backup]\njobs = 2\nurl = postgres://app:hunter22@db/app\n"), @r"
    error: not valid TOML: string values must be quoted, expected literal string (financehub.toml:3:7)
    hint: strings need quotes, and each table and key may come once; see https://toml.io
    ");
    insta::assert_snapshot!(error("[backup]\njobs = 2\njobs = 3\n"), @r"
    error: not valid TOML: duplicate key (financehub.toml:3:1)
    hint: strings need quotes, and each table and key may come once; see https://toml.io
    ");
    insta::assert_snapshot!(error("[backup]\nkey = \"hunter22\n"), @r#"
    error: not valid TOML: invalid basic string, expected `"` (financehub.toml:2:16)
    hint: strings need quotes, and each table and key may come once; see https://toml.io
    "#);
    insta::assert_snapshot!(error("[backup]\njobs = 99999999999999999999\n"), @r"
    error: a whole number is too large (financehub.toml:2:1)
    hint: TOML's whole numbers have 64 bits
    ");
}

#[test]
fn a_variable_with_the_wrong_type() {
    let error = load_with("", &[], &[("backup.jobs", "many", "--jobs")]).unwrap_err();
    insta::assert_snapshot!(rendered(error), @r"
    error: backup.jobs: expected a whole number from 0 to 4294967295, found some other text (flag --jobs)
    hint: write a whole number from 0 to 4294967295
    ");
    let error = load_with("", &[], &[("notify.on", "sometimes", "--notify-on")]).unwrap_err();
    insta::assert_snapshot!(rendered(error), @r"
    error: notify.on: unknown value `sometimes` (flag --notify-on)
    hint: known values: failure, change, always
    ");
}

#[test]
fn an_unknown_environment() {
    let folder = folder_with("[env.production]\nprotected = true\n[env.staging]\n");
    let source = ConfigSource {
        environment: Some("prodcution".into()),
        ..ConfigSource::default()
    };
    insta::assert_snapshot!(rendered(load_in(folder.path(), &source, &[]).unwrap_err()), @r"
    error: unknown environment `prodcution`: no [env.prodcution] in financehub.toml
    hint: did you mean `production`? known environments: production, staging
    ");
    let variables = [("FH_ENV", "x")];
    insta::assert_snapshot!(
        rendered(load_in(folder.path(), &ConfigSource::default(), &variables).unwrap_err()), @r"
    error: unknown environment `x`: no [env.x] in financehub.toml
    hint: known environments: production, staging
    ");
    std::fs::remove_file(folder.path().join("financehub.toml")).unwrap();
    insta::assert_snapshot!(rendered(load_in(folder.path(), &source, &[]).unwrap_err()), @r"
    error: unknown environment `prodcution`: no [env.prodcution] because there is no financehub.toml
    hint: leave out --env and FH_ENV, or add the table
    ");
}

#[test]
fn a_named_file_that_does_not_exist() {
    let folder = folder_with("");
    let source = ConfigSource {
        file: Some("nowhere.toml".into()),
        ..ConfigSource::default()
    };
    insta::assert_snapshot!(rendered(load_in(folder.path(), &source, &[]).unwrap_err()), @r"
    error: the configuration file nowhere.toml does not exist
    hint: --config names it; correct the path, or leave it out to use financehub.toml
    ");
    let variables = [("FH_CONFIG", "/nowhere/at/all.toml")];
    insta::assert_snapshot!(
        rendered(load_in(folder.path(), &ConfigSource::default(), &variables).unwrap_err()), @r"
    error: the configuration file /nowhere/at/all.toml does not exist
    hint: FH_CONFIG names it; correct the path, or leave it out to use financehub.toml
    ");
}

#[test]
fn a_file_that_cannot_be_read() {
    let folder = folder_with("");
    let source = ConfigSource {
        file: Some(".git".into()),
        ..ConfigSource::default()
    };
    insta::assert_snapshot!(rendered(load_in(folder.path(), &source, &[]).unwrap_err()), @r"
    error: cannot read the configuration file .git
    caused by: Is a directory (os error 21)
    hint: check that it is a file and that this user may read it
    ");
    std::fs::write(folder.path().join("latin1.toml"), b"# caf\xe9\n").unwrap();
    let source = ConfigSource {
        file: Some("latin1.toml".into()),
        ..ConfigSource::default()
    };
    insta::assert_snapshot!(rendered(load_in(folder.path(), &source, &[]).unwrap_err()), @r"
    error: the configuration file latin1.toml is not valid UTF-8
    hint: save it as UTF-8
    ");
}

#[test]
fn columns_count_characters() {
    let text = error("backup = { directory = \"ü\", jbos = 1 }\n");
    assert!(text.contains("(financehub.toml:1:29)"), "{text}");
}
