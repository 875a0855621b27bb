//! Owner, mode and modification time of what was restored.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use fh_core::{Context as _, Result};
use rustix::fs::{AtFlags, CWD, Timespec, Timestamps};

use super::entry::{Entry, Kind};

/// Whether the entry had another owner or group than what this process makes, and cannot get it.
pub(super) fn owner_left_out(entry: &Entry) -> bool {
    let (user, group) = (rustix::process::geteuid(), rustix::process::getegid());
    !user.is_root() && (entry.uid, entry.gid) != (user.as_raw(), group.as_raw())
}

/// Sets them; the owner only as the superuser. A link's mode means nothing.
///
/// # Errors
/// Exit code 3 when the file system refuses.
pub(super) fn set(path: &Path, entry: &Entry) -> Result<()> {
    let failed = || format!("cannot set owner, mode or time of {}", path.display());
    if rustix::process::geteuid().is_root() {
        std::os::unix::fs::lchown(path, Some(entry.uid), Some(entry.gid)).or_unable(failed)?;
    }
    if entry.kind != Kind::Link {
        // After the owner: changing that takes set-user-ID away.
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(entry.mode & 0o7777))
            .or_unable(failed)?;
    }
    let time = Timespec {
        tv_sec: entry.mtime.0,
        tv_nsec: entry.mtime.1.into(),
    };
    let times = Timestamps {
        last_access: time,
        last_modification: time,
    };
    rustix::fs::utimensat(CWD, path, &times, AtFlags::SYMLINK_NOFOLLOW).or_unable(failed)
}
