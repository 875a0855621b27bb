//! The tar stream: GNU headers, written so that the same tree always gives the same bytes.
//!
//! Format: GNU tar manual, "Basic Tar Format". Owners are numbers only, times whole seconds; names beyond 100 bytes stand
//! in an entry of type `L` (links: `K`) before their own.

use fh_core::{Context as _, Result};
use tar::{EntryType, Header};

use super::entry::{Entry, Kind};

/// Bytes of a tar block.
const BLOCK: usize = 512;
/// Zeros for padding.
const ZEROS: [u8; 2 * BLOCK] = [0; 2 * BLOCK];

/// Writes headers, contents and padding to `sink`, and knows how far it is.
pub(super) struct Stream<S> {
    sink: S,
    position: u64,
}

impl<S: FnMut(&[u8]) -> Result<()>> Stream<S> {
    pub(super) fn new(sink: S) -> Self {
        Self { sink, position: 0 }
    }

    /// Bytes written so far.
    pub(super) fn position(&self) -> u64 {
        self.position
    }

    /// Writes a part of a content.
    pub(super) fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.position += bytes.len() as u64;
        (self.sink)(bytes)
    }

    /// Begins an entry whose content will have `size` bytes.
    pub(super) fn begin(&mut self, entry: &Entry, size: u64) -> Result<()> {
        let mut path = entry.path.clone();
        if entry.kind == Kind::Folder {
            path.push(b'/');
        }
        let link = entry.link.as_deref().unwrap_or_default();
        let mut header = Header::new_gnu();
        header.set_entry_type(match entry.kind {
            Kind::File => EntryType::Regular,
            Kind::Folder => EntryType::Directory,
            Kind::Link => EntryType::Symlink,
        });
        header.set_mode(entry.mode);
        header.set_uid(entry.uid.into());
        header.set_gid(entry.gid.into());
        // The format of this crate has no times before 1970; the index has.
        header.set_mtime(u64::try_from(entry.mtime.0).unwrap_or(0));
        header.set_size(size);
        if let Some(gnu) = header.as_gnu_mut() {
            put(&mut gnu.name, &path);
            put(&mut gnu.linkname, link);
        }
        if link.len() > 100 {
            self.long(b'K', link)?;
        }
        if path.len() > 100 {
            self.long(b'L', &path)?;
        }
        header.set_cksum();
        self.write(header.as_bytes())
    }

    /// An entry that holds a name which is too long for the next one's header.
    fn long(&mut self, kind: u8, name: &[u8]) -> Result<()> {
        let mut header = Header::new_gnu();
        header
            .set_path("././@LongLink")
            .or_unable(|| "cannot write a tar header")?;
        header.set_entry_type(EntryType::new(kind));
        header.set_mode(0o644);
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(0);
        header.set_size(name.len() as u64 + 1);
        header.set_cksum();
        self.write(header.as_bytes())?;
        self.write(name)?;
        self.write(&[0])?;
        self.pad()
    }

    /// Zeros up to the end of the block: after each content.
    pub(super) fn pad(&mut self) -> Result<()> {
        let over = usize::try_from(self.position % BLOCK as u64).unwrap_or(0);
        if over == 0 {
            Ok(())
        } else {
            self.write(&ZEROS[..BLOCK - over])
        }
    }

    /// Zeros instead of a content that ended too early.
    pub(super) fn zeros(&mut self, mut count: u64) -> Result<()> {
        while count > 0 {
            let part = count.min(ZEROS.len() as u64);
            self.write(&ZEROS[..usize::try_from(part).unwrap_or(0)])?;
            count -= part;
        }
        Ok(())
    }

    /// Two blocks of zeros end the stream.
    pub(super) fn finish(mut self) -> Result<u64> {
        self.write(&ZEROS)?;
        Ok(self.position)
    }
}

/// The beginning of `name`, as much as there is room for.
fn put(field: &mut [u8; 100], name: &[u8]) {
    let count = name.len().min(field.len());
    field[..count].copy_from_slice(&name[..count]);
}
