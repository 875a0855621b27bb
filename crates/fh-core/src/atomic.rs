//! Writing a file in one step: a reader finds the old content or the new, and never half of one.

use std::fs::{File, OpenOptions, Permissions};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};

/// Replaces the file at `path` with `bytes`: written beside it, flushed to disk, renamed over it, and the folder
/// flushed, so that a crash or a full disk leaves what was there. The folder must exist.
///
/// `mode` is the permission bits of the new file; without it the old file's are kept, and a first file gets what the
/// umask allows. A symbolic link stays and its target is replaced. Pipes and devices (`/dev/stdout`) cannot be
/// replaced and are written to.
///
/// # Errors
/// Exit code 3, naming the path, with advice for a full disk, missing permission and a missing folder.
pub fn write(path: &Path, bytes: &[u8], mode: Option<u32>) -> Result<()> {
    // A link that points nowhere resolves to itself, and is replaced.
    let target = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let old = std::fs::metadata(&target).ok();
    let written = match &old {
        Some(data) if data.is_dir() => Err(rustix::io::Errno::ISDIR.into()),
        Some(data) if !data.is_file() => write_through(&target, bytes),
        _ => replace(&target, bytes, mode, old.map(|data| data.permissions())),
    };
    written.map_err(|error| failed(&format!("cannot write {}", path.display()), error))
}

/// An I/O error with a message, exit code 3, and advice for the usual reasons.
pub(crate) fn failed(message: &str, error: io::Error) -> Error {
    let advice = advice(error.kind());
    let failed = Error::unable(message).because(error);
    match advice {
        Some(advice) => failed.hint(advice),
        None => failed,
    }
}

/// What to do about an error of the file system; `None` when the error says all there is to say.
#[must_use]
pub fn advice(kind: ErrorKind) -> Option<&'static str> {
    Some(match kind {
        ErrorKind::StorageFull => {
            "the disk is full: free some space (df -h shows how much there is), then run again"
        }
        ErrorKind::QuotaExceeded => "the disk quota is used up: free some space, then run again",
        ErrorKind::PermissionDenied => {
            "this user may not write there: check owner and mode of the folder (ls -ld)"
        }
        ErrorKind::ReadOnlyFilesystem => "the file system is mounted read-only: choose another folder",
        ErrorKind::NotFound => "the folder does not exist: create it, or correct the path",
        ErrorKind::IsADirectory => "a folder is in the way: give the path of a file",
        ErrorKind::AlreadyExists => "something of that name is in the way: correct the path",
        ErrorKind::NotADirectory => "part of the path is a file: correct the path",
        _ => return None,
    })
}

fn replace(target: &Path, bytes: &[u8], mode: Option<u32>, old: Option<Permissions>) -> io::Result<()> {
    let folder = folder_of(target);
    let mut builder = tempfile::Builder::new();
    let prefix = target
        .file_name()
        .map_or_else(String::new, |name| format!(".{}.", name.to_string_lossy()));
    builder.prefix(&prefix).suffix(".tmp");
    let wanted = match mode {
        Some(mode) => Some(permissions(mode)),
        None => old,
    };
    // Without a wish, 0666 less the umask, as any new file; with one, closed until the mode is set.
    let first = permissions(if wanted.is_some() { 0o600 } else { 0o666 });
    builder.permissions(first);
    let mut file = builder.tempfile_in(&folder).map_err(without_path)?;
    file.write_all(bytes)?;
    if let Some(wanted) = wanted {
        file.as_file().set_permissions(wanted)?;
    }
    file.as_file().sync_all()?;
    file.persist(target).map_err(|failed| failed.error)?;
    sync_folder(&folder)
}

/// tempfile adds the temporary name to its errors, which means nothing to people.
fn without_path(error: io::Error) -> io::Error {
    match error.to_string().split_once(" at path ") {
        Some((text, _)) => io::Error::new(error.kind(), text.to_owned()),
        None => error,
    }
}

fn write_through(target: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).open(target)?;
    file.write_all(bytes)?;
    file.flush()
}

fn folder_of(path: &Path) -> PathBuf {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
        _ => PathBuf::from("."),
    }
}

/// Makes a rename in `folder` last. Some network file systems cannot flush a folder; there the rename is all there is.
fn sync_folder(folder: &Path) -> io::Result<()> {
    match File::open(folder)?.sync_all() {
        Err(error) if matches!(error.kind(), ErrorKind::InvalidInput | ErrorKind::Unsupported) => Ok(()),
        result => result,
    }
}

fn permissions(mode: u32) -> Permissions {
    std::os::unix::fs::PermissionsExt::from_mode(mode)
}

#[cfg(test)]
mod tests {
    use std::io::Read;
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    fn mode(path: &Path) -> u32 {
        std::fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn replaces_the_content_and_keeps_or_sets_the_mode() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state.json");
        write(&path, b"one", Some(0o640)).unwrap();
        assert_eq!(mode(&path), 0o640);
        write(&path, b"two", None).unwrap();
        assert_eq!(
            (std::fs::read(&path).unwrap(), mode(&path)),
            (b"two".to_vec(), 0o640)
        );
        write(&path, b"", Some(0o600)).unwrap();
        assert_eq!((std::fs::read(&path).unwrap(), mode(&path)), (Vec::new(), 0o600));
        assert_eq!(names(folder.path()), ["state.json"]);
    }

