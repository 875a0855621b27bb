//! Relative paths in the file start at the file's folder, wherever the tool is run from.

use std::path::{Path, PathBuf};

use super::Config;
use super::origin::{Origin, Origins};
use super::secret_source::SecretSource;

/// Makes every relative path that came from the file start at `folder`. Paths from variables and flags stay relative
/// to the current folder.
pub(super) fn anchor(config: &mut Config, origins: &Origins, folder: &Path) {
    let from_file = |path: &str| matches!(origins.of(path), Origin::File { .. });
    let Config {
        project,
        database,
        redis,
        backup,
        health,
        notify,
        ..
    } = config;

    let paths = [
        ("project.state_dir", &mut project.state_dir),
        ("database.bin_dir", &mut database.bin_dir),
        ("database.ssl_root_cert", &mut database.ssl_root_cert),
        ("backup.directory", &mut backup.directory),
        ("backup.drill.folder", &mut backup.drill.folder),
    ];
    for (key, path) in paths {
        if let Some(path) = path.as_mut().filter(|_| from_file(key)) {
            *path = join(folder, path);
        }
    }

    if from_file("backup.config_files") {
        for path in &mut backup.config_files {
            *path = join(folder, path);
        }
    }
    if from_file("backup.files") {
        for tree in &mut backup.files {
            tree.path = join(folder, &tree.path);
        }
    }

    if from_file("health.http") {
        let files = health.http.iter_mut().filter_map(|http| http.ca_file.as_mut());
        files.for_each(|file| *file = join(folder, file));
    }
    if from_file("health.tls") {
        let files = health.tls.iter_mut().filter_map(|tls| tls.ca_file.as_mut());
        files.for_each(|file| *file = join(folder, file));
    }
    if from_file("health.postgres") {
        let entries = health.postgres.iter_mut();
        let folders = entries.flat_map(|entry| entry.migrations.folders.iter_mut());
        folders.for_each(|place| *place = join(folder, place));
    }
    let of_lists = [
        (
            "health.http",
            health
                .http
                .iter_mut()
                .flat_map(|entry| entry.headers.values_mut())
                .collect::<Vec<_>>(),
        ),
        (
            "health.postgres",
            health
                .postgres
                .iter_mut()
                .filter_map(|entry| entry.url.as_mut())
                .collect(),
        ),
        (
            "health.redis",
            health
                .redis
                .iter_mut()
                .filter_map(|entry| entry.url.as_mut())
                .collect(),
        ),
    ];
    for (key, secrets) in of_lists {
        for secret in secrets.into_iter().filter(|_| from_file(key)) {
            if let SecretSource::File { file } = secret {
                *file = join(folder, file);
            }
        }
    }

    let secrets = [
        ("database.url", &mut database.url),
        ("redis.url", &mut redis.url),
        ("backup.key", &mut backup.key),
        ("backup.identity", &mut backup.identity),
        ("backup.drill.server_url", &mut backup.drill.server_url),
        ("backup.anonymize.salt", &mut backup.anonymize.salt),
        ("health.ping_url", &mut health.ping_url),
        ("notify.slack_webhook", &mut notify.slack_webhook),
        ("notify.ping_url", &mut notify.ping_url),
    ];
    for (key, secret) in secrets {
        if let Some(SecretSource::File { file }) = secret.as_mut().filter(|_| from_file(key)) {
            *file = join(folder, file);
        }
    }

    let places = [
        ("backup.repository", &mut backup.repository),
        ("backup.copy.to", &mut backup.copy.to),
    ];
    for (key, place) in places {
        if let Some(place) = place.as_mut().filter(|_| from_file(key))
            && !place.contains("://")
        {
            *place = join(folder, Path::new(place)).display().to_string();
        }
    }
}

/// `folder/path` without `.` parts, or `path` when it is absolute.
fn join(folder: &Path, path: &Path) -> PathBuf {
    folder.join(path).components().collect()
}
