//! From configuration to the things a command works with: the repository and the database.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use fh_aws::{AwsOptions, BlockingSecrets, SdkConfig, sdk_config};
use fh_core::app::Session;
use fh_core::config::{BackupS3, SecretSource};
use fh_core::duration::Period;
use fh_core::{Context as _, Error, Result, Secret};
use fh_pg::{ConnectOptions, ConnectionString, Environment};
use fh_repository::{Access, Location, Repository, S3Options, Throttled, open_store};

use crate::redis_keys::Target;

/// How long aborts of unfinished uploads may take at the end.
const ABORTS: Duration = Duration::from_secs(6);

/// Runs an asynchronous command until it ends, a signal comes, or the deadline passes. What was begun is dropped then:
/// children are killed and files in the making removed.
///
/// # Errors
/// Those of the command; 130 or 143 after a signal; 3 after the deadline.
pub fn block_on<T>(session: &Session, work: impl Future<Output = Result<T>>) -> Result<T> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .or_unable(|| "cannot start the async runtime")?;
    let ended = runtime.block_on(async {
        let limit = session.deadline.remaining().unwrap_or(Duration::MAX);
        tokio::select! {
            result = work => result,
            stopped = session.cancel.cancelled() => Err(stopped),
            () = tokio::time::sleep(limit) => Err(Error::unable(format!(
                "the deadline passed after {}",
                fh_core::render::duration(session.common.deadline.map_or(limit, Period::get))
            ))
            .hint("give more time with --deadline")),
        }
    });
    // Uploads that were dropped are aborted now: this runtime is what sends it.
    runtime.block_on(fh_repository::finish_aborts(ABORTS));
    // A thread that still waits for a pipe or a disk must not hold up the end.
    runtime.shutdown_timeout(Duration::from_secs(5));
    ended
}

/// A secret of the configuration, from wherever it is kept.
///
/// # Errors
/// Exit code 2 or 3 when it cannot be read; `what` says what it is.
pub fn secret(session: &Session, source: &SecretSource, what: &str) -> Result<Secret> {
    source.resolve(&secrets(session), what)
}

/// What fetches secrets from wherever the configuration says they are.
#[must_use]
pub fn secrets(session: &Session) -> BlockingSecrets {
    let aws = &session.config().aws;
    BlockingSecrets::new(AwsOptions::from(aws))
}

/// Where the repository is.
///
/// # Errors
/// Exit code 2 when no place, or more than one, is configured.
pub fn location(session: &Session) -> Result<Location> {
    Location::configured(&session.config().backup)
}

/// How to reach the repository's bucket.
#[must_use]
pub fn s3_options(session: &Session) -> S3Options {
    options_of(session, &session.config().backup.s3)
}

/// How to reach the bucket that a section of the configuration describes.
#[must_use]
pub fn options_of(session: &Session, s3: &BackupS3) -> S3Options {
    S3Options::configured(&session.config().aws, s3)
}

/// The second repository's place, and how to reach it.
///
/// # Errors
/// Exit code 2 when none is configured, or it is the first one again.
pub fn second_place(session: &Session) -> Result<(Location, S3Options)> {
    let copy = &session.config().backup.copy;
    let target = match (&copy.to, &copy.s3.bucket) {
        (Some(place), _) => Location::parse(place)?,
        (None, Some(bucket)) => Location::parse(&format!(
            "s3://{bucket}/{}",
            copy.s3.prefix.as_deref().unwrap_or_default()
        ))?,
        (None, None) => {
            return Err(Error::usage("no second repository is configured")
                .hint("give --to (a folder or s3://BUCKET/PREFIX), or backup.copy.to in financehub.toml"));
        }
    };
    let options = options_of(session, &copy.s3);
    let first = location(session)?;
    let same_server = options.endpoint_url == s3_options(session).endpoint_url;
    let same = match (&first, &target) {
        (Location::Directory(one), Location::Directory(two)) => resolved(one) == resolved(two),
        (one, two) => one == two && same_server,
    };
    if same {
        return Err(Error::usage("the second repository is the first one")
            .hint("a copy in the same place is lost together with it: choose another one"));
    }
    Ok((target, options))
}

/// The folder without links and `..` on the way, as far as it exists.
fn resolved(folder: &Path) -> PathBuf {
    fs_err::canonicalize(folder)
        .or_else(|_| std::path::absolute(folder))
        .unwrap_or_else(|_| folder.to_owned())
}

/// Opens the configured repository with the configured keys.
///
/// # Errors
/// Those of [`Repository::open`].
pub async fn repository(session: &Session) -> Result<Repository> {
    let backup = &session.config().backup;
    let key = backup
        .key
        .as_ref()
        .map(|source| secret(session, source, "the repository key"))
        .transpose()?;
    let identity = backup
        .identity
        .as_ref()
        .map(|source| secret(session, source, "the age identity"))
        .transpose()?;
    let mut store = open_store(&location(session)?, &s3_options(session), session.deadline).await?;
    if let Some(limit) = backup.limit_upload {
        store = Arc::new(Throttled::new(store, limit.bytes()));
    }
    Repository::open(store, Access { key, identity }).await
}

/// The configured database.
///
/// # Errors
/// Exit code 2 when none is configured, or its URL is wrong.
pub fn database(session: &Session) -> Result<ConnectionString> {
    let source = session.config().database.url.as_ref().ok_or_else(|| {
        Error::usage("no database is configured")
            .hint("set DATABASE_URL, or url in the [database] section of financehub.toml")
    })?;
    connection_string(session, &secret(session, source, "the database URL")?)
}

/// Reads a connection URL, with the certificate authorities of the configuration.
///
/// # Errors
/// Exit code 2 when it is wrong.
pub fn connection_string(session: &Session, url: &Secret) -> Result<ConnectionString> {
    let target = ConnectionString::parse(url, &Environment::from_process())?;
    Ok(target.with_root_cert(session.config().database.ssl_root_cert.clone()))
}

/// The configured Redis.
///
/// # Errors
/// Exit code 2 when none is configured, or its URL is wrong.
pub fn redis(session: &Session) -> Result<Target> {
    let source = session.config().redis.url.as_ref().ok_or_else(|| {
        Error::usage("backup.redis is enabled, and no Redis is configured")
            .hint("set REDIS_URL, or url in the [redis] section of financehub.toml")
    })?;
    redis_target(session, &secret(session, source, "the Redis URL")?)
}

/// Reads a Redis URL.
///
/// # Errors
/// Exit code 2 when it is wrong.
pub fn redis_target(session: &Session, url: &Secret) -> Result<Target> {
    Target::parse(
        url,
        session.config().database.connect_timeout.get(),
        session.deadline,
    )
}

/// The AWS configuration, for services other than S3.
///
/// # Errors
/// Exit code 2 without a region.
pub async fn aws(session: &Session) -> Result<SdkConfig> {
    let aws = &session.config().aws;
    sdk_config(&AwsOptions::from(aws)).await
}

/// How to connect.
#[must_use]
pub fn connect_options(session: &Session) -> ConnectOptions {
    ConnectOptions {
        connect_timeout: session.config().database.connect_timeout.get(),
        deadline: session.deadline,
        application_name: "fh-backup".into(),
        merge_rows: true,
    }
}
