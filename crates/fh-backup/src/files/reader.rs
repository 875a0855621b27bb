//! The thread that reads a tree: walks it, writes the tar stream and the index, and cuts both.

use std::io::Read as _;
use std::os::unix::ffi::OsStringExt as _;
use std::os::unix::fs::FileTypeExt as _;
use std::path::Path;

use bytes::Bytes;
use fh_core::progress::Task;
use fh_core::{Context as _, Error, Result};
use tokio::sync::mpsc;

use super::chunker::{Chunker, Cut};
use super::entry::{Entry, Kind};
use super::exclude::Exclude;
use super::stable::{self, open, same};
use super::stream::Stream;
use super::take::{Piece, Read};
use super::walk::{Found, Walk};
use super::{Counts, names};

/// Warnings that are kept one by one; beyond, they are only counted.
const WARNINGS: usize = 100;
/// Bytes read at a time.
const PORTION: usize = 256 << 10;

/// Where pieces go.
#[derive(Clone)]
struct Sender(mpsc::Sender<Piece>);

impl Sender {
    fn send(&self, piece: Piece) -> Result<()> {
        self.0
            .blocking_send(piece)
            .map_err(|_| Error::unable("the files cannot be stored any more"))
    }
}

/// Reads one tree.
pub(super) struct Reader {
    sender: Sender,
    task: Task,
    /// The root, for messages.
    place: String,
    /// Whether something that cannot be read ends the backup.
    strict: bool,
    index: Chunker,
    counts: Counts,
    warnings: Vec<String>,
    more_warnings: usize,
    /// Where the last content ended.
    last_end: u64,
    portion: Vec<u8>,
}

impl Reader {
    pub(super) fn new(sender: mpsc::Sender<Piece>, task: Task, strict: bool) -> Self {
        Self {
            sender: Sender(sender),
            task,
            place: String::new(),
            strict,
            index: Chunker::new(Cut::index()),
            counts: Counts::default(),
            warnings: Vec::new(),
            more_warnings: 0,
            last_end: 0,
            portion: vec![0; PORTION],
        }
    }

    pub(super) fn run(mut self, root: &Path, exclude: &Exclude) -> Result<Read> {
        let metadata =
            std::fs::metadata(root).or_unable(|| format!("cannot read the folder {}", root.display()))?;
        if !metadata.is_dir() {
            return Err(Error::usage(format!("{} is no folder", root.display()))
                .hint("backup.files names folders; single configuration files go into backup.config_files"));
        }
        self.place = root.display().to_string();
        let mut chunker = Chunker::new(Cut::contents());
        let sender = self.sender.clone();
        let give = |piece: Bytes| sender.send(Piece::Contents(piece));
        let mut stream = Stream::new(|bytes: &[u8]| chunker.push(bytes, give));
        for found in Walk::new(root, exclude) {
            match found {
                Found::Thing(path, absolute, metadata) => {
                    self.thing(&mut stream, path, &absolute, &metadata)?;
                }
                Found::Unreadable(path, error) => self.unreadable(&path, &error)?,
            }
        }
        let bytes = stream.finish()?;
        chunker.finish(give)?;
        let sender = self.sender.clone();
        self.index.finish(|piece| sender.send(Piece::Index(piece)))?;
        if self.more_warnings > 0 {
            self.warnings.push(format!("and {} more", self.more_warnings));
        }
        Ok(Read {
            counts: self.counts,
            bytes,
            warnings: self.warnings,
        })
    }

    fn thing<S: FnMut(&[u8]) -> Result<()>>(
        &mut self,
        stream: &mut Stream<S>,
        path: Vec<u8>,
        absolute: &Path,
        metadata: &std::fs::Metadata,
    ) -> Result<()> {
        let kind = metadata.file_type();
        if kind.is_file() {
            return self.file(stream, &path, absolute);
        }
        if kind.is_dir() {
            self.counts.folders += 1;
            let entry = stable::entry(path, Kind::Folder, metadata);
            stream.begin(&entry, 0)?;
            return self.note(entry, stream.position());
        }
        if kind.is_symlink() {
            let target = match std::fs::read_link(absolute) {
                Ok(target) => target.into_os_string().into_vec(),
                Err(error) => return self.unreadable(&path, &error),
            };
            self.counts.links += 1;
            let mut entry = stable::entry(path, Kind::Link, metadata);
            entry.link = Some(target);
            stream.begin(&entry, 0)?;
            return self.note(entry, stream.position());
        }
        let what = if kind.is_socket() {
            "a socket"
        } else if kind.is_fifo() {
            "a pipe"
        } else {
            "a device"
        };
        self.warn(format!("{}: {what}, left out", names::shown(&path)));
        Ok(())
    }

