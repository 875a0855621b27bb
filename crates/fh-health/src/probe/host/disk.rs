//! Space and inodes of file systems.

use std::path::{Path, PathBuf};

use fh_core::Check;
use fh_core::render::{bytes, grouped};
use fh_core::report::{Measure, Unit};

use crate::limits::Limits;
use crate::probe::{Context, Planned};

pub(super) fn planned(disks: &[PathBuf]) -> Vec<Planned> {
    let of = |path: &PathBuf| {
        let name = name(path);
        [
            Planned::new(
                format!("host.disk.{name}"),
                format!("space used of the file system at {}", path.display()),
            )
            .limits(Limits::above(Unit::Percent, 85.0, 95.0)),
            Planned::new(
                format!("host.inodes.{name}"),
                format!("inodes used of the file system at {}", path.display()),
            )
            .limits(Limits::above(Unit::Percent, 85.0, 95.0)),
        ]
    };
    disks.iter().flat_map(of).collect()
}

pub(super) fn checks(disks: &[PathBuf], context: &Context) -> Vec<Check> {
    disks.iter().flat_map(|path| look(path, context)).collect()
}

fn look(path: &Path, context: &Context) -> [Check; 2] {
    let name = name(path);
    let (space, inodes) = (format!("host.disk.{name}"), format!("host.inodes.{name}"));
    let data = match rustix::fs::statvfs(path) {
        Ok(data) => data,
        Err(error) => {
            let why = format!(
                "cannot look at {}: {}",
                path.display(),
                std::io::Error::from(error)
            );
            let hint = "correct health.host.disks, or mount the file system";
            return [
                Check::unknown(space, why.clone()).hint(hint),
                Check::unknown(inodes, why).hint(hint),
            ];
        }
    };
    let used = data.f_blocks.saturating_sub(data.f_bfree);
    // As df counts it: what is kept for root is neither used nor free.
    let share = percent(used, used + data.f_bavail);
    let free = data.f_bavail.saturating_mul(data.f_frsize);
    let first = context
        .judge(
            space,
            Measure::percent("used", share),
            format!("{}: {share:.0} % used, {} free", path.display(), bytes(free)),
        )
        .measure(Measure::bytes("free", free));
    let first = advise(
        first,
        "find what grows (du -xh --max-depth=2), and delete it or enlarge the volume",
    );
    // Some file systems, such as btrfs, have no fixed number of inodes.
    if data.f_files == 0 {
        return [
            first,
            Check::skip(inodes, format!("{}: no fixed number of inodes", path.display())),
        ];
    }
    let share = percent(data.f_files.saturating_sub(data.f_ffree), data.f_files);
    let second = context.judge(
        inodes,
        Measure::percent("used", share),
        format!(
            "{}: {share:.0} % used, {} free",
            path.display(),
            grouped(data.f_ffree)
        ),
    );
    [
        first,
        advise(
            second,
            "find the folder with very many small files, and delete those that nobody needs",
        ),
    ]
}

pub(super) fn advise(check: Check, hint: &str) -> Check {
    if check.status == fh_core::Status::Pass {
        check
    } else {
        check.hint(hint)
    }
}

#[expect(clippy::cast_precision_loss, reason = "a share need not be exact beyond 2^53")]
pub(super) fn percent(part: u64, whole: u64) -> f64 {
    if whole == 0 {
        f64::NAN
    } else {
        part as f64 / whole as f64 * 100.0
    }
}

/// A path as the end of an id: `root` for `/`, `var-lib` for `/var/lib`.
fn name(path: &Path) -> String {
    let text = path.to_string_lossy().to_lowercase();
    let name: String = text
        .trim_matches('/')
        .chars()
        .map(|letter| {
            if letter.is_ascii_alphanumeric() || letter == '_' {
                letter
            } else {
                '-'
            }
        })
        .collect();
    if name.is_empty() { "root".into() } else { name }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_become_names() {
        assert_eq!(name(Path::new("/")), "root");
        assert_eq!(name(Path::new("/var/lib/PostgreSQL 15")), "var-lib-postgresql-15");
    }

    #[test]
    fn a_share_of_nothing_is_no_share() {
        assert!(percent(0, 0).is_nan());
        assert_eq!(percent(1, 4), 25.0);
    }
}
