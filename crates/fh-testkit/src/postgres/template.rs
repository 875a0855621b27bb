//! `initdb` takes seconds, so it runs once per installation; every cluster is a copy of that template.

use std::fs::File;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use anyhow::{Context as _, Result, bail};

use super::client::clean;
use super::discover::Installation;
use crate::host;

/// The superuser of every cluster.
pub(super) const SUPERUSER: &str = "postgres";

/// `C.UTF-8` is the same everywhere and sorts by code point; systems without it get `C`.
const LOCALES: [&str; 2] = ["C.UTF-8", "C"];

/// Copies the template into `data`, which must not exist, and gives it to the server's user.
pub(super) fn copy_to(installation: &Installation, data: &Path) -> Result<()> {
    let template = template(installation)?;
    copy(&template, data, host::server_user())
        .with_context(|| format!("cannot copy {} to {}", template.display(), data.display()))
}

/// The template's folder; made first when this installation has none yet.
fn template(installation: &Installation) -> Result<PathBuf> {
    let cache = cache_dir()?;
    let uid = rustix::process::geteuid().as_raw();
    let mut hasher = DefaultHasher::new();
    (
        &installation.bin_dir,
        &installation.version,
        initdb_arguments(LOCALES[0]),
    )
        .hash(&mut hasher);
    let name = format!(
        "template-{}-{uid}-{:08x}",
        installation.version,
        hasher.finish() & 0xffff_ffff
    );
    let finished = cache.join(&name);
    if finished.is_dir() {
        return Ok(finished);
    }
    // Tests are processes of their own, so the lock is a file's. It ends with its holder, also after kill -9.
    let lock_path = cache.join(format!("{name}.lock"));
    let lock = File::create(&lock_path).with_context(|| format!("cannot create {}", lock_path.display()))?;
    lock.lock()
        .with_context(|| format!("cannot lock {}", lock_path.display()))?;
    if finished.is_dir() {
        return Ok(finished);
    }
    let fresh = run_initdb(installation)?;
    // The rename makes it visible as a whole; whatever a killed run left behind is in the way and goes.
    let partial = cache.join(format!("{name}.partial"));
    if partial.exists() {
        fs_err::remove_dir_all(&partial)?;
    }
    copy(&fresh.path().join("data"), &partial, None)?;
    fs_err::rename(&partial, &finished)?;
    Ok(finished)
}

/// Where templates are kept: beside the downloaded services, or in the temporary folder when that is not writable.
fn cache_dir() -> Result<PathBuf> {
    let preferred = host::target_dir().join("services");
    let writable = |dir: &Path| {
        fs_err::create_dir_all(dir).is_ok() && rustix::fs::access(dir, rustix::fs::Access::WRITE_OK).is_ok()
    };
    if writable(&preferred) {
        return Ok(preferred);
    }
    let uid = rustix::process::geteuid().as_raw();
    let fallback = host::short_temp_dir().join(format!("fh-services-{uid}"));
    fs_err::create_dir_all(&fallback)?;
    fs_err::set_permissions(&fallback, std::fs::Permissions::from_mode(0o700))?;
    Ok(fallback)
}

fn initdb_arguments(locale: &str) -> [String; 6] {
    [
        format!("--username={SUPERUSER}"),
        "--auth=trust".to_owned(),
        "--encoding=UTF8".to_owned(),
        format!("--locale={locale}"),
        "--no-sync".to_owned(),
        "--pgdata=data".to_owned(),
    ]
}

/// Runs initdb in a folder its user can write to, and gives that folder.
fn run_initdb(installation: &Installation) -> Result<tempfile::TempDir> {
    let dir = tempfile::Builder::new()
        .prefix("fh-initdb-")
        .tempdir_in(host::short_temp_dir())?;
    if let Some((uid, gid)) = host::server_user() {
        chown(dir.path(), Some(uid), Some(gid))?;
    }
    let program = installation.bin_dir.join("initdb");
    let mut last: Option<Output> = None;
    for locale in LOCALES {
        let output = clean(Command::new(&program), dir.path())
            .args(initdb_arguments(locale))
            .output()
            .with_context(|| format!("cannot run {}", program.display()))?;
        if output.status.success() {
            return Ok(dir);
        }
        last = Some(output);
    }
    let said = last
        .map(|output| String::from_utf8_lossy(&output.stderr).into_owned())
        .unwrap_or_default();
    bail!("{} failed:\n{said}", program.display())
}

/// Copies a tree of folders and files with their modes, for `owner` when given.
fn copy(from: &Path, to: &Path, owner: Option<(u32, u32)>) -> Result<()> {
    fs_err::create_dir(to)?;
    for entry in fs_err::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &target, owner)?;
        } else {
            fs_err::copy(entry.path(), &target)?;
            give(&target, owner)?;
        }
    }
    fs_err::set_permissions(to, fs_err::metadata(from)?.permissions())?;
    give(to, owner)
}

/// Changes the owner of `path` when there is one to change to.
pub(super) fn give(path: &Path, owner: Option<(u32, u32)>) -> Result<()> {
    if let Some((uid, gid)) = owner {
        chown(path, Some(uid), Some(gid))
            .with_context(|| format!("cannot give {} to user {uid}", path.display()))?;
    }
    Ok(())
}