    #[test]
    fn a_first_file_gets_the_mode_any_new_file_gets() {
        let folder = tempfile::tempdir().unwrap();
        let (ours, plain) = (folder.path().join("ours"), folder.path().join("plain"));
        write(&ours, b"x", None).unwrap();
        std::fs::write(&plain, b"x").unwrap();
        assert_eq!(mode(&ours), mode(&plain));
    }

    #[test]
    fn an_open_reader_keeps_the_old_content() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        write(&path, b"old", None).unwrap();
        let reader = File::open(&path).unwrap();
        write(&path, b"new!", None).unwrap();
        assert_eq!(io::read_to_string(reader).unwrap(), "old");
    }

    #[test]
    fn a_link_stays_a_link() {
        let folder = tempfile::tempdir().unwrap();
        let (real, link) = (folder.path().join("real"), folder.path().join("link"));
        write(&real, b"old", None).unwrap();
        symlink("real", &link).unwrap();
        write(&link, b"new", None).unwrap();
        assert_eq!(std::fs::read(&real).unwrap(), b"new");
        assert!(link.is_symlink());
    }

    /// A pipe of our own and no real device: a test that fails as root would replace that for the whole machine.
    #[test]
    fn a_pipe_is_written_to_and_not_replaced() {
        use std::os::unix::fs::FileTypeExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pipe");
        rustix::fs::mkfifoat(
            rustix::fs::CWD,
            &path,
            rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR,
        )
        .unwrap();
        // Opened for both, so that no open waits for the other end.
        let mut reader = OpenOptions::new().read(true).write(true).open(&path).unwrap();
        write(&path, b"through", None).unwrap();
        assert!(std::fs::metadata(&path).unwrap().file_type().is_fifo());
        let mut read = [0; 7];
        reader.read_exact(&mut read).unwrap();
        assert_eq!(&read, b"through");
    }

    #[test]
    fn a_failure_names_the_path_says_what_to_do_and_leaves_nothing_behind() {
        let folder = tempfile::tempdir().unwrap();
        let said = |path: &Path| {
            let error = write(path, b"new", None).unwrap_err();
            assert_eq!(error.exit(), crate::Exit::Unable);
            error
                .render()
                .replace(&folder.path().display().to_string(), "DIR")
        };
        insta::assert_snapshot!(said(&folder.path().join("no/such/file")), @r#"
        error: cannot write DIR/no/such/file
        caused by: No such file or directory (os error 2)
        hint: the folder does not exist: create it, or correct the path
        "#);
        std::fs::write(folder.path().join("file"), b"old").unwrap();
        insta::assert_snapshot!(said(&folder.path().join("file/below")), @r#"
        error: cannot write DIR/file/below
        caused by: Not a directory (os error 20)
        hint: part of the path is a file: correct the path
        "#);
        std::fs::create_dir(folder.path().join("sub")).unwrap();
        insta::assert_snapshot!(said(&folder.path().join("sub")), @r"
        error: cannot write DIR/sub
        caused by: Is a directory (os error 21)
        hint: a folder is in the way: give the path of a file
        ");
        assert_eq!(names(folder.path()), ["file", "sub"]);
        assert_eq!(std::fs::read(folder.path().join("file")).unwrap(), b"old");
    }

    /// Only the part that cannot replace a file is given the real device.
    #[cfg(target_os = "linux")]
    #[test]
    fn a_full_disk_is_said_to_be_full() {
        let error = write_through(Path::new("/dev/full"), b"x").unwrap_err();
        insta::assert_snapshot!(failed("cannot write report.json", error).render(), @r"
        error: cannot write report.json
        caused by: No space left on device (os error 28)
        hint: the disk is full: free some space (df -h shows how much there is), then run again
        ");
    }

    /// A test that runs as root is let in everywhere, so the words for what it cannot meet are checked here.
    #[test]
    fn the_usual_reasons_have_advice() {
        let kinds = [
            ErrorKind::StorageFull,
            ErrorKind::QuotaExceeded,
            ErrorKind::PermissionDenied,
            ErrorKind::ReadOnlyFilesystem,
            ErrorKind::NotFound,
        ];
        let said: Vec<&str> = kinds.into_iter().filter_map(advice).collect();
        insta::assert_snapshot!(said.join("\n"), @r"
        the disk is full: free some space (df -h shows how much there is), then run again
        the disk quota is used up: free some space, then run again
        this user may not write there: check owner and mode of the folder (ls -ld)
        the file system is mounted read-only: choose another folder
        the folder does not exist: create it, or correct the path
        ");
        assert_eq!(advice(ErrorKind::ConnectionReset), None);
    }
}