    /// One file, and once more when it changed meanwhile: in a tar stream the later entry of a path is the one that counts.
    fn file<S: FnMut(&[u8]) -> Result<()>>(
        &mut self,
        stream: &mut Stream<S>,
        path: &[u8],
        absolute: &Path,
    ) -> Result<()> {
        let mut tried = 0;
        loop {
            let (file, before) = match open(absolute) {
                Ok((file, metadata)) if metadata.is_file() => (file, metadata),
                Ok(_) => {
                    return self.unreadable(path, &std::io::Error::other("it is no regular file any more"));
                }
                Err(error) => return self.unreadable(path, &error),
            };
            let mut entry = stable::entry(path.to_vec(), Kind::File, &before);
            let size = before.len();
            stream.begin(&entry, size)?;
            let start = stream.position();
            let mut hasher = blake3::Hasher::new();
            let mut left = size;
            while left > 0 {
                let room = usize::try_from(left).unwrap_or(usize::MAX).min(PORTION);
                let count = match (&file).read(&mut self.portion[..room]) {
                    Ok(0) => break,
                    Ok(count) => count,
                    Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
                    Err(error) => {
                        self.unreadable(path, &error)?;
                        // The header has promised so many bytes. Without an entry in the index nobody takes them for the file.
                        stream.zeros(left)?;
                        return stream.pad();
                    }
                };
                let part = &self.portion[..count];
                hasher.update(part);
                stream.write(part)?;
                self.task.inc(count as u64);
                left -= count as u64;
            }
            let end = stream.position();
            stream.zeros(left)?;
            stream.pad()?;
            let after = file.metadata();
            entry.changed = left > 0 || !after.is_ok_and(|after| same(&before, &after));
            tried += 1;
            if entry.changed && tried == 1 {
                continue;
            }
            if entry.changed {
                self.counts.changed += 1;
                self.warn(format!("{}: changed while it was read", names::shown(path)));
            }
            self.counts.files += 1;
            self.counts.file_bytes += end - start;
            entry.size = end - start;
            entry.hash = hasher.finalize().to_hex().to_string();
            return self.note(entry, start);
        }
    }

    /// Writes the line of an entry whose content begins at `start`.
    fn note(&mut self, mut entry: Entry, start: u64) -> Result<()> {
        entry.skip = start - self.last_end;
        self.last_end = start + entry.size;
        let mut line = serde_json::to_vec(&entry).or_unable(|| "cannot write the index of the files")?;
        line.push(b'\n');
        let sender = &self.sender;
        self.index.push(&line, |piece| sender.send(Piece::Index(piece)))
    }

    fn unreadable(&mut self, path: &[u8], error: &std::io::Error) -> Result<()> {
        let name = if path.is_empty() {
            "the folder itself".into()
        } else {
            names::shown(path)
        };
        // What went away after its folder was listed is as if it had gone a moment before.
        let gone = error.kind() == std::io::ErrorKind::NotFound && !path.is_empty();
        if gone {
            self.warn(format!("{name}: gone before it was read"));
            return Ok(());
        }
        if self.strict {
            return Err(Error::unable(format!("cannot read {name} in {}", self.place))
                .because(std::io::Error::new(error.kind(), error.to_string()))
                .hint(
                    "give the user who backs up the right to read it, exclude it, or set on_unreadable = \"warn\" for this tree",
                ));
        }
        self.warn(format!("{name}: cannot be read ({error}), left out"));
        Ok(())
    }

    fn warn(&mut self, text: String) {
        if self.warnings.len() < WARNINGS {
            self.warnings.push(text);
        } else {
            self.more_warnings += 1;
        }
    }
}
